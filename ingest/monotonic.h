// The clock by which what is live is timed: it runs on whatever is done to the wall clock, also while the machine sleeps.
#ifndef GREFFE_INGEST_MONOTONIC_H
#define GREFFE_INGEST_MONOTONIC_H

#include <time.h>

#include <cstdint>

namespace greffe::ingest {

inline std::int64_t monotonic_us() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

}  // namespace greffe::ingest

#endif
