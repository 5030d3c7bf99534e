#include "ingest/sound_levels.h"

#include <algorithm>
#include <cmath>

namespace greffe::ingest {
namespace {

// Codecs do not reach the end of the scale exactly: G.711 ends at 0.98 of it, and lossy ones ripple around it.
constexpr double kEndOfScale = 0.98;
constexpr int kClippedRun = 3;

double unit(std::uint8_t sample) { return (sample - 128) / 128.0; }
double unit(std::int16_t sample) { return sample / 32768.0; }
double unit(std::int32_t sample) { return sample / 2147483648.0; }
double unit(std::int64_t sample) { return static_cast<double>(sample) / 9223372036854775808.0; }
double unit(double sample) { return std::isfinite(sample) ? sample : 1.0; }

template <class Sample, class Visit>
void visit_as(const AVFrame& frame, int channel, int first, int last, Visit visit) {
  const bool planar = av_sample_fmt_is_planar(static_cast<AVSampleFormat>(frame.format)) != 0;
  const int step = planar ? 1 : frame.ch_layout.nb_channels;
  const auto* samples = reinterpret_cast<const Sample*>(frame.extended_data[planar ? channel : 0]) + (planar ? 0 : channel);
  for (int i = first; i < last; ++i) visit(unit(samples[i * step]));
}

template <class Visit>
void visit(const AVFrame& frame, int channel, int first, int last, Visit visit) {
  switch (av_get_packed_sample_fmt(static_cast<AVSampleFormat>(frame.format))) {
    case AV_SAMPLE_FMT_U8: return visit_as<std::uint8_t>(frame, channel, first, last, visit);
    case AV_SAMPLE_FMT_S16: return visit_as<std::int16_t>(frame, channel, first, last, visit);
    case AV_SAMPLE_FMT_S32: return visit_as<std::int32_t>(frame, channel, first, last, visit);
    case AV_SAMPLE_FMT_S64: return visit_as<std::int64_t>(frame, channel, first, last, visit);
    case AV_SAMPLE_FMT_FLT: return visit_as<float>(frame, channel, first, last, visit);
    case AV_SAMPLE_FMT_DBL: return visit_as<double>(frame, channel, first, last, visit);
    default: return;
  }
}

}  // namespace

void ChannelLevels::add(double sample) {
  least = std::min(least, sample);
  most = std::max(most, sample);
  sum += sample;
  squares += sample * sample;
  ++samples;
  if (sample >= kEndOfScale) {
    at_end = std::max(at_end, 0) + 1;
  } else if (sample <= -kEndOfScale) {
    at_end = std::min(at_end, 0) - 1;
  } else {
    at_end = 0;
  }
  if (std::abs(at_end) == kClippedRun) ++clipped_runs;
}

double ChannelLevels::peak() const { return samples == 0 ? 0 : std::min(1.0, std::max(std::abs(least), std::abs(most))); }

double ChannelLevels::swing() const { return samples == 0 ? 0 : std::min(1.0, (most - least) / 2); }

double ChannelLevels::rms() const {
  if (samples == 0) return 0;
  const double mean = sum / static_cast<double>(samples);
  return std::sqrt(std::max(0.0, squares / static_cast<double>(samples) - mean * mean));
}

void add_levels(const AVFrame& frame, int first, int last, std::vector<ChannelLevels>& channels) {
  const int count = std::min(frame.ch_layout.nb_channels, static_cast<int>(channels.size()));
  for (int channel = 0; channel < count; ++channel) {
    ChannelLevels levels = channels[static_cast<std::size_t>(channel)];
    visit(frame, channel, first, last, [&](double sample) { levels.add(sample); });
    channels[static_cast<std::size_t>(channel)] = levels;
  }
}

std::uint8_t peak_of(const AVFrame& frame, int first, int last) {
  double peak = 0;
  for (int channel = 0; channel < frame.ch_layout.nb_channels; ++channel) {
    visit(frame, channel, first, last, [&](double sample) { peak = std::max(peak, std::abs(sample)); });
  }
  return static_cast<std::uint8_t>(std::min(255.0, peak * 256));
}

}  // namespace greffe::ingest
