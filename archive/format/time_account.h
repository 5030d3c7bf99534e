// The account of a hearing's time: recorded + excused + unexcused = declared, in milliseconds of the station's monotonic
// clock, for each stream and for the hearing. docs/formats/hearing-log.md defines it. Pure; a value.
#ifndef GREFFE_ARCHIVE_FORMAT_TIME_ACCOUNT_H
#define GREFFE_ARCHIVE_FORMAT_TIME_ACCOUNT_H

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "archive/format/time_axis.h"
#include "archive/format/time_spans.h"

namespace greffe {

struct TimeSums {
  std::int64_t declared_ms = 0;   // = recorded_ms + excused_ms + unexcused_ms
  std::int64_t recorded_ms = 0;
  std::int64_t excused_ms = 0;    // recess, closed evidence, mediation
  std::int64_t unexcused_ms = 0;  // other gaps, and time that nothing names
  std::int64_t unexplained_ms = 0;  // of these: time that nothing names, and gaps about which nobody has filed anything
};
struct StreamTime {
  std::string stream;
  TimeSums sums;
  std::int64_t drift_ms = 0;  // by how much the monotonic clock ran ahead of the media clock; beside the sums, not in them
};
struct TimeAccount {
  TimeSums total;  // recorded: at least one stream was; excused: nothing was, and every stream that should have been is
  std::vector<StreamTime> streams;  // in the order of `open`, late ones after
  std::uint64_t joins = 0;          // restarts of the station, joined by the wall clock
  std::int64_t join_error_ms = 0;   // stated error of these joins together
};

// {"declared_ms","excused_ms","join_error_ms","joins","recorded_ms","streams":[…,"drift_ms","stream"],…}
Json json_of(const TimeAccount& account);

class TimeAccounting {
 public:
  void add(const HearingEntry& entry);  // every entry of the log, in its order, from `open` on
  // Of what was added so far. Without a `close` each stream is accounted for up to its own newest segment or gap.
  TimeAccount account() const;

 private:
  struct Piece {  // a segment
    TimePoint begin;
    std::uint64_t run = 0;
    std::int64_t length_ms = 0;
  };
  struct Stream {
    std::string name;
    bool expected = false;  // by `open`: due from there on; a late one from its first segment, or gap that names it
    std::vector<Piece> pieces;
  };
  struct Times {  // of one stream, on the axis
    TimeSpans declared, recorded, excused, unexcused, unexplained;
    std::int64_t drift_ms = 0;
  };
  struct StreamGaps {
    TimeSpans all, own, excused, explained;  // own: those that name the stream, and not just all streams
  };
  Stream& stream(const std::string& name);
  StreamGaps gaps_of(const Stream& stream, const TimeAxis& axis) const;
  TimeSpans declared_of(const Stream& stream, const TimeSpans& recorded, const StreamGaps& gaps, const TimeAxis& axis) const;
  Times times_of(const Stream& stream, const TimeAxis& axis) const;

  TimeAxis axis_;
  std::uint64_t entries_ = 0;
  std::vector<Stream> streams_;
  std::map<std::uint64_t, GapEntry> gaps_;  // by their index in the log
  std::set<std::uint64_t> explained_;       // indices of gaps
  std::optional<TimePoint> close_;
};

}  // namespace greffe

#endif
