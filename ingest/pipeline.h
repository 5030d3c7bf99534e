// From the packets of one track to segments and level peaks. Runs in the sandboxed child. One thread.
#ifndef GREFFE_INGEST_PIPELINE_H
#define GREFFE_INGEST_PIPELINE_H

#include <memory>

#include "ingest/audio.h"
#include "ingest/segmenter.h"
#include "ingest/track_reader.h"
#include "ingest/video_encoder.h"

namespace greffe::ingest {

class PipelineSink : public SegmentSink {
 public:
  virtual Status peaks(const FinishedPeaks& peaks) = 0;
  // What had to be decoded anyhow, for who watches the signal.
  virtual Status heard(std::int64_t media_us, const AVFrame& frame);
  virtual Status seen(const AVFrame& frame);
};

class Pipeline {
 public:
  // `reader` and `sink` must outlive it. `origin_us`: what the packets show where their time begins.
  static Result<std::unique_ptr<Pipeline>> open(TrackReader& reader, PipelineSink& sink, const CutRules& rules, std::int64_t origin_us);
  ~Pipeline();
  Status add(PacketPtr packet);
  void begin_new_run();
  // Where a packet with this dts stands, from the source's origin. Ask after it was added.
  std::int64_t media_us(std::int64_t dts) const;
  // What is held back comes out, and the last segment ends.
  Status finish();

 private:
  Pipeline(PipelineSink& sink, const CutRules& rules, std::int64_t origin_us);
  Status measure(const AVPacket& packet);
  Status encode(AVFrame& frame);
  Status open_encoder(AVRational rate);

  PipelineSink& sink_;
  const CutRules rules_;
  const std::int64_t origin_us_;
  const AVCodecParameters* source_ = nullptr;  // of the reader
  AVRational time_base_{1, 1};
  bool to_flac_ = false;
  std::unique_ptr<VideoEncoder> encoder_;      // of raw pictures
  PeakMeter meter_;
  std::unique_ptr<AudioDecoder> decoder_;
  std::unique_ptr<FlacEncoder> flac_;
  std::unique_ptr<Segmenter> segmenter_;
};

}  // namespace greffe::ingest

#endif
