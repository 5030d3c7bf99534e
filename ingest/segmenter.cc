#include "ingest/segmenter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "archive/format/names.h"
#include "ingest/codec_strings.h"
#include "ingest/parameter_sets.h"

namespace greffe::ingest {
namespace {

constexpr std::int64_t kMostSampleUs = 2'000'000;           // a longer sample is missing time: a new run
constexpr std::int64_t kMostForwardUs = 3'600'000'000;      // a longer jump is a clock that was set: time goes on
constexpr std::int64_t kBackwardsUs = -200'000;             // less is jitter, and is clamped
constexpr std::int64_t kWaitForKeyUs = 1'000'000;           // at a declared gap
constexpr std::int64_t kMostVideoUs = 30'000'000;           // without a key frame
constexpr std::int64_t kNearlyUs = 100'000;                 // a key frame so much too early is near enough
constexpr std::uint64_t kMostRuns = 10'000;
constexpr std::size_t kMostSampleBytes = 3 * 1024 * 1024 + 512 * 1024;  // 12 MiB and this stay below 16 MiB

bool is_key(const AVPacket& packet) { return (packet.flags & AV_PKT_FLAG_KEY) != 0; }

}  // namespace

Segmenter::Segmenter(SegmentSink& sink, CutRules rules, const AVCodecParameters& parameters, AVRational time_base,
                     std::int64_t origin_us, std::int64_t frame_us, bool transcoded)
    : sink_(sink),
      rules_(std::move(rules)),
      parameters_(avcodec_parameters_alloc()),
      time_base_(time_base),
      origin_us_(origin_us),
      frame_us_(std::clamp<std::int64_t>(frame_us, 1, kMostSampleUs)),
      video_(parameters.codec_type == AVMEDIA_TYPE_VIDEO),
      transcoded_(transcoded),
      time_scale_(video_ ? 90'000 : parameters.sample_rate),
      least_step_(av_rescale_q_rnd(1, AVRational{1, time_scale_}, time_base, AV_ROUND_UP)),
      end_(av_rescale_q_rnd(rules_.after_90k, k90k, AVRational{1, time_scale_}, AV_ROUND_UP)) {
  GREFFE_CHECK(avcodec_parameters_copy(parameters_.get(), &parameters) >= 0);
}

Segmenter::~Segmenter() = default;

std::int64_t Segmenter::media_us(std::int64_t dts) const {
  return av_rescale_q(dts, time_base_, kMicroseconds) - origin_us_ + rebase_us_;
}

std::int64_t Segmenter::ticks(std::int64_t dts) const {
  return run_start_ + av_rescale_q(dts - run_first_dts_, time_base_, AVRational{1, time_scale_});
}

// False: the file's clock jumps between the held packet and the next one.
bool Segmenter::continues(const AVPacket& next) const {
  const std::int64_t us = av_rescale_q(next.dts - held_->dts, time_base_, kMicroseconds);
  return us >= kBackwardsUs && us <= kMostSampleUs;
}

Status Segmenter::add(PacketPtr next) {
  if (static_cast<std::size_t>(next->size) > kMostSampleBytes) {
    return fail(Errc::invalid, fmt::format("a single sample of {} bytes is too large to be kept", next->size));
  }
  if (!held_) {
    held_ = std::move(next);
    return ok();
  }
  if (continues(*next)) {
    // One sample is never shorter than a tick of the segment, also where the source counts finer ones; the true
    // presentation time is kept.
    next->dts = std::max(next->dts, held_->dts + least_step_);
    next->pts = std::max(next->pts, next->dts);
    GREFFE_TRY(write(*held_, next->dts));
    held_ = std::move(next);
    return ok();
  }
  const std::int64_t before = media_us(held_->dts);
  GREFFE_TRY(write(*held_, held_->dts + av_rescale_q(frame_us_, kMicroseconds, time_base_)));
  held_ = std::move(next);
  break_before_held_ = true;
  const std::int64_t jump = media_us(held_->dts) - before;
  if (jump < 0 || jump > kMostForwardUs) rebase_us_ += before + frame_us_ - media_us(held_->dts);
  return ok();
}

bool Segmenter::takes_new_parameters(const AVPacket& packet) {
  std::size_t size = 0;
  const std::uint8_t* bytes = av_packet_get_side_data(&packet, AV_PKT_DATA_NEW_EXTRADATA, &size);
  Bytes extradata;
  if (bytes != nullptr && size > 0) {
    extradata.assign(bytes, bytes + size);
  } else if (video_ && is_key(packet)) {
    Bytes found = parameter_sets_in(*parameters_, packet);
    if (found.empty() || found == parameter_sets_) return false;
    const bool first = parameter_sets_.empty();
    parameter_sets_ = std::move(found);
    if (first) return false;
    extradata = extradata_of(*parameters_, parameter_sets_);
  }
  const ByteView known(parameters_->extradata, static_cast<std::size_t>(parameters_->extradata_size));
  if (extradata.empty() || std::equal(known.begin(), known.end(), extradata.begin(), extradata.end())) return false;
  set_extradata(*parameters_, extradata);
  return true;
}

bool Segmenter::starts_run(const AVPacket& packet) {
  bool out = break_before_held_ || !any_run_ || (run_wanted_ && (!video_ || is_key(packet)));
  if (out) run_wanted_ = false;
  const std::int64_t at = media_us(packet.dts);
  while (cut_ < rules_.cuts_us.size() && at >= rules_.cuts_us[cut_]) {
    // A picture in the middle of a group would need those before the gap; wait a little for the next group.
    if (!out && video_ && !is_key(packet) && at < rules_.cuts_us[cut_] + kWaitForKeyUs) break;
    ++cut_;
    out = true;
  }
  break_before_held_ = false;
  return takes_new_parameters(packet) || out;
}

bool Segmenter::starts_segment(const AVPacket& packet) const {
  const std::int64_t us = av_rescale(end_ - segment_start_, 1'000'000, time_scale_);
  const std::uint64_t bytes = file_->bytes() + static_cast<std::uint64_t>(packet.size);
  if (bytes > rules_.bytes_target) return true;
  if (!video_) return us >= rules_.audio_ms * 1000;
  if (!is_key(packet)) return us >= std::max(kMostVideoUs, rules_.video_ms * 1000);
  // The next group would not fit any more: better to cut here, on a key frame, than in its middle.
  return us >= rules_.video_ms * 1000 - kNearlyUs || bytes + group_bytes_ > rules_.bytes_target;
}

Status Segmenter::write(AVPacket& packet, std::int64_t next_dts) {
  const bool new_run = starts_run(packet);
  if (file_ && (new_run || starts_segment(packet))) GREFFE_TRY(end_segment());
  if (new_run) {
    run_first_dts_ = packet.dts;
    run_start_ = end_ + time_scale_;
  }
  if (!file_) GREFFE_TRY(begin_segment(packet, new_run));
  const std::int64_t now = ticks(packet.dts);
  if (now - fragment_start_ >= time_scale_ && file_->has_open_fragment()) {
    GREFFE_TRY(file_->end_fragment());
    fragment_start_ = now;
  }
  group_bytes_ = is_key(packet) ? static_cast<std::uint64_t>(packet.size) : group_bytes_ + static_cast<std::uint64_t>(packet.size);
  // The end is computed like the start of the next sample, so that the two are the same tick.
  end_ = std::max(now + 1, ticks(next_dts));
  packet.pts = now + std::max<std::int64_t>(0, av_rescale_q(packet.pts - packet.dts, time_base_, AVRational{1, time_scale_}));
  packet.dts = now;
  packet.duration = end_ - now;
  return file_->write(packet);
}

Status Segmenter::begin_segment(const AVPacket& packet, bool new_run) {
  if (new_run && any_run_ && ++run_ > kMostRuns) {
    return fail(Errc::invalid, "its clock jumps more than 10,000 times: it is damaged or not a recording");
  }
  if (new_run) run_init_.clear();
  any_run_ = true;
  current_ = FinishedSegment();
  current_.start = {run_, cut_, media_us(packet.dts)};
  if (video_ && !is_key(packet)) current_.flags.push_back("no-key-frame");
  if (transcoded_) current_.flags.push_back("transcoded");
  const int descriptor = GREFFE_TRY(sink_.file_for(current_.start));
  file_ = GREFFE_TRY(SegmentFile::begin(descriptor, sink_, *parameters_, time_scale_));
  if (run_init_.empty()) run_init_ = file_->init();
  GREFFE_CHECK(run_init_ == file_->init());  // one MAP serves the whole run
  segment_start_ = ticks(packet.dts);
  fragment_start_ = segment_start_;
  return ok();
}

Status Segmenter::end_segment() {
  GREFFE_TRY(file_->end_fragment());
  current_.bytes = file_->bytes();
  current_.init_bytes = file_->init().size();
  current_.sha256 = file_->digest();
  const AVRational scale{1, time_scale_};
  current_.start_90k = av_rescale_q(segment_start_, scale, k90k);
  current_.duration_90k = av_rescale_q(end_, scale, k90k) - current_.start_90k;
  current_.codecs = codec_string(file_->init());
  file_.reset();
  if (current_.bytes > kMaxObjectBytes) return fail(Errc::invalid, "a segment became larger than 16 MiB");
  return sink_.segment(current_);
}

Status Segmenter::finish() {
  if (held_) {
    const std::int64_t stated = av_rescale_q(held_->duration, time_base_, kMicroseconds);
    const std::int64_t us = stated > 0 && stated <= kMostSampleUs ? stated : frame_us_;
    GREFFE_TRY(write(*held_, held_->dts + av_rescale_q(us, kMicroseconds, time_base_)));
    held_.reset();
  }
  return file_ ? end_segment() : ok();
}

}  // namespace greffe::ingest
