// How long to wait before the next try: longer after each failure, and never exactly so long, so that those who lost the same
// archive do not all come back at once. A value.
#ifndef GREFFE_ARCHIVE_BASE_BACK_OFF_H
#define GREFFE_ARCHIVE_BASE_BACK_OFF_H

#include <cstdint>

namespace greffe {

constexpr std::int64_t kFirstPauseMs = 200;
constexpr std::int64_t kLongestPauseMs = 60'000;

class BackOff {
 public:
  // The pause after one more failure, of `longest_ms` at most: between half and all of what it is.
  std::int64_t next_ms(std::int64_t longest_ms = kLongestPauseMs);
  void succeeded() { pause_ms_ = kFirstPauseMs; }

 private:
  std::int64_t pause_ms_ = kFirstPauseMs;
};

}  // namespace greffe

#endif
