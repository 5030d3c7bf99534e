#include "replicate/bandwidth.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace greffe::replicate {
namespace {

constexpr std::size_t kPiece = 16 * 1024;  // so that the connections share the line evenly
constexpr std::chrono::milliseconds kLookAgain(50);
constexpr double kBurst_s = 0.1;           // what may be saved up while nothing is sent
constexpr std::int64_t kRateOver_ms = 5 * 60'000;
constexpr std::int64_t kSlot_ms = 5'000;
constexpr std::int64_t kLeastRateOver_ms = 1'000;

}  // namespace

std::size_t Bandwidth::taken(MediaClass media, std::size_t wanted, RateLimit limit) {
  if (!limit) return wanted;
  Bucket& bucket = buckets_[index_of(media)];
  const auto rate = static_cast<double>(*limit);
  // A piece takes at most half a second, or the target would wait too long for the next one.
  const std::size_t piece = std::min({wanted, kPiece, static_cast<std::size_t>(*limit / 2)});
  const std::int64_t now = clock_.monotonic_ms();
  const double most = std::max(static_cast<double>(kPiece), rate * kBurst_s);
  if (bucket.filled_ms >= 0) bucket.bytes += rate * static_cast<double>(now - bucket.filled_ms) / 1000;
  bucket.bytes = std::min(bucket.bytes, most);
  bucket.filled_ms = now;
  if (piece == 0 || bucket.bytes < static_cast<double>(piece)) return 0;
  bucket.bytes -= static_cast<double>(piece);
  return piece;
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
    turn_.wait_for(lock, stop_, kLookAgain, [] { return false; });
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
