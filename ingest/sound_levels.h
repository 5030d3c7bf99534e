// How loud decoded samples are. Pure; any thread.
#ifndef GREFFE_INGEST_SOUND_LEVELS_H
#define GREFFE_INGEST_SOUND_LEVELS_H

#include <cstdint>
#include <vector>

#include "ingest/libav_owners.h"

namespace greffe::ingest {

// One channel over some time, samples from -1 to 1.
struct ChannelLevels {
  double least = 1;
  double most = -1;
  double sum = 0;
  double squares = 0;
  std::int64_t samples = 0;
  std::uint32_t clipped_runs = 0;  // three samples and more in a row at one end of the scale
  int at_end = 0;                  // samples in a row at the upper end (positive) or at the lower one, up to now

  void add(double sample);
  double peak() const;   // 0 … 1
  double swing() const;  // half of what it swings: a constant voltage is no sound. 0 … 1
  double rms() const;    // without the constant part
};

// Adds samples [first, last) of each channel of `frame` to the element of `channels` with its number.
void add_levels(const AVFrame& frame, int first, int last, std::vector<ChannelLevels>& channels);

// The largest |sample| of all channels in [first, last): 0 … 255 of full scale, linear. What is no number is full scale.
std::uint8_t peak_of(const AVFrame& frame, int first, int last);

}  // namespace greffe::ingest

#endif
