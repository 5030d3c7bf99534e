// Takes the segments that a reading process makes of one stream, and believes none of them: what was written is hashed
// and sealed here, fragment by fragment, and a finished segment is checked before anybody may log it. One thread.
#ifndef GREFFE_INGEST_RECEPTION_H
#define GREFFE_INGEST_RECEPTION_H

#include <optional>
#include <string>

#include "ingest/media_worker.h"
#include "ingest/segment_check.h"
#include "ingest/spool.h"

namespace greffe::ingest {

class Reception {
 public:
  // `source`: how messages name what is read. `worker` must outlive it. `check`: where the stream's media time stands.
  Reception(std::string source, MediaWorker& worker, SegmentCheck check)
      : source_(std::move(source)), worker_(worker), check_(std::move(check)) {}

  // corrupt: the reader lies. Nothing of the segment may be logged; its file is in quarantine then.
  Status need(const SegmentStart& start);
  bool wants_file() const { return wanted_.has_value(); }
  const SegmentStart& wanted() const { return *wanted_; }
  // The reader gets a file for the segment that it wants to begin; `utc`, in the file's name, is for who recovers it.
  Status give_file(HearingSpool& spool, const OpenSegmentName& name);
  // It only computes the segment, which is logged already.
  Status give_nothing();
  Status seal(const FragmentWritten& fragment, HearingSpool& spool);
  // The segment is whole, synced and what was said: ready for spool.finish_segment. Nothing: it was only computed.
  Result<std::optional<OpenSegment>> finish(const FinishedSegment& segment, HearingSpool& spool);
  // The reader is gone in the middle of a segment: its file, with nothing but whole fragments before its end.
  std::optional<OpenSegment> take_unfinished();
  Error lie(std::string_view what) const;

 private:
  Status check(const FinishedSegment& segment, HearingSpool& spool);
  Status distrust(Error why, HearingSpool& spool);

  const std::string source_;
  MediaWorker& worker_;
  SegmentCheck check_;
  std::optional<SegmentStart> wanted_;
  SegmentStart asked_;                 // where the segment begins that is being made
  std::optional<OpenSegment> writing_;
  bool skipping_ = false;
};

}  // namespace greffe::ingest

#endif
