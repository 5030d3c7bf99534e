#include "ingest/media_check.h"

#include <fmt/format.h>

#include <utility>

namespace greffe::ingest {
namespace {

constexpr std::int64_t kMostMediaUs = 366LL * 86'400 * 1'000'000;  // a file that says more lies

Error no_memory() { return fail(Errc::unavailable, "there is not enough memory to decode it"); }

Result<CodecPtr> open_decoder(const AVStream& track) {
  const AVCodec* decoder = avcodec_find_decoder(track.codecpar->codec_id);
  if (decoder == nullptr) return fail(Errc::invalid, fmt::format("this system cannot decode {}", avcodec_get_name(track.codecpar->codec_id)));
  CodecPtr codec(avcodec_alloc_context3(decoder));
  if (!codec || avcodec_parameters_to_context(codec.get(), track.codecpar) < 0) return no_memory();
  codec->pkt_timebase = track.time_base;
  codec->thread_count = 1;  // the sandbox lets it make none
  const int code = avcodec_open2(codec.get(), decoder, nullptr);
  if (code < 0) return fail(Errc::invalid, "it cannot be decoded: " + libav_words(code));
  return codec;
}

Status lengthen(DecodedMedia& out, std::int64_t us) {
  if (us < 0 || us > kMostMediaUs - out.media_us) return fail(Errc::invalid, "it says that it is longer than a year");
  out.media_us += us;
  return ok();
}

class Decoding {
 public:
  Decoding(CodecPtr codec, FramePtr frame) : codec_(std::move(codec)), frame_(std::move(frame)) {}

  // nullptr: the end; what is left comes out.
  Status add(const AVPacket* packet, DecodedMedia& out) {
    const int sent = avcodec_send_packet(codec_.get(), packet);
    if (sent == AVERROR(ENOMEM)) return no_memory();
    if (sent < 0) ++out.errors;
    for (;;) {
      const int code = avcodec_receive_frame(codec_.get(), frame_.get());
      if (code == AVERROR(ENOMEM)) return no_memory();
      if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return ok();
      if (code < 0) {
        ++out.errors;
        return ok();
      }
      ++out.frames;
      // A reader of MP4 gives the packets of FLAC no length; the samples always have one.
      if (frame_->nb_samples > 0 && frame_->sample_rate > 0) GREFFE_TRY(lengthen(out, av_rescale(frame_->nb_samples, 1'000'000, frame_->sample_rate)));
      if (frame_->decode_error_flags != 0 || (frame_->flags & AV_FRAME_FLAG_CORRUPT) != 0) ++out.errors;
      av_frame_unref(frame_.get());
    }
  }

 private:
  CodecPtr codec_;
  FramePtr frame_;
};

}  // namespace

std::string DecodedMedia::problem() const {
  if (frames == 0) return "nothing can be seen or heard of it";
  if (errors > 0) return fmt::format("{} of its {} packets cannot be decoded, or only in part", errors, packets);
  return damaged ? "it ends in the middle" : "";
}

Result<DecodedMedia> decode_all(MediaSource& source) {
  CodecPtr codec = GREFFE_TRY(open_decoder(source.track()));
  FramePtr frame(av_frame_alloc());
  const PacketPtr packet(av_packet_alloc());
  if (!frame || !packet) return no_memory();
  Decoding decoding(std::move(codec), std::move(frame));
  DecodedMedia out;
  const bool pictures = source.track().codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
  for (;;) {
    const bool more = GREFFE_TRY(source.read(*packet));
    if (!more) break;
    ++out.packets;
    if (pictures && packet->duration > 0) GREFFE_TRY(lengthen(out, av_rescale_q(packet->duration, source.track().time_base, kMicroseconds)));
    GREFFE_TRY(decoding.add(packet.get(), out));
    av_packet_unref(packet.get());
  }
  GREFFE_TRY(decoding.add(nullptr, out));
  out.damaged = source.damaged();
  return out;
}

Json write_decoded(const DecodedMedia& media) {
  Json out;
  out.set("say", "decoded").set("packets", media.packets).set("frames", media.frames).set("errors", media.errors);
  out.set("media_us", media.media_us).set("damaged", media.damaged);
  return out;
}

Result<DecodedMedia> parse_decoded(const Json& said) {
  DecodedMedia out;
  out.packets = GREFFE_TRY(said.size("packets"));
  out.frames = GREFFE_TRY(said.size("frames"));
  out.errors = GREFFE_TRY(said.size("errors"));
  out.media_us = GREFFE_TRY(said.integer("media_us"));
  out.damaged = GREFFE_TRY(said.boolean("damaged"));
  if (out.media_us < 0 || out.media_us > kMostMediaUs) return fail(Errc::invalid, "an impossible length");
  return out;
}

}  // namespace greffe::ingest
