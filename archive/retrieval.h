// The one read path: objects that a hearing names, and its timeline. Who may read is the caller's question. Thread-safe.
#ifndef GREFFE_ARCHIVE_RETRIEVAL_H
#define GREFFE_ARCHIVE_RETRIEVAL_H

#include <memory>
#include <string>
#include <vector>

#include "archive/format/time_account.h"
#include "archive/hearing_logs.h"
#include "archive/recall.h"

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
  // `recall`: brings back from another site what no volume has any more; none: nothing is.
  Retrieval(Stores stores, HearingLogs& hearings, Recall* recall = nullptr);

  // The object's bytes from a replica that was hashed whole within the last 24 hours. One of which no good replica is left is brought
  // back from another site first, if one has it, and blocks for that. not_found: this hearing does not name it (whether another one
  // does is not told), or no volume has it. corrupt: every replica is damaged.
  Result<std::shared_ptr<ReadableFile>> open(const HearingId& id, const Digest& digest);
  // The same, but never asks another site: for other sites, which would else ask in a circle.
  Result<std::shared_ptr<ReadableFile>> open_here(const HearingId& id, const Digest& digest);
  // A document that the hearing's log, or the main log about it, names; verbatim. Errors as open().
  Result<Bytes> document(const HearingId& id, const Digest& digest);
  // The archive whose stations record this hearing. not_found: nothing is held of it.
  Result<std::string> archive_of(const HearingId& id);
  // not_found: nothing is held of this hearing.
  Result<Timeline> timeline(const HearingId& id);

 private:
  Status names(const HearingId& id, const Digest& digest);
  bool recalled(const HearingId& id, const Digest& digest, const Error& why);

  Stores stores_;
  HearingLogs& hearings_;
  Recall* const recall_;
};

}  // namespace greffe::archive

#endif
