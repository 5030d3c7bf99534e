#include "ingest/capture_clock.h"

#include <algorithm>
#include <optional>

namespace greffe::ingest {
namespace {

constexpr std::int64_t kSlewPerMillion = 500;  // faster than any quartz is off; what is left is network, not drift
constexpr std::int64_t kRoundingUs = 1000;
constexpr std::size_t kMostNotes = 16'384;     // more than a minute of any sound

}  // namespace

void CaptureClock::note(std::int64_t media_us, std::int64_t mono_us) {
  if (notes_.size() == kMostNotes) notes_.pop_front();
  notes_.push_back({media_us, mono_us - media_us});
}

std::int64_t CaptureClock::start_us(const FinishedSegment& segment) {
  const std::int64_t duration_us = av_rescale(segment.duration_90k, 1'000'000, 90'000);
  const std::int64_t from = segment.start.media_us - kRoundingUs;
  const std::int64_t to = segment.start.media_us + duration_us;
  std::optional<std::int64_t> least;
  for (const Note& one : notes_) {
    if (one.media_us < from || one.media_us >= to) continue;
    least = std::min(least.value_or(one.delay_us), one.delay_us);
  }
  while (!notes_.empty() && notes_.front().media_us < to) notes_.pop_front();
  const bool new_run = !known_ || run_ != segment.start.run;
  if (least && new_run) delay_us_ = *least;
  if (least && !new_run) {
    const std::int64_t most = duration_us * kSlewPerMillion / 1'000'000;
    delay_us_ += std::clamp(*least - delay_us_, -most, most);
  }
  known_ = known_ || least.has_value();
  run_ = segment.start.run;
  return segment.start.media_us + delay_us_;
}

std::int64_t CaptureClock::at_us(std::int64_t media_us) const {
  if (known_ || notes_.empty()) return media_us + delay_us_;
  const auto least = std::min_element(notes_.begin(), notes_.end(), [](const Note& a, const Note& b) { return a.delay_us < b.delay_us; });
  return media_us + least->delay_us;
}

}  // namespace greffe::ingest
