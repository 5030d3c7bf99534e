#include "web/offline_verbs.h"

#include <fmt/format.h>

#include "archive/archive_keys.h"
#include "archive/base/command_line.h"
#include "archive/base/progress.h"
#include "archive/client/control_client.h"
#include "archive/export.h"
#include "archive/format/policy.h"
#include "archive/main_log.h"
#include "archive/pool_check.h"

namespace greffe::web {
namespace {

Result<std::unique_ptr<store::WholePool>> open_beside(FileSystem& files, Clock& clock, const archive::Settings& settings) {
  return store::open_pool(files, clock, settings.pool, store::PoolMode::reader);
}

std::string catalogue_path(const archive::Settings& settings) { return join(settings.state_directory, "catalogue.sqlite"); }

// Trust in what this archive says: its log, itself as holder, and every site that confirms it. All of those sites must
// agree; without any the auditor is told so by the empty quorum.
Result<Policy> policy_of(FileSystem& files, const archive::Settings& settings) {
  const archive::ArchiveKeys keys = GREFFE_TRY(archive::load_archive_keys(files, settings.state_directory));
  Policy policy;
  policy.logs.push_back(archive::log_verifier(settings.name, keys.log.public_key()));
  policy.witnesses.push_back({"holder", archive::holder_verifier(settings.name, keys.holder.public_key())});
  const catalogue::Catalogue catalogue = GREFFE_TRY(catalogue::Catalogue::open(catalogue_path(settings), 1));
  const std::vector<catalogue::KnownKey> cosigners = GREFFE_TRY(catalogue.keys("cosigner"));
  Policy::Group sites{"sites", 0, {}};
  for (const catalogue::KnownKey& key : cosigners) {
    if (key.revoked_since) continue;
    const std::string name = fmt::format("site-{}", sites.members.size() + 1);
    policy.witnesses.push_back({name, GREFFE_TRY(parse_verifier_key(key.cosigner))});
    sites.members.push_back(name);
  }
  policy.quorum = "none";
  if (!sites.members.empty()) {
    sites.needed = sites.members.size();
    policy.quorum = sites.name;
    policy.groups.push_back(std::move(sites));
  }
  return policy;
}

}  // namespace

Result<int> print_policy(const archive::Settings& settings, const OfflineOptions&) {
  PosixFileSystem files;
  const Policy policy = GREFFE_TRY(policy_of(files, settings));
  fmt::print("# The policy of {}: which keys an auditor trusts. Compare them with what the court has published.\n{}", settings.name,
             write_policy(policy));
  return kExitDone;
}

Result<int> check(const archive::Settings& settings, const OfflineOptions& options) {
  PosixFileSystem files;
  SystemClock clock;
  const auto pool = GREFFE_TRY(store::open_pool(files, clock, settings.pool, options.repair ? store::PoolMode::writer : store::PoolMode::reader));
  const archive::PoolCheck found = GREFFE_TRY(archive::check_pool(files, clock, *pool, catalogue_path(settings),
                                                                  options.repair ? tlog::CheckMode::repair : tlog::CheckMode::report));
  if (options.json) {
    fmt::print("{}\n", write_json(archive::json_of(found)));
  } else {
    for (const std::string& finding : found.findings) fmt::print("{}\n", finding);
    fmt::print("{} logs with {} entries and {} objects were checked; {} findings, {} repairs\n", found.logs, found.entries, found.objects,
               found.findings.size(), found.repaired);
  }
  return found.findings.empty() ? kExitDone : kExitFound;
}

Result<int> rebuild_catalogue(const archive::Settings& settings, const OfflineOptions&) {
  PosixFileSystem files;
  SystemClock clock;
  // The writer's lease says that no archive runs on this pool.
  const auto pool = GREFFE_TRY(store::open_pool(files, clock, settings.pool, store::PoolMode::writer));
  const archive::Stores stores{*pool, *pool, *pool};
  const tlog::LogReader main_log(*pool, *pool, main_log_path());
  std::optional<Progress> bar;
  std::uint64_t shown = 0;
  const auto progress = [&](std::uint64_t done, std::uint64_t total) {
    if (!bar) bar.emplace(clock, "reading the logs", total, ProgressUnit::items);
    bar->add(done - shown);
    shown = done;
  };
  const catalogue::CatalogueBuilder builder =
      GREFFE_TRY(catalogue::rebuild(files, catalogue_path(settings), archive::catalogue_sources(stores), main_log, progress));
  bar.reset();
  fmt::print("The catalogue was made anew from {} log entries.\n", builder.applied().size);
  return kExitDone;
}

Result<int> export_to_folder(const archive::Settings& settings, const OfflineOptions& options) {
  PosixFileSystem files;
  SystemClock clock;
  const HearingId id = GREFFE_TRY(parse_hearing_id(options.hearing));
  const auto pool = GREFFE_TRY(open_beside(files, clock, settings));
  const catalogue::Catalogue catalogue = GREFFE_TRY(catalogue::Catalogue::open(catalogue_path(settings), 1));
  const Policy policy = GREFFE_TRY(policy_of(files, settings));
  const SignedCheckpoint head = GREFFE_TRY(tlog::LogReader(*pool, *pool, hearing_log_path(id)).checkpoint());
  // An export is an act that the log knows before the first byte leaves.
  Json act;
  act.set("hearing", id.text()).set("root", head.checkpoint.root).set("size", head.checkpoint.size);
  GREFFE_TRY(client::ask_service({settings.control_socket, "the archive", "greffe-archive serve"}, "export-logged", act));
  const archive::Exported done =
      GREFFE_TRY(archive::export_hearing(files, clock, {*pool, *pool, *pool}, catalogue, write_policy(policy), id, options.directory));
  if (options.json) {
    Json out;
    out.set("bytes", done.bytes).set("directory", options.directory).set("files", done.files).set("hearing", id.text());
    fmt::print("{}\n", write_json(out));
  } else {
    fmt::print("{} files are in {}. Check them anywhere with: greffe-verify --policy POLICY {}\n", done.files, options.directory,
               options.directory);
  }
  return kExitDone;
}

}  // namespace greffe::web
