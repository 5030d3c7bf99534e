// How long to wait before a target is tried again: twice as long after each failure, up to a minute, and never exactly so
// long, so that not everybody comes back at once. A value.
#ifndef GREFFE_REPLICATE_BACK_OFF_H
#define GREFFE_REPLICATE_BACK_OFF_H

#include <algorithm>
#include <cstdint>

#include "archive/base/bytes.h"

namespace greffe::replicate {

constexpr std::int64_t kFirstPauseMs = 500;
constexpr std::int64_t kLongestPauseMs = 60'000;

class BackOff {
 public:
  // The pause after one more failure: between half and all of what it is.
  std::int64_t next_ms() {
    const std::int64_t pause = pause_ms_;
    pause_ms_ = std::min(2 * pause_ms_, kLongestPauseMs);
    std::uint8_t random[1];
    fill_random(random);
    return pause / 2 + pause * random[0] / 512;
  }
  void succeeded() { pause_ms_ = kFirstPauseMs; }

 private:
  std::int64_t pause_ms_ = kFirstPauseMs;
};

}  // namespace greffe::replicate

#endif
