#include "replicate/restore_verb.h"

#include <cstdio>
#include <filesystem>
#include <optional>
#include <set>

#include "archive/base/command_line.h"
#include "archive/base/log.h"
#include "archive/base/progress.h"
#include "archive/store/open_pool.h"
#include "archive/store/pool_roster.h"
#include "archive/store/volume_label.h"
#include "replicate/copy_source.h"
#include "replicate/open_sites.h"
#include "replicate/patient_site.h"
#include "replicate/restore.h"
#include "replicate/settings.h"

namespace greffe::replicate {
namespace {

std::string whole_path(const std::string& path) { return std::filesystem::absolute(path).lexically_normal().string(); }

// As they stand in the configuration. invalid: one of them does not.
Result<std::vector<store::NewVolume>> new_volumes(const Settings& settings, const RestoreOptions& options) {
  std::set<std::string> named;
  for (const std::string& path : settings.source.volumes) named.insert(whole_path(path));
  std::vector<store::NewVolume> out;
  for (const std::string& text : options.new_volumes) {
    out.push_back(GREFFE_TRY(store::parse_new_volume(text)));
    out.back().path = whole_path(out.back().path);
    if (!named.contains(out.back().path)) return fail(Errc::invalid, out.back().path + " is not one of the volumes under [source] in " + options.config);
  }
  return out;
}

// True: there was a pool, and what is new is to be added to it. Else the pool is made, with what an earlier try made of it before it
// was cut short.
Result<bool> had_pool(FileSystem& files, const Settings& settings, const RestoreOptions& options, const std::vector<store::NewVolume>& wanted) {
  if (settings.source.volumes.empty()) {
    const auto made = options.new_pool ? store::init_remote_pool(files, settings.source, store::make_pool_id()) : Result<std::string>(std::string());
    if (!made && made.error().code != Errc::already_exists) return made.error();
    return true;
  }
  std::string pool;
  for (const std::string& path : settings.source.volumes) {
    if (store::read_pool_roster(files, path)) return true;
    if (const auto label = store::read_volume_label(files, path)) pool = label->pool;
  }
  if (pool.empty()) pool = store::make_pool_id();
  for (const store::NewVolume& volume : wanted) {
    const auto made = store::init_volume(files, volume.path, pool, volume.domain);
    if (!made && made.error().code != Errc::already_exists) return made.error();
  }
  return false;
}

Status is_own_pool(store::WholePool& pool, const std::string& archive) {
  const bool copy = GREFFE_TRY(is_passive_copy(pool, archive));
  return copy ? Status(fail(Errc::invalid, "[source] names the pool of a copy that nobody answers for; an archive's own pool is another one")) : ok();
}

Result<std::unique_ptr<store::WholePool>> open_target_pool(FileSystem& files, Clock& clock, const Settings& settings, const RestoreOptions& options,
                                                           store::PoolListeners listeners) {
  if (options.new_pool && !settings.source.volumes.empty()) return fail(Errc::invalid, "--new-pool is for pools in Ceph or S3; say --volume PATH=DOMAIN for each disk");
  const std::vector<store::NewVolume> wanted = GREFFE_TRY(new_volumes(settings, options));
  const bool add = GREFFE_TRY(had_pool(files, settings, options, wanted));
  auto pool = store::open_pool(files, clock, settings.source, store::PoolMode::writer, std::move(listeners));
  if (!pool && pool.error().code == Errc::not_found) {
    return fail(Errc::not_found, pool.error().message + ". Where [source] is to be a new pool, say --volume PATH=DOMAIN for each disk, or --new-pool");
  }
  if (!pool) return pool.error();
  // An earlier try that was cut short may have left one volume of several, which cannot say alone.
  const Status own = is_own_pool(**pool, settings.archive);
  if (!own && own.error().code != Errc::unavailable) return own.error();
  for (const store::NewVolume& volume : wanted) {
    const auto added = add && (*pool)->members() != nullptr ? (*pool)->members()->add_volume(volume.path, volume.domain) : Result<store::VolumeLabel>(fail(Errc::already_exists, ""));
    if (!added && added.error().code != Errc::already_exists) return added.error();
  }
  if (!own) GREFFE_TRY(is_own_pool(**pool, settings.archive));
  return pool;
}

Result<RestoreChoice> choice_of(const RestoreOptions& options) {
  RestoreChoice choice;
  if (!options.court.empty() && !options.hearing.empty()) return fail(Errc::invalid, "say --court or --hearing, not both");
  if (!options.court.empty()) choice.court = options.court;
  if (!options.hearing.empty()) choice.hearing = GREFFE_TRY(parse_hearing_id(options.hearing));
  return choice;
}

// The key of the archive's main log, in the epoch up to which it is restored. Its holder may have lost what enrolment at the archive said, together with the archive.
Result<VerifierKey> log_key_of(FileSystem& files, const Settings& settings, const RestoreOptions& options) {
  if (options.log_key.empty()) {
    auto known = archive_log_key(files, settings);
    if (!known && known.error().code == Errc::not_found) {
      return fail(Errc::not_found, "what was known of the archive's key is not in " + settings.state_directory + "; give it with --log-key, as `greffe-archive keys` prints it");
    }
    return known;
  }
  VerifierKey key = GREFFE_TRY(parse_verifier_key(options.log_key));
  const auto name = parse_epoch_origin(key.name);
  if (!name || name->archive != settings.archive || key.type != KeyType::ed25519) return fail(Errc::invalid, "--log-key is not the log key of " + settings.archive);
  return key;
}

// Where it comes from: one of the two.
struct From {
  std::optional<Site> site;
  const TargetSettings* copy = nullptr;  // that nobody answers for
};

// By the target's name here, or by the name of the archive there.
Result<From> from_where(FileSystem& files, const Settings& settings, const RestoreOptions& options) {
  for (const TargetSettings& one : settings.targets) {
    if (one.copy && options.from == one.name) return From{std::nullopt, &one};
    auto site = one.copy ? Result<Site>(fail(Errc::not_found, "")) : load_target(files, settings, one);
    if (site && (options.from == one.name || options.from == site->log.name)) return From{*std::move(site), nullptr};
  }
  if (!options.from.empty()) return fail(Errc::invalid, "this replicator has no copy " + options.from + ", and is not enrolled at a second site of that name");
  const TargetSettings* const only = GREFFE_TRY(find_target(settings, ""));
  if (only->copy) return From{std::nullopt, only};
  return From{GREFFE_TRY(load_target(files, settings, *only)), nullptr};
}

Result<RestoreReport> restore(const RestoreOptions& options, std::stop_token stop) {
  PosixFileSystem files;
  SystemClock clock;
  const Settings settings = GREFFE_TRY(load_settings(files, options.config));
  const RestoreChoice choice = GREFFE_TRY(choice_of(options));
  const From from = GREFFE_TRY(from_where(files, settings, options));
  const VerifierKey log_key = GREFFE_TRY(log_key_of(files, settings, options));
  const EpochName name = GREFFE_TRY(parse_epoch_origin(log_key.name));
  std::optional<PrivateKey> identity;  // nobody asks for it where nobody answers
  if (from.site) identity = GREFFE_TRY(load_identity(files, settings));

  // Its own stop ends the work, too: another process has taken the pool.
  std::stop_source ends;
  const std::stop_callback asked(stop, [&ends] { ends.request_stop(); });
  store::PoolListeners listeners;
  listeners.head_is_good = [](std::string_view, std::string_view text) { return parse_signed_checkpoint(text).has_value(); };
  listeners.on_lost = [&ends] { ends.request_stop(); };
  listeners.stop = ends.get_token();
  Log log("greffe-replicate");
  const auto pool = GREFFE_TRY(open_target_pool(files, clock, settings, options, std::move(listeners)));
  for (const store::VolumeReport& volume : pool->volumes()) {
    if (!volume.reason.empty()) log.warn("volume " + volume.path + ": " + volume.reason);
  }
  std::unique_ptr<PassivePool> copy;
  std::unique_ptr<RestoreSite> site;
  std::optional<VerifierKey> holder;
  if (from.site) {
    site = connect_restore_site(from.site->endpoint(), *identity, ends.get_token());
    holder = from.site->cosigners.front();
  } else {
    copy = std::make_unique<PassivePool>(opener_of(files, clock, *from.copy->copy), from.copy->name, CopyOwner{settings.archive, log_key}, store::PoolMode::reader, clock, log,
                                         ends.get_token(), LostLabel::bear);
    site = std::make_unique<CopySource>(*copy);
  }
  PatientSite patient(*site, PatientSite::usual_waits(), log, ends.get_token());
  Progress bar(clock, "restoring", 0, ProgressUnit::bytes);
  Restore work({*pool, *pool, *pool, *pool}, patient, {name, log_key, holder}, {settings.connections}, clock,
               [&bar](std::uint64_t done, std::uint64_t total) { bar.show(done, total); },
               [&pool](const Digest& digest) { return pool->has_all_replicas(digest); });
  return work.run(choice, ends.get_token());
}

}  // namespace

Result<int> run_restore(const RestoreOptions& options, std::stop_token stop) {
  const RestoreReport report = GREFFE_TRY(restore(options, stop));
  const std::string text = options.json ? write_json(report.json()) + "\n" : report.words();
  std::fwrite(text.data(), 1, text.size(), stdout);
  return report.complete() ? kExitDone : kExitFound;
}

}  // namespace greffe::replicate
