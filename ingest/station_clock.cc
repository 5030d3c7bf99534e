#include "ingest/station_clock.h"

#include <sys/timex.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace greffe::ingest {
namespace {

constexpr std::int64_t kJumpMs = 1000;
constexpr std::int64_t kFreeErrorMs = 60'000;      // nobody knows; what a quartz that was never set cannot promise
constexpr std::int64_t kHoldoverPerMillion = 100;  // how far a quartz that runs by itself may be off
constexpr std::size_t kMostAnchors = 1000;

}  // namespace

StationClock::Judgement StationClock::ask_kernel() {
  timex state{};
  const int code = ::adjtimex(&state);
  const bool synchronised = code != TIME_ERROR && code >= 0 && (state.status & STA_UNSYNC) == 0;
  return {synchronised, (state.maxerror + 999) / 1000};
}

StationClock::StationClock(Clock& clock, Judge judge) : clock_(clock), judge_(judge) {
  anchors_.push_back({clock_.monotonic_ms(), offset(), {}});
  look();
}

// Read in the same instant: a process that is put aside between the two readings must not look like a jump.
std::int64_t StationClock::offset() {
  std::int64_t out = 0;
  for (int tries = 0; tries < 10; ++tries) {
    const std::int64_t before = clock_.monotonic_ms();
    out = clock_.utc_now().ms - before;
    if (clock_.monotonic_ms() - before <= 5) break;
  }
  return out;
}

Moment StationClock::now() {
  const std::int64_t mono_ms = clock_.monotonic_ms();
  return at(mono_ms);
}

const StationClock::Anchor& StationClock::anchor_of(std::int64_t mono_ms) const {
  const Anchor* found = &anchors_.front();
  for (const Anchor& one : anchors_) {
    if (one.from_mono_ms <= mono_ms) found = &one;
  }
  return *found;
}

Moment StationClock::at(std::int64_t mono_ms) const { return {UtcTime{mono_ms + anchor_of(mono_ms).offset_ms}, mono_ms}; }

bool StationClock::look() {
  const std::int64_t mono_ms = clock_.monotonic_ms();
  const std::int64_t looked_mono_ms = std::exchange(looked_mono_ms_, mono_ms) + 1;
  const ClockState before = state();
  judgement_ = judge_();
  if (judgement_.synchronised) {
    was_locked_ = true;
    lost_mono_ms_ = mono_ms;
    lost_error_ms_ = judgement_.error_ms;
  }
  const std::int64_t fresh = offset();
  const std::int64_t jump = fresh - anchors_.back().offset_ms;
  if (std::llabs(jump) <= kJumpMs) {
    anchors_.back().offset_ms = fresh;  // slewed, by fractions of a millisecond a look
    return false;
  }
  last_jump_ms_ = jump;
  if (anchors_.size() == kMostAnchors) anchors_.erase(anchors_.begin());
  anchors_.back().last = before;
  // It jumped at some moment since the last look; what is recorded anew for it may begin a little before this one.
  anchors_.push_back({looked_mono_ms, fresh, {}});
  return true;
}

ClockState StationClock::state_at(std::int64_t mono_ms) const {
  const Anchor& anchor = anchor_of(mono_ms);
  return &anchor == &anchors_.back() ? state() : anchor.last;
}

ClockState StationClock::state() const {
  if (judgement_.synchronised) return {"locked", judgement_.error_ms};
  if (!was_locked_) return {"free", kFreeErrorMs};
  const std::int64_t alone_ms = clock_.monotonic_ms() - lost_mono_ms_;
  return {"holdover", lost_error_ms_ + alone_ms * kHoldoverPerMillion / 1'000'000 + 1};
}

}  // namespace greffe::ingest
