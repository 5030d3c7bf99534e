// One live stream of the station: keeps a process connected to its source, starts it again when it is gone, and while a
// hearing records, turns what comes into entries of the hearing's log. Accounts for every millisecond in between: what
// is missing becomes a gap with its reason. One thread.
#ifndef GREFFE_INGEST_LIVE_LANE_H
#define GREFFE_INGEST_LIVE_LANE_H

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ingest/live_hearing.h"
#include "ingest/picture_board.h"
#include "ingest/reception.h"
#include "ingest/settings.h"
#include "ingest/station_clock.h"

namespace greffe::ingest {

class LiveLane {
 public:
  // Everything must outlive the lane.
  LiveLane(const StreamSettings& stream, const IngestSettings& settings, StationClock& clock, PictureBoard& pictures);

  const StreamSettings& stream() const { return stream_; }
  // A hearing begins, or goes on after a restart: from `since` on, time is accounted for. `spool` stays until leave().
  void join(HearingSpool& spool, Accounted since, const char* reason);
  void leave() { spool_ = nullptr; }
  // The disk failed: nothing of the hearing is written any more, what is in open/ is recovered when it is joined again.
  void abandon(Moment now);

  // Whether it should record now; the reason is that of the gap while it should not ("" when somebody else logs that gap).
  void record(bool wanted, Moment now, const char* reason);
  bool wanted() const { return wanted_; }
  bool at_rest() const;            // nothing of it is still to come for the log
  void begin_new_run();            // the wall clock jumped

  int descriptor() const;          // readable: take_news(); -1: there is nobody to hear
  // An error of the spool only: then no lane may use it any more. What the source does wrong is dealt with here.
  Status take_news(Moment now);
  // Starts, gives up and starts again what is due.
  Status tick(Moment now);
  // What it has in open/ becomes a recovered segment, at once; its process ends.
  Status break_off(Moment now, const char* reason, const std::string& problem);
  // Declares what is missing between the last segment and `until`.
  void account_until(Moment until);
  const Accounted& accounted() const { return end_; }  // until when something is recorded or declared

  enum class State { connecting, waiting, ready, recording, ending };
  State state() const;
  const std::string& problem() const { return problem_; }   // why it does not record, in words; empty
  const std::optional<Moment>& problem_since() const { return problem_since_; }
  const std::optional<TrackFacts>& facts() const { return facts_; }
  std::int64_t heard_mono_ms() const { return heard_mono_ms_; }  // when a fragment last became durable
  // Which entries of the log are the newest segments, and when each was logged; the newest last.
  struct Logged {
    std::uint64_t entry = 0;
    std::int64_t mono_ms = 0;
  };
  const std::deque<Logged>& logged() const { return logged_; }
  const std::optional<LevelsHeard>& levels() const { return levels_; }       // of the last half second
  const std::map<Alarm, Moment>& alarms() const { return alarms_; }          // that stand, and since when

 private:
  struct Cause {
    Moment at;
    std::string reason;  // "": logged elsewhere
  };
  Status start(Moment now);
  void start_recording();
  Status take(WorkerNews news, Moment now);
  bool take_signal(const WorkerNews& news, Moment now);
  Status take_segment(const SegmentCut& cut, Moment now);
  Status take_peaks(PeaksMeasured measured, Moment now);
  Status lost(const Error& why, Moment now);
  Status end_process(Moment now, std::string reason, std::string problem);
  void take_recovered();
  void missing_from(Moment at, const char* reason);
  void push_gap(const std::string& reason, const std::string& boot, Moment from, Moment to);
  Moment captured(std::optional<std::int64_t> mono_ms, Moment now) const;

  const StreamSettings stream_;
  const IngestSettings& settings_;
  StationClock& clock_;
  PictureBoard& pictures_;
  HearingSpool* spool_ = nullptr;
  bool wanted_ = false;

  std::unique_ptr<MediaWorker> worker_;
  std::optional<TrackFacts> facts_;
  std::unique_ptr<Reception> reception_;  // set while the process records
  bool ending_ = false;                   // it was told to hold, and has not said yet that it does
  std::uint64_t first_run_ = 0;
  std::uint64_t last_run_ = 0;
  bool any_ = false;                      // a segment since the process began to record

  Accounted end_;                         // of what is recorded or declared so far
  std::vector<Cause> causes_;             // why nothing is recorded, from end_ on
  std::int64_t patience_until_ms_ = 0;    // monotonic: until then it must have said something
  std::int64_t retry_at_ms_ = 0;
  std::int64_t pause_ms_ = 0;             // of the last retry
  std::string problem_;
  std::optional<Moment> problem_since_;
  std::int64_t heard_mono_ms_ = 0;
  void note_logged(std::int64_t mono_ms);
  std::deque<Logged> logged_;
  std::optional<LevelsHeard> levels_;
  std::map<Alarm, Moment> alarms_;
};

}  // namespace greffe::ingest

#endif
