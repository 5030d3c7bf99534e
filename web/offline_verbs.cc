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

// Those of the first epoch: from them whoever verifies finds the way to later ones, and the court has published them long ago.
Status add_own_keys(FileSystem& files, const archive::Settings& settings, Policy& policy) {
  if (settings.epoch == 1) {
    const archive::ArchiveKeys keys = GREFFE_TRY(archive::load_archive_keys(files, settings.state_directory));
    policy.logs.push_back(archive::log_verifier(settings.name, keys.log.public_key()));
    policy.witnesses.push_back({"holder", archive::holder_verifier(settings.name, keys.holder.public_key())});
    return ok();
  }
  SystemClock clock;
  const auto pool = GREFFE_TRY(open_beside(files, clock, settings));
  const tlog::LogChain main_log = GREFFE_TRY(tlog::open_main_log(*pool, *pool, {settings.name, settings.epoch}));
  const std::vector<std::string> first = GREFFE_TRY(main_log.entries(0, 1));
  const MainEntry entry = GREFFE_TRY(parse_main_entry(first.front()));
  const auto* genesis = std::get_if<GenesisEntry>(&entry);
  if (genesis == nullptr) return fail(Errc::corrupt, "the main log of the first epoch does not begin as one of an archive");
  policy.logs.push_back(archive::log_verifier(genesis->archive, genesis->log_key));
  policy.witnesses.push_back({"holder", genesis->holder});
  return ok();
}

// Trust in what this archive says: its log, itself as holder, every site that confirms it, and its witnesses. All of those sites must
// agree; without any the auditor is told so by the empty quorum. A witness may come by once a month: what is newer would count as not
// confirmed, so that one of them must agree only where the auditor wants it.
Result<Policy> policy_of(FileSystem& files, const archive::Settings& settings, bool with_witnesses = false) {
  Policy policy;
  GREFFE_TRY(add_own_keys(files, settings, policy));
  const catalogue::Catalogue catalogue = GREFFE_TRY(catalogue::Catalogue::open(catalogue_path(settings), 1));
  Policy::Group sites{"sites", 0, {}};
  Policy::Group watching{"witnesses", 1, {}};
  for (const bool is_site : {true, false}) {
    const std::vector<VerifierKey> cosigning = GREFFE_TRY(archive::cosigning_keys(catalogue, {is_site ? "cosigner" : "witness"}));
    std::vector<std::string>& members = is_site ? sites.members : watching.members;
    for (const VerifierKey& key : cosigning) {
      members.push_back(fmt::format("{}-{}", is_site ? "site" : "witness", members.size() + 1));
      policy.witnesses.push_back({members.back(), key});
    }
  }
  sites.needed = sites.members.size();
  if (with_witnesses && watching.members.empty()) return fail(Errc::not_found, "this archive has no witnesses; see greffe-archive witness add");
  Policy::Group both{"both", 2, {sites.name, watching.name}};
  policy.quorum = "none";
  if (!sites.members.empty()) policy.quorum = sites.name;
  if (with_witnesses) policy.quorum = sites.members.empty() ? watching.name : both.name;
  if (!sites.members.empty()) policy.groups.push_back(std::move(sites));
  if (with_witnesses) policy.groups.push_back(std::move(watching));
  if (policy.quorum == both.name) policy.groups.push_back(std::move(both));
  return policy;
}

}  // namespace

Result<int> print_policy(const archive::Settings& settings, const OfflineOptions& options) {
  PosixFileSystem files;
  const Policy policy = GREFFE_TRY(policy_of(files, settings, options.with_witnesses));
  fmt::print("# The policy of {}: which keys an auditor trusts. Compare them with what the court has published.\n{}", settings.name,
             write_policy(policy));
  return kExitDone;
}

Result<int> check(const archive::Settings& settings, const OfflineOptions& options) {
  PosixFileSystem files;
  SystemClock clock;
  const auto pool = GREFFE_TRY(store::open_pool(files, clock, settings.pool, options.repair ? store::PoolMode::writer : store::PoolMode::reader));
  const archive::PoolCheck found = GREFFE_TRY(archive::check_pool(files, clock, *pool, {settings.name, settings.epoch}, catalogue_path(settings),
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
  const tlog::LogChain main_log = GREFFE_TRY(tlog::open_main_log(*pool, *pool, {settings.name, settings.epoch}));
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
  const tlog::MainLogPlace place = GREFFE_TRY(tlog::find_main_log(*pool, {settings.name, settings.epoch}));
  // An export is an act that the log knows before the first byte leaves.
  Json act;
  act.set("hearing", id.text()).set("root", head.checkpoint.root).set("size", head.checkpoint.size);
  GREFFE_TRY(client::ask_service({settings.control_socket, "the archive", "greffe-archive serve"}, "export-logged", act));
  const archive::Exported done =
      GREFFE_TRY(archive::export_hearing(files, clock, {*pool, *pool, *pool}, place, catalogue, write_policy(policy), id, options.directory));
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
