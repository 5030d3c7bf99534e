#include "web/init_archive.h"

#include "archive/archive_keys.h"
#include "archive/main_log.h"
#include "archive/settings.h"

namespace greffe::web {
namespace {

std::string config_text(const InitOptions& o, const std::string& pool) {
  std::string out = "# greffe-archive; every key is explained in docs/OPERATIONS.md\n";
  out += "name = " + toml_string(o.name) + "\nrole = " + toml_string(o.role) + "\nstate_directory = \"state\"\n";
  out += pool;
  out += "commit_interval_s = 30\n";
  out += "machine_address = " + toml_string(o.machine_address) + "\nbrowser_address = " + toml_string(o.browser_address) + "\n";
  if (!o.metrics_address.empty()) out += "metrics_address = " + toml_string(o.metrics_address) + "\n";
  return out + "ui_directory = " + toml_string(o.ui_directory) + "\n";
}

Status first_entry(FileSystem& files, Clock& clock, const archive::Settings& settings, const archive::ArchiveKeys& keys) {
  Log log("greffe-archive");
  const auto pool = GREFFE_TRY(store::open_pool(files, clock, settings.pool, store::PoolMode::writer));
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

Result<Initialised> init_archive(const InitOptions& options) {
  PosixFileSystem files;
  SystemClock clock;
  if (!is_valid_archive_name(options.name)) {
    return fail(Errc::invalid, "\"" + options.name + "\": an archive's name looks like archive.court.example (small letters, digits, '.', '-')");
  }
  if (options.role != "primary" && options.role != "replica") return fail(Errc::invalid, "the role is primary or replica");
  const std::string pool = GREFFE_TRY(pool_lines(options.pool));
  const std::string config_path = join(options.directory, "archive.toml");
  if (files.stat(config_path)) return fail(Errc::already_exists, config_path + " is there: this directory has an archive already");

  const std::string state = join(options.directory, "state");
  GREFFE_TRY(files.make_directories(state));
  const archive::ArchiveKeys keys = GREFFE_TRY(archive::make_archive_keys(files, state));
  const archive::KeyBackup backup = archive::back_up_keys(keys, options.name);
  const std::string backup_path = join(options.directory, "key-backup.json");
  GREFFE_TRY(files.replace(backup_path, as_bytes(backup.file), 0600));

  // The configuration last: with it the archive exists.
  const std::string text = config_text(options, pool);
  const std::string draft = config_path + ".draft";
  GREFFE_TRY(files.replace(draft, as_bytes(text), 0640));
  const archive::Settings settings = GREFFE_TRY(archive::load_settings(files, draft));
  const std::string of_pool = GREFFE_TRY(make_pool(files, options.pool, settings.pool, options.directory));
  GREFFE_TRY(first_entry(files, clock, settings, keys));
  GREFFE_TRY(files.rename(draft, config_path));
  GREFFE_TRY(files.sync_directory(options.directory));
  return Initialised{config_path, backup_path, backup.recovery_code, of_pool};
}

}  // namespace greffe::web
