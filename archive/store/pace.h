// Keeps work of the background below a rate. One thread.
#ifndef GREFFE_ARCHIVE_STORE_PACE_H
#define GREFFE_ARCHIVE_STORE_PACE_H

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

#include "archive/base/clock.h"

namespace greffe::store {

class Pace {
 public:
  // 0: as fast as it goes.
  Pace(Clock& clock, std::uint64_t bytes_per_second, std::stop_token stop)
      : clock_(clock), bytes_per_second_(bytes_per_second), stop_(std::move(stop)), start_ms_(clock.monotonic_ms()) {}

  // Waits until the average since the start is at or below the limit; not once a stop was asked for.
  void after(std::uint64_t bytes);

 private:
  Clock& clock_;
  const std::uint64_t bytes_per_second_;
  const std::stop_token stop_;
  const std::int64_t start_ms_;  // monotonic
  std::uint64_t bytes_ = 0;
  std::mutex mutex_;
  std::condition_variable_any wake_;
};

}  // namespace greffe::store

#endif
