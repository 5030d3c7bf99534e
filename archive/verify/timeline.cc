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
  axis_.add(entry);
  const bool opens = std::holds_alternative<OpenEntry>(entry);
  if (opens != (index == 0)) wrong("entry-format", "a hearing log begins with its one \"open\" entry", {}, index);
  if (close_) wrong("entry-format", "an entry follows the \"close\" entry", {}, index);
  if (opens && index == 0) {
    open_ = std::get<OpenEntry>(entry);
    recorded_until_ = open_->start;
    for (const ExpectedStream& stream : open_->streams) add_stream(index, stream, true);
  } else if (const auto* late = std::get_if<StreamEntry>(&entry)) {
    add_stream(index, late->stream, false);
  } else if (const auto* segment = std::get_if<SegmentEntry>(&entry)) {
    add_segment(index, *segment);
  } else if (const auto* gap = std::get_if<GapEntry>(&entry)) {
    gaps_.push_back({index, gap->streams, gap->from, gap->to, gap->reason, gap->person, gap->note, {}});
    gap_entries_.push_back(*gap);
  } else if (const auto* explanation = std::get_if<ExplanationEntry>(&entry)) {
    add_explanation(index, *explanation);
  } else if (const auto* close = std::get_if<CloseEntry>(&entry)) {
    close_ = *close;
    close_index_ = index;
  }
}

void Timeline::add_stream(std::uint64_t index, const ExpectedStream& stream, bool expected) {
  Stream fresh;
  fresh.expected = expected;
  if (!streams_.emplace(stream.name, fresh).second) {
    wrong("entry-format", "a stream is announced a second time", stream.name, index);
  }
}

void Timeline::add_explanation(std::uint64_t index, const ExplanationEntry& e) {
  for (DeclaredGap& gap : gaps_) {
    if (gap.entry == e.gap) return gap.explanations.push_back({e.note, e.person, e.reason});
  }
  wrong("explanation", fmt::format("the entry explains entry {}, which is no gap before it", e.gap), {}, index);
}

void Timeline::add_segment(std::uint64_t index, const SegmentEntry& e) {
  ++segments_;
  const UtcTime end{e.utc.ms + e.duration_90k / 90};
  recorded_until_ = std::max(recorded_until_, end);
  const auto known = streams_.find(e.stream);
  if (known == streams_.end()) return wrong("stream-unknown", "a segment of a stream that was not announced", e.stream, index, e.utc, end);
  Stream& s = known->second;
  const std::uint64_t before = s.segments.size();
  if (e.seq != before) {
    wrong("segment-seq", fmt::format("segment {} stands where segment {} of the stream belongs", e.seq, before), e.stream, index, e.utc,
          end);
  }
  const bool new_run = before == 0 || e.run != s.run;
  if (e.run < s.run || (before == 0 && e.run != 0) || e.run > s.run + 1) {
    wrong("segment-seq", fmt::format("run {} follows run {} of the stream", e.run, s.run), e.stream, index, e.utc, end);
  }
  // What a hearing continues has its own media time.
  const bool goes_on = before == 0 && open_ && open_->continues;
  const std::int64_t expected = goes_on ? e.start_90k : new_run ? s.end_90k + kBetweenRuns90k : s.end_90k;
  if (std::abs(e.start_90k - expected) > kJoin90k) {
    wrong("timeline", fmt::format("the segment starts at {} (1/90000 s of its stream) where {} was due", e.start_90k, expected),
          e.stream, index, e.utc, end);
  }
  s.bytes += e.bytes;
  s.duration_90k += e.duration_90k;
  s.run = e.run;
  s.end_90k = e.start_90k + e.duration_90k;
  s.segments.push_back({begin_of(e), e.duration_90k / 90, e.clock.error_ms, index});
}

void Timeline::finish() {
  axis_.join();
  for (const auto& [name, stream] : streams_) check_stream(name, stream);
  if (close_) check_totals();
}

void Timeline::check_stream(const std::string& name, const Stream& stream) {
  if (stream.segments.empty()) {
    const bool declared = std::any_of(gaps_.begin(), gaps_.end(), [&](const DeclaredGap& gap) { return applies(gap, name); });
    if (!close_ || declared) return;
    return wrong("stream-missing", "nothing was recorded of a stream that the hearing expected, and no gap says why", name,
                 close_index_, open_ ? std::optional(open_->start) : std::nullopt, close_->end);
  }
  std::optional<Moment> end;
  if (stream.expected) end = Moment{0, open_->start};
  std::int64_t error_ms = 0;
  bool first = true;
  for (const Placed& segment : stream.segments) {
    const Moment begin{axis_.at(segment.begin), segment.begin.utc};
    const std::int64_t allowed = tolerance(std::max(segment.error_ms, error_ms));
    if (end && begin.at_ms > end->at_ms + allowed) check_hole({name, *end, begin, allowed, segment.index});
    if (!first && begin.at_ms < end->at_ms - allowed) {
      wrong("timeline", "the segment begins before the one before it ended", name, segment.index, begin.utc, end->utc);
    }
    end = Moment{begin.at_ms + segment.length_ms, UtcTime{begin.utc.ms + segment.length_ms}};
    error_ms = segment.error_ms;
    first = false;
  }
  if (!close_) return;
  const Moment until{axis_.at({close_->boot, close_->mono_ms, close_->end}), close_->end};
  const std::int64_t allowed = tolerance(error_ms);
  if (until.at_ms > end->at_ms + allowed) check_hole({name, *end, until, allowed, close_index_});
}

// What of the hole no gap of this stream covers must be shorter than the tolerance.
void Timeline::check_hole(const Hole& hole) {
  std::vector<std::pair<Moment, Moment>> gaps;
  for (std::size_t i = 0; i < gaps_.size(); ++i) {
    if (!applies(gaps_[i], hole.stream)) continue;
    const Moment from{axis_.at(begin_of(gap_entries_[i])), gaps_[i].from};
    const Moment to{axis_.end_at(gap_entries_[i]), gaps_[i].to};
    if (to.at_ms > hole.from.at_ms && from.at_ms < hole.to.at_ms) gaps.emplace_back(from, to);
  }
  std::sort(gaps.begin(), gaps.end(), [](const auto& a, const auto& b) { return a.first.at_ms < b.first.at_ms; });
  Moment covered = hole.from;
  const auto check = [&](const Moment& until) {
    if (until.at_ms - covered.at_ms <= hole.tolerance_ms) return;
    wrong("gap-undeclared", "nothing was recorded here and no gap says why", hole.stream, hole.index, covered.utc, until.utc);
  };
  for (const auto& [from, to] : gaps) {
    check(from);
    if (to.at_ms > covered.at_ms) covered = to;
  }
  check(hole.to);
}

void Timeline::check_totals() {
  std::map<std::string, const StreamTotal*> totals;
  for (const StreamTotal& total : close_->totals) totals[total.stream] = &total;
  for (const auto& [name, stream] : streams_) {
    const auto stated = totals.find(name);
    if (stated == totals.end()) {
      if (!stream.segments.empty()) wrong("totals", "the \"close\" entry does not count this stream", name, close_index_);
      continue;
    }
    const StreamTotal& t = *stated->second;
    if (t.segments != stream.segments.size() || t.bytes != stream.bytes || t.duration_90k != stream.duration_90k) {
      wrong("totals",
            fmt::format("the \"close\" entry counts {} segments with {} bytes and {} ticks; the log has {}, {} and {}", t.segments,
                        t.bytes, t.duration_90k, stream.segments.size(), stream.bytes, stream.duration_90k),
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
