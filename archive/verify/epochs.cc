#include "archive/verify/epochs.h"

#include <fmt/format.h>

#include "archive/format/officers.h"
#include "archive/verify/main_check.h"

namespace greffe::verify {
namespace {

Result<PromotionEntry> promotion_of(const EpochLog& log) {
  std::string first;
  log.log->visit([&first](std::uint64_t index, std::string_view entry) {
    if (index == 0) first = entry;
  });
  if (first.empty()) return fail(Errc::corrupt, "its first entry cannot be read");
  return parse_promotion(first);
}

Officers officers_up_to(const std::vector<EpochLog>& chain, std::uint64_t pin) {
  Officers out;
  for (const EpochLog& link : chain) {
    const std::uint64_t end = &link == &chain.back() ? pin : link.counted;
    link.log->visit([&out, end](std::uint64_t index, std::string_view text) {
      if (index >= end || !Officers::concerns(text)) return;
      const auto entry = parse_main_entry(text);
      if (!entry) return;
      if (const auto* key = std::get_if<KeyEntry>(&*entry)) out.take(*key);
    });
  }
  return out;
}

Status check_promotion(const std::vector<EpochLog>& chain, const EpochLog& next, const PromotionEntry& promotion) {
  const EpochLog& before = chain.back();
  if (promotion.name != next.name || promotion.name.epoch != before.name.epoch + 1) return fail(Errc::denied, "its promotion is to another epoch");
  const Checkpoint& pinned = promotion.previous;
  if (!before.root_holds || pinned.size > before.log->tree().size() || before.log->tree().root_at(pinned.size) != pinned.root) {
    return fail(Errc::denied, fmt::format("it goes on from a state that {} never had", epoch_origin(before.name)));
  }
  const Officers officers = officers_up_to(chain, pinned.size);
  GREFFE_TRY(officers.check(promotion_statement(promotion), promotion.officers, promotion.signatures, "this promotion"));
  return verify_note(next.chosen.signed_checkpoint.note, promotion.log_verifier());
}

}  // namespace

EpochLog open_epoch(const MainLogFolder& folder, const NoteCopy& chosen, std::vector<std::string> folders, Files& files, Report& report) {
  EpochLog out;
  out.name = folder.name;
  out.log = std::make_unique<LogFiles>(LogName{"main", ""}, std::move(folders), files, report);
  out.notes = folder.notes;
  out.chosen = chosen;
  out.root_holds = out.log->load(out.head());
  out.counted = out.head().size;
  return out;
}

bool follow_epoch(std::vector<EpochLog>& chain, EpochLog next, Policy& policy, Report& report) {
  const auto promotion = promotion_of(next);
  const Status good = promotion ? check_promotion(chain, next, *promotion) : Status(promotion.error());
  if (!good) {
    report.add(main_finding(Verdict::tampered, "promotion",
                            fmt::format("the log of {} is not that of an epoch of this archive: {}", epoch_origin(next.name), good.error().message), next.chosen.file));
    return false;
  }
  EpochLog& before = chain.back();
  before.counted = promotion->previous.size;
  if (before.head().size > before.counted) {
    report.note(fmt::format("{} entries of epoch {} came behind what epoch {} goes on from: they are not part of the archive",
                            before.head().size - before.counted, before.name.epoch, next.name.epoch));
  }
  next.first = before.first + before.counted;
  next.promotion = *promotion;
  policy.logs.push_back(promotion->log_verifier());
  chain.push_back(std::move(next));
  return true;
}

}  // namespace greffe::verify
