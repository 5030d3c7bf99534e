#include "ingest/live_watch.h"

#include "ingest/video_encoder.h"

namespace greffe::ingest {
namespace {

constexpr std::int64_t kThumbnailUs = 1'000'000;

}  // namespace

LiveWatch::LiveWatch(Channel& channel, const TrackReader& reader, bool may_stand_still)
    : channel_(channel), reader_(reader), sound_(*this), picture_(*this, may_stand_still) {
  const AVCodecParameters& parameters = reader.parameters();
  if (parameters.codec_type == AVMEDIA_TYPE_VIDEO && !is_encoded_here(parameters.codec_id)) pictures_.emplace(parameters, picture_);
}

Status LiveWatch::packet(std::int64_t now_us, const AVPacket& packet, bool decoded_elsewhere) {
  if (reader_.parameters().codec_type == AVMEDIA_TYPE_AUDIO) return decoded_elsewhere ? ok() : hear(packet);
  if (now_us - asked_us_ >= kThumbnailUs) {
    picture_.request_thumbnail();
    asked_us_ = now_us;
  }
  if (pictures_) return pictures_->add(now_us, packet);
  return picture_.packet(now_us, true);
}

Status LiveWatch::hear(const AVPacket& packet) {
  if (!decoder_) decoder_ = GREFFE_TRY(AudioDecoder::open(reader_.parameters(), reader_.time_base()));
  std::int64_t at_us = av_rescale_q(packet.dts, reader_.time_base(), kMicroseconds);
  return decoder_->decode(&packet, [&](AVFrame& frame) {
    const std::int64_t frame_us = at_us;
    if (frame.sample_rate > 0) at_us += av_rescale(frame.nb_samples, 1'000'000, frame.sample_rate);
    return sound_.add(frame_us, frame);
  });
}

Status LiveWatch::picture(std::int64_t now_us, const AVFrame& frame) {
  const auto whole = PictureWatch::Coding::whole;
  return picture_.wants(now_us, whole) ? picture_.see(now_us, frame, whole) : ok();
}

Status LiveWatch::levels(const SoundLevels& levels) {
  Json out;
  out.set("say", "levels").set("peak_db", levels.peak_db).set("rms_db", levels.rms_db);
  return channel_.send(out);
}

Status LiveWatch::alarm(const AlarmChange& change) {
  Json out;
  out.set("say", "alarm").set("alarm", name_of(change.alarm)).set("raised", change.raised);
  return channel_.send(out);
}

Status LiveWatch::thumbnail(const Thumbnail& thumbnail) {
  Json out;
  out.set("say", "picture").set("jpeg", to_base64(thumbnail.jpeg));
  return channel_.send(out);
}

}  // namespace greffe::ingest
