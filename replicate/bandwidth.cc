#include "replicate/bandwidth.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace greffe::replicate {
namespace {

constexpr std::int64_t kRateOver_ms = 5 * 60'000;
constexpr std::int64_t kSlot_ms = 5'000;
constexpr std::int64_t kLeastRateOver_ms = 1'000;

}  // namespace

std::size_t Bandwidth::taken(MediaClass media, std::size_t wanted, RateLimit limit) {
  return limit ? buckets_[index_of(media)].take(wanted, *limit, clock_.monotonic_ms()) : wanted;
}

std::size_t Bandwidth::try_take(MediaClass media, std::size_t wanted) {
  const RateLimit now = limit(media);
  const std::lock_guard lock(mutex_);
  return taken(media, wanted, now);
}

Result<std::size_t> Bandwidth::take(MediaClass media, std::size_t wanted) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (stop_.stop_requested()) return fail(Errc::cancelled, "stopped on request");
    const RateLimit now = limit(media);
    if (now == RateLimit(0)) return fail(Errc::conflict, fmt::format("at this time no {} may go, says [[target.limit]]", name_of(media)));
    const std::size_t out = taken(media, wanted, now);
    if (out > 0) return out;
    const std::chrono::milliseconds wait(buckets_[index_of(media)].wait_ms(wanted, *now));
    turn_.wait_for(lock, stop_, wait, [] { return false; });
  }
}

void Bandwidth::forget_old(std::int64_t now_ms) {
  while (!arrived_.empty() && arrived_.front().slot * kSlot_ms <= now_ms - kRateOver_ms) arrived_.pop_front();
}

void Bandwidth::arrived(MediaClass media, std::uint64_t bytes) {
  const std::int64_t now = clock_.monotonic_ms();
  const std::lock_guard lock(mutex_);
  if (arrived_.empty() || arrived_.back().slot != now / kSlot_ms) arrived_.push_back({now / kSlot_ms, {}});
  arrived_.back().bytes[index_of(media)] += bytes;
  forget_old(now);
}

std::uint64_t Bandwidth::rate(MediaClass media) {
  const std::int64_t now = clock_.monotonic_ms();
  const std::lock_guard lock(mutex_);
  forget_old(now);
  std::uint64_t bytes = 0;
  for (const Arrived& one : arrived_) bytes += one.bytes[index_of(media)];
  const std::int64_t over_ms = std::clamp(now - begun_ms_, kLeastRateOver_ms, kRateOver_ms);
  return bytes * 1000 / static_cast<std::uint64_t>(over_ms);
}

}  // namespace greffe::replicate
