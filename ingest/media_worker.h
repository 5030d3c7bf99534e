// A sandboxed child that reads one media file, as the importing process sees it. Start all of them before any key is
// in memory: the child is a copy of this process. One thread.
#ifndef GREFFE_INGEST_MEDIA_WORKER_H
#define GREFFE_INGEST_MEDIA_WORKER_H

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "ingest/audio.h"
#include "ingest/live_source.h"
#include "ingest/media_check.h"
#include "ingest/media_child.h"
#include "ingest/signal_watch.h"

namespace greffe::ingest {

// What the child says after start_cutting.
struct SegmentFileNeeded {
  SegmentStart start;
  std::optional<std::int64_t> mono_ms; // of what is live: when its first sample was captured, as far as is known yet
};
struct FragmentWritten {
  std::uint64_t bytes = 0;  // of the file, so far; its hash box is awaited
};
struct TrackEnded {
  bool damaged = false;
};
struct SegmentCut {
  FinishedSegment segment;
  std::uint64_t bytes_read = 0;        // of the media file
  std::optional<std::int64_t> mono_ms; // of what is live: when its first sample was captured
};
struct PeaksMeasured {
  FinishedPeaks peaks;
  std::optional<std::int64_t> mono_ms;
};
struct LevelsHeard {  // of half a second, in decibels below full scale
  int peak_db = 0;
  int rms_db = 0;
};
struct AlarmSaid {
  Alarm alarm = Alarm::silence;
  bool raised = false;
};
struct PictureSeen {
  Bytes jpeg;
};
struct Holding {};  // of what is live: nothing is recorded any more until start_cutting
// TrackFacts: of what is live, once it is there.
using WorkerNews = std::variant<SegmentFileNeeded, FragmentWritten, SegmentCut, PeaksMeasured, TrackEnded, TrackFacts, Holding,
                                LevelsHeard, AlarmSaid, PictureSeen>;
// invalid: nothing that a reader says. Not "failed", which next() turns into an error.
Result<WorkerNews> parse_news(const Json& said);

class MediaWorker {
 public:
  // Opens `path` for reading and starts the child. `name` stands in front of every message about it.
  static Result<std::unique_ptr<MediaWorker>> start(const std::string& path, const TrackChoice& choice, MediaTask task = MediaTask::cut);
  // A reader that is at the other end already; what it is and when it ends is the caller's.
  static std::unique_ptr<MediaWorker> over(Channel channel, std::string path);
  // Starts this very program anew as the process that reads what is live: nothing of this one is in its memory.
  static Result<std::unique_ptr<MediaWorker>> start_live(const LiveRequest& request);
  ~MediaWorker();  // ends the child

  Result<TrackFacts> facts();      // waits; of one that cuts
  Result<DecodedMedia> decoded();  // waits for the end; of one that decodes
  Status start_cutting(const CutRules& rules);
  // Of what is live. hold: the segment ends, and Holding is said. stop: it ends, and TrackEnded is said.
  Status hold();
  Status stop();
  Status begin_new_run();  // at the next key frame; nothing is lost
  // After next() has failed: the reason of the gap that follows.
  const std::string& gap_reason() const { return gap_reason_; }
  int descriptor() const { return channel_->descriptor(); }  // readable: next() does not wait
  Result<WorkerNews> next();
  Status give_file(int descriptor);  // -1: compute the segment only
  Status give_seal(const Digest& digest);  // of the file with its newest hash box

 private:
  MediaWorker() = default;
  Result<Message> receive();
  Status answer(const Json& words, int descriptor);
  Error failure(const Json& said);
  Error ending();

  std::string path_;
  std::string gap_reason_ = "fault";
  std::unique_ptr<Channel> channel_;
  pid_t child_ = -1;
};

}  // namespace greffe::ingest

#endif
