#include "web/init_archive.h"

#include <fmt/format.h>

#include <filesystem>

#include "archive/archive_keys.h"
#include "archive/main_log.h"
#include "archive/open_pool.h"
#include "archive/settings.h"
#include "archive/store/volume_label.h"

namespace greffe::web {
namespace {

// A TOML basic string.
std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string volumes_text(const std::vector<NewVolume>& volumes) {
  std::string list;
  for (const NewVolume& volume : volumes) list += (list.empty() ? "" : ", ") + toml_string(volume.path);
  const std::size_t replicas = std::min<std::size_t>(3, volumes.size());
  return "volumes = [" + list + "]\n" +
         fmt::format("replicas = {}\nwrite_quorum = {}\n", replicas, std::min<std::size_t>(2, replicas)) + "min_free_bytes = 1000000000\n";
}

// Paths as whoever types them means them: from where they stand.
std::string remote_text(const InitOptions& o) {
  const auto path = [](const std::string& typed) { return toml_string(std::filesystem::absolute(typed).string()); };
  std::string out = "pool = " + toml_string(o.pool) + "\n";
  if (o.pool.starts_with("rados:")) return out + "ceph_conf = " + path(o.ceph_conf) + "\nceph_user = " + toml_string(o.ceph_user) + "\n";
  out += "s3_endpoint = " + toml_string(o.s3_endpoint) + "\ns3_region = " + toml_string(o.s3_region) + "\n";
  out += "s3_credentials = " + path(o.s3_credentials) + "\n";
  return o.s3_plain_etags ? out + "s3_quoted_etags = false\n" : out;
}

std::string config_text(const InitOptions& o, const std::vector<NewVolume>& volumes) {
  std::string out = "# greffe-archive; every key is explained in docs/OPERATIONS.md\n";
  out += "name = " + toml_string(o.name) + "\nrole = " + toml_string(o.role) + "\nstate_directory = \"state\"\n";
  out += o.pool.empty() ? volumes_text(volumes) : remote_text(o);
  out += "commit_interval_s = 30\n";
  out += "machine_address = " + toml_string(o.machine_address) + "\nbrowser_address = " + toml_string(o.browser_address) + "\n";
  if (!o.metrics_address.empty()) out += "metrics_address = " + toml_string(o.metrics_address) + "\n";
  return out + "ui_directory = " + toml_string(o.ui_directory) + "\n";
}

Status first_entry(FileSystem& files, Clock& clock, const archive::Settings& settings, const archive::ArchiveKeys& keys) {
  Log log("greffe-archive");
  const auto pool = GREFFE_TRY(archive::open_pool(files, clock, settings, store::PoolMode::writer));
  PrivateKey log_key = GREFFE_TRY(PrivateKey::from_pem(keys.log.to_pem()));
  const auto main_log = GREFFE_TRY(archive::MainLog::open(files, log, {*pool, *pool, *pool}, settings.name,
                                                          settings.state_directory, std::move(log_key), false));
  GenesisEntry entry;
  entry.archive = settings.name;
  entry.log_key = keys.log.public_key();
  entry.role = settings.role;
  entry.holder = archive::holder_verifier(settings.name, keys.holder.public_key());
  entry.utc = clock.utc_now();
  GREFFE_TRY(main_log->append(entry));
  return ok();
}

}  // namespace

Result<NewVolume> parse_new_volume(const std::string& text) {
  const std::size_t equals = text.rfind('=');
  NewVolume volume{text.substr(0, equals), equals == std::string::npos ? "" : text.substr(equals + 1)};
  if (volume.path.empty() || !is_valid_name(volume.domain)) {
    return fail(Errc::invalid, "\"" + text + "\": write a volume as PATH=DOMAIN; the domain (1 to 32 small letters, digits, '-') "
                                             "names what fails together, for example a disk, a server or a rack");
  }
  return volume;
}

Result<Initialised> init_archive(const InitOptions& options) {
  PosixFileSystem files;
  SystemClock clock;
  if (!is_valid_archive_name(options.name)) {
    return fail(Errc::invalid, "\"" + options.name + "\": an archive's name looks like archive.court.example (small letters, digits, '.', '-')");
  }
  if (options.role != "primary" && options.role != "replica") return fail(Errc::invalid, "the role is primary or replica");
  std::vector<NewVolume> volumes;
  for (const std::string& text : options.volumes) volumes.push_back(GREFFE_TRY(parse_new_volume(text)));
  if (volumes.empty() == options.pool.empty()) {
    return fail(Errc::invalid, "say where the pool is: --volume PATH=DOMAIN for each disk, or --pool rados:POOL, or --pool s3:BUCKET");
  }
  const std::string config_path = join(options.directory, "archive.toml");
  if (files.stat(config_path)) return fail(Errc::already_exists, config_path + " is there: this directory has an archive already");

  const std::string state = join(options.directory, "state");
  GREFFE_TRY(files.make_directories(state));
  const archive::ArchiveKeys keys = GREFFE_TRY(archive::make_archive_keys(files, state));
  const archive::KeyBackup backup = archive::back_up_keys(keys, options.name);
  const std::string backup_path = join(options.directory, "key-backup.json");
  GREFFE_TRY(files.replace(backup_path, as_bytes(backup.file), 0600));

  const std::string pool_id = store::make_pool_id();
  for (const NewVolume& volume : volumes) {
    const std::string path = volume.path.starts_with("/") ? volume.path : join(options.directory, volume.path);
    GREFFE_TRY(files.make_directories(path));
    GREFFE_TRY(store::init_volume(files, path, pool_id, volume.domain));
  }
  // The configuration last: with it the archive exists.
  const std::string text = config_text(options, volumes);
  const std::string draft = config_path + ".draft";
  GREFFE_TRY(files.replace(draft, as_bytes(text), 0640));
  const archive::Settings settings = GREFFE_TRY(archive::load_settings(files, draft));
  if (volumes.empty()) GREFFE_TRY(archive::init_remote_pool(files, settings, pool_id));
  GREFFE_TRY(first_entry(files, clock, settings, keys));
  GREFFE_TRY(files.rename(draft, config_path));
  GREFFE_TRY(files.sync_directory(options.directory));
  return Initialised{config_path, backup_path, backup.recovery_code};
}

}  // namespace greffe::web
