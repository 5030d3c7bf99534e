#include "ingest/audio.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "ingest/sound_levels.h"

namespace greffe::ingest {
namespace {

Error no_memory() { return fail(Errc::unavailable, "there is not enough memory to decode the audio"); }

}  // namespace

// ---- decoder ----

Result<std::unique_ptr<AudioDecoder>> AudioDecoder::open(const AVCodecParameters& parameters, AVRational time_base) {
  const AVCodec* codec = avcodec_find_decoder(parameters.codec_id);
  if (codec == nullptr) return fail(Errc::invalid, fmt::format("this system cannot decode {}", avcodec_get_name(parameters.codec_id)));
  auto out = std::make_unique<AudioDecoder>();
  out->codec_.reset(avcodec_alloc_context3(codec));
  out->frame_.reset(av_frame_alloc());
  if (!out->codec_ || !out->frame_) return no_memory();
  if (avcodec_parameters_to_context(out->codec_.get(), &parameters) < 0) return no_memory();
  out->codec_->pkt_timebase = time_base;
  out->codec_->thread_count = 1;
  const int code = avcodec_open2(out->codec_.get(), codec, nullptr);
  if (code < 0) return fail(Errc::invalid, "its audio cannot be decoded: " + libav_words(code));
  return out;
}

Status AudioDecoder::decode(const AVPacket* packet, const OnFrame& on_frame) {
  int code = avcodec_send_packet(codec_.get(), packet);
  if (code == AVERROR(ENOMEM)) return no_memory();
  while (code >= 0) {
    code = avcodec_receive_frame(codec_.get(), frame_.get());
    if (code == AVERROR(ENOMEM)) return no_memory();
    if (code < 0) break;
    GREFFE_TRY(on_frame(*frame_));
  }
  return ok();
}

// ---- peaks ----

PeakMeter::PeakMeter(std::vector<std::int64_t> cuts_us, OnPeaks on_peaks)
    : cuts_us_(std::move(cuts_us)), on_peaks_(std::move(on_peaks)) {}

// Levels stand in one object as long as time goes on in it; a gap or a jump of two seconds begins another.
Status PeakMeter::begin_at(std::int64_t media_us) {
  const auto passed = std::upper_bound(cuts_us_.begin(), cuts_us_.end(), media_us) - cuts_us_.begin();
  const auto cut = static_cast<std::uint64_t>(passed);
  if (open_) {
    const std::int64_t end = open_->media_us + static_cast<std::int64_t>(open_->levels.size()) * kPeakUs;
    const bool full = media_us >= open_->media_us + static_cast<std::int64_t>(kPeaksPerObject) * kPeakUs;
    const bool jumps = media_us > end + 2'000'000 || media_us < open_->media_us;
    if (full || jumps || cut != open_->cut) GREFFE_TRY(finish());
  }
  if (!open_) open_ = FinishedPeaks{cut, media_us, {}};
  return ok();
}

Status PeakMeter::add(std::int64_t media_us, const AVFrame& frame) {
  if (frame.sample_rate <= 0) return ok();
  for (int first = 0; first < frame.nb_samples;) {
    const std::int64_t at = media_us + av_rescale(first, 1'000'000, frame.sample_rate);
    GREFFE_TRY(begin_at(at));
    const auto index = static_cast<std::size_t>((at - open_->media_us) / kPeakUs);
    const std::int64_t until = open_->media_us + static_cast<std::int64_t>(index + 1) * kPeakUs;
    const std::int64_t samples = std::max<std::int64_t>(1, av_rescale_rnd(until - at, frame.sample_rate, 1'000'000, AV_ROUND_UP));
    const int last = static_cast<int>(std::min<std::int64_t>(frame.nb_samples, first + samples));
    if (open_->levels.size() <= index) open_->levels.resize(index + 1);
    std::uint8_t& level = open_->levels[index];
    level = std::max(level, peak_of(frame, first, last));
    first = last;
  }
  return ok();
}

Status PeakMeter::finish() {
  if (!open_) return ok();
  FinishedPeaks done = std::move(*open_);
  open_.reset();
  return done.levels.empty() ? ok() : on_peaks_(std::move(done));
}

// ---- FLAC ----

Result<std::unique_ptr<FlacEncoder>> FlacEncoder::open(const AVCodecParameters& source, int sample_format) {
  auto out = std::make_unique<FlacEncoder>();
  const AVCodec* codec = avcodec_find_encoder(AV_CODEC_ID_FLAC);
  if (codec == nullptr) return fail(Errc::unavailable, "this system's libavcodec has no FLAC encoder");
  out->codec_.reset(avcodec_alloc_context3(codec));
  out->parameters_.reset(avcodec_parameters_alloc());
  if (!out->codec_ || !out->parameters_) return no_memory();
  AVCodecContext& c = *out->codec_;
  const bool small = av_get_bytes_per_sample(static_cast<AVSampleFormat>(sample_format)) <= 2;
  c.sample_fmt = small ? AV_SAMPLE_FMT_S16 : AV_SAMPLE_FMT_S32;
  if (!small) c.bits_per_raw_sample = 24;
  c.sample_rate = source.sample_rate;
  c.time_base = AVRational{1, source.sample_rate};
  c.thread_count = 1;
  const int channels = source.ch_layout.nb_channels;
  av_channel_layout_default(&c.ch_layout, channels);
  c.flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT;
  int code = avcodec_open2(&c, codec, nullptr);
  if (code < 0) {
    return fail(Errc::invalid, fmt::format("its audio ({} channels, {} Hz) cannot be stored as FLAC: {}", channels,
                                           source.sample_rate, libav_words(code)));
  }
  if (avcodec_parameters_from_context(out->parameters_.get(), &c) < 0) return no_memory();
  SwrContext* converter = nullptr;
  code = swr_alloc_set_opts2(&converter, &c.ch_layout, c.sample_fmt, c.sample_rate, &c.ch_layout,
                             static_cast<AVSampleFormat>(sample_format), c.sample_rate, 0, nullptr);
  out->converter_.reset(converter);
  if (code < 0 || swr_init(converter) < 0) return fail(Errc::invalid, "its audio samples cannot be converted");
  out->sample_bytes_ = static_cast<std::size_t>(av_get_bytes_per_sample(c.sample_fmt) * channels);
  return out;
}

Status FlacEncoder::encode(const AVFrame& frame, const OnPacket& on_packet) {
  if (frame.ch_layout.nb_channels != codec_->ch_layout.nb_channels || frame.sample_rate != codec_->sample_rate) {
    return fail(Errc::invalid, "its audio changes the number of channels or the sample rate in the middle");
  }
  if (!next_pts_) next_pts_ = frame.pts == AV_NOPTS_VALUE ? 0 : frame.pts;
  const std::size_t before = waiting_.size();
  waiting_.resize(before + static_cast<std::size_t>(frame.nb_samples) * sample_bytes_);
  std::uint8_t* out = waiting_.data() + before;
  const int got = swr_convert(converter_.get(), &out, frame.nb_samples,
                              const_cast<const std::uint8_t**>(frame.extended_data), frame.nb_samples);
  if (got != frame.nb_samples) return fail(Errc::invalid, "its audio samples cannot be converted");
  const auto frame_samples = static_cast<std::size_t>(codec_->frame_size);
  while (waiting_.size() >= frame_samples * sample_bytes_) GREFFE_TRY(take(frame_samples, on_packet));
  return ok();
}

bool FlacEncoder::continues(const AVFrame& frame) const {
  if (!next_pts_ || frame.pts == AV_NOPTS_VALUE) return true;
  const std::int64_t expected = *next_pts_ + static_cast<std::int64_t>(waiting_.size() / sample_bytes_);
  return std::llabs(frame.pts - expected) <= codec_->sample_rate / 5;
}

Status FlacEncoder::take(std::size_t samples, const OnPacket& on_packet) {
  FramePtr frame(av_frame_alloc());
  if (!frame) return no_memory();
  frame->nb_samples = static_cast<int>(samples);
  frame->format = codec_->sample_fmt;
  frame->sample_rate = codec_->sample_rate;
  frame->pts = *next_pts_;
  if (av_channel_layout_copy(&frame->ch_layout, &codec_->ch_layout) < 0 || av_frame_get_buffer(frame.get(), 0) < 0) return no_memory();
  const auto bytes = static_cast<std::ptrdiff_t>(samples * sample_bytes_);
  std::copy(waiting_.begin(), waiting_.begin() + bytes, frame->data[0]);
  waiting_.erase(waiting_.begin(), waiting_.begin() + bytes);
  *next_pts_ += static_cast<std::int64_t>(samples);
  return drain(frame.get(), on_packet);
}

Status FlacEncoder::drain(const AVFrame* frame, const OnPacket& on_packet) {
  int code = avcodec_send_frame(codec_.get(), frame);
  while (code >= 0) {
    PacketPtr packet(av_packet_alloc());
    if (!packet) return no_memory();
    code = avcodec_receive_packet(codec_.get(), packet.get());
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return ok();
    if (code < 0) break;
    // The last packet also carries the checksum of the whole stream; a stream of segments has no place for it.
    av_packet_free_side_data(packet.get());
    if (packet->size == 0) continue;
    packet->dts = packet->pts;
    GREFFE_TRY(on_packet(std::move(packet)));
  }
  return fail(Errc::invalid, "its audio cannot be stored as FLAC: " + libav_words(code));
}

Status FlacEncoder::finish(const OnPacket& on_packet) {
  if (next_pts_ && !waiting_.empty()) GREFFE_TRY(take(waiting_.size() / sample_bytes_, on_packet));
  return drain(nullptr, on_packet);
}

}  // namespace greffe::ingest
