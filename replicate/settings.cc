#include "replicate/settings.h"

#include <fmt/format.h>

#include "archive/base/config.h"
#include "archive/format/names.h"
#include "archive/format/promotion.h"

namespace greffe::replicate {
namespace {

constexpr std::uint64_t kMaxStateFileBytes = 64 * 1024;

std::string source_path(const Settings& settings) { return join(settings.state_directory, "source.json"); }
std::string only_target_path(const Settings& settings) { return join(settings.state_directory, "target.json"); }
std::string target_path(const Settings& settings, const TargetSettings& target) {
  if (target.unnamed) return only_target_path(settings);
  return join(join(settings.state_directory, "targets"), target.name + ".json");
}
std::string identity_path(const Settings& settings) { return join(settings.state_directory, "identity.key"); }
std::string returning_path(const Settings& settings) { return join(settings.state_directory, "returning.key"); }

Status save_site(FileSystem& files, const std::string& path, const Site& site) {
  Json::Array cosigners;
  for (const VerifierKey& key : site.cosigners) cosigners.push_back(key.text());
  Json json;
  json.set("address", site.address).set("cosigners", std::move(cosigners)).set("epoch", site.epoch);
  json.set("log", site.log.text()).set("name", site.name).set("server_key", site.server_spki);
  if (!site.nodes.empty()) json.set("nodes", Json::Array(site.nodes.begin(), site.nodes.end()));
  return files.replace(path, as_bytes(write_json(json) + "\n"), 0600);
}

Result<Site> parse_site(std::string_view text) {
  const Json json = GREFFE_TRY(parse_json(text));
  Site site;
  site.address = GREFFE_TRY(json.string("address"));
  site.server_spki = GREFFE_TRY(json.digest("server_key"));
  const std::string log = GREFFE_TRY(json.string("log"));
  site.log = GREFFE_TRY(parse_verifier_key(log));
  const std::vector<std::string> cosigners = GREFFE_TRY(json.strings("cosigners"));
  for (const std::string& key : cosigners) site.cosigners.push_back(GREFFE_TRY(parse_verifier_key(key)));
  site.name = GREFFE_TRY(json.string("name"));
  site.epoch = GREFFE_TRY(json.size("epoch"));
  if (json.has("nodes")) site.nodes = GREFFE_TRY(json.strings("nodes"));
  return site;
}

Result<PrivateKey> load_key(FileSystem& files, const std::string& path) {
  const auto bytes = files.read_file(path, kMaxStateFileBytes);
  if (!bytes) return bytes.error().within("the replicator's own key");
  auto key = PrivateKey::from_pem(as_text(*bytes));
  if (!key) return key.error().within(path);
  return key;
}

Result<PrivateKey> load_or_make_key(FileSystem& files, const Settings& settings, const std::string& path) {
  auto known = load_key(files, path);
  if (known || known.error().code != Errc::not_found) return known;
  GREFFE_TRY(files.make_directories(settings.state_directory));
  PrivateKey key = PrivateKey::generate();
  // Durable before the other site hears of the key: else it would know one that nobody has.
  GREFFE_TRY(files.replace(path, as_bytes(key.to_pem()), 0600));
  return key;
}

// One whole copy, unless more are asked for, and then each of them counts: nobody mends behind it.
Result<store::PoolPlace> read_copy(Config& table, const std::string& where) {
  if (table.has("pool") && table.has("volumes")) return fail(Errc::invalid, where + ": a copy is in a pool or on volumes, not both");
  if (table.has("pool")) return store::read_pool_place(table, where);
  store::PoolPlace out;
  const std::vector<std::string> volumes = GREFFE_TRY(table.strings_or_none("volumes"));
  for (const std::string& volume : volumes) out.volumes.push_back(table.path_from_here(volume));
  if (out.volumes.empty()) return fail(Errc::invalid, where + ": volumes must name at least one directory");
  const std::int64_t replicas = GREFFE_TRY(table.integer_or("replicas", 1, 1, 16));
  if (static_cast<std::size_t>(replicas) > out.volumes.size()) return fail(Errc::invalid, where + ": there are fewer volumes than replicas");
  out.replicas = static_cast<unsigned>(replicas);
  out.write_quorum = out.replicas;
  out.min_free_bytes = GREFFE_TRY(table.integer_or("min_free_bytes", 1'000'000'000, 0, INT64_MAX));
  return out;
}

Result<TargetSettings> read_target(Config table, const std::optional<Zone>& zone, const std::string& where) {
  TargetSettings out;
  out.name = GREFFE_TRY(table.string("name"));
  if (!is_valid_name(out.name)) return fail(Errc::invalid, where + ": name must be 1 to 32 small letters, digits and '-'");
  out.timetable = Timetable(zone);
  if (table.has("pool") || table.has("volumes")) out.copy = GREFFE_TRY(read_copy(table, where + " " + out.name));
  std::vector<Config> limits = GREFFE_TRY(table.tables("limit"));
  for (Config& limit : limits) {
    const std::string media = GREFFE_TRY(limit.string("class"));
    const std::string from = GREFFE_TRY(limit.string_or("from", ""));
    const std::string to = GREFFE_TRY(limit.string_or("to", ""));
    if (!limit.has("bytes_per_second")) return fail(Errc::invalid, where + ": a limit needs bytes_per_second (0: nothing goes)");
    const std::int64_t rate = GREFFE_TRY(limit.integer_or("bytes_per_second", 0, 0, INT64_MAX));
    const Status added = out.timetable.add(media, from, to, static_cast<std::uint64_t>(rate));
    if (!added) return added.error().within(where + " " + out.name + ", [[target.limit]]");
    GREFFE_TRY(limit.refuse_unknown());
  }
  GREFFE_TRY(table.refuse_unknown());
  return out;
}

// [[target]] tables; or one [target] without a name, as it was when there was one target only.
Result<std::vector<TargetSettings>> read_targets(Config& config, const std::optional<Zone>& zone, const std::string& path) {
  std::vector<TargetSettings> out;
  auto tables = config.tables("target");
  if (!tables || tables->empty()) {
    const auto one = config.table("target");
    if (!one) return tables ? one.error() : tables.error();
    GREFFE_TRY(one->refuse_unknown());
    out.push_back({"second-site", true, Timetable(zone), {}});
    return out;
  }
  for (Config& table : *tables) out.push_back(GREFFE_TRY(read_target(std::move(table), zone, path + ", [[target]]")));
  if (out.size() > kMostTargets) return fail(Errc::invalid, fmt::format("{}: at most {} targets", path, kMostTargets));
  for (std::size_t i = 0; i < out.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (out[i].name == out[k].name) return fail(Errc::invalid, path + ": two targets have the name " + out[i].name);
    }
  }
  return out;
}

// Of whatever epoch.
bool is_log_of(const std::string& archive, const VerifierKey& key) {
  const auto epoch = parse_epoch_origin(key.name);
  return epoch && epoch->archive == archive && key.type == KeyType::ed25519;
}

Result<VerifierKey> read_log_key(const std::string& text, const std::string& archive, const std::string& path) {
  auto key = parse_verifier_key(text);
  if (!key) return key.error().within(path + ": log_vkey");
  if (is_log_of(archive, *key)) return key;
  return fail(Errc::invalid, path + ": log_vkey is not the log key of " + archive + ", as `greffe-archive keys` prints it there");
}

Result<std::optional<Site>> read_site(FileSystem& files, const std::string& path) {
  const auto bytes = files.read_file(path, kMaxStateFileBytes);
  if (!bytes && bytes.error().code == Errc::not_found) return std::optional<Site>();
  if (!bytes) return bytes.error();
  auto site = parse_site(as_text(*bytes));
  if (!site) return site.error().within(path);
  return std::optional(std::move(*site));
}

// Of the epoch that was written here, and made where the archive goes on from it.
Status check_comes_back(FileSystem& files, const Settings& settings, const client::EnrolmentCode& code) {
  const VerifierKey log = GREFFE_TRY(archive_log_key(files, settings));
  if (code.name == log.name && is_log_of(settings.archive, code.log)) return ok();
  return fail(Errc::invalid, "this code is for what " + code.name + " had; the main log that was written here is " + log.name);
}

}  // namespace

Result<Settings> load_settings(FileSystem& files, const std::string& path) {
  Config config = GREFFE_TRY(Config::load(files, path));
  Settings out;
  const std::string state = GREFFE_TRY(config.string("state_directory"));
  out.state_directory = config.path_from_here(state);
  out.archive = GREFFE_TRY(config.string("archive"));
  if (!is_valid_archive_name(out.archive)) {
    return fail(Errc::invalid, path + ": \"archive\" must be the name of an archive, like archive.court.example");
  }
  const std::string log = GREFFE_TRY(config.string_or("log_vkey", ""));
  if (!log.empty()) out.log = GREFFE_TRY(read_log_key(log, out.archive, path));
  out.poll_interval_ms = GREFFE_TRY(config.integer_or("poll_interval_ms", 1000, 100, 3'600'000));
  out.connections = static_cast<unsigned>(GREFFE_TRY(config.integer_or("connections", 4, 1, 64)));
  Config source = GREFFE_TRY(config.table("source"));
  out.source = GREFFE_TRY(store::read_pool_place(source, path + ", [source]"));
  const std::string zone_name = GREFFE_TRY(config.string_or("zone", ""));
  std::optional<Zone> zone;
  if (!zone_name.empty()) {
    auto named = Zone::named(zone_name);
    if (!named) return named.error().within(path + ": zone");
    zone = std::move(*named);
  }
  out.targets = GREFFE_TRY(read_targets(config, zone, path));
  out.metrics_address = GREFFE_TRY(config.string_or("metrics_address", ""));
  GREFFE_TRY(source.refuse_unknown());
  GREFFE_TRY(config.refuse_unknown());
  return out;
}

Result<Site> load_source(FileSystem& files, const Settings& settings) {
  std::optional<Site> site = GREFFE_TRY(read_site(files, source_path(settings)));
  if (site) return std::move(*site);
  return fail(Errc::not_found, "this replicator is not enrolled at the archive; ask its operator for a code (`greffe-archive cosigner add`) and run "
                               "greffe-replicate enrol-source --code-file FILE. Where it keeps copies only, log_vkey in the configuration is enough");
}

Result<VerifierKey> archive_log_key(FileSystem& files, const Settings& settings) {
  const auto source = load_source(files, settings);
  if (!source && (source.error().code != Errc::not_found || !settings.log)) return source.error();
  if (!source) return *settings.log;
  if (!settings.log || *settings.log == source->log) return source->log;
  return fail(Errc::invalid, "the log_vkey of the configuration is not the key that the archive named when this replicator was enrolled there");
}

Result<Site> load_target(FileSystem& files, const Settings& settings, const TargetSettings& target) {
  if (target.copy) return fail(Errc::invalid, "the target " + target.name + " is a copy that nobody answers for: there is no site to enrol at");
  std::optional<Site> site = GREFFE_TRY(read_site(files, target_path(settings, target)));
  if (!site && settings.targets.size() == 1) site = GREFFE_TRY(read_site(files, only_target_path(settings)));
  if (site) return std::move(*site);
  const std::string name = target.unnamed ? "" : " --target " + target.name;
  return fail(Errc::not_found, "this replicator is not enrolled at the second site" + (target.unnamed ? "" : " " + target.name) +
                                   "; ask its operator for a code (`greffe-archive origin add`) and run greffe-replicate enrol-target" + name +
                                   " --code-file FILE. Where there was one target before, move its target.json to targets/NAME.json beside it");
}

Result<const TargetSettings*> find_target(const Settings& settings, std::string_view name) {
  std::string names;
  for (const TargetSettings& target : settings.targets) {
    if (target.name == name || (name.empty() && settings.targets.size() == 1)) return &target;
    names += (names.empty() ? "" : ", ") + target.name;
  }
  if (name.empty()) return fail(Errc::invalid, "there are several targets; say which with --target: " + names);
  return fail(Errc::invalid, "there is no target named \"" + std::string(name) + "\" in the configuration; there are: " + names);
}

Result<PrivateKey> load_identity(FileSystem& files, const Settings& settings) { return load_key(files, identity_path(settings)); }
Result<PrivateKey> load_returning_identity(FileSystem& files, const Settings& settings) { return load_key(files, returning_path(settings)); }

Status enrol(FileSystem& files, const Settings& settings, const TargetSettings* target, std::string_view code_text) {
  if (target != nullptr && target->copy) {
    return fail(Errc::invalid, "the target " + target->name + " is a copy that nobody answers for, with no site to enrol at; make it with: greffe-replicate init-target --target " + target->name);
  }
  const client::EnrolmentCode code = GREFFE_TRY(client::parse_enrolment_code(code_text));
  const bool comes_back = target != nullptr && code.role == "returning";
  if (code.role != "replicator" && !comes_back) return fail(Errc::invalid, "this code is for a " + code.role + ", not for a replicator");
  if (comes_back) GREFFE_TRY(check_comes_back(files, settings, code));
  if (target != nullptr && !comes_back && code.name != settings.archive) {
    return fail(Errc::invalid, "this code is for copies of " + code.name + "; the configuration says archive = \"" + settings.archive + "\"");
  }
  if (target == nullptr && !is_log_of(settings.archive, code.log)) {
    return fail(Errc::invalid, "this code is of the archive " + code.log.name + "; the configuration says archive = \"" + settings.archive + "\"");
  }
  if (code.cosigners.empty()) return fail(Errc::invalid, "this code does not say with which key the site confirms what it holds");
  const PrivateKey identity = GREFFE_TRY(load_or_make_key(files, settings, comes_back ? returning_path(settings) : identity_path(settings)));
  client::ArchiveClient site_client({code.address, code.server_spki, 1}, identity);
  const Json answer = GREFFE_TRY(site_client.enrol(code, identity.public_key()));
  Site site{code.address, code.server_spki, code.log, code.cosigners, code.name, site_client.server_epoch(), site_client.nodes()};
  if (target == nullptr) return save_site(files, source_path(settings), site);
  if (!target->unnamed) GREFFE_TRY(files.make_directories(join(settings.state_directory, "targets")));
  return save_site(files, target_path(settings, *target), site);
}

}  // namespace greffe::replicate
