#include "ingest/track_reader.h"

#include <algorithm>
#include <cstdlib>

#include "ingest/parameter_sets.h"

namespace greffe::ingest {
namespace {

constexpr std::size_t kMostUndated = 64;       // packets without a dts that are held back at the beginning
constexpr std::size_t kLookAtPresentation = 16;
constexpr std::int64_t kArrivalJitterUs = 100'000;  // of a source that dates by arrival; more is sound that is missing

bool is_key(const AVPacket& packet) { return (packet.flags & AV_PKT_FLAG_KEY) != 0; }

// Times that nobody recorded at, and that sums must not overflow with.
void refuse_absurd_times(AVPacket& packet) {
  constexpr std::int64_t kMost = std::int64_t{1} << 55;
  for (std::int64_t* time : {&packet.dts, &packet.pts}) {
    if (*time > kMost || *time < -kMost) *time = AV_NOPTS_VALUE;
  }
  if (packet.duration < 0 || packet.duration > kMost) packet.duration = 0;
}

std::int64_t usual_frame_ticks(const AVStream& stream) {
  const AVCodecParameters& parameters = *stream.codecpar;
  std::int64_t us = 40'000;
  if (parameters.codec_type == AVMEDIA_TYPE_AUDIO) {
    us = parameters.frame_size > 0 ? av_rescale(parameters.frame_size, 1'000'000, parameters.sample_rate) : 20'000;
  } else {
    const AVRational rate = stream.avg_frame_rate.num > 0 ? stream.avg_frame_rate : stream.r_frame_rate;
    if (rate.num > 0 && rate.den > 0) us = av_rescale(1'000'000, rate.den, rate.num);
  }
  return std::max<std::int64_t>(1, av_rescale_q(us, kMicroseconds, stream.time_base));
}

}  // namespace

TrackReader::TrackReader(PacketSource& source)
    : source_(source),
      parameters_(avcodec_parameters_alloc()),
      time_base_(source.is_video() ? source.track().time_base : AVRational{1, source.track().codecpar->sample_rate}),
      frame_ticks_(usual_frame_ticks(source.track())) {
  GREFFE_CHECK(avcodec_parameters_copy(parameters_.get(), source.track().codecpar) >= 0);
}

TrackReader::~TrackReader() = default;

Result<std::unique_ptr<TrackReader>> TrackReader::open(PacketSource& source) {
  std::unique_ptr<TrackReader> out(new TrackReader(source));
  GREFFE_TRY(out->open_filter());
  GREFFE_TRY(out->skip_to_key_frame());
  GREFFE_TRY(out->check_presentation_times());
  return out;
}

Status TrackReader::open_filter() {
  if (parameters_->codec_id != AV_CODEC_ID_AAC || parameters_->extradata_size > 0) return ok();
  AVBSFContext* filter = nullptr;
  if (av_bsf_alloc(av_bsf_get_by_name("aac_adtstoasc"), &filter) < 0) return fail(Errc::unavailable, "there is not enough memory");
  filter_.reset(filter);
  filter_->time_base_in = source_.track().time_base;
  if (avcodec_parameters_copy(filter_->par_in, parameters_.get()) < 0 || av_bsf_init(filter_.get()) < 0) {
    return fail(Errc::invalid, "its AAC audio cannot be brought into the form that MP4 wants");
  }
  return ok();
}

Result<PacketPtr> TrackReader::read_raw() {
  PacketPtr packet(av_packet_alloc());
  if (!packet) return fail(Errc::unavailable, "there is not enough memory");
  for (;;) {
    if (filter_ && av_bsf_receive_packet(filter_.get(), packet.get()) >= 0) {
      std::size_t size = 0;
      const std::uint8_t* bytes = av_packet_get_side_data(packet.get(), AV_PKT_DATA_NEW_EXTRADATA, &size);
      if (bytes != nullptr && parameters_->extradata_size == 0) set_extradata(*parameters_, Bytes(bytes, bytes + size));
      return packet;
    }
    const bool more = GREFFE_TRY(source_.read(*packet));
    if (!more) return PacketPtr();
    refuse_absurd_times(*packet);
    if (!filter_) return packet;
    // A damaged header of one packet costs that packet.
    if (av_bsf_send_packet(filter_.get(), packet.get()) < 0) av_packet_unref(packet.get());
  }
}

Status TrackReader::fill() {
  while (!ended_ && (queue_.empty() || (last_dts_ == AV_NOPTS_VALUE && queue_.front()->dts == AV_NOPTS_VALUE &&
                                        queue_.back()->dts == AV_NOPTS_VALUE && queue_.size() < kMostUndated))) {
    PacketPtr packet = GREFFE_TRY(read_raw());
    if (!packet) {
      ended_ = true;
    } else {
      queue_.push_back(std::move(packet));
    }
  }
  if (!queue_.empty()) date_queue();
  return ok();
}

// Gives the head of the queue its dts: backwards from the first one that has one, else forwards from the last.
void TrackReader::date_queue() {
  AVPacket& head = *queue_.front();
  if (head.dts != AV_NOPTS_VALUE) return;
  const bool in_order = !source_.is_video() || parameters_->video_delay == 0;
  if (in_order && head.pts != AV_NOPTS_VALUE) {
    head.dts = head.pts;
    return;
  }
  if (last_dts_ != AV_NOPTS_VALUE) {
    head.dts = last_dts_ + frame_ticks_;
    return;
  }
  std::int64_t steps = 0;
  for (const PacketPtr& packet : queue_) {
    if (packet->dts != AV_NOPTS_VALUE) {
      head.dts = packet->dts - steps * frame_ticks_;
      return;
    }
    ++steps;
  }
  head.dts = av_rescale_q(source_.origin_us(), kMicroseconds, source_.track().time_base);
}

Status TrackReader::skip_to_key_frame() {
  for (;;) {
    GREFFE_TRY(fill());
    if (queue_.empty()) {
      return fail(Errc::invalid, source_.is_video()
                                     ? "its video has no key frame, so no picture of it can be decoded"
                                     : "its audio track is empty");
    }
    if (!source_.is_video() || is_key(*queue_.front())) return ok();
    last_dts_ = queue_.front()->dts;
    queue_.pop_front();
  }
}

Status TrackReader::check_presentation_times() {
  if (!source_.is_video() || parameters_->video_delay == 0) return ok();
  while (!ended_ && queue_.size() < kLookAtPresentation) {
    PacketPtr packet = GREFFE_TRY(read_raw());
    if (!packet) {
      ended_ = true;
    } else {
      queue_.push_back(std::move(packet));
    }
  }
  const bool any = std::any_of(queue_.begin(), queue_.end(), [](const PacketPtr& p) { return p->pts != AV_NOPTS_VALUE; });
  if (any) return ok();
  return fail(Errc::invalid, "its pictures are reordered (B frames), but the file does not say when each one is shown. "
                             "Have the times made first, for example: ffmpeg -fflags +genpts -i FILE -c copy NEW.mkv");
}

std::int64_t TrackReader::frame_us() const { return av_rescale_q(frame_ticks_, source_.track().time_base, kMicroseconds); }

AVRational TrackReader::frame_rate() const {
  const AVStream& stream = source_.track();
  const AVRational rate = stream.avg_frame_rate.num > 0 ? stream.avg_frame_rate : stream.r_frame_rate;
  return rate.num > 0 && rate.den > 0 ? rate : AVRational{0, 1};
}

std::int64_t TrackReader::first_us() const {
  return av_rescale_q(queue_.front()->dts, source_.track().time_base, kMicroseconds) - source_.origin_us();
}

Result<PacketPtr> TrackReader::next() {
  GREFFE_TRY(fill());
  if (queue_.empty()) return PacketPtr();
  PacketPtr out = std::move(queue_.front());
  queue_.pop_front();
  last_dts_ = out->dts;
  finish_times(*out);
  return out;
}

void TrackReader::finish_times(AVPacket& packet) {
  const std::int64_t delay = source_.is_video() ? parameters_->video_delay : 0;
  if (packet.pts == AV_NOPTS_VALUE) packet.pts = packet.dts + delay * frame_ticks_;
  packet.pts = std::max(packet.pts, packet.dts);
  if (!source_.is_video()) count_samples(packet);
}

// Containers with coarse clocks (milliseconds) state each packet a little early or late; sound has no such holes.
void TrackReader::count_samples(AVPacket& packet) {
  const AVRational source_base = source_.track().time_base;
  const std::int64_t samples =
      av_get_audio_frame_duration2(const_cast<AVCodecParameters*>(parameters_.get()), packet.size);
  std::int64_t at = av_rescale_q(packet.dts, source_base, time_base_);
  // A clock of this machine and the one of the sound drift apart for ever: only from packet to packet do they tell of a hole.
  const bool by_arrival = source_.dates_by_arrival() && arrival_end_ != AV_NOPTS_VALUE;
  const std::int64_t tolerance = by_arrival ? av_rescale_q(kArrivalJitterUs, kMicroseconds, time_base_)
                                            : 2 * av_rescale_q_rnd(1, source_base, time_base_, AV_ROUND_UP);
  const std::int64_t stated = av_rescale_q(packet.duration, source_base, time_base_);
  packet.duration = samples > 0 ? samples : stated;
  if (next_sample_ != AV_NOPTS_VALUE) {
    const std::int64_t off = at - (by_arrival ? arrival_end_ : next_sample_);
    arrival_end_ = at + packet.duration;
    if (std::llabs(off) <= tolerance) {
      at = next_sample_;
    } else if (by_arrival) {
      at = next_sample_ + off;
    }
  } else {
    arrival_end_ = at + packet.duration;
  }
  next_sample_ = packet.duration > 0 ? at + packet.duration : AV_NOPTS_VALUE;
  packet.dts = at;
  packet.pts = at;
}

}  // namespace greffe::ingest
