#include "archive/excuses.h"

#include <map>

namespace greffe::archive {
namespace {

// Its number among the entries of all epochs, of which the newest is asked first.
Result<std::uint64_t> number_of(const ShownEntry& shown, const std::vector<tlog::SignedLog>& main_logs) {
  Result<std::uint64_t> index = fail(Errc::denied, "no main log is known here");
  for (auto log = main_logs.rbegin(); log != main_logs.rend(); ++log) {
    index = check_shown(shown, log->key);
    if (index) return log->first + *index;
  }
  return index;
}

}  // namespace

std::vector<ShownEntry> without_keys(std::vector<ShownEntry> shown) {
  std::erase_if(shown, [](const ShownEntry& one) {
    const auto entry = parse_main_entry(one.entry);
    return entry && std::holds_alternative<KeyEntry>(*entry);
  });
  return shown;
}

Result<Excuses> Excuses::read(const std::vector<ShownEntry>& shown, DeclaredLost::Read held,
                              const std::vector<tlog::SignedLog>& main_logs, const std::optional<VerifierKey>& hearing) {
  Excuses out(std::move(held.declarations));
  std::map<std::uint64_t, MainEntry> further;  // officers and orders in the order of the logs
  for (const ShownEntry& one : shown) {
    const auto by_station = hearing ? check_shown(one, *hearing) : Result<std::uint64_t>(fail(Errc::denied, "no hearing"));
    if (by_station) {
      const HearingEntry entry = GREFFE_TRY(parse_hearing_entry(one.entry));
      const auto* lost = std::get_if<LostEntry>(&entry);
      if (lost == nullptr) return fail(Errc::invalid, "an entry of the hearing that was shown ahead declares nothing lost");
      out.by_station_.insert(lost->objects.begin(), lost->objects.end());
      continue;
    }
    const std::uint64_t number = GREFFE_TRY(number_of(one, main_logs));
    MainEntry entry = GREFFE_TRY(parse_main_entry(one.entry));
    if (number >= held.size) further.emplace(number, std::move(entry));
  }
  for (const auto& [number, entry] : further) GREFFE_TRY(out.declared_.take(entry));
  return out;
}

}  // namespace greffe::archive
