// H.264 for sources that give raw pictures or JPEG (cameras on USB, grabbers, test sources): a key frame every 2 s, no B
// frames, times of the source kept. Such a stream is flagged as transcoded: the pictures are not the camera's own bytes.
// One thread, and libx264 makes none. Up to 0.4 s of pictures are inside the encoder at any time and are lost with power.
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
  // invalid: its pictures cannot be decoded, or are smaller than 16 or larger than 4096 pixels on a side.
  static Result<std::unique_ptr<VideoEncoder>> open(const AVCodecParameters& source, AVRational time_base, AVRational rate);

  const AVCodecParameters& parameters() const { return *parameters_; }  // with extradata; never change
  AVRational time_base() const { return time_base_; }                   // of the packets: the source's
  std::int64_t frame_us() const { return av_rescale(1'000'000, rate_.den, rate_.num); }  // the usual length of a picture

  using OnPacket = std::function<Status(PacketPtr)>;
  using OnPicture = std::function<Status(const AVFrame&)>;
  // A packet of the source. Each decoded picture is first shown to `on_picture`. Coded packets come up to 0.4 s later, with
  // dts == pts. A packet that cannot be decoded is left out and counted. Where the source's clock jumps (back, or 2 s
  // ahead), what is inside comes out first, and the next picture is a key frame; the packets' times jump as the source's do.
  // invalid: the pictures change their size. unavailable: not enough memory. io_error: libx264 failed.
  Status encode(const AVPacket& packet, const OnPacket& on_packet, const OnPicture& on_picture);
  Status finish(const OnPacket& on_packet);  // nothing may be encoded afterwards
  std::uint64_t undecodable_packets() const { return undecodable_; }

 private:
  Status open_decoder(const AVCodecParameters& source);
  Status open_encoder();
  Status take(const AVFrame& picture, std::int64_t pts, const OnPacket& on_packet);
  Status convert(const AVFrame& picture);
  Status send(const AVFrame* picture, const OnPacket& on_packet);
  Status begin_anew_where_it_jumps(std::int64_t pts, const OnPacket& on_packet);
  std::int64_t ticks(std::int64_t us) const { return av_rescale_q(us, kMicroseconds, time_base_); }

  AVRational time_base_{1, 1};
  AVRational rate_{25, 1};
  bool foreign_colours_ = false;          // RGB or JPEG: converted to BT.601
  CodecPtr decoder_;
  CodecPtr encoder_;
  ParametersPtr parameters_;
  ScalerPtr scaler_;
  int scaler_format_ = AV_PIX_FMT_NONE;   // that it converts from
  FramePtr decoded_;
  FramePtr converted_;
  std::optional<std::int64_t> last_pts_;  // given to the encoder
  std::int64_t next_key_pts_ = 0;
  std::uint64_t undecodable_ = 0;
};

}  // namespace greffe::ingest

#endif
