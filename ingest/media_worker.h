// A sandboxed child that reads one media file, as the importing process sees it. Start all of them before any key is
// in memory: the child is a copy of this process. One thread.
#ifndef GREFFE_INGEST_MEDIA_WORKER_H
#define GREFFE_INGEST_MEDIA_WORKER_H

#include <sys/types.h>

#include <memory>
#include <string>
#include <variant>

#include "ingest/audio.h"
#include "ingest/media_child.h"

namespace greffe::ingest {

// What the child says after start_cutting.
struct SegmentFileNeeded {
  SegmentStart start;
};
struct FragmentWritten {
  std::uint64_t bytes = 0;  // of the file, so far; its hash box is awaited
};
struct TrackEnded {
  bool damaged = false;
};
struct SegmentCut {
  FinishedSegment segment;
  std::uint64_t bytes_read = 0;  // of the media file
};
using WorkerNews = std::variant<SegmentFileNeeded, FragmentWritten, SegmentCut, FinishedPeaks, TrackEnded>;
// invalid: nothing that a reader says. Not "failed", which next() turns into an error.
Result<WorkerNews> parse_news(const Json& said);

class MediaWorker {
 public:
  // Opens `path` for reading and starts the child. `name` stands in front of every message about it.
  static Result<std::unique_ptr<MediaWorker>> start(const std::string& path, const TrackChoice& choice);
  // A reader that is at the other end already; what it is and when it ends is the caller's.
  static std::unique_ptr<MediaWorker> over(Channel channel, std::string path);
  ~MediaWorker();  // ends the child

  Result<TrackFacts> facts();  // waits
  Status start_cutting(const CutRules& rules);
  int descriptor() const { return channel_->descriptor(); }  // readable: next() does not wait
  Result<WorkerNews> next();
  Status give_file(int descriptor);  // -1: compute the segment only
  Status give_seal(const Digest& digest);  // of the file with its newest hash box

 private:
  MediaWorker() = default;
  Result<Message> receive();
  Status answer(const Json& words, int descriptor);
  Error failure(const Json& said) const;
  Error ending();

  std::string path_;
  std::unique_ptr<Channel> channel_;
  pid_t child_ = -1;
};

}  // namespace greffe::ingest

#endif
