#include "ingest/bandwidth.h"

#include <algorithm>
#include <chrono>

namespace greffe::ingest {
namespace {

constexpr std::int64_t kRateOver_s = 30;
constexpr std::int64_t kLeastRateOver_ms = 100;

std::uint64_t bytes_a_second(std::int64_t kbit_s) { return static_cast<std::uint64_t>(kbit_s) * 1000 / 8; }

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
    const std::size_t piece = bucket_.take(wanted, bytes_a_second(*now), clock_.monotonic_ms());
    if (piece > 0) {
      count(piece);
      return piece;
    }
    const std::chrono::milliseconds wait(bucket_.wait_ms(wanted, bytes_a_second(*now)));
    turn_.wait_for(lock, stop_, wait, [] { return false; });
  }
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
