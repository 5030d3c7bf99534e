// One stream of an import: takes what its reading process says and turns it into entries of the hearing's log, on the
// wall clock. Says nothing about the order among streams. One thread.
#ifndef GREFFE_INGEST_LANE_H
#define GREFFE_INGEST_LANE_H

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ingest/import_plan.h"
#include "ingest/reception.h"

namespace greffe::ingest {

// Where media time stands on the wall clock: declared gaps hold no media.
struct WallClock {
  UtcTime start;
  std::int64_t lead_us = 0;                    // so that no sample of any stream stands before the start
  std::vector<std::int64_t> gap_ms;            // lengths of the declared gaps, in the order of cuts_us
  std::vector<std::int64_t> cuts_us;           // media times at which they stand
  static WallClock make(UtcTime start, std::int64_t lead_us, const std::vector<GapRequest>& gaps);
  UtcTime at(std::int64_t media_us, std::uint64_t cut) const;
};

// An entry that waits for its turn, and what becomes durable with it.
struct Waiting {
  UtcTime turn;
  HearingEntry entry;
  Bytes document;                       // of `peaks`
  std::optional<OpenSegment> segment;   // of `segment`, when it was written
};

class Lane {
 public:
  // `before`: what the log said before this import, and the gaps that it declares; must outlive the lane. `logged`: how
  // many segments of this stream this import has in the log already; they are computed again, compared, and not written.
  Lane(StreamRequest request, std::unique_ptr<MediaWorker> worker, TrackFacts facts, const HearingState& before, std::uint64_t logged);

  const StreamRequest& request() const { return request_; }
  const TrackFacts& facts() const { return facts_; }
  Status start(const WallClock& clock, CutRules rules);
  int descriptor() const { return worker_->descriptor(); }
  // What the reader says next. Nothing of it is believed: what it wrote is hashed here, and a segment is checked before it
  // waits for its turn.
  Status take_news(HearingSpool& spool);
  bool wants_file() const { return reception_.wants_file(); }
  Status give_file(HearingSpool& spool);
  bool ended() const { return ended_; }
  std::deque<Waiting>& waiting() { return waiting_; }
  // How much of the media file was read since the last call.
  std::uint64_t take_progress();
  // Set at the end when the file promised more than it held: what is missing.
  const std::optional<Missing>& cut_short() const { return cut_short_; }

 private:
  Status take_segment(const SegmentCut& cut, HearingSpool& spool);
  void take_peaks(FinishedPeaks peaks);
  void take_end(const TrackEnded& end);
  void declare_hole(UtcTime until);
  void push_gap(Missing missing, const char* reason);

  const StreamRequest request_;
  const std::unique_ptr<MediaWorker> worker_;
  const TrackFacts facts_;
  const HearingState& before_;
  const UtcTime hearing_start_;
  WallClock clock_;
  std::uint64_t seq_ = 0;
  std::uint64_t first_run_ = 0;
  std::uint64_t logged_;
  UtcTime end_;                      // of what was recorded so far; the hearing's start at first
  bool ended_ = false;
  std::uint64_t last_cut_ = 0;
  const std::int64_t after_90k_;     // media time at which the stream's earlier runs ended
  Reception reception_;
  std::uint64_t bytes_read_ = 0;
  std::uint64_t bytes_reported_ = 0;
  std::deque<Waiting> waiting_;
  std::optional<Missing> cut_short_;
};

}  // namespace greffe::ingest

#endif
