// Listens to decoded sound: levels twice a second, and alarms for silence and clipping. One thread.
//
// Silence: for 8 s no half second swings above -60 dBFS (half of peak to peak: a constant voltage is no sound). So quiet
// are digital zeros, G.711's included (it never gives less than -72 dBFS), and a loose plug or a dead microphone before
// a good preamplifier, whose noise of -75 dBFS r.m.s. and less peaks there. A quiet room is louder: where speech lies at
// -20 to -30 dBFS its noise is 30 dB below, and peaks 12 dB above that. Not to be told apart: a dead cable that hums
// louder; a participant who muted himself at his end from a dead line. The longest pause of read speech is two seconds.
//
// Clipping: in three of the last four half seconds there were five runs or more of three samples at one end of the scale.
// One bang does not do that, nor does speech that touches full scale here and there. What an amplifier before the
// converter cuts off lower down is not seen.
#ifndef GREFFE_INGEST_SOUND_WATCH_H
#define GREFFE_INGEST_SOUND_WATCH_H

#include <deque>
#include <optional>
#include <vector>

#include "ingest/signal_watch.h"
#include "ingest/sound_levels.h"

namespace greffe::ingest {

class SoundWatch {
 public:
  explicit SoundWatch(SignalSink& sink);  // `sink` must outlive it
  // Decoded samples in order. `media_us`: of the frame's first sample; where it jumps by more than a second, what was heard
  // before no longer counts.
  Status add(std::int64_t media_us, const AVFrame& frame);

 private:
  void begin_where_it_jumps(std::int64_t media_us, const AVFrame& frame);
  Status end_interval();
  Status judge(std::int64_t at_us, double swing, std::uint32_t clipped_runs);
  Status tell(const std::optional<AlarmChange>& change);

  SignalSink& sink_;
  HeldAlarm silence_;
  HeldAlarm clipping_;
  int sample_rate_ = 0;
  std::int64_t expected_us_ = 0;            // where the next frame begins
  std::int64_t interval_us_ = 0;            // where the half second begins
  std::int64_t samples_ = 0;                // of it
  std::vector<ChannelLevels> channels_;     // in it
  std::deque<std::uint32_t> clipped_runs_;  // in the last half seconds
};

}  // namespace greffe::ingest

#endif
