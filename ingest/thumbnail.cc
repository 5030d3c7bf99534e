#include "ingest/thumbnail.h"

#include <algorithm>
#include <optional>

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace greffe::ingest {
namespace {

constexpr int kBestQuality = 4;    // libav's scale: 2 is the best
constexpr int kWorstQuality = 30;

Error no_memory() { return fail(Errc::unavailable, "there is not enough memory for a small picture"); }

int even(double pixels) { return std::max(2, static_cast<int>(pixels) & ~1); }

Result<FramePtr> small_copy(const AVFrame& frame, int width) {
  const AVRational ratio = frame.sample_aspect_ratio;
  const double stretch = ratio.num > 0 && ratio.den > 0 ? static_cast<double>(ratio.num) / ratio.den : 1;
  const double shown_width = frame.width * std::clamp(stretch, 0.1, 10.0);
  const double scale = std::min(1.0, width / std::max(shown_width, static_cast<double>(frame.height)));
  FramePtr out(av_frame_alloc());
  if (!out) return no_memory();
  out->width = even(shown_width * scale);
  out->height = even(frame.height * scale);
  out->format = AV_PIX_FMT_YUVJ420P;
  const ScalerPtr scaler(sws_getContext(frame.width, frame.height, static_cast<AVPixelFormat>(frame.format), out->width,
                                        out->height, AV_PIX_FMT_YUVJ420P, SWS_AREA, nullptr, nullptr, nullptr));
  if (!scaler) return fail(Errc::invalid, "a picture cannot be made small");
  if (av_frame_get_buffer(out.get(), 0) < 0) return no_memory();
  if (sws_scale(scaler.get(), frame.data, frame.linesize, 0, frame.height, out->data, out->linesize) != out->height) {
    return fail(Errc::invalid, "a picture cannot be made small");
  }
  return out;
}

Result<Bytes> encode(AVCodecContext& codec, AVFrame& picture, int quality) {
  picture.quality = quality * FF_QP2LAMBDA;
  const PacketPtr packet(av_packet_alloc());
  if (!packet) return no_memory();
  int code = avcodec_send_frame(&codec, &picture);
  if (code >= 0) code = avcodec_receive_packet(&codec, packet.get());
  if (code < 0) return fail(Errc::invalid, "a small picture cannot be stored as JPEG: " + libav_words(code));
  return Bytes(packet->data, packet->data + packet->size);
}

// Nothing: not even the worst quality makes it fit.
Result<std::optional<Bytes>> encode_small(const AVFrame& frame, int width) {
  const FramePtr picture = GREFFE_TRY(small_copy(frame, width));
  const AVCodec* codec = avcodec_find_encoder(AV_CODEC_ID_MJPEG);
  if (codec == nullptr) return fail(Errc::unavailable, "this system's libavcodec has no JPEG encoder");
  const CodecPtr encoder(avcodec_alloc_context3(codec));
  if (!encoder) return no_memory();
  encoder->width = picture->width;
  encoder->height = picture->height;
  encoder->pix_fmt = AV_PIX_FMT_YUVJ420P;
  encoder->time_base = AVRational{1, 1};
  encoder->thread_count = 1;
  encoder->flags |= AV_CODEC_FLAG_QSCALE | AV_CODEC_FLAG_BITEXACT;
  const int code = avcodec_open2(encoder.get(), codec, nullptr);
  if (code < 0) return fail(Errc::unavailable, "the JPEG encoder does not start: " + libav_words(code));
  for (int quality = kBestQuality; quality <= kWorstQuality; quality = quality * 3 / 2) {
    picture->pts = quality;  // the encoder wants times that go on
    Bytes jpeg = GREFFE_TRY(encode(*encoder, *picture, quality));
    if (jpeg.size() <= kThumbnailBytes) return std::optional(std::move(jpeg));
  }
  return std::optional<Bytes>();
}

}  // namespace

Result<Bytes> make_thumbnail(const AVFrame& frame) {
  if (frame.width <= 0 || frame.height <= 0) return fail(Errc::invalid, "a picture has no size");
  for (const int width : {kThumbnailWidth, kThumbnailWidth / 2}) {
    std::optional<Bytes> jpeg = GREFFE_TRY(encode_small(frame, width));
    if (jpeg) return std::move(*jpeg);
  }
  return fail(Errc::invalid, "a small picture does not fit into a JPEG of 24 KiB");
}

}  // namespace greffe::ingest
