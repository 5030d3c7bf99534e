// H.264 for sources that give raw pictures or JPEG (cameras on USB, grabbers, test sources): a key frame every 2 s, no B
// frames, times of the source kept. Such a stream is flagged as transcoded: the pictures are not the camera's own bytes.
// One thread, and libx264 makes none. Half a second of pictures is inside the encoder at any time and is lost with power.
#ifndef GREFFE_INGEST_VIDEO_ENCODER_H
#define GREFFE_INGEST_VIDEO_ENCODER_H

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "archive/base/result.h"
#include "ingest/libav_owners.h"

namespace greffe::ingest {

// Whether a source of this codec is encoded here.
bool is_encoded_here(AVCodecID codec);

class VideoEncoder {
 public:
  // `rate`: the source's pictures a second as it says them; 0/1 if it does not. unavailable: libx264 is missing, or memory.
  // invalid: its pictures cannot be decoded, or are smaller than 16 or larger than 4096 pixels.
  static Result<std::unique_ptr<VideoEncoder>> open(const AVCodecParameters& source, AVRational time_base, AVRational rate);
  ~VideoEncoder();

  const AVCodecParameters& parameters() const { return *parameters_; }  // with extradata; the same for the encoder's whole life
  AVRational time_base() const { return time_base_; }                   // of the packets: the source's
  std::int64_t frame_us() const;                                        // the usual length of a picture

  using OnPacket = std::function<Status(PacketPtr)>;
  using OnPicture = std::function<Status(const AVFrame&)>;
  // A packet of the source, with a pts. Coded packets come about ten pictures later, with pts == dts; each decoded picture
  // is shown to `on_picture` first. A packet that cannot be decoded is left out and counted. Where the source's clock jumps,
  // what is inside comes out first, and the next picture is a key frame; the packets' times jump as the source's do.
  // invalid: the pictures change their size; open another one. io_error: libx264 failed.
  Status encode(const AVPacket& packet, const OnPacket& on_packet, const OnPicture& on_picture);
  Status finish(const OnPacket& on_packet);
  std::uint64_t undecodable_packets() const { return undecodable_; }

 private:
  VideoEncoder() = default;
  Status open_decoder(const AVCodecParameters& source);
  Result<CodecPtr> open_encoder() const;
  Status take(AVFrame& picture, const OnPacket& on_packet);
  Result<FramePtr> convert(const AVFrame& picture);
  Status drain(const OnPacket& on_packet);
  bool jumps(std::int64_t pts) const;

  AVRational time_base_{1, 1};
  AVRational rate_{25, 1};
  int width_ = 0;
  int height_ = 0;
  CodecPtr decoder_;
  CodecPtr encoder_;
  ParametersPtr parameters_;
  ScalerPtr scaler_;
  FramePtr decoded_;
  std::optional<std::int64_t> last_pts_;  // given to the encoder
  std::int64_t next_key_pts_ = 0;
  std::uint64_t undecodable_ = 0;
};

}  // namespace greffe::ingest

#endif
