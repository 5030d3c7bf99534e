#include "archive/verify/timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace greffe::verify {
namespace {

// How much time may pass between two segments, at the beginning and at the end of a hearing without being declared: a
// recorder starts its streams one after the other. The stated errors of the clock come on top, up to ten seconds.
constexpr std::int64_t kUndeclaredMs = 2000;
constexpr std::int64_t kMostClockErrorMs = 10'000;
constexpr std::int64_t kBetweenRuns90k = 90'000;  // media time between two runs, and before the first
constexpr std::int64_t kJoin90k = 9'000;  // 0.1 s inside a run: the last sample's duration is an estimate

std::int64_t tolerance(std::int64_t error_ms) { return kUndeclaredMs + std::clamp<std::int64_t>(error_ms, 0, kMostClockErrorMs); }

bool applies(const DeclaredGap& gap, const std::string& stream) {
  return std::any_of(gap.streams.begin(), gap.streams.end(), [&](const std::string& s) { return s == "*" || s == stream; });
}

}  // namespace

Timeline::Timeline(std::function<void(Finding)> found) : found_(std::move(found)) {}

void Timeline::wrong(const char* code, std::string what, const std::string& stream, std::uint64_t index,
                     std::optional<UtcTime> from, std::optional<UtcTime> to) {
  Finding f;
  f.code = code;
  f.what = std::move(what);
  f.stream = stream;
  f.entry = index;
  f.from = from;
  f.to = to;
  found_(std::move(f));
}

void Timeline::add(std::uint64_t index, const HearingEntry& entry) {
  last_index_ = index;
  const bool opens = std::holds_alternative<OpenEntry>(entry);
  if (opens != (index == 0)) wrong("entry-format", "a hearing log begins with its one \"open\" entry", {}, index);
  if (close_) wrong("entry-format", "an entry follows the \"close\" entry", {}, index);
  if (opens && index == 0) {
    open_ = std::get<OpenEntry>(entry);
    recorded_until_ = open_->start;
    for (const ExpectedStream& stream : open_->streams) add_stream(index, stream, open_->start);
  } else if (const auto* late = std::get_if<StreamEntry>(&entry)) {
    add_stream(index, late->stream, UtcTime{});
  } else if (const auto* segment = std::get_if<SegmentEntry>(&entry)) {
    add_segment(index, *segment);
  } else if (const auto* gap = std::get_if<GapEntry>(&entry)) {
    gaps_.push_back({gap->streams, gap->from, gap->to, gap->reason, gap->person});
  } else if (const auto* close = std::get_if<CloseEntry>(&entry)) {
    close_ = *close;
    close_index_ = index;
  }
}

void Timeline::add_stream(std::uint64_t index, const ExpectedStream& stream, UtcTime begin) {
  Stream fresh;
  fresh.begin = begin;
  fresh.end = begin;
  if (!streams_.emplace(stream.name, fresh).second) {
    wrong("entry-format", "a stream is announced a second time", stream.name, index);
  }
}

void Timeline::add_segment(std::uint64_t index, const SegmentEntry& e) {
  ++segments_;
  const UtcTime end{e.utc.ms + e.duration_90k / 90};
  recorded_until_ = std::max(recorded_until_, end);
  const auto known = streams_.find(e.stream);
  if (known == streams_.end()) return wrong("stream-unknown", "a segment of a stream that was not announced", e.stream, index, e.utc, end);
  Stream& s = known->second;
  if (e.seq != s.segments) {
    wrong("segment-seq", fmt::format("segment {} stands where segment {} of the stream belongs", e.seq, s.segments), e.stream, index,
          e.utc, end);
  }
  const bool new_run = s.segments == 0 || e.run != s.run;
  if (e.run < s.run || (s.segments == 0 && e.run != 0) || e.run > s.run + 1) {
    wrong("segment-seq", fmt::format("run {} follows run {} of the stream", e.run, s.run), e.stream, index, e.utc, end);
  }
  // What a hearing continues has its own media time.
  const bool goes_on = s.segments == 0 && open_ && open_->continues;
  const std::int64_t expected = goes_on ? e.start_90k : new_run ? s.end_90k + kBetweenRuns90k : s.end_90k;
  if (std::abs(e.start_90k - expected) > kJoin90k) {
    wrong("timeline", fmt::format("the segment starts at {} (1/90000 s of its stream) where {} was due", e.start_90k, expected),
          e.stream, index, e.utc, end);
  }
  const std::int64_t allowed = tolerance(std::max(e.clock.error_ms, s.error_ms));
  const bool accounted = s.segments > 0 || s.begin.ms != 0;  // a late stream begins with its first segment
  if (accounted && e.utc.ms > s.end.ms + allowed) holes_.push_back({e.stream, s.end, e.utc, allowed, index});
  if (s.segments > 0 && e.utc.ms < s.end.ms - allowed) {
    wrong("timeline", "the segment begins before the one before it ended", e.stream, index, e.utc, s.end);
  }
  if (s.begin.ms == 0) s.begin = e.utc;
  ++s.segments;
  s.bytes += e.bytes;
  s.duration_90k += e.duration_90k;
  s.run = e.run;
  s.end_90k = e.start_90k + e.duration_90k;
  s.end = end;
  s.error_ms = e.clock.error_ms;
}

void Timeline::finish() {
  for (const auto& [name, stream] : streams_) {
    const bool announced = stream.begin.ms != 0 || stream.segments > 0;
    if (close_ && announced) {
      const std::int64_t allowed = tolerance(stream.error_ms);
      if (close_->end.ms > stream.end.ms + allowed) holes_.push_back({name, stream.end, close_->end, allowed, close_index_});
    }
    if (!close_ || stream.segments > 0) continue;
    const bool declared = std::any_of(gaps_.begin(), gaps_.end(), [&, &stream_name = name](const DeclaredGap& gap) {
      return applies(gap, stream_name);
    });
    if (!declared) {
      wrong("stream-missing", "nothing was recorded of a stream that the hearing expected, and no gap says why", name,
            close_index_, open_ ? std::optional(open_->start) : std::nullopt, close_->end);
    }
  }
  for (const Hole& hole : holes_) check_hole(hole);
  if (close_) check_totals();
}

// What of the hole no gap of this stream covers must be shorter than the tolerance.
void Timeline::check_hole(const Hole& hole) {
  if (streams_.at(hole.stream).segments == 0) return;  // said already, for the stream as a whole
  std::vector<const DeclaredGap*> gaps;
  for (const DeclaredGap& gap : gaps_) {
    if (applies(gap, hole.stream) && gap.to > hole.from && gap.from < hole.to) gaps.push_back(&gap);
  }
  std::sort(gaps.begin(), gaps.end(), [](const DeclaredGap* a, const DeclaredGap* b) { return a->from < b->from; });
  UtcTime covered = hole.from;
  const auto check = [&](UtcTime until) {
    if (until.ms - covered.ms <= hole.tolerance_ms) return;
    wrong("gap-undeclared", "nothing was recorded here and no gap says why", hole.stream, hole.index, covered, until);
  };
  for (const DeclaredGap* gap : gaps) {
    check(gap->from);
    covered = std::max(covered, gap->to);
  }
  check(hole.to);
}

void Timeline::check_totals() {
  std::map<std::string, const StreamTotal*> totals;
  for (const StreamTotal& total : close_->totals) totals[total.stream] = &total;
  for (const auto& [name, stream] : streams_) {
    const auto stated = totals.find(name);
    if (stated == totals.end()) {
      if (stream.segments > 0) wrong("totals", "the \"close\" entry does not count this stream", name, close_index_);
      continue;
    }
    const StreamTotal& t = *stated->second;
    if (t.segments != stream.segments || t.bytes != stream.bytes || t.duration_90k != stream.duration_90k) {
      wrong("totals",
            fmt::format("the \"close\" entry counts {} segments with {} bytes and {} ticks; the log has {}, {} and {}", t.segments,
                        t.bytes, t.duration_90k, stream.segments, stream.bytes, stream.duration_90k),
            name, close_index_);
    }
    totals.erase(stated);
  }
  for (const auto& [name, total] : totals) wrong("totals", "the \"close\" entry counts a stream that the log does not have", name, close_index_);
}

std::vector<std::string> Timeline::streams() const {
  std::vector<std::string> out;
  for (const auto& [name, stream] : streams_) out.push_back(name);
  return out;
}

}  // namespace greffe::verify
