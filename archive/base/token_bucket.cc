#include "archive/base/token_bucket.h"

#include <algorithm>

namespace greffe {
namespace {

constexpr double kBurst_s = 0.1;  // what may be saved up while nothing goes
constexpr std::int64_t kLongestWaitMs = 100;

std::size_t piece_of(std::size_t wanted, std::uint64_t bytes_per_second) {
  return std::min({wanted, TokenBucket::kPieceBytes, static_cast<std::size_t>(bytes_per_second / 2)});
}

}  // namespace

std::size_t TokenBucket::take(std::size_t wanted, std::uint64_t bytes_per_second, std::int64_t now_ms) {
  const auto rate = static_cast<double>(bytes_per_second);
  if (filled_ms_ >= 0) bytes_ += rate * static_cast<double>(now_ms - filled_ms_) / 1000;
  bytes_ = std::min(bytes_, std::max(static_cast<double>(kPieceBytes), rate * kBurst_s));
  filled_ms_ = now_ms;
  const std::size_t piece = piece_of(wanted, bytes_per_second);
  if (bytes_ < static_cast<double>(piece)) return 0;
  bytes_ -= static_cast<double>(piece);
  return piece;
}

std::int64_t TokenBucket::wait_ms(std::size_t wanted, std::uint64_t bytes_per_second) const {
  const double lacking = static_cast<double>(piece_of(wanted, bytes_per_second)) - bytes_;
  const double ms = bytes_per_second == 0 ? static_cast<double>(kLongestWaitMs) : lacking * 1000 / static_cast<double>(bytes_per_second);
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(ms) + 1, 1, kLongestWaitMs);
}

}  // namespace greffe
