// The one read path: objects that a hearing names, and its timeline. Who may read is the caller's question. Thread-safe.
#ifndef GREFFE_ARCHIVE_RETRIEVAL_H
#define GREFFE_ARCHIVE_RETRIEVAL_H

#include <memory>
#include <string>
#include <vector>

#include "archive/format/time_account.h"
#include "archive/hearing_logs.h"

namespace greffe::archive {

struct TimelineSegment {
  std::uint64_t index = 0;  // in the hearing log
  SegmentEntry entry;
};
struct TimelineStream {
  ExpectedStream stream;
  std::vector<TimelineSegment> segments;  // by seq
};
struct TimelineExplanation {  // of a gap, filed later
  std::uint64_t index = 0;
  ExplanationEntry entry;
  std::string document;  // verbatim, and its text; both empty when it is lost
  std::string text;
};
struct TimelineGap {
  std::uint64_t index = 0;
  GapEntry entry;
  std::string note;  // empty: none, or its document is lost
  std::vector<TimelineExplanation> explanations;
};
struct TimelinePeaks {
  std::uint64_t index = 0;
  PeaksEntry entry;
};
struct TimelineMark {
  std::uint64_t index = 0;
  MarkEntry entry;
};
struct Timeline {
  OpenEntry open;
  UtcTime start;  // of the earliest segment, gap, or of the hearing
  UtcTime end;    // of the close entry, or of the newest thing filed
  bool closed = false;
  std::uint64_t log_size = 0;
  std::vector<TimelineStream> streams;  // in the order of `open`, late ones after
  std::vector<TimelineGap> gaps;
  std::vector<TimelinePeaks> peaks;
  std::vector<TimelineMark> marks;  // of the courtroom
  TimeAccount account;
};

// The wall-clock end of a segment: its start plus its media duration.
UtcTime end_of(const SegmentEntry& segment);

class Retrieval {
 public:
  Retrieval(Stores stores, HearingLogs& hearings);

  // The object's bytes from a replica that was hashed whole within the last 24 hours. not_found: this hearing does not
  // name it (whether another one does is not told). corrupt: every replica is damaged.
  Result<std::shared_ptr<ReadableFile>> open(const HearingId& id, const Digest& digest);
  // not_found: nothing is held of this hearing.
  Result<Timeline> timeline(const HearingId& id);

 private:
  Stores stores_;
  HearingLogs& hearings_;
};

}  // namespace greffe::archive

#endif
