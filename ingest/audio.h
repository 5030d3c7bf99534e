// Sound as samples: decoding, level peaks, and FLAC for what is not stored as it came. One thread.
#ifndef GREFFE_INGEST_AUDIO_H
#define GREFFE_INGEST_AUDIO_H

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "archive/base/result.h"
#include "archive/base/bytes.h"
#include "ingest/libav_owners.h"

namespace greffe::ingest {

class AudioDecoder {
 public:
  static Result<std::unique_ptr<AudioDecoder>> open(const AVCodecParameters& parameters, AVRational time_base);
  using OnFrame = std::function<Status(AVFrame&)>;
  // nullptr: the end, what is left comes out. A packet that cannot be decoded is silence.
  Status decode(const AVPacket* packet, const OnFrame& on_frame);

 private:
  CodecPtr codec_;
  FramePtr frame_;
};

constexpr std::int64_t kPeakUs = 100'000;       // ten levels a second
constexpr std::size_t kPeaksPerObject = 6'000;  // ten minutes

struct FinishedPeaks {
  std::uint64_t cut = 0;
  std::int64_t media_us = 0;
  Bytes levels;  // 0 … 255, the largest sample of each tenth of a second, linear
};

class PeakMeter {
 public:
  using OnPeaks = std::function<Status(FinishedPeaks)>;
  PeakMeter(std::vector<std::int64_t> cuts_us, OnPeaks on_peaks);
  // `media_us`: of the frame's first sample.
  Status add(std::int64_t media_us, const AVFrame& frame);
  Status finish();

 private:
  Status begin_at(std::int64_t media_us);
  const std::vector<std::int64_t> cuts_us_;
  const OnPeaks on_peaks_;
  std::optional<FinishedPeaks> open_;
};

class FlacEncoder {
 public:
  // For the samples that `source` decodes to. Packets are dated in samples.
  static Result<std::unique_ptr<FlacEncoder>> open(const AVCodecParameters& source, int sample_format);
  const AVCodecParameters& parameters() const { return *parameters_; }
  using OnPacket = std::function<Status(PacketPtr)>;
  Status encode(const AVFrame& frame, const OnPacket& on_packet);
  Status finish(const OnPacket& on_packet);
  // False: time is missing before this frame; finish this encoder and open another.
  bool continues(const AVFrame& frame) const;

 private:
  Status drain(const AVFrame* frame, const OnPacket& on_packet);
  Status take(std::size_t samples, const OnPacket& on_packet);
  CodecPtr codec_;
  ParametersPtr parameters_;
  ResamplerPtr converter_;
  Bytes waiting_;                    // interleaved samples for the next frame
  std::size_t sample_bytes_ = 0;     // of all channels
  std::optional<std::int64_t> next_pts_;
};

}  // namespace greffe::ingest

#endif
