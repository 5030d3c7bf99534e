#include "archive/format/time_axis.h"

#include <algorithm>

namespace greffe {
namespace {

constexpr std::int64_t kUnstatedErrorMs = 10'000;  // of a join at an entry that does not state the error of its clock
constexpr std::int64_t kFarthestMs = std::int64_t{1} << 60;  // beyond every honest log, and far from overflow

std::int64_t bounded(std::int64_t ms) { return std::clamp(ms, -kFarthestMs, kFarthestMs); }

}  // namespace

TimePoint begin_of(const SegmentEntry& segment) { return {segment.boot, segment.mono_ms, segment.utc}; }
TimePoint begin_of(const GapEntry& gap) { return {gap.boot, gap.mono_ms[0], gap.from}; }

TimePoint end_of(const GapEntry& gap) {
  if (!gap.to_boot.empty()) return {gap.to_boot, gap.mono_ms[1], gap.to};
  return {gap.mono_ms[1] < gap.mono_ms[0] ? std::string() : gap.boot, gap.mono_ms[1], gap.to};
}

void TimeAxis::add(const HearingEntry& entry) {
  if (const auto* open = std::get_if<OpenEntry>(&entry)) {
    if (!open_) open_ = TimePoint{open->boot, open->mono_ms, open->start};
    see({open->boot, open->mono_ms, open->start}, 0, std::nullopt);
  } else if (const auto* segment = std::get_if<SegmentEntry>(&entry)) {
    see(begin_of(*segment), segment->duration_90k / 90, segment->clock.error_ms);
  } else if (const auto* gap = std::get_if<GapEntry>(&entry)) {
    see(begin_of(*gap), 0, std::nullopt);
    see(end_of(*gap), 0, std::nullopt);
  } else if (const auto* close = std::get_if<CloseEntry>(&entry)) {
    see({close->boot, close->mono_ms, close->end}, 0, std::nullopt);
  }
}

void TimeAxis::see(const TimePoint& point, std::int64_t length_ms, std::optional<std::int64_t> error_ms) {
  if (point.boot.empty() || point.boot == kImportBoot) return;
  const auto [at, fresh] = index_.emplace(point.boot, boots_.size());
  const Anchor anchor{point.mono_ms, point.utc.ms, error_ms};
  if (fresh) {
    boots_.push_back({point.boot, {anchor, anchor}, point.mono_ms, point.mono_ms + length_ms, 0});
    return;
  }
  Boot& boot = boots_[at->second];
  boot.first_ms = std::min(boot.first_ms, point.mono_ms);
  boot.last_ms = std::max(boot.last_ms, point.mono_ms + length_ms);
  const auto rank = [](const Anchor& a) { return a.error_ms.value_or(INT64_MAX); };
  if (rank(anchor) > rank(boot.best.front())) return;
  if (rank(anchor) < rank(boot.best.front())) {
    boot.best = {anchor, anchor};
  } else {
    if (anchor.mono_ms < boot.best.front().mono_ms) boot.best.front() = anchor;
    if (anchor.mono_ms >= boot.best.back().mono_ms) boot.best.back() = anchor;
  }
}

void TimeAxis::join() {
  joins_ = 0;
  error_ms_ = 0;
  for (std::size_t i = 0; i < boots_.size(); ++i) {
    Boot& boot = boots_[i];
    const Anchor& here = boot.best.front();
    if (i > 0) {
      const Boot& before = boots_[i - 1];
      const Anchor& there = before.best.back();
      const std::int64_t joined = bounded(there.mono_ms + before.shift_ms) + (here.utc_ms - there.utc_ms) - here.mono_ms;
      // Whatever the wall clocks say: a boot begins after the one before it.
      boot.shift_ms = bounded(std::max(joined, bounded(before.last_ms + before.shift_ms) - boot.first_ms));
      ++joins_;
      error_ms_ = bounded(error_ms_ + there.error_ms.value_or(kUnstatedErrorMs) + here.error_ms.value_or(kUnstatedErrorMs));
    } else if (open_ && open_->boot == boot.name) {
      boot.shift_ms = -open_->mono_ms;
    } else {  // what was imported has no monotonic clock of a station
      boot.shift_ms = here.utc_ms - (open_ ? open_->utc.ms : here.utc_ms) - here.mono_ms;
    }
  }
}

std::int64_t TimeAxis::at(const TimePoint& point) const {
  const auto known = index_.find(point.boot);
  if (known == index_.end()) return point.utc.ms - (open_ ? open_->utc.ms : point.utc.ms);
  return bounded(point.mono_ms + boots_[known->second].shift_ms);
}

std::int64_t TimeAxis::end_at(const GapEntry& gap) const {
  TimePoint end = end_of(gap);
  if (end.boot.empty()) {
    const auto known = index_.find(gap.boot);
    if (known == index_.end()) return at({gap.boot, gap.mono_ms[1], gap.to});
    if (known->second + 1 >= boots_.size()) return at(begin_of(gap));
    end.boot = boots_[known->second + 1].name;
  }
  return at(end);
}

}  // namespace greffe
