#include "replicate/compare_verb.h"

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

Returned mend(const ComparisonReport& report, const ComparedParts& parts, ConfirmationSite& archive, const BringHearing& bring, const CompareOrder& order,
              const std::stop_token& stop) {
  Returned out;
  for (const HearingId& id : report.logs_only_here()) {
    if (stop.stop_requested()) return out;
    const Status brought = bring(id);
    if (!brought) out.problems.push_back(brought.error().within("hearing " + id.text() + " cannot be brought to the second site again").message);
  }
  return_all(archive, take_from(parts.target, order.settings.archive), out, stop);
  return_all(parts.target, take_from(parts.pool), out, stop);
  return out;
}

}  // namespace

Result<ComparisonReport> compare_and_mend(const ComparedParts& parts, ConfirmationSite& archive, const BringHearing& bring, const CompareOrder& order,
                                          const std::stop_token& stop) {
  // Two at a time would remove each other's temporary files.
  const std::unique_ptr<FileLock> alone = GREFFE_TRY(parts.files.lock(join(order.state_directory, "compare.lock")));
  ComparisonReport report = GREFFE_TRY(compare_sites(parts, order.settings, stop));
  GREFFE_TRY(save_comparison(parts.files, order.state_directory, report.last()));
  if (report.equal() || !order.repair) return report;
  const Returned mended = mend(report, parts, archive, bring, order, stop);
  report = GREFFE_TRY(compare_sites(parts, order.settings, stop));
  report.returned = mended.objects;
  report.problems.insert(report.problems.end(), mended.problems.begin(), mended.problems.end());
  GREFFE_TRY(save_comparison(parts.files, order.state_directory, report.last()));
  return report;
}

}  // namespace greffe::replicate
