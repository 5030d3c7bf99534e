#include "ingest/hearing_state.h"

#include <algorithm>

namespace greffe::ingest {

Status HearingState::apply(std::string_view entry) {
  const HearingEntry parsed = GREFFE_TRY(parse_hearing_entry(entry));
  apply(parsed);
  return ok();
}

StreamState& HearingState::stream(const std::string& name) {
  for (StreamState& one : streams_) {
    if (one.stream.name == name) return one;
  }
  StreamState fresh;
  fresh.stream.name = name;
  streams_.push_back(std::move(fresh));
  return streams_.back();
}

void HearingState::apply(const HearingEntry& entry) {
  if (const auto* open = std::get_if<OpenEntry>(&entry)) {
    open_ = *open;
    end_ = open->start;
    for (const ExpectedStream& one : open->streams) stream(one.name).stream = one;
  } else if (const auto* late = std::get_if<StreamEntry>(&entry)) {
    stream(late->stream.name).stream = late->stream;
  } else if (const auto* segment = std::get_if<SegmentEntry>(&entry)) {
    StreamState& one = stream(segment->stream);
    ++one.segments;
    one.bytes += segment->bytes;
    one.duration_90k += segment->duration_90k;
    one.next_run = segment->run + 1;
    one.end = UtcTime{segment->utc.ms + segment->duration_90k / 90};
    one.last = *segment;
    one.logged.insert(segment->sha256);
    end_ = std::max(end_, one.end);
  } else if (const auto* peaks = std::get_if<PeaksEntry>(&entry)) {
    ++stream(peaks->stream).peaks;
  } else if (const auto* gap = std::get_if<GapEntry>(&entry)) {
    gaps_.push_back(*gap);
    gap_indices_.push_back(entries_);
    end_ = std::max(end_, gap->to);
  } else if (const auto* explanation = std::get_if<ExplanationEntry>(&entry)) {
    explained_.insert(explanation->gap);
  } else if (const auto* correction = std::get_if<CorrectionEntry>(&entry)) {
    corrections_.push_back(*correction);
  } else if (const auto* lost = std::get_if<LostEntry>(&entry)) {
    lost_.insert(lost->objects.begin(), lost->objects.end());
  } else if (std::holds_alternative<CloseEntry>(entry)) {
    closed_ = true;
  }
  ++entries_;
}

std::vector<UnexplainedGap> HearingState::unexplained() const {
  std::vector<UnexplainedGap> out;
  for (std::size_t i = 0; i < gaps_.size(); ++i) {
    const bool settled = is_excused(gaps_[i].reason) || gaps_[i].note || explained_.contains(gap_indices_[i]);
    if (!settled) out.push_back({gap_indices_[i], gaps_[i]});
  }
  return out;
}

const StreamState* HearingState::find(std::string_view name) const {
  const auto at = std::find_if(streams_.begin(), streams_.end(), [&](const StreamState& s) { return s.stream.name == name; });
  return at == streams_.end() ? nullptr : &*at;
}

std::vector<Missing> HearingState::undeclared(std::string_view name, UtcTime from, UtcTime to) const {
  std::vector<Missing> declared;
  for (const GapEntry& gap : gaps_) {
    const bool applies = std::any_of(gap.streams.begin(), gap.streams.end(), [&](const std::string& s) { return s == "*" || s == name; });
    if (applies && gap.to > from && gap.from < to) declared.push_back({gap.from, gap.to});
  }
  std::sort(declared.begin(), declared.end(), [](const Missing& a, const Missing& b) { return a.from < b.from; });
  declared.push_back({to, to});
  std::vector<Missing> out;
  for (const Missing& one : declared) {
    if (one.from.ms - from.ms > kDeclareFromMs) out.push_back({from, one.from});
    from = std::max(from, one.to);
  }
  return out;
}

CloseEntry HearingState::close_entry() const {
  CloseEntry out;
  out.end = end_;
  out.boot = open_->boot;
  out.mono_ms = open_->mono_ms + std::max<std::int64_t>(0, end_.ms - open_->start.ms);
  for (const StreamState& one : streams_) out.totals.push_back({one.stream.name, one.segments, one.bytes, one.duration_90k});
  return out;
}

}  // namespace greffe::ingest
