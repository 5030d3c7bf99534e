#include "archive/base/back_off.h"

#include <algorithm>

#include "archive/base/bytes.h"

namespace greffe {

std::int64_t BackOff::next_ms(std::int64_t longest_ms) {
  const std::int64_t pause = std::min(pause_ms_, longest_ms);
  pause_ms_ = std::min(2 * pause_ms_, kLongestPauseMs);
  std::uint8_t random[1];
  fill_random(random);
  return pause / 2 + pause * random[0] / 512;
}

}  // namespace greffe
