#include "archive/store/s3_lease.h"

#include <fmt/format.h>

#include <condition_variable>

namespace greffe::store {
namespace {

constexpr std::string_view kHeldText = "held";  // alone, or with a line break and the place of the holder after it
constexpr const char* kFreeText = "free";

// False: stopped.
bool pause(std::stop_token stop, std::chrono::milliseconds length) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  return !wake.wait_for(lock, stop, length, [&] { return stop.stop_requested(); });
}

// Looks again until a lease has passed. unavailable: it moved, so its holder lives.
Result<HeldCell> watch(RemoteCells& cells, Clock& clock, std::int64_t lease_ms, const std::stop_token& stop) {
  const HeldCell first = GREFFE_TRY(cells.look(kS3Lease));
  if (!first.exists || first.text == kFreeText) return first;
  const std::int64_t end_ms = clock.monotonic_ms() + lease_ms;
  while (clock.monotonic_ms() < end_ms) {
    if (!pause(stop, std::chrono::milliseconds(lease_ms / 10))) return fail(Errc::cancelled, "waiting for the lease was broken off");
    HeldCell now = GREFFE_TRY(cells.look(kS3Lease));
    if (now.text == kFreeText) return now;
    if (now.token != first.token) {
      return fail(Errc::unavailable, fmt::format("another archive is writing to this bucket; stop it, or wait {} s after its end", lease_ms / 1000));
    }
  }
  return first;
}

}  // namespace

S3Lease::S3Lease(RemoteCells& cells, Clock& clock, unsigned lease_s, std::uint64_t term, LeaseWish wish)
    : KeptLease(clock, lease_s, "the bucket", std::move(wish)), cells_(cells) {
  term_ = term;
}

Result<std::unique_ptr<S3Lease>> S3Lease::take(RemoteCells& cells, Clock& clock, unsigned lease_s, LeaseWish wish) {
  const HeldCell before = GREFFE_TRY(watch(cells, clock, std::int64_t{lease_s} * 1000, wish.stop));
  std::unique_ptr<S3Lease> out(new S3Lease(cells, clock, lease_s, term_of_token(before.token) + 1, std::move(wish)));
  const Status taken = out->write(before, out->held_text());
  if (!taken) {
    out->lost_ = true;
    return fail(Errc::unavailable, taken.error().within("the writer's lease of the bucket was not taken").message);
  }
  out->start_keeping();
  return out;
}

Result<SeenWriter> S3Lease::look(RemoteCells& cells) {
  const HeldCell now = GREFFE_TRY(cells.look(kS3Lease));
  if (!now.exists || now.text == kFreeText) return SeenWriter{Holding::free, {}};
  const std::string_view text = now.text;
  const bool more = text.starts_with(kHeldText) && text.size() > kHeldText.size() + 1;
  return SeenWriter{Holding::unknown, std::string(more ? text.substr(kHeldText.size() + 1) : std::string_view())};
}

std::string S3Lease::held_text() const { return std::string(kHeldText) + (place_.empty() ? "" : "\n" + place_); }

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
  const Status written = write(*now, held_text());
  if (!written && written.error().code == Errc::conflict) {
    const auto again = cells_.look(kS3Lease);
    lost_ = again && term_of_token(again->token) != term_;
  }
}

}  // namespace greffe::store
