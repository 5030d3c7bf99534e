#include "archive/store/s3_lease.h"

#include <fmt/format.h>

namespace greffe::store {
namespace {

constexpr const char* kHeldText = "held";
constexpr const char* kFreeText = "free";

// Looks again until a lease has passed. unavailable: it moved, so its holder lives.
Result<HeldCell> watch(RemoteCells& cells, Clock& clock, std::int64_t lease_ms) {
  const HeldCell first = GREFFE_TRY(cells.look(kS3Lease));
  if (!first.exists || first.text == kFreeText) return first;
  const std::int64_t end_ms = clock.monotonic_ms() + lease_ms;
  while (clock.monotonic_ms() < end_ms) {
    std::this_thread::sleep_for(std::chrono::milliseconds(lease_ms / 10));
    HeldCell now = GREFFE_TRY(cells.look(kS3Lease));
    if (now.text == kFreeText) return now;
    if (now.token != first.token) {
      return fail(Errc::unavailable, fmt::format("another archive is writing to this bucket; stop it, or wait {} s after its end", lease_ms / 1000));
    }
  }
  return first;
}

}  // namespace

S3Lease::S3Lease(RemoteCells& cells, Clock& clock, unsigned lease_s, std::uint64_t term, std::function<void()> on_lost)
    : KeptLease(clock, lease_s, "the bucket", std::move(on_lost)), cells_(cells) {
  term_ = term;
}

Result<std::unique_ptr<S3Lease>> S3Lease::take(RemoteCells& cells, Clock& clock, unsigned lease_s, std::function<void()> on_lost) {
  const HeldCell before = GREFFE_TRY(watch(cells, clock, std::int64_t{lease_s} * 1000));
  std::unique_ptr<S3Lease> out(new S3Lease(cells, clock, lease_s, term_of_token(before.token) + 1, std::move(on_lost)));
  const Status taken = out->write(before, kHeldText);
  if (!taken) {
    out->lost_ = true;
    return fail(Errc::unavailable, taken.error().within("the writer's lease of the bucket was not taken").message);
  }
  out->start_keeping();
  return out;
}

S3Lease::~S3Lease() {
  stop_keeping();
  if (lost_) return;
  const auto now = cells_.look(kS3Lease);
  // Whoever waits will notice otherwise: a failure costs them one lease.
  if (now && now->exists && now->token == last_token_) static_cast<void>(cells_.write(kS3Lease, *now, kFreeText, make_token(term_)).has_value());
}

// Counts from before the question.
Status S3Lease::write(const HeldCell& now, const std::string& text) {
  const std::int64_t start_ms = clock_.monotonic_ms();
  const std::string token = make_token(term_);
  GREFFE_TRY(cells_.write(kS3Lease, now, text, token));
  last_token_ = token;
  valid_until_ms_ = start_ms + lease_ms_;
  return ok();
}

// A write of ours whose outcome was open may stand there: it has our term, which nobody else has.
void S3Lease::renew() {
  const auto now = cells_.look(kS3Lease);
  if (!now) return;
  if (!now->exists || term_of_token(now->token) != term_) {
    lost_ = true;
    return;
  }
  const Status written = write(*now, kHeldText);
  if (!written && written.error().code == Errc::conflict) {
    const auto again = cells_.look(kS3Lease);
    lost_ = again && term_of_token(again->token) != term_;
  }
}

}  // namespace greffe::store
