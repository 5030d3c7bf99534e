#include "ingest/stream_cover.h"

#include <algorithm>

namespace greffe::ingest {

std::vector<StreamCover> cover_of(const HearingState& state, const std::vector<std::string>& entries, std::uint64_t receipt_size,
                                  std::uint64_t read_back_size) {
  std::vector<StreamCover> out;
  std::size_t undecided = 0;
  for (const StreamState& stream : state.streams()) {
    const bool any = stream.segments > 0;
    out.push_back({stream.stream.name, any ? std::optional(stream.end) : std::nullopt, any, any});
    undecided += any ? 1 : 0;
  }
  // From the end: the first segment of a stream that is met is its last one. Behind what is covered twice all is green.
  const std::uint64_t covered = std::min(receipt_size, read_back_size);
  std::vector<bool> decided(out.size());
  for (std::uint64_t i = entries.size(); i > covered && undecided > 0; --i) {
    const auto entry = parse_hearing_entry(entries[i - 1]);
    const auto* segment = entry ? std::get_if<SegmentEntry>(&*entry) : nullptr;
    if (segment == nullptr) continue;
    const auto at = std::find_if(out.begin(), out.end(), [&](const StreamCover& one) { return one.stream == segment->stream; });
    const auto index = static_cast<std::size_t>(at - out.begin());
    if (at == out.end() || decided[index]) continue;
    decided[index] = true;
    --undecided;
    at->received = i <= receipt_size;
    at->read_back = i <= read_back_size;
  }
  return out;
}

}  // namespace greffe::ingest
