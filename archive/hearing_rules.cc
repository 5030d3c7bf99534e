#include "archive/hearing_rules.h"

#include <fmt/format.h>

#include <set>

#include "archive/format/tiles.h"

namespace greffe::archive {
namespace {

Error refused(std::uint64_t index, std::string_view why) {
  return fail(Errc::invalid, fmt::format("entry {} of the hearing log: {}", index, why));
}

}  // namespace

Result<ReadEntries> read_entries(std::uint64_t first, const std::vector<std::string>& entries, bool closed) {
  ReadEntries out;
  std::set<Digest> seen;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::uint64_t index = first + i;
    if (entries[i].size() > kMaxEntryBytes) return refused(index, "is longer than 65,535 bytes");
    auto parsed = parse_hearing_entry(entries[i]);
    if (!parsed) return refused(index, parsed.error().message);
    const HearingEntry* entry = &out.entries.emplace_back(*std::move(parsed));
    if (const auto* unknown = std::get_if<UnknownEntry>(entry)) {
      return refused(index, fmt::format("kind \"{}\" version {} is not known to this archive; upgrade it first",
                                        unknown->kind, unknown->version));
    }
    if (closed || out.closes) return refused(index, "the hearing is finished; nothing can follow its last entry");
    const auto* open = std::get_if<OpenEntry>(entry);
    if ((open != nullptr) != (index == 0)) return refused(index, "a hearing log begins with its one \"open\" entry");
    if (open != nullptr) out.open = *open;
    if (std::holds_alternative<CloseEntry>(*entry)) out.closes = true;
    if (std::holds_alternative<CorrectionEntry>(*entry)) out.corrects = true;
    const Json json = GREFFE_TRY(parse_canonical_json(entries[i]));
    if (const auto* lost = std::get_if<LostEntry>(entry)) {
      out.lost.insert(lost->objects.begin(), lost->objects.end());
      continue;
    }
    for (const Digest& digest : named_objects(json)) {
      if (seen.insert(digest).second) out.named.push_back(digest);
    }
  }
  return out;
}

}  // namespace greffe::archive
