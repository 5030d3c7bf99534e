// How loud decoded samples are: one pass for peaks, power and clipping. Pure; any thread.
#ifndef GREFFE_INGEST_SOUND_LEVELS_H
#define GREFFE_INGEST_SOUND_LEVELS_H

#include <cstdint>
#include <vector>

#include "ingest/libav_owners.h"

namespace greffe::ingest {

// One channel; samples from -1 to 1. Two parts of the same channel add up.
struct ChannelLevels {
  double least = 1;
  double most = -1;
  double sum = 0;
  double squares = 0;
  std::int64_t samples = 0;
  std::uint32_t clipped_runs = 0;
  unsigned at_full_scale = 0;  // samples in a row up to the end of this part, on one side

  void add(double sample);
  // Half of what it swings: a constant voltage is no sound. 0 … 1.
  double swing() const;
  double rms() const;  // without the constant part
};

// Adds samples [first, last) of each channel of `frame` to `channels`, which gets the frame's number of channels. A format
// that libav may add one day counts as full scale: never as silence.
void add_levels(const AVFrame& frame, int first, int last, std::vector<ChannelLevels>& channels);

// The largest |sample| of all channels in [first, last): 0 … 255 of full scale.
std::uint8_t peak_of(const AVFrame& frame, int first, int last);

}  // namespace greffe::ingest

#endif
