#include "archive/scrub_pass.h"

#include <fmt/format.h>

#include "archive/all_logs.h"
#include "archive/tlog/log_check.h"

namespace greffe::archive {
namespace {

constexpr std::size_t kFindingsListed = 1000;

Json finding(const std::string& key, const std::string& problem) {
  Json out;
  out.set("key", key).set("problem", problem);
  return out;
}

}  // namespace

ScrubPass::ScrubPass(Clock& clock, store::WholePool& pool, MainLog& main_log)
    : clock_(clock), pool_(pool), main_log_(main_log) {}

Result<Json> ScrubPass::run() {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return fail(Errc::unavailable, "a scrub is running already; wait for it to end");
  Json::Array unrepaired;
  const store::ScrubTotals totals = GREFFE_TRY(pool_.scrub({}, [&](const store::ScrubbedObject& object) {
    if (!object.problem.empty() && unrepaired.size() < kFindingsListed) unrepaired.push_back(finding(object.key, object.problem));
    return true;
  }));
  std::uint64_t failures = totals.failures;
  std::uint64_t repaired = totals.repaired;
  std::uint64_t logs = 0;
  const std::vector<std::string> paths = GREFFE_TRY(all_logs(pool_));
  for (const std::string& path : paths) {
    const auto checked = tlog::check_log(pool_, pool_, pool_, path, tlog::CheckMode::repair);
    if (!checked && checked.error().code == Errc::not_found) continue;  // files of a log that was never published
    ++logs;
    if (!checked) {
      ++failures;
      unrepaired.push_back(finding(path, checked.error().message));
      continue;
    }
    for (const tlog::LogFinding& f : checked->findings) {
      failures += f.missing.size() + f.different.size();
      repaired += f.repaired;
      if (f.lost) unrepaired.push_back(finding(f.key, "no volume has bytes that fit the log's head; bring them from the second site"));
    }
  }
  std::vector<MainEntry> summary;
  for (const store::VolumeReport& volume : pool_.volumes()) {
    if (volume.id.empty()) continue;
    ScrubEntry entry;
    entry.finding = "pass";
    entry.volume = volume.id;
    entry.objects = totals.objects;
    entry.bytes = totals.bytes;
    entry.failures = failures;
    entry.utc = clock_.utc_now();
    summary.push_back(std::move(entry));
  }
  GREFFE_TRY(main_log_.append(summary));
  Json out;
  out.set("bytes", totals.bytes).set("failures", failures).set("logs", logs).set("objects", totals.objects);
  out.set("repaired", repaired).set("unrepaired", std::move(unrepaired));
  return out;
}

}  // namespace greffe::archive
