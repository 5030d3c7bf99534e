#include "ingest/video_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ingest/luma.h"

extern "C" {
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
}

namespace greffe::ingest {
namespace {

constexpr int kLeastSide = 16;
constexpr int kMostSide = 4096;
constexpr std::int64_t kKeyUs = 2'000'000;
constexpr std::int64_t kJumpUs = 2'000'000;
constexpr double kLookAheadSeconds = 0.4;
constexpr int kMostLookAhead = 10;
constexpr double kQuality = 23;                  // libx264's scale of constant quality
constexpr double kBitsPerPixel = 0.1;            // the most; 2.3 Mbit/s at 1280x720 and 25 pictures a second
constexpr double kLeastMaxRate = 500'000;
constexpr double kMostMaxRate = 8'000'000;       // ten seconds and a key frame fit into a segment

Error no_memory() { return fail(Errc::unavailable, "there is not enough memory to encode the video"); }

AVRational usable(AVRational rate) {
  const bool known = rate.num > 0 && rate.den > 0 && rate.num / rate.den <= 240 && av_cmp_q(rate, AVRational{1, 2}) >= 0;
  return known ? rate : AVRational{25, 1};
}

// The times of a packet that has none follow those before it.
std::int64_t pts_of(const AVFrame& picture, const AVPacket& packet) {
  if (picture.pts != AV_NOPTS_VALUE) return picture.pts;
  return packet.pts != AV_NOPTS_VALUE ? packet.pts : packet.dts;
}

}  // namespace

bool is_encoded_here(AVCodecID codec) {
  return codec == AV_CODEC_ID_RAWVIDEO || codec == AV_CODEC_ID_WRAPPED_AVFRAME || codec == AV_CODEC_ID_MJPEG;
}

Result<std::unique_ptr<VideoEncoder>> VideoEncoder::open(const AVCodecParameters& source, AVRational time_base, AVRational rate) {
  if (std::min(source.width, source.height) < kLeastSide || std::max(source.width, source.height) > kMostSide) {
    return fail(Errc::invalid, fmt::format("its pictures measure {} by {}; between {} and {} pixels can be encoded", source.width,
                                           source.height, kLeastSide, kMostSide));
  }
  auto out = std::make_unique<VideoEncoder>();
  out->time_base_ = time_base;
  out->rate_ = usable(rate);
  out->decoded_.reset(av_frame_alloc());
  out->parameters_.reset(avcodec_parameters_alloc());
  if (!out->decoded_ || !out->parameters_) return no_memory();
  GREFFE_TRY(out->open_decoder(source));
  GREFFE_TRY(out->open_encoder());
  if (avcodec_parameters_from_context(out->parameters_.get(), out->encoder_.get()) < 0) return no_memory();
  return out;
}

Status VideoEncoder::open_decoder(const AVCodecParameters& source) {
  const AVCodec* codec = avcodec_find_decoder(source.codec_id);
  if (codec == nullptr) return fail(Errc::invalid, fmt::format("this system cannot decode {}", avcodec_get_name(source.codec_id)));
  decoder_.reset(avcodec_alloc_context3(codec));
  if (!decoder_ || avcodec_parameters_to_context(decoder_.get(), &source) < 0) return no_memory();
  decoder_->pkt_timebase = time_base_;
  decoder_->thread_count = 1;
  const int code = avcodec_open2(decoder_.get(), codec, nullptr);
  if (code < 0) return fail(Errc::invalid, "its video cannot be decoded: " + libav_words(code));
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(source.format));
  foreign_colours_ = source.codec_id == AV_CODEC_ID_MJPEG || (format != nullptr && (format->flags & AV_PIX_FMT_FLAG_RGB) != 0);
  return ok();
}

Status VideoEncoder::open_encoder() {
  const AVCodec* codec = avcodec_find_encoder_by_name("libx264");
  if (codec == nullptr) {
    return fail(Errc::unavailable,
                "this system's libavcodec has no libx264, without which raw video cannot be recorded; install Debian's "
                "libavcodec59, or take the H.264 that the camera itself can send");
  }
  encoder_.reset(avcodec_alloc_context3(codec));
  if (!encoder_) return no_memory();
  AVCodecContext& c = *encoder_;
  c.width = decoder_->width & ~1;
  c.height = decoder_->height & ~1;
  c.sample_aspect_ratio = decoder_->sample_aspect_ratio;
  c.pix_fmt = AV_PIX_FMT_YUV420P;
  c.color_range = AVCOL_RANGE_MPEG;
  c.colorspace = foreign_colours_ ? AVCOL_SPC_SMPTE170M : decoder_->colorspace;
  c.time_base = time_base_;
  c.framerate = rate_;
  c.thread_count = 1;
  c.max_b_frames = 0;
  const double rate = av_q2d(rate_);
  c.gop_size = static_cast<int>(std::lround(5 * rate * static_cast<double>(kKeyUs) / 1e6));  // ours come before, by time
  const double most = std::clamp(kBitsPerPixel * c.width * c.height * rate, kLeastMaxRate, kMostMaxRate);
  c.rc_max_rate = std::llround(most);
  c.rc_buffer_size = static_cast<int>(2 * c.rc_max_rate);
  c.flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  const int look_ahead = std::clamp(static_cast<int>(rate * kLookAheadSeconds), 0, kMostLookAhead);
  int code = av_opt_set(c.priv_data, "preset", "veryfast", 0);
  if (code >= 0) code = av_opt_set_double(c.priv_data, "crf", kQuality, 0);
  if (code >= 0) code = av_opt_set_int(c.priv_data, "forced-idr", 1, 0);
  if (code >= 0) code = av_opt_set_int(c.priv_data, "rc-lookahead", look_ahead, 0);
  if (code >= 0) code = avcodec_open2(&c, codec, nullptr);
  if (code < 0) return fail(Errc::io_error, "libx264 does not start: " + libav_words(code));
  return ok();
}

Status VideoEncoder::encode(const AVPacket& packet, const OnPacket& on_packet, const OnPicture& on_picture) {
  int code = avcodec_send_packet(decoder_.get(), &packet);
  if (code == AVERROR(ENOMEM)) return no_memory();
  if (code < 0) {
    ++undecodable_;
    return ok();
  }
  for (;;) {
    code = avcodec_receive_frame(decoder_.get(), decoded_.get());
    if (code == AVERROR(ENOMEM)) return no_memory();
    if (code < 0) return ok();
    GREFFE_TRY(on_picture(*decoded_));
    GREFFE_TRY(take(*decoded_, pts_of(*decoded_, packet), on_packet));
  }
}

Status VideoEncoder::take(const AVFrame& picture, std::int64_t pts, const OnPacket& on_packet) {
  if ((picture.width & ~1) != encoder_->width || (picture.height & ~1) != encoder_->height) {
    return fail(Errc::invalid,
                fmt::format("its pictures change their size from {} by {} to {} by {}; the source must be opened again",
                            encoder_->width, encoder_->height, picture.width, picture.height));
  }
  if (pts == AV_NOPTS_VALUE) pts = last_pts_ ? *last_pts_ + ticks(frame_us()) : 0;
  GREFFE_TRY(begin_anew_where_it_jumps(pts, on_packet));
  if (last_pts_) pts = std::max(pts, *last_pts_ + 1);  // the encoder wants times that go on
  GREFFE_TRY(convert(picture));
  const bool key = !last_pts_ || pts >= next_key_pts_ - ticks(frame_us()) / 2;
  if (key) next_key_pts_ = pts + ticks(kKeyUs);
  converted_->pict_type = key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
  converted_->pts = pts;
  last_pts_ = pts;
  return send(converted_.get(), on_packet);
}

Status VideoEncoder::begin_anew_where_it_jumps(std::int64_t pts, const OnPacket& on_packet) {
  if (!last_pts_) return ok();
  const bool jitter_back = pts <= *last_pts_ && *last_pts_ - pts <= ticks(frame_us());
  if (jitter_back || (pts > *last_pts_ && pts - *last_pts_ <= ticks(kJumpUs))) return ok();
  GREFFE_TRY(send(nullptr, on_packet));
  last_pts_.reset();
  return open_encoder();
}

// Into converted_, cut to even sides.
Status VideoEncoder::convert(const AVFrame& picture) {
  if (!converted_) {
    converted_.reset(av_frame_alloc());
    if (!converted_) return no_memory();
    converted_->width = encoder_->width;
    converted_->height = encoder_->height;
    converted_->format = AV_PIX_FMT_YUV420P;
    if (av_frame_get_buffer(converted_.get(), 0) < 0) return no_memory();
  }
  if (av_frame_make_writable(converted_.get()) < 0) return no_memory();
  AVFrame& out = *converted_;
  const auto format = static_cast<AVPixelFormat>(picture.format);
  if (!scaler_ || scaler_format_ != picture.format) {
    scaler_format_ = picture.format;
    scaler_.reset(sws_getContext(out.width, out.height, format, out.width, out.height, AV_PIX_FMT_YUV420P, SWS_BICUBIC, nullptr,
                                 nullptr, nullptr));
    if (!scaler_) return fail(Errc::invalid, fmt::format("pictures in the form {} cannot be encoded", av_get_pix_fmt_name(format)));
    const int* matrix = sws_getCoefficients(SWS_CS_ITU601);
    sws_setColorspaceDetails(scaler_.get(), matrix, has_full_range(picture) ? 1 : 0, matrix, 0, 0, 1 << 16, 1 << 16);
  }
  if (sws_scale(scaler_.get(), picture.data, picture.linesize, 0, out.height, out.data, out.linesize) != out.height) {
    return fail(Errc::invalid, "its pictures cannot be converted");
  }
  return ok();
}

Status VideoEncoder::send(const AVFrame* picture, const OnPacket& on_packet) {
  int code = avcodec_send_frame(encoder_.get(), picture);
  while (code >= 0) {
    PacketPtr packet(av_packet_alloc());
    if (!packet) return no_memory();
    code = avcodec_receive_packet(encoder_.get(), packet.get());
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return ok();
    if (code < 0) break;
    packet->dts = packet->pts;
    GREFFE_TRY(on_packet(std::move(packet)));
  }
  if (code == AVERROR(ENOMEM)) return no_memory();
  return fail(Errc::io_error, "libx264 cannot encode a picture: " + libav_words(code));
}

Status VideoEncoder::finish(const OnPacket& on_packet) { return send(nullptr, on_packet); }

}  // namespace greffe::ingest
