// Walks the entries of one hearing in order and checks its time: sequence numbers, runs, holes and declared gaps, totals.
// Distances are those of the station's monotonic clock (archive/format/time_axis.h): a wall clock that is set in the middle
// of a hearing makes no hole. Pure: what it finds wrong it hands to a function.
#ifndef GREFFE_ARCHIVE_VERIFY_TIMELINE_H
#define GREFFE_ARCHIVE_VERIFY_TIMELINE_H

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "archive/format/time_axis.h"
#include "archive/verify/report.h"

namespace greffe::verify {

class Timeline {
 public:
  // `found` is given findings without hearing and log.
  explicit Timeline(std::function<void(Finding)> found);
  void add(std::uint64_t index, const HearingEntry& entry);
  void finish();  // after the last entry: holes against gaps, expected streams, totals

  const std::optional<OpenEntry>& open() const { return open_; }
  const std::optional<CloseEntry>& close() const { return close_; }
  std::uint64_t close_index() const { return close_index_; }
  const std::vector<DeclaredGap>& gaps() const { return gaps_; }
  std::vector<std::string> streams() const;
  std::uint64_t segments() const { return segments_; }
  UtcTime recorded_until() const { return recorded_until_; }  // end of the last segment of all streams

 private:
  struct Placed {  // a segment
    TimePoint begin;
    std::int64_t length_ms = 0;
    std::int64_t error_ms = 0;
    std::uint64_t index = 0;
  };
  struct Stream {
    std::uint64_t bytes = 0;
    std::int64_t duration_90k = 0;
    std::uint64_t run = 0;
    std::int64_t end_90k = 0;  // in the stream's media time
    bool expected = false;     // by `open`; a late stream begins with its first segment
    std::vector<Placed> segments;
  };
  struct Moment {
    std::int64_t at_ms = 0;  // on the axis: what is compared
    UtcTime utc;             // what is told
  };
  struct Hole {
    std::string stream;
    Moment from;
    Moment to;
    std::int64_t tolerance_ms = 0;
    std::uint64_t index = 0;  // of the entry after it
  };
  void add_stream(std::uint64_t index, const ExpectedStream& stream, bool expected);
  void add_segment(std::uint64_t index, const SegmentEntry& entry);
  void add_explanation(std::uint64_t index, const ExplanationEntry& entry);
  void check_stream(const std::string& name, const Stream& stream);
  void check_totals();
  void check_hole(const Hole& hole);
  void wrong(const char* code, std::string what, const std::string& stream, std::uint64_t index,
             std::optional<UtcTime> from = {}, std::optional<UtcTime> to = {});

  const std::function<void(Finding)> found_;
  std::optional<OpenEntry> open_;
  std::optional<CloseEntry> close_;
  std::uint64_t close_index_ = 0;
  std::uint64_t last_index_ = 0;
  std::map<std::string, Stream> streams_;
  std::vector<DeclaredGap> gaps_;
  std::vector<GapEntry> gap_entries_;  // of gaps_
  TimeAxis axis_;
  std::uint64_t segments_ = 0;
  UtcTime recorded_until_;
};

}  // namespace greffe::verify

#endif
