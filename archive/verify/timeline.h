// Walks the entries of one hearing in order and accounts for its time: sequence numbers, runs, holes and declared gaps,
// totals. Pure: what it finds wrong it hands to a function.
#ifndef GREFFE_ARCHIVE_VERIFY_TIMELINE_H
#define GREFFE_ARCHIVE_VERIFY_TIMELINE_H

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "archive/format/entries.h"
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
  struct Stream {
    std::uint64_t segments = 0;
    std::uint64_t bytes = 0;
    std::int64_t duration_90k = 0;
    std::uint64_t run = 0;
    std::int64_t end_90k = 0;  // in the stream's media time
    UtcTime begin;             // from when on it is accounted for
    UtcTime end;               // of its last segment
    std::int64_t error_ms = 0;
  };
  struct Hole {
    std::string stream;
    UtcTime from;
    UtcTime to;
    std::int64_t tolerance_ms = 0;
    std::uint64_t index = 0;  // of the entry after it
  };
  void add_stream(std::uint64_t index, const ExpectedStream& stream, UtcTime begin);
  void add_segment(std::uint64_t index, const SegmentEntry& entry);
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
  std::vector<Hole> holes_;
  std::vector<DeclaredGap> gaps_;
  std::uint64_t segments_ = 0;
  UtcTime recorded_until_;
};

}  // namespace greffe::verify

#endif
