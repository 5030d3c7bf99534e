// The body of the process that reads one media file: it gets the file's descriptor and a channel, tells what the file
// is, and then writes its segments to descriptors that it is given. docs/formats/spool.md says what is said.
#ifndef GREFFE_INGEST_MEDIA_CHILD_H
#define GREFFE_INGEST_MEDIA_CHILD_H

#include "ingest/channel.h"
#include "ingest/media_source.h"
#include "ingest/segmenter.h"

namespace greffe::ingest {

// What the child found in the file, before anything is written.
struct TrackFacts {
  std::string medium;            // "video" or "audio"
  std::string codec;             // libav's name, for people
  bool transcoded = false;
  std::int64_t first_us = 0;     // where the first sample stands from the file's origin; negative: before it
  std::optional<std::int64_t> stated_us;  // how long the file says that it is
};
Json write_facts(const TrackFacts& facts);
Result<TrackFacts> parse_facts(const Json& json);

Json write_start(const char* say, const SegmentStart& start);
Result<SegmentStart> parse_start(const Json& json);
Json write_segment_message(const FinishedSegment& segment);
Result<FinishedSegment> parse_segment_message(const Json& json);

Json write_rules(const CutRules& rules);
Result<CutRules> parse_rules(const Json& json);

enum class MediaTask {
  cut,     // what the file is, then its segments
  decode,  // all of it, and how that went (media_check.h)
};

struct ChildTask {
  int media = -1;                // not owned
  std::uint64_t media_bytes = 0;
  TrackChoice choice;
  MediaTask task = MediaTask::cut;
};

// Everything until the end of the file or the first failure, which it reports over the channel. Enters the sandbox first.
void run_media_child(const ChildTask& task, Channel& channel);

}  // namespace greffe::ingest

#endif
