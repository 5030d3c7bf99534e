#include "ingest/sound_watch.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace greffe::ingest {
namespace {

constexpr std::int64_t kIntervalUs = 500'000;
constexpr std::int64_t kJumpUs = 1'000'000;
constexpr double kSilentSwing = 0.001;        // -60 dBFS
constexpr double kHeardSwing = 0.002;         // -54 dBFS: once silent, it must be so loud to count as sound again
constexpr std::int64_t kSilenceRaiseUs = 8'400'000;  // with looks half a second apart: after 8 s
constexpr std::int64_t kSilenceEndUs = 1'000'000;    // a click in a dead line is no sound
constexpr std::uint32_t kClippedRuns = 5;     // in half a second
constexpr std::size_t kClippedOf = 4;         // half seconds
constexpr std::ptrdiff_t kClippedMost = 3;
constexpr std::int64_t kClippingEndUs = 5'000'000;

int decibels(double amplitude) {
  return amplitude <= 1e-6 ? kQuietestDb : static_cast<int>(std::lround(20 * std::log10(amplitude)));
}

}  // namespace

SoundWatch::SoundWatch(SignalSink& sink)
    : sink_(sink), silence_(Alarm::silence, kSilenceEndUs), clipping_(Alarm::clipping, kClippingEndUs) {}

void SoundWatch::begin_where_it_jumps(std::int64_t media_us, const AVFrame& frame) {
  const auto channels = static_cast<std::size_t>(frame.ch_layout.nb_channels);
  const bool same = frame.sample_rate == sample_rate_ && channels == channels_.size();
  if (same && std::llabs(media_us - expected_us_) <= kJumpUs) return;
  sample_rate_ = frame.sample_rate;
  samples_ = 0;
  channels_.assign(channels, {});
  clipped_runs_.clear();
  silence_.forget();
  clipping_.forget();
}

Status SoundWatch::add(std::int64_t media_us, const AVFrame& frame) {
  if (frame.sample_rate <= 0 || frame.ch_layout.nb_channels <= 0) return ok();
  begin_where_it_jumps(media_us, frame);
  const std::int64_t whole = std::max<std::int64_t>(1, av_rescale(kIntervalUs, sample_rate_, 1'000'000));
  for (int first = 0; first < frame.nb_samples;) {
    if (samples_ == 0) interval_us_ = media_us + av_rescale(first, 1'000'000, sample_rate_);
    const int last = first + static_cast<int>(std::min<std::int64_t>(frame.nb_samples - first, whole - samples_));
    add_levels(frame, first, last, channels_);
    samples_ += last - first;
    first = last;
    if (samples_ == whole) GREFFE_TRY(end_interval());
  }
  expected_us_ = media_us + av_rescale(frame.nb_samples, 1'000'000, sample_rate_);
  return ok();
}

Status SoundWatch::end_interval() {
  double peak = 0;
  double swing = 0;
  double rms = 0;
  SoundLevels levels;
  for (ChannelLevels& channel : channels_) {
    peak = std::max(peak, channel.peak());
    swing = std::max(swing, channel.swing());
    rms = std::max(rms, channel.rms());
    levels.clipped_runs = std::max(levels.clipped_runs, channel.clipped_runs);
    channel = {};
  }
  samples_ = 0;
  levels.media_us = interval_us_;
  levels.peak_db = decibels(peak);
  levels.rms_db = decibels(rms);
  GREFFE_TRY(sink_.levels(levels));
  return judge(interval_us_ + kIntervalUs, swing, levels.clipped_runs);
}

Status SoundWatch::judge(std::int64_t at_us, double swing, std::uint32_t clipped_runs) {
  using Look = HeldAlarm::Look;
  const Look unless_raised = silence_.raised() ? Look::unclear : Look::good;
  const Look heard = swing < kSilentSwing ? Look::bad : swing >= kHeardSwing ? Look::good : unless_raised;
  GREFFE_TRY(tell(silence_.look(at_us, heard, kSilenceRaiseUs)));

  clipped_runs_.push_back(clipped_runs);
  if (clipped_runs_.size() > kClippedOf) clipped_runs_.pop_front();
  const auto many = [](std::uint32_t runs) { return runs >= kClippedRuns; };
  const auto clipped = std::count_if(clipped_runs_.begin(), clipped_runs_.end(), many);
  // At once: the last two seconds are the time that it was held.
  const bool some = clipped > 0 && clipping_.raised();
  const Look cut_off = clipped >= kClippedMost ? Look::bad : some ? Look::unclear : Look::good;
  return tell(clipping_.look(at_us, cut_off, 0));
}

Status SoundWatch::tell(const std::optional<AlarmChange>& change) { return change ? sink_.alarm(*change) : ok(); }

}  // namespace greffe::ingest
