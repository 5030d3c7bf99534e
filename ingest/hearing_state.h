// What the entries of a hearing log say so far. A value.
#ifndef GREFFE_INGEST_HEARING_STATE_H
#define GREFFE_INGEST_HEARING_STATE_H

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "archive/format/entries.h"

namespace greffe::ingest {

struct StreamState {
  ExpectedStream stream;
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;
  std::int64_t duration_90k = 0;
  std::uint64_t peaks = 0;
  std::uint64_t next_run = 0;
  UtcTime end;                          // of the last segment; 0: none yet
  std::optional<SegmentEntry> last;
  std::set<Digest> logged;              // its segments: a file left in open/ after a crash may be any of them
  std::int64_t end_90k() const { return last ? last->start_90k + last->duration_90k : 0; }  // in media time
};

struct Missing {  // a stretch of time
  UtcTime from;
  UtcTime to;
};

struct UnexplainedGap {
  std::uint64_t index = 0;  // in the hearing's log: what an `explanation` names
  GapEntry entry;
};

class HearingState {
 public:
  Status apply(std::string_view entry);  // invalid: not an entry that can stand here
  void apply(const HearingEntry& entry);

  const std::optional<OpenEntry>& open() const { return open_; }
  bool closed() const { return closed_; }
  const std::vector<StreamState>& streams() const { return streams_; }
  const std::vector<GapEntry>& gaps() const { return gaps_; }
  // The gaps about which somebody still has to say something: not excused by their reason, without a note, and without an
  // `explanation` since. In the order of the log; right only for a state that was given every entry of it.
  std::vector<UnexplainedGap> unexplained() const;
  const std::set<Digest>& lost() const { return lost_; }  // objects that `lost` entries name
  // What the hearing is about: the document of the newest correction, else that of `open`, which must be there.
  const Digest& details() const { return corrections_.empty() ? open_->details : corrections_.back().details; }
  const std::vector<CorrectionEntry>& corrections() const { return corrections_; }
  const StreamState* find(std::string_view stream) const;
  UtcTime end() const { return end_; }  // of everything that was recorded or declared
  // The parts of [from, to) that no gap of this stream declares, when longer than a second.
  std::vector<Missing> undeclared(std::string_view stream, UtcTime from, UtcTime to) const;
  CloseEntry close_entry() const;       // with the totals so far

 private:
  StreamState& stream(const std::string& name);
  std::optional<OpenEntry> open_;
  std::vector<StreamState> streams_;    // in the order of their announcement
  std::vector<GapEntry> gaps_;
  std::vector<std::uint64_t> gap_indices_;  // of gaps_
  std::set<std::uint64_t> explained_;       // indices of gaps
  std::vector<CorrectionEntry> corrections_;
  std::uint64_t entries_ = 0;
  std::set<Digest> lost_;
  UtcTime end_;
  bool closed_ = false;
};

constexpr std::int64_t kDeclareFromMs = 1000;  // shorter holes are within the clock error of an import
constexpr std::int64_t kImportClockErrorMs = 1000;

}  // namespace greffe::ingest

#endif
