#include "archive/format/time_account.h"

#include <algorithm>
#include <cstdlib>

namespace greffe {
namespace {

// Inside a run media time goes on without a hole, so a segment lasts until the next one begins. A difference as long as a
// fragment is no drift of a clock any more: then it is a hole, or an overlap.
constexpr std::int64_t kMostDriftMs = 1000;

TimeSums sums_of(const TimeSpans& declared, const TimeSpans& recorded, const TimeSpans& excused, const TimeSpans& unexcused,
                 const TimeSpans& unexplained) {
  return {length_ms(declared), length_ms(recorded), length_ms(excused), length_ms(unexcused), length_ms(unexplained)};
}

bool names(const GapEntry& gap, std::string_view stream) {
  return std::find(gap.streams.begin(), gap.streams.end(), stream) != gap.streams.end();
}

Json json_of(const TimeSums& sums) {
  Json out;
  out.set("declared_ms", sums.declared_ms).set("excused_ms", sums.excused_ms).set("recorded_ms", sums.recorded_ms);
  out.set("unexcused_ms", sums.unexcused_ms).set("unexplained_ms", sums.unexplained_ms);
  return out;
}

}  // namespace

Json json_of(const TimeAccount& account) {
  Json out = json_of(account.total);
  Json::Array streams;
  for (const StreamTime& stream : account.streams) {
    Json one = json_of(stream.sums);
    one.set("drift_ms", stream.drift_ms).set("stream", stream.stream);
    streams.push_back(std::move(one));
  }
  out.set("join_error_ms", account.join_error_ms).set("joins", account.joins).set("streams", std::move(streams));
  return out;
}

TimeAccounting::Stream& TimeAccounting::stream(const std::string& name) {
  const auto known = std::find_if(streams_.begin(), streams_.end(), [&](const Stream& s) { return s.name == name; });
  if (known != streams_.end()) return *known;
  streams_.push_back({name, false, {}});
  return streams_.back();
}

void TimeAccounting::add(const HearingEntry& entry) {
  axis_.add(entry);
  if (const auto* open = std::get_if<OpenEntry>(&entry)) {
    for (const ExpectedStream& one : open->streams) stream(one.name).expected = true;
  } else if (const auto* late = std::get_if<StreamEntry>(&entry)) {
    stream(late->stream.name);
  } else if (const auto* segment = std::get_if<SegmentEntry>(&entry)) {
    stream(segment->stream).pieces.push_back({begin_of(*segment), segment->run, segment->duration_90k / 90});
  } else if (const auto* gap = std::get_if<GapEntry>(&entry)) {
    gaps_.emplace(entries_, *gap);
    if (gap->note) explained_.insert(entries_);
  } else if (const auto* explanation = std::get_if<ExplanationEntry>(&entry)) {
    explained_.insert(explanation->gap);
  } else if (const auto* close = std::get_if<CloseEntry>(&entry)) {
    close_ = TimePoint{close->boot, close->mono_ms, close->end};
  }
  ++entries_;
}

TimeAccounting::StreamGaps TimeAccounting::gaps_of(const Stream& stream, const TimeAxis& axis) const {
  StreamGaps out;
  for (const auto& [index, gap] : gaps_) {
    const bool of_all = names(gap, "*");
    if (!of_all && !names(gap, stream.name)) continue;
    const TimeSpan span{axis.at(begin_of(gap)), axis.end_at(gap)};
    out.all.push_back(span);
    if (!of_all) out.own.push_back(span);
    if (is_excused(gap.reason)) out.excused.push_back(span);
    if (explained_.contains(index)) out.explained.push_back(span);
  }
  for (TimeSpans* spans : {&out.all, &out.own, &out.excused, &out.explained}) *spans = united(std::move(*spans));
  return out;
}

// Where the stream was due. What was recorded belongs to it, even before `open` and after `close`.
TimeSpans TimeAccounting::declared_of(const Stream& stream, const TimeSpans& recorded, const StreamGaps& gaps,
                                      const TimeAxis& axis) const {
  TimeSpans known = united(recorded, stream.expected ? TimeSpans{} : gaps.own);
  if (!stream.expected && known.empty()) return {};  // announced, and never heard of again
  const std::int64_t begin = known.empty() ? 0 : stream.expected ? std::min<std::int64_t>(0, known.front().from) : known.front().from;
  std::int64_t end = known.empty() ? begin : known.back().to;
  if (close_) {
    end = std::max(end, axis.at(*close_));
  } else if (!gaps.all.empty()) {
    end = std::max(end, gaps.all.back().to);
  }
  return united({{begin, end}});
}

TimeAccounting::Times TimeAccounting::times_of(const Stream& stream, const TimeAxis& axis) const {
  Times out;
  for (std::size_t i = 0; i < stream.pieces.size(); ++i) {
    const Piece& piece = stream.pieces[i];
    TimeSpan span{axis.at(piece.begin), axis.at(piece.begin) + piece.length_ms};
    const Piece* next = i + 1 < stream.pieces.size() ? &stream.pieces[i + 1] : nullptr;
    if (next != nullptr && next->run == piece.run && next->begin.boot == piece.begin.boot) {
      const std::int64_t drift = axis.at(next->begin) - span.to;
      if (std::abs(drift) <= kMostDriftMs) {
        span.to += drift;
        out.drift_ms += drift;
      }
    }
    out.recorded.push_back(span);
  }
  out.recorded = united(std::move(out.recorded));
  const StreamGaps gaps = gaps_of(stream, axis);
  out.declared = declared_of(stream, out.recorded, gaps, axis);
  const TimeSpans missing = without(out.declared, out.recorded);
  out.excused = within(missing, gaps.excused);
  out.unexcused = without(missing, gaps.excused);
  out.unexplained = without(out.unexcused, gaps.explained);
  return out;
}

TimeAccount TimeAccounting::account() const {
  TimeAxis axis = axis_;
  axis.join();
  TimeAccount out;
  out.joins = axis.joins();
  out.join_error_ms = axis.join_error_ms();
  Times all;  // of the hearing
  if (close_) all.declared = united({{0, axis.at(*close_)}});
  for (const Stream& one : streams_) {
    const Times times = times_of(one, axis);
    out.streams.push_back(
        {one.name, sums_of(times.declared, times.recorded, times.excused, times.unexcused, times.unexplained), times.drift_ms});
    all.declared = united(std::move(all.declared), times.declared);
    all.recorded = united(std::move(all.recorded), times.recorded);
    all.excused = united(std::move(all.excused), times.excused);
    all.unexcused = united(std::move(all.unexcused), times.unexcused);
    all.unexplained = united(std::move(all.unexplained), times.unexplained);
  }
  const TimeSpans missing = without(all.declared, all.recorded);
  const TimeSpans excused = within(missing, without(all.excused, all.unexcused));
  const TimeSpans unexcused = without(missing, excused);
  const TimeSpans explained = without(within(unexcused, all.unexcused), all.unexplained);
  out.total = sums_of(all.declared, all.recorded, excused, unexcused, without(unexcused, explained));
  return out;
}

}  // namespace greffe
