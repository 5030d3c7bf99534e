#include "archive/archive_keys.h"

#include "archive/format/canonical_json.h"
#include "archive/format/sealed_text.h"

namespace greffe::archive {
namespace {

constexpr std::uint64_t kMaxKeyBytes = 4096;

std::string key_path(const std::string& state_directory, std::string_view role) {
  return join(join(state_directory, "keys"), std::string(role) + ".key");
}

Status save_key(FileSystem& files, const std::string& path, const std::string& pem) {
  const auto file = GREFFE_TRY(files.create(path, 0600));
  GREFFE_TRY(file->write(as_bytes(pem)));
  GREFFE_TRY(file->sync());
  return files.sync_directory(parent_of(path));
}

Result<PrivateKey> load_key(FileSystem& files, const std::string& path) {
  const auto bytes = files.read_file(path, kMaxKeyBytes);
  if (!bytes) return bytes.error().within("the archive's key; restore it from the backup made by init");
  auto key = PrivateKey::from_pem(as_text(*bytes));
  if (!key) return key.error().within(path);
  return key;
}

}  // namespace

std::string holder_name(std::string_view archive_name) { return std::string(archive_name) + "/holder"; }

VerifierKey log_verifier(std::string_view archive_name, const PublicKey& key) {
  return VerifierKey{std::string(archive_name), KeyType::ed25519, key};
}

VerifierKey holder_verifier(std::string_view archive_name, const PublicKey& key) {
  return VerifierKey{holder_name(archive_name), KeyType::cosignature_v1, key};
}

Result<ArchiveKeys> make_archive_keys(FileSystem& files, const std::string& state_directory) {
  ArchiveKeys keys{PrivateKey::generate(), PrivateKey::generate(), PrivateKey::generate()};
  GREFFE_TRY(files.make_directories(join(state_directory, "keys")));
  GREFFE_TRY(save_key(files, key_path(state_directory, "log"), keys.log.to_pem()));
  GREFFE_TRY(save_key(files, key_path(state_directory, "holder"), keys.holder.to_pem()));
  GREFFE_TRY(save_key(files, key_path(state_directory, "server"), keys.server.to_pem()));
  return keys;
}

Result<ArchiveKeys> load_archive_keys(FileSystem& files, const std::string& state_directory) {
  PrivateKey log = GREFFE_TRY(load_key(files, key_path(state_directory, "log")));
  PrivateKey holder = GREFFE_TRY(load_key(files, key_path(state_directory, "holder")));
  PrivateKey server = GREFFE_TRY(load_key(files, key_path(state_directory, "server")));
  return ArchiveKeys{std::move(log), std::move(holder), std::move(server)};
}

Result<ArchiveKeys> make_epoch_keys(FileSystem& files, const std::string& state_directory, const PrivateKey& server) {
  GREFFE_TRY(files.make_directories(join(state_directory, "keys")));
  for (const std::string_view role : {"log", "holder", "server"}) {
    const std::string path = key_path(state_directory, role);
    if (files.stat(path)) continue;
    const std::string pem = role == "server" ? server.to_pem() : PrivateKey::generate().to_pem();
    GREFFE_TRY(files.replace(path, as_bytes(pem), 0600));
  }
  return load_archive_keys(files, state_directory);
}

KeyBackup back_up_keys(const ArchiveKeys& keys, std::string_view archive_name) {
  Json plain;
  plain.set("archive", archive_name).set("holder", keys.holder.to_pem()).set("log", keys.log.to_pem());
  plain.set("server", keys.server.to_pem()).set("v", 1);
  KeyBackup backup;
  backup.recovery_code = make_recovery_code();
  backup.file = seal_text(write_json(plain), backup.recovery_code);
  return backup;
}

Status restore_keys(FileSystem& files, const std::string& state_directory, std::string_view backup,
                    std::string_view recovery_code) {
  const auto opened = open_sealed_text(backup, recovery_code);
  if (!opened) return opened.error().within("the key backup cannot be opened");
  const std::string& plain = *opened;
  const Json json = GREFFE_TRY(parse_canonical_json(plain));
  GREFFE_TRY(files.make_directories(join(state_directory, "keys")));
  for (const std::string_view role : {"log", "holder", "server"}) {
    const std::string pem = GREFFE_TRY(json.string(role));
    GREFFE_TRY(save_key(files, key_path(state_directory, role), pem));
  }
  return ok();
}

}  // namespace greffe::archive
