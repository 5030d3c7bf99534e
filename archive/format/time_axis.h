// One axis of time for a hearing: milliseconds since its `open` entry. Inside one boot of the station it is the monotonic
// clock, which no correction of the wall clock moves; boots are joined by the wall clock, with the error that the
// station stated. docs/formats/hearing-log.md says it in full. Pure; a value.
#ifndef GREFFE_ARCHIVE_FORMAT_TIME_AXIS_H
#define GREFFE_ARCHIVE_FORMAT_TIME_AXIS_H

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "archive/format/entries.h"

namespace greffe {

struct TimePoint {
  std::string boot;
  std::int64_t mono_ms = 0;
  UtcTime utc;
};
TimePoint begin_of(const SegmentEntry& segment);
TimePoint begin_of(const GapEntry& gap);
TimePoint end_of(const GapEntry& gap);  // an empty boot: the one that follows

class TimeAxis {
 public:
  void add(const HearingEntry& entry);  // every entry, in the order of the log
  void join();                          // after the last add(), before at()

  std::int64_t at(const TimePoint& point) const;
  // Where a gap ends. A restart may lie in it.
  std::int64_t end_at(const GapEntry& gap) const;
  std::uint64_t joins() const { return joins_; }            // restarts that were joined by the wall clock
  std::int64_t join_error_ms() const { return error_ms_; }  // stated for all of them together

 private:
  struct Anchor {  // a moment that both clocks name
    std::int64_t mono_ms = 0;
    std::int64_t utc_ms = 0;
    std::optional<std::int64_t> error_ms;  // nothing: the entry does not state one
  };
  struct Boot {
    std::string name;
    std::array<Anchor, 2> best; // of the smallest error: the earliest and the latest
    std::int64_t first_ms = 0;  // the earliest and the latest moment named, monotonic
    std::int64_t last_ms = 0;
    std::int64_t shift_ms = 0;  // position = mono_ms + shift_ms
  };
  void see(const TimePoint& point, std::int64_t length_ms, std::optional<std::int64_t> error_ms);

  std::optional<TimePoint> open_;
  std::vector<Boot> boots_;  // in the order of their first entry; imports have none
  std::map<std::string, std::size_t, std::less<>> index_;
  std::uint64_t joins_ = 0;
  std::int64_t error_ms_ = 0;
};

}  // namespace greffe

#endif
