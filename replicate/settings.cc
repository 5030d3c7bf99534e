#include "replicate/settings.h"

#include "archive/base/config.h"
#include "archive/format/names.h"

namespace greffe::replicate {
namespace {

constexpr std::uint64_t kMaxStateFileBytes = 64 * 1024;

std::string site_path(const Settings& settings, SiteRole role) {
  return join(settings.state_directory, role == SiteRole::source ? "source.json" : "target.json");
}
std::string identity_path(const Settings& settings) { return join(settings.state_directory, "identity.key"); }

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

Result<PrivateKey> load_or_make_identity(FileSystem& files, const Settings& settings) {
  auto known = load_identity(files, settings);
  if (known || known.error().code != Errc::not_found) return known;
  GREFFE_TRY(files.make_directories(settings.state_directory));
  PrivateKey key = PrivateKey::generate();
  // Durable before the other site hears of the key: else it would know one that nobody has.
  GREFFE_TRY(files.replace(identity_path(settings), as_bytes(key.to_pem()), 0600));
  return key;
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
  out.poll_interval_ms = GREFFE_TRY(config.integer_or("poll_interval_ms", 1000, 100, 3'600'000));
  out.connections = static_cast<unsigned>(GREFFE_TRY(config.integer_or("connections", 4, 1, 64)));
  Config source = GREFFE_TRY(config.table("source"));
  out.source = GREFFE_TRY(store::read_pool_place(source, path + ", [source]"));
  const Config target = GREFFE_TRY(config.table("target"));
  GREFFE_TRY(target.refuse_unknown());
  GREFFE_TRY(source.refuse_unknown());
  GREFFE_TRY(config.refuse_unknown());
  return out;
}

Result<Site> load_site(FileSystem& files, const Settings& settings, SiteRole role) {
  const std::string path = site_path(settings, role);
  const auto bytes = files.read_file(path, kMaxStateFileBytes);
  if (!bytes && bytes.error().code == Errc::not_found) {
    const bool source = role == SiteRole::source;
    return fail(Errc::not_found,
                std::string("this replicator is not enrolled at the ") + (source ? "archive" : "second site") + "; ask its operator for a code (" +
                    (source ? "`greffe-archive cosigner add`" : "`greffe-archive origin add`") + ") and run greffe-replicate " +
                    (source ? "enrol-source" : "enrol-target") + " --code-file FILE");
  }
  if (!bytes) return bytes.error();
  auto site = parse_site(as_text(*bytes));
  if (!site) return site.error().within(path);
  return site;
}

Result<PrivateKey> load_identity(FileSystem& files, const Settings& settings) {
  const auto bytes = files.read_file(identity_path(settings), kMaxStateFileBytes);
  if (!bytes) return bytes.error().within("the replicator's own key");
  auto key = PrivateKey::from_pem(as_text(*bytes));
  if (!key) return key.error().within(identity_path(settings));
  return key;
}

Status enrol(FileSystem& files, const Settings& settings, SiteRole role, std::string_view code_text) {
  const client::EnrolmentCode code = GREFFE_TRY(client::parse_enrolment_code(code_text));
  if (code.role != "replicator") return fail(Errc::invalid, "this code is for a " + code.role + ", not for a replicator");
  if (role == SiteRole::target && code.name != settings.archive) {
    return fail(Errc::invalid, "this code is for copies of " + code.name + "; the configuration says archive = \"" + settings.archive + "\"");
  }
  if (role == SiteRole::source && code.log.name != settings.archive) {
    return fail(Errc::invalid, "this code is of the archive " + code.log.name + "; the configuration says archive = \"" + settings.archive + "\"");
  }
  if (code.cosigners.empty()) return fail(Errc::invalid, "this code does not say with which key the site confirms what it holds");
  const PrivateKey identity = GREFFE_TRY(load_or_make_identity(files, settings));
  client::ArchiveClient site_client({code.address, code.server_spki, 1}, identity);
  const Json answer = GREFFE_TRY(site_client.enrol(code, identity.public_key()));
  Site site{code.address, code.server_spki, code.log, code.cosigners, code.name, site_client.server_epoch(), site_client.nodes()};
  return save_site(files, site_path(settings, role), site);
}

}  // namespace greffe::replicate
