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

std::optional<std::vector<std::uint64_t>> FinishedHearing::beside() const {
  return plain_ && summed_ ? std::optional(beside_) : std::nullopt;
}

std::string with_beside(const HearingCheckpointEntry& entry, const std::vector<std::uint64_t>& beside) {
  auto json = parse_json(write_main_entry(entry));
  GREFFE_CHECK(json.has_value());
  Json::Array indices;
  for (const std::uint64_t index : beside) indices.push_back(index);
  json->set("beside", std::move(indices));
  return write_json(*json);
}

Result<std::optional<std::vector<std::uint64_t>>> beside_of(std::string_view main_entry) {
  const Json json = GREFFE_TRY(parse_canonical_json(main_entry));
  if (!json.has("beside")) return std::optional<std::vector<std::uint64_t>>();
  const Json::Array indices = GREFFE_TRY(json.array("beside"));
  const Error wrong = fail(Errc::invalid, "\"beside\" must be an ascending list of indices that begins with 0");
  std::vector<std::uint64_t> out;
  for (const Json& one : indices) {
    const std::int64_t* index = one.as_integer();
    if (index == nullptr || *index < 0 || (out.empty() ? *index != 0 : static_cast<std::uint64_t>(*index) <= out.back())) return wrong;
    out.push_back(static_cast<std::uint64_t>(*index));
  }
  if (out.empty() || out.size() > kMaxBeside) return wrong;
  return std::optional(std::move(out));
}

}  // namespace greffe
