#include "archive/store/pace.h"

#include <chrono>

namespace greffe::store {

void Pace::after(std::uint64_t bytes) {
  if (bytes_per_second_ == 0) return;
  bytes_ += bytes;
  const auto due_ms = static_cast<std::int64_t>(bytes_ * 1000 / bytes_per_second_);
  const std::int64_t wait_ms = start_ms_ + due_ms - clock_.monotonic_ms();
  if (wait_ms <= 0) return;
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, stop_, std::chrono::milliseconds(wait_ms), [] { return false; });
}

}  // namespace greffe::store
