#include "ingest/pipeline.h"

namespace greffe::ingest {

Status PipelineSink::heard(std::int64_t, const AVFrame&) { return ok(); }
Status PipelineSink::seen(const AVFrame&) { return ok(); }

Pipeline::Pipeline(PipelineSink& sink, const CutRules& rules, std::int64_t origin_us)
    : sink_(sink), rules_(rules), origin_us_(origin_us), meter_(rules.cuts_us, [this](FinishedPeaks peaks) { return sink_.peaks(peaks); }) {}

Pipeline::~Pipeline() = default;

Result<std::unique_ptr<Pipeline>> Pipeline::open(TrackReader& reader, PipelineSink& sink, const CutRules& rules, std::int64_t origin_us) {
  std::unique_ptr<Pipeline> out(new Pipeline(sink, rules, origin_us));
  out->source_ = &reader.parameters();
  out->time_base_ = reader.time_base();
  out->to_flac_ = treatment_of(reader.parameters().codec_id) == CodecTreatment::to_flac;
  if (reader.parameters().codec_type == AVMEDIA_TYPE_AUDIO) {
    out->decoder_ = GREFFE_TRY(AudioDecoder::open(reader.parameters(), reader.time_base()));
  }
  if (is_encoded_here(reader.parameters().codec_id)) {
    GREFFE_TRY(out->open_encoder(reader.frame_rate()));
  } else if (!out->to_flac_) {
    out->segmenter_ = std::make_unique<Segmenter>(sink, rules, reader.parameters(), reader.time_base(), origin_us, reader.frame_us(), false);
  }
  return out;
}

Status Pipeline::open_encoder(AVRational rate) {
  encoder_ = GREFFE_TRY(VideoEncoder::open(*source_, time_base_, rate));
  segmenter_ = std::make_unique<Segmenter>(sink_, rules_, encoder_->parameters(), encoder_->time_base(), origin_us_, encoder_->frame_us(), true);
  return ok();
}

Status Pipeline::add(PacketPtr packet) {
  if (encoder_) {
    return encoder_->encode(*packet, [this](PacketPtr p) { return segmenter_->add(std::move(p)); },
                            [this](const AVFrame& picture) { return sink_.seen(picture); });
  }
  if (!decoder_) return segmenter_->add(std::move(packet));
  if (to_flac_) return decoder_->decode(packet.get(), [this](AVFrame& frame) { return encode(frame); });
  const PacketPtr copy(av_packet_clone(packet.get()));
  if (!copy) return fail(Errc::unavailable, "there is not enough memory");
  GREFFE_TRY(segmenter_->add(std::move(packet)));
  return measure(*copy);
}

void Pipeline::begin_new_run() {
  if (segmenter_) segmenter_->begin_new_run();
}

std::int64_t Pipeline::media_us(std::int64_t dts) const {
  return segmenter_ ? segmenter_->media_us(dts) : av_rescale_q(dts, time_base_, kMicroseconds) - origin_us_;
}

Status Pipeline::finish() {
  if (encoder_) GREFFE_TRY(encoder_->finish([this](PacketPtr p) { return segmenter_->add(std::move(p)); }));
  if (to_flac_) {
    GREFFE_TRY(decoder_->decode(nullptr, [this](AVFrame& frame) { return encode(frame); }));
    if (flac_) GREFFE_TRY(flac_->finish([this](PacketPtr p) { return segmenter_->add(std::move(p)); }));
  }
  if (segmenter_) GREFFE_TRY(segmenter_->finish());
  return meter_.finish();
}

// Levels stand where the packet stands, however its own clock jumped.
Status Pipeline::measure(const AVPacket& packet) {
  const std::int64_t at = segmenter_->media_us(packet.dts);
  std::int64_t samples = 0;
  return decoder_->decode(&packet, [&](AVFrame& frame) -> Status {
    const std::int64_t frame_at = at + (frame.sample_rate > 0 ? av_rescale(samples, 1'000'000, frame.sample_rate) : 0);
    samples += frame.nb_samples;
    GREFFE_TRY(sink_.heard(frame_at, frame));
    return meter_.add(frame_at, frame);
  });
}

Status Pipeline::encode(AVFrame& frame) {
  const auto add = [this](PacketPtr p) { return segmenter_->add(std::move(p)); };
  if (flac_ && !flac_->continues(frame)) {
    GREFFE_TRY(flac_->finish(add));
    flac_.reset();
  }
  if (!flac_) flac_ = GREFFE_TRY(FlacEncoder::open(*source_, frame.format));
  if (!segmenter_) {
    const std::int64_t frame_us = av_rescale(4096, 1'000'000, source_->sample_rate);
    segmenter_ = std::make_unique<Segmenter>(sink_, rules_, flac_->parameters(), time_base_, origin_us_, frame_us, true);
  }
  GREFFE_TRY(flac_->encode(frame, add));
  if (frame.pts == AV_NOPTS_VALUE) return ok();
  const std::int64_t at = av_rescale_q(frame.pts, time_base_, kMicroseconds) - origin_us_;
  GREFFE_TRY(sink_.heard(at, frame));
  return meter_.add(at, frame);
}

}  // namespace greffe::ingest
