// The station's two clocks: the monotonic one, in which time is accounted, and the wall clock, in which people think.
// Knows how good the wall clock is, notices when it jumps, and keeps what it said before a jump: past times are never
// rewritten. One thread.
#ifndef GREFFE_INGEST_STATION_CLOCK_H
#define GREFFE_INGEST_STATION_CLOCK_H

#include <vector>

#include "archive/base/clock.h"
#include "archive/format/entries.h"

namespace greffe::ingest {

// One moment on both clocks.
struct Moment {
  UtcTime utc;
  std::int64_t mono_ms = 0;
};

class StationClock {
 public:
  // How the kernel judges its wall clock; a test has its own.
  struct Judgement {
    bool synchronised = false;
    std::int64_t error_ms = 0;
  };
  using Judge = Judgement (*)();
  static Judgement ask_kernel();  // adjtimex(2)
  explicit StationClock(Clock& clock, Judge judge = ask_kernel);

  Moment now();
  std::string boot() { return clock_.boot_id(); }
  // The wall clock at a moment of this boot, as it was then (between two looks of which the second finds a jump: as after it).
  Moment at(std::int64_t mono_ms) const;
  // Looks at the clocks; to be called every second. True: the wall clock jumped by more than a second since the last
  // look; moments since then are told by the new time.
  bool look();
  std::int64_t last_jump_ms() const { return last_jump_ms_; }
  // locked: synchronised. holdover: it was, in this process's life, and runs on by itself. free: never.
  ClockState state() const;
  // How good the time was that at() tells: a jump that corrects the clock makes no earlier time better.
  ClockState state_at(std::int64_t mono_ms) const;

 private:
  struct Anchor {
    std::int64_t from_mono_ms;
    std::int64_t offset_ms;  // wall minus monotonic
    ClockState last;         // when the next one was set
  };
  const Anchor& anchor_of(std::int64_t mono_ms) const;
  std::int64_t offset();
  Clock& clock_;
  const Judge judge_;
  std::vector<Anchor> anchors_;
  Judgement judgement_;
  bool was_locked_ = false;
  std::int64_t lost_mono_ms_ = 0;   // when it was last synchronised
  std::int64_t lost_error_ms_ = 0;
  std::int64_t last_jump_ms_ = 0;
  std::int64_t looked_mono_ms_ = 0;
};

}  // namespace greffe::ingest

#endif
