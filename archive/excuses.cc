#include "archive/excuses.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace greffe::archive {
namespace {

// Its number among the entries of all epochs, of which the newest is asked first.
Result<std::uint64_t> number_of(const ShownEntry& shown, const std::vector<tlog::SignedLog>& main_logs) {
  Result<std::uint64_t> index = fail(Errc::denied, "no main log is known here");
  std::optional<std::uint64_t> end;  // where the log that is looked at is gone on from
  for (auto log = main_logs.rbegin(); log != main_logs.rend(); ++log) {
    index = check_shown(shown, log->key);
    if (index && end && log->first + *index >= *end) return fail(Errc::denied, "an entry that was shown stands behind what the next epoch goes on from");
    if (index) return log->first + *index;
    end = log->first;
  }
  return index;
}

// The log of the epoch after `before`, which begins with this promotion. That it goes on from a state that `before` had is asked when it is taken.
Result<tlog::SignedLog> next_log(const ShownEntry& shown, const PromotionEntry& promotion, const tlog::SignedLog& before, const Officers& officers) {
  const EpochName last = GREFFE_TRY(parse_epoch_origin(before.key.name));
  const EpochName next{last.archive, last.epoch + 1};
  if (promotion.name != next || promotion.previous.origin != before.key.name) {
    return fail(Errc::denied, fmt::format("a promotion that was shown is to {}, not to {}", epoch_origin(promotion.name), epoch_origin(next)));
  }
  GREFFE_TRY(officers.check(promotion_statement(promotion), promotion.officers, promotion.signatures, "the promotion that was shown"));
  const std::uint64_t index = GREFFE_TRY(check_shown(shown, promotion.log_verifier()));
  if (index != 0) return fail(Errc::invalid, "a promotion that was shown is not the first entry of its log");
  return tlog::SignedLog{promotion.log_verifier(), before.first + promotion.previous.size};
}

}  // namespace

std::vector<ShownEntry> without_keys(std::vector<ShownEntry> shown) {
  std::erase_if(shown, [](const ShownEntry& one) {
    const auto entry = parse_main_entry(one.entry);
    return entry && std::holds_alternative<KeyEntry>(*entry);
  });
  return shown;
}

Result<Excuses> Excuses::read(const std::vector<ShownEntry>& shown, DeclaredLost::Read held, std::vector<tlog::SignedLog> main_logs,
                              const std::optional<VerifierKey>& hearing) {
  Excuses out(std::move(held.declarations));
  std::map<std::uint64_t, MainEntry> further;  // officers and orders in the order of the logs
  const auto take_further = [&]() -> Status {
    for (const auto& [number, entry] : further) GREFFE_TRY(out.declared_.take(entry));
    further.clear();
    return ok();
  };
  for (const ShownEntry& one : shown) {
    const auto by_station = hearing ? check_shown(one, *hearing) : Result<std::uint64_t>(fail(Errc::denied, "no hearing"));
    if (by_station) {
      const HearingEntry entry = GREFFE_TRY(parse_hearing_entry(one.entry));
      const auto* lost = std::get_if<LostEntry>(&entry);
      if (lost == nullptr) return fail(Errc::invalid, "an entry of the hearing that was shown ahead declares nothing lost");
      out.by_station_.insert(lost->objects.begin(), lost->objects.end());
      continue;
    }
    const auto number = number_of(one, main_logs);
    const auto promotion = number ? Result<PromotionEntry>(fail(Errc::invalid, "of a log that is known")) : parse_promotion(one.entry);
    if (promotion) {
      GREFFE_TRY(take_further());
      main_logs.push_back(GREFFE_TRY(next_log(one, *promotion, main_logs.back(), out.declared_.officers())));
      held.size = std::min(held.size, main_logs.back().first);  // what is held behind that is no part of the archive
      continue;
    }
    if (!number) return number.error();
    MainEntry entry = GREFFE_TRY(parse_main_entry(one.entry));
    if (*number >= held.size) further.emplace(*number, std::move(entry));
  }
  GREFFE_TRY(take_further());
  return out;
}

}  // namespace greffe::archive
