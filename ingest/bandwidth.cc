#include "ingest/bandwidth.h"

#include <algorithm>
#include <chrono>

namespace greffe::ingest {
namespace {

constexpr std::size_t kPiece = 16 * 1024;    // so that the connections share the line evenly
constexpr std::int64_t kLongestWaitMs = 100;
constexpr double kBurst_s = 0.1;             // what may be saved up while nothing is sent
constexpr std::int64_t kRateOver_s = 30;
constexpr std::int64_t kLeastRateOver_ms = 100;

constexpr double bytes_a_ms(std::int64_t kbit_s) { return static_cast<double>(kbit_s) / 8; }

Error only_the_log() {
  return fail(Errc::conflict, "at this time only the log may go, says [upload] in station.toml; the recordings wait");
}

}  // namespace

Status Bandwidth::check() { return limit() == RateLimit(0) ? Status(only_the_log()) : ok(); }

Result<std::size_t> Bandwidth::take(std::size_t wanted) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (stop_.stop_requested()) return fail(Errc::cancelled, "the upload was stopped");
    const RateLimit now = limit();
    if (now && *now == 0) return only_the_log();
    if (!now) {
      count(wanted);
      return wanted;
    }
    refill(*now);
    const std::size_t piece = std::min(wanted, kPiece);
    if (bytes_ >= static_cast<double>(piece)) {
      bytes_ -= static_cast<double>(piece);
      count(piece);
      return piece;
    }
    const double lacking_ms = (static_cast<double>(piece) - bytes_) / bytes_a_ms(*now);
    const auto wait = std::clamp<std::int64_t>(static_cast<std::int64_t>(lacking_ms) + 1, 1, kLongestWaitMs);
    turn_.wait_for(lock, stop_, std::chrono::milliseconds(wait), [] { return false; });
  }
}

void Bandwidth::refill(std::int64_t limit_kbit) {
  const std::int64_t now = clock_.monotonic_ms();
  const double most = std::max(static_cast<double>(kPiece), bytes_a_ms(limit_kbit) * 1000 * kBurst_s);
  if (filled_ms_ >= 0) bytes_ += bytes_a_ms(limit_kbit) * static_cast<double>(now - filled_ms_);
  bytes_ = std::min(bytes_, most);
  filled_ms_ = now;
}

void Bandwidth::begin() {
  const std::lock_guard lock(mutex_);
  if (senders_++ == 0) begun_ms_ = clock_.monotonic_ms();
}

void Bandwidth::end() {
  const std::lock_guard lock(mutex_);
  if (--senders_ == 0) earlier_ms_ += clock_.monotonic_ms() - begun_ms_;
}

std::int64_t Bandwidth::sending_ms() const { return earlier_ms_ + (senders_ > 0 ? clock_.monotonic_ms() - begun_ms_ : 0); }

void Bandwidth::count(std::size_t bytes) {
  const std::int64_t second = sending_ms() / 1000;
  if (sent_.empty() || sent_.back().second != second) sent_.push_back({second, 0});
  sent_.back().bytes += bytes;
  while (sent_.front().second <= second - kRateOver_s) sent_.pop_front();
}

std::uint64_t Bandwidth::rate_bytes_s() {
  const std::lock_guard lock(mutex_);
  if (sent_.empty()) return 0;
  std::uint64_t bytes = 0;
  for (const Sent& one : sent_) bytes += one.bytes;
  const std::int64_t over_ms = std::max<std::int64_t>(sending_ms() - sent_.front().second * 1000, kLeastRateOver_ms);
  return bytes * 1000 / static_cast<std::uint64_t>(over_ms);
}

}  // namespace greffe::ingest
