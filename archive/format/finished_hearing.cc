#include "archive/format/finished_hearing.h"

namespace greffe {

void FinishedHearing::take(std::uint64_t index, const HearingEntry& entry) {
  if (const auto* segment = std::get_if<SegmentEntry>(&entry)) return count(*segment);
  if (std::holds_alternative<PeaksEntry>(entry) || std::holds_alternative<ExplanationEntry>(entry)) return;
  if (beside_.size() == kMaxBeside) plain_ = false;
  if (plain_) beside_.push_back(index);
  if (const auto* open = std::get_if<OpenEntry>(&entry)) {
    for (const ExpectedStream& stream : open->streams) declared_.insert(stream.name);
  }
  if (const auto* late = std::get_if<StreamEntry>(&entry)) declared_.insert(late->stream.name);
  if (const auto* close = std::get_if<CloseEntry>(&entry)) summed_ = adds_up(*close);
}

void FinishedHearing::count(const SegmentEntry& segment) {
  if (!declared_.contains(segment.stream)) plain_ = false;
  if (!plain_) return;
  Sum& sum = sums_[segment.stream];
  ++sum.segments;
  sum.bytes += segment.bytes;
  sum.duration_90k += static_cast<std::uint64_t>(segment.duration_90k);
}

bool FinishedHearing::adds_up(const CloseEntry& close) const {
  std::size_t with_segments = 0;
  for (const StreamTotal& total : close.totals) {
    const auto found = sums_.find(total.stream);
    if (found != sums_.end()) ++with_segments;
    const Sum stated{total.segments, total.bytes, static_cast<std::uint64_t>(total.duration_90k)};
    if (!declared_.contains(total.stream) || stated != (found != sums_.end() ? found->second : Sum{})) return false;
  }
  return with_segments == sums_.size();
}

std::vector<std::uint64_t> FinishedHearing::beside() const { return plain_ && summed_ ? beside_ : std::vector<std::uint64_t>(); }

}  // namespace greffe
