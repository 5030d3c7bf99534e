#include "archive/excuses.h"

#include <map>

namespace greffe::archive {

Result<Excuses> Excuses::read(const std::vector<ShownEntry>& shown, DeclaredLost::Read held, const VerifierKey& main_log,
                              const std::optional<VerifierKey>& hearing) {
  Excuses out(std::move(held.declarations));
  std::map<std::uint64_t, MainEntry> further;  // officers and orders in the order of the log
  for (const ShownEntry& one : shown) {
    const auto by_station = hearing ? check_shown(one, *hearing) : Result<std::uint64_t>(fail(Errc::denied, "no hearing"));
    if (by_station) {
      const HearingEntry entry = GREFFE_TRY(parse_hearing_entry(one.entry));
      const auto* lost = std::get_if<LostEntry>(&entry);
      if (lost == nullptr) return fail(Errc::invalid, "an entry of the hearing that was shown ahead declares nothing lost");
      out.by_station_.insert(lost->objects.begin(), lost->objects.end());
      continue;
    }
    const std::uint64_t index = GREFFE_TRY(check_shown(one, main_log));
    MainEntry entry = GREFFE_TRY(parse_main_entry(one.entry));
    if (index >= held.size) further.emplace(index, std::move(entry));
  }
  for (const auto& [index, entry] : further) GREFFE_TRY(out.declared_.take(entry));
  return out;
}

}  // namespace greffe::archive
