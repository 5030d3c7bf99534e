// Listens to decoded sound: levels twice a second, and alarms for silence and clipping. One thread.
//
// Silence: no 100 ms-or-longer sound above -60 dBFS (half of peak to peak, so that a constant voltage does not count) for
// 8 s; raised at 8.5 s at the latest. That is the level of a loose plug or a dead microphone before a good preamplifier
// (noise of -75 dBFS r.m.s. and below has such peaks) and of digital zeros, G.711's included. A quiet room is louder: with
// speech at -20 dBFS its noise lies near -50 dBFS r.m.s., with peaks 12 dB above. What cannot be told: a dead cable that
// hums louder than that, and a participant who muted himself, which is the same as a dead line.
//
// Clipping: see kClippedRuns. Only what is cut off at the converter's or the codec's end of the scale is seen, not what an
// amplifier before it cut off lower down.
#ifndef GREFFE_INGEST_SOUND_WATCH_H
#define GREFFE_INGEST_SOUND_WATCH_H

#include <deque>
#include <vector>

#include "ingest/signal_watch.h"
#include "ingest/sound_levels.h"

namespace greffe::ingest {

class SoundWatch {
 public:
  explicit SoundWatch(SignalSink& sink);  // `sink` must outlive it
  // Decoded samples in order. `media_us`: of the frame's first sample; a jump of more than a second begins anew.
  Status add(std::int64_t media_us, const AVFrame& frame);

 private:
  void begin(std::int64_t media_us, const AVFrame& frame);
  Status end_interval();

  SignalSink& sink_;
  HeldAlarm silence_;
  HeldAlarm clipping_;
  std::int64_t interval_us_ = 0;            // where it begins
  std::int64_t samples_ = 0;                // in it
  int sample_rate_ = 0;
  std::vector<ChannelLevels> channels_;
  std::deque<std::uint32_t> clipped_runs_;  // of the last two seconds
};

}  // namespace greffe::ingest

#endif
