// Where the sandboxed child puts its segments: asks the other end of the channel for files, and says what it wrote to
// them. One thread.
#ifndef GREFFE_INGEST_CHANNEL_SINK_H
#define GREFFE_INGEST_CHANNEL_SINK_H

#include <deque>

#include "ingest/channel.h"
#include "ingest/pipeline.h"

namespace greffe::ingest {

class ChannelSink : public PipelineSink {
 public:
  explicit ChannelSink(Channel& channel) : channel_(channel) {}
  Result<int> file_for(const SegmentStart& start) override;
  Result<Digest> seal(std::uint64_t bytes) override;
  Status segment(const FinishedSegment& segment) override;
  Status peaks(const FinishedPeaks& peaks) override;

  // What the other end wants ("do"), in order. It may say so at any time, also while an answer is awaited.
  Result<std::optional<Json>> command(bool wait);

 protected:
  // Of a segment, what only this kind of source knows.
  virtual void add_facts(Json& message, const FinishedSegment& segment) = 0;
  virtual void add_facts(Json&, const SegmentStart&) {}
  virtual void add_facts(Json&, const FinishedPeaks&) {}

 private:
  Result<Message> answer();
  Channel& channel_;
  Descriptor file_;
  std::deque<Json> commands_;
};

}  // namespace greffe::ingest

#endif
