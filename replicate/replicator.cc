#include "replicate/replicator.h"

#include <fmt/format.h>

#include "archive/base/progress.h"
#include "archive/format/entries.h"

namespace greffe::replicate {
namespace {

// After a restart: how far back finished hearings are looked at for confirmations that were never delivered.
constexpr std::uint64_t kLookBackEntries = 20'000;
constexpr std::size_t kSettledKept = 10'000;

// Begun and not finished hearings: the markers of the pool.
Result<std::vector<HearingId>> hearings_in_progress(store::ObjectStore& objects) {
  std::vector<HearingId> out;
  GREFFE_TRY(objects.list("log/open/", [&](const store::ObjectInfo& info) {
    const auto id = parse_hearing_id(std::string_view(info.key).substr(info.key.find_last_of('/') + 1));
    if (id) out.push_back(*id);
    return true;
  }));
  return out;
}

// Errors that concern the way to the second site, not one hearing.
bool stops_everything(Errc code) {
  return code == Errc::unavailable || code == Errc::cancelled || code == Errc::denied || code == Errc::no_space;
}

}  // namespace

Json PassReport::json() const {
  Json::Array hole_list;
  for (const Hole& hole : holes) {
    Json one;
    one.set("object", hole.object).set("log", hole.log).set("entry", hole.entry).set("why", hole.why);
    hole_list.push_back(std::move(one));
  }
  Json::Array problem_list(problems.begin(), problems.end());
  Json out;
  out.set("caught_up", caught_up()).set("main_size", main_size).set("main_held", main_held);
  out.set("hearings_behind", std::uint64_t{hearings_behind.size()}).set("undelivered", undelivered).set("holes", std::move(hole_list));
  out.set("problems", std::move(problem_list)).set("objects_sent", copied.objects).set("bytes_sent", copied.bytes);
  out.set("entries_sent", copied.entries).set("objects_returned", returned);
  return out;
}

std::string PassReport::words() const {
  std::string out = fmt::format("sent {} objects ({}) and {} log entries\n", copied.objects, human_bytes(copied.bytes), copied.entries);
  for (const Hole& hole : holes) {
    out += fmt::format("HOLE: object {} (entry {} of {}) cannot be read at the source: {}\n", hole.object.hex(), hole.entry, hole.log,
                       hole.why);
  }
  if (returned > 0) out += fmt::format("{} objects that one site had lost were given back by the other\n", returned);
  for (const std::string& problem : problems) out += "PROBLEM: " + problem + "\n";
  if (undelivered > 0) {
    out += fmt::format("{} confirmations could not be brought to the archive; they will be with the next pass\n", undelivered);
  }
  out += caught_up() ? fmt::format("the second site holds everything: {} main log entries\n", main_held)
                     : fmt::format("the second site holds {} of {} main log entries; {} hearings are behind\n", main_held, main_size,
                                   hearings_behind.size());
  return out;
}

Replicator::Replicator(Source source, CopySite& target, ConfirmationSite& confirmations, VerifierKey target_key,
                       LogCopier::Limits limits, Log& log)
    : source_(source), target_(target), confirmations_(confirmations),
      copier_(source, target, confirmations, std::move(target_key), limits, log) {}

Result<std::optional<LogOutcome>> Replicator::bring(const HearingId& id, PassReport& report, std::stop_token stop) {
  using Outcome = std::optional<LogOutcome>;
  const std::string head_key = checkpoint_path(hearing_log_path(id));
  auto head = source_.heads.read_head(head_key);
  if (!head && head.error().code == Errc::not_found) return Outcome();  // the marker is there, the first entries are not
  if (!head) return head.error().within("hearing " + id.text());
  if (const auto settled = settled_.find(id); settled != settled_.end() && settled->second == *head) return Outcome();
  auto outcome = copier_.copy_hearing(id, stop);
  if (!outcome) {
    if (stops_everything(outcome.error().code)) return outcome.error();
    report.problems.push_back(outcome.error().within("hearing " + id.text()).message);
    report.hearings_behind.insert(id);
    return Outcome();
  }
  report.copied.add(outcome->copied);
  if (!report.hearings_behind.contains(id)) {
    report.holes.insert(report.holes.end(), outcome->holes.begin(), outcome->holes.end());
  }
  if (held_.size() >= kSettledKept) held_.clear();  // only saves questions, as below
  held_[id] = outcome->held;
  const bool whole = outcome->held == outcome->source_size;
  if (whole) report.hearings_behind.erase(id);
  else report.hearings_behind.insert(id);
  if (whole && !outcome->delivered) ++report.undelivered;
  if (whole && outcome->delivered) {
    unconfirmed_.erase(id);
    if (settled_.size() >= kSettledKept) settled_.clear();
    // The delivery changed the head: what stands there now is what is settled.
    const auto now = source_.heads.read_head(head_key);
    if (now) settled_[id] = *now;
  } else if (whole && outcome->closed) {
    unconfirmed_.insert(id);
  }
  return Outcome(std::move(*outcome));
}

// Finished hearings have no marker any more; those whose confirmation was never delivered are found again by their heads.
Status Replicator::find_unconfirmed() {
  const tlog::LogReader main(source_.objects, source_.heads, main_log_path());
  const SignedCheckpoint head = GREFFE_TRY(main.checkpoint());
  const std::uint64_t size = head.checkpoint.size;
  std::set<HearingId> closed;
  GREFFE_TRY(main.entries(size > kLookBackEntries ? size - kLookBackEntries : 0, size, [&](std::uint64_t, std::string_view text) {
    const auto entry = parse_main_entry(text);
    const auto* commit = entry ? std::get_if<HearingCheckpointEntry>(&*entry) : nullptr;
    if (commit != nullptr && commit->closed) closed.insert(commit->hearing);
    return true;
  }));
  for (const HearingId& id : closed) {
    const auto confirmed = copier_.is_confirmed(id);
    if (confirmed && !*confirmed) unconfirmed_.insert(id);
  }
  looked_back_ = true;
  return ok();
}

void Replicator::give_back(RepairableSite& site, const TakeLost& take, PassReport& report, const std::stop_token& stop) {
  Returned given = replicate::give_back(site, take, stop);
  report.returned += given.objects;
  for (std::string& problem : given.problems) report.problems.push_back(std::move(problem));
}

Result<PassReport> Replicator::pass(std::stop_token stop) {
  PassReport report;
  if (!looked_back_) GREFFE_TRY(find_unconfirmed());
  // Recordings in progress are covered within seconds, however far behind the main log is.
  std::vector<HearingId> first = GREFFE_TRY(hearings_in_progress(source_.objects));
  first.insert(first.end(), unconfirmed_.begin(), unconfirmed_.end());
  for (const HearingId& id : first) GREFFE_TRY(bring(id, report, stop));

  const LogCopier::BringHearing bring_hearing = [&](const HearingId& id, std::uint64_t size) -> Result<bool> {
    if (const auto known = held_.find(id); known != held_.end() && known->second >= size) return true;
    if (report.hearings_behind.contains(id)) return false;  // tried in this pass
    settled_.erase(id);  // the entry needs a certain size: ask the site itself
    const std::optional<LogOutcome> outcome = GREFFE_TRY(bring(id, report, stop));
    return outcome && outcome->held >= size;
  };
  auto main = copier_.copy_main(bring_hearing, stop);
  if (!main) return main.error();
  report.main_size = main->source_size;
  report.main_held = main->held;
  report.copied.add(main->copied);
  report.holes.insert(report.holes.end(), main->holes.begin(), main->holes.end());
  if (main->held > 0 && !main->delivered) ++report.undelivered;
  give_back(confirmations_, take_from(target_, source_.archive), report, stop);
  give_back(target_, take_from(source_.objects), report, stop);
  return report;
}

}  // namespace greffe::replicate
