// A clock that stands still until the test moves it. Thread-safe.
#ifndef GREFFE_TESTS_UNIT_SUPPORT_MANUAL_CLOCK_H
#define GREFFE_TESTS_UNIT_SUPPORT_MANUAL_CLOCK_H

#include <atomic>

#include "archive/base/clock.h"

namespace greffe::testing {

class ManualClock : public Clock {
 public:
  UtcTime utc_now() override { return {1'795'600'000'000 + passed_ms_}; }
  std::int64_t monotonic_ms() override { return 1'000'000 + passed_ms_; }
  std::string boot_id() override { return "3f2c8a1e-0000-4000-8000-000000000001"; }
  void pass_ms(std::int64_t ms) { passed_ms_ += ms; }

 private:
  std::atomic<std::int64_t> passed_ms_{0};
};

}  // namespace greffe::testing

#endif
