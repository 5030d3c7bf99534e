#include "replicate/compare_verb.h"

#include <fmt/format.h>

#include "replicate/lost_return.h"

namespace greffe::replicate {
namespace {

// Until nothing more comes: one answer names a few thousand.
void return_all(RepairableSite& site, const TakeLost& take, Returned& all, const std::stop_token& stop) {
  Returned now;
  do {
    now = give_back(site, take, stop);
    all.objects += now.objects;
  } while (now.objects > 0 && !stop.stop_requested());
  all.problems.insert(all.problems.end(), now.problems.begin(), now.problems.end());
}

Returned mend(const ComparisonReport& report, const ComparedParts& parts, ConfirmationSite& archive, const BringHearing& bring, const std::stop_token& stop) {
  Returned out;
  for (const HearingId& id : report.logs_only_here()) {
    if (stop.stop_requested()) return out;
    const Status brought = bring(id);
    if (!brought) out.problems.push_back(brought.error().within("hearing " + id.text() + " cannot be brought to the second site again").message);
  }
  return_all(archive, take_from(parts.target, parts.source.archive), out, stop);
  return_all(parts.target, take_from(parts.pool), out, stop);
  return out;
}

}  // namespace

std::string comparison_folder(const Settings& settings, const std::string& target) { return join(join(settings.state_directory, "compared"), target); }

Status bring_again(LogCopier& copier, const HearingId& id, const std::stop_token& stop) {
  std::optional<std::uint64_t> held;  // asked of the second site first: what it confirmed before counts for nothing
  for (;;) {
    Step step = GREFFE_TRY(copier.plan_hearing(id, held));
    for (const MediaClass media : kMediaClasses) {
      for (const Named& named : step.missing[index_of(media)]) {
        const auto sent = GREFFE_TRY(copier.send(step, media, named, stop));
        if (const auto* hole = std::get_if<Hole>(&sent)) step.holes.push_back(*hole);
      }
    }
    if (step.size > step.held && GREFFE_TRY(copier.commit(step)) != Committed::held) {
      return fail(Errc::unavailable, fmt::format("the second site holds {} of {} entries, and does not take those that follow", step.held, step.source_size));
    }
    GREFFE_TRY(copier.deliver(step));
    if (step.held == step.source_size) return ok();
    held = step.held;
  }
}

Result<ComparisonReport> compare_and_mend(const ComparedParts& parts, ConfirmationSite& archive, const BringHearing& bring, const CompareOrder& order,
                                          const std::stop_token& stop) {
  // Two at a time would remove each other's temporary files.
  const std::unique_ptr<FileLock> alone = GREFFE_TRY(parts.files.lock(join(order.folder, "compare.lock")));
  ComparisonReport report = GREFFE_TRY(compare_sites(parts, order.settings, stop));
  GREFFE_TRY(save_comparison(parts.files, order.folder, report.last()));
  if (report.equal() || !order.repair) return report;
  const Returned mended = mend(report, parts, archive, bring, stop);
  report = GREFFE_TRY(compare_sites(parts, order.settings, stop));
  report.returned = mended.objects;
  report.problems.insert(report.problems.end(), mended.problems.begin(), mended.problems.end());
  GREFFE_TRY(save_comparison(parts.files, order.folder, report.last()));
  return report;
}

}  // namespace greffe::replicate
