#include "archive/verify/epochs.h"

#include <fmt/format.h>

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
      if (index < end) out.take(text);
    });
  }
  return out;
}

Status check_promotion(const std::vector<EpochLog>& chain, const EpochLog& next, const PromotionEntry& promotion) {
  const EpochLog& before = chain.back();
  const Checkpoint& pinned = promotion.previous;
  const bool had = before.root_holds && pinned.size <= before.log->tree().size() && before.log->tree().root_at(pinned.size) == pinned.root;
  return believe_epoch(before.name, had, officers_up_to(chain, pinned.size), next.name, promotion, next.chosen.signed_checkpoint);
}

}  // namespace

Status believe_epoch(const EpochName& before, bool had_pinned, const Officers& officers, const EpochName& name, const PromotionEntry& promotion,
                     const SignedCheckpoint& head) {
  const bool is_next = name.archive == before.archive && name.epoch == before.epoch + 1;
  if (!is_next || promotion.name != name) return fail(Errc::denied, "its promotion is to another epoch");
  if (head.checkpoint.origin != epoch_origin(name)) return fail(Errc::denied, "its checkpoint is of the log " + head.checkpoint.origin);
  if (!had_pinned) return fail(Errc::denied, fmt::format("it goes on from a state that {} never had", epoch_origin(before)));
  GREFFE_TRY(officers.check(promotion_statement(promotion), promotion.officers, promotion.signatures, "this promotion"));
  return verify_note(head.note, promotion.log_verifier());
}

Finding not_an_epoch(const EpochName& name, const Error& why, const std::string& file) {
  return main_finding(Verdict::tampered, "promotion", fmt::format("the log of {} is not that of an epoch of this archive: {}", epoch_origin(name), why.message), file);
}

void check_known_epoch(const std::optional<SignedCheckpoint>& known, const EpochName& newest, const Policy& policy, Report& report) {
  const auto name = known ? parse_epoch_origin(known->checkpoint.origin) : Result<EpochName>(fail(Errc::not_found, ""));
  if (!name || name->archive != newest.archive) return;
  if (name->epoch > newest.epoch) {
    report.add(main_finding(Verdict::incomplete, "stale",
                            fmt::format("the checkpoint that you hold is of epoch {}, and what is here ends with epoch {}: the archive went on elsewhere since", name->epoch, newest.epoch)));
    return;
  }
  const VerifierKey* key = trusted_log(policy, known->checkpoint.origin);
  const Status good = key != nullptr ? verify_note(known->note, *key) : Status(fail(Errc::denied, "no key is known for it"));
  if (good) return;
  report.add(main_finding(Verdict::tampered, "main-signature",
                          fmt::format("the checkpoint of {} that you hold is not signed by the key that this archive has in that epoch: {}", known->checkpoint.origin, good.error().message)));
}

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
    report.add(not_an_epoch(next.name, good.error(), next.chosen.file));
    return false;
  }
  EpochLog& before = chain.back();
  before.counted = promotion->previous.size;
  next.first = before.first + before.counted;
  next.promotion = *promotion;
  policy.logs.push_back(promotion->log_verifier());
  chain.push_back(std::move(next));
  return true;
}

}  // namespace greffe::verify
