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
  const auto main_log = GREFFE_TRY(archive::MainLog::open(files, log, {*pool, *pool, *pool}, tlog::first_place(settings.name),
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

// The configuration last: with it the archive exists.
Status put_in_place(FileSystem& files, const std::string& draft, const std::string& config_path) {
  GREFFE_TRY(files.rename(draft, config_path));
  return files.sync_directory(parent_of(config_path));
}

// What the pool's main log says of itself in its first entry.
Result<GenesisEntry> genesis_of(const tlog::LogReader& main_log) {
  const auto texts = main_log.entries(0, 1);
  if (!texts) return texts.error().within("the main log of the archive that is to be joined");
  const MainEntry first = GREFFE_TRY(parse_main_entry(texts->front()));
  if (const auto* genesis = std::get_if<GenesisEntry>(&first)) return *genesis;
  return fail(Errc::corrupt, "the pool's main log does not begin as one of an archive");
}

}  // namespace

Result<std::string> join_archive(const InitOptions& options, std::string_view backup, std::string_view recovery_code) {
  PosixFileSystem files;
  SystemClock clock;
  if (!options.pool.volumes.empty()) return fail(Errc::invalid, "only a pool in Ceph or S3 can have several machines: --pool rados:POOL or --pool s3:BUCKET");
  const std::string pool_text = GREFFE_TRY(pool_lines(options.pool));
  const std::string config_path = join(options.directory, "archive.toml");
  if (files.stat(config_path)) return fail(Errc::already_exists, config_path + " is there: this directory has an archive already");
  Config config = GREFFE_TRY(Config::parse(pool_text, config_path));
  const store::PoolPlace place = GREFFE_TRY(store::read_pool_place(config, config_path));
  const auto pool = GREFFE_TRY(store::open_pool(files, clock, place, store::PoolMode::reader));
  const tlog::LogReader main_log(*pool, *pool, main_log_path());
  const GenesisEntry genesis = GREFFE_TRY(genesis_of(main_log));

  const std::string state = join(options.directory, "state");
  GREFFE_TRY(files.make_directories(state));
  GREFFE_TRY(archive::restore_keys(files, state, backup, recovery_code));
  const archive::ArchiveKeys keys = GREFFE_TRY(archive::load_archive_keys(files, state));
  const SignedCheckpoint head = GREFFE_TRY(main_log.checkpoint());
  const Status ours = verify_note(head.note, archive::log_verifier(genesis.archive, keys.log.public_key()));
  if (!ours) return fail(Errc::denied, "the keys of this backup are not those of " + genesis.archive + ", whose pool that is; what was made in " + state + " can be deleted");

  InitOptions mine = options;
  mine.name = genesis.archive;
  mine.role = genesis.role;
  const std::string draft = config_path + ".draft";
  GREFFE_TRY(files.replace(draft, as_bytes(config_text(mine, pool_text)), 0640));
  GREFFE_TRY(archive::load_settings(files, draft));
  GREFFE_TRY(put_in_place(files, draft, config_path));
  return config_path;
}

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

  const std::string text = config_text(options, pool);
  const std::string draft = config_path + ".draft";
  GREFFE_TRY(files.replace(draft, as_bytes(text), 0640));
  const archive::Settings settings = GREFFE_TRY(archive::load_settings(files, draft));
  const std::string of_pool = GREFFE_TRY(make_pool(files, options.pool, settings.pool, options.directory, store::make_pool_id()));
  GREFFE_TRY(first_entry(files, clock, settings, keys));
  GREFFE_TRY(put_in_place(files, draft, config_path));
  return Initialised{config_path, backup_path, backup.recovery_code, of_pool};
}

}  // namespace greffe::web
