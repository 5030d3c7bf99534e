// The private keys of one archive: one key per role, each in its own file (PKCS #8 PEM, mode 0600) below "<state>/keys".
#ifndef GREFFE_ARCHIVE_ARCHIVE_KEYS_H
#define GREFFE_ARCHIVE_ARCHIVE_KEYS_H

#include <string>

#include "archive/base/file_system.h"
#include "archive/format/ed25519.h"

namespace greffe::archive {

struct ArchiveKeys {
  PrivateKey log;     // signs the main log (type 01, key name = the archive's name)
  PrivateKey holder;  // cosigns what this archive holds durably (type 04)
  PrivateKey server;  // TLS of the machine listener
};

// "<archive name>/holder": a name of its own, because one (key, version) must mean exactly one set of statements.
std::string holder_name(std::string_view archive_name);
VerifierKey log_verifier(std::string_view archive_name, const PublicKey& key);
VerifierKey holder_verifier(std::string_view archive_name, const PublicKey& key);

// Makes three new keys; already_exists when there are keys. Durable.
Result<ArchiveKeys> make_archive_keys(FileSystem& files, const std::string& state_directory);
Result<ArchiveKeys> load_archive_keys(FileSystem& files, const std::string& state_directory);

// For an epoch that begins at another site: new keys for log and receipts beside the key with which that site answers already. What a
// call before has made is kept. Durable.
Result<ArchiveKeys> make_epoch_keys(FileSystem& files, const std::string& state_directory, const PrivateKey& server);

// An encrypted copy of the keys (AES-256-GCM under the recovery code) for another building. The code is random, 160 bits,
// shown once, in groups for paper: "K7QF-…". Whoever has file and code has the keys.
struct KeyBackup {
  std::string file;           // text
  std::string recovery_code;
};
KeyBackup back_up_keys(const ArchiveKeys& keys, std::string_view archive_name);
// invalid: not a backup. denied: another code, or the file was altered.
Status restore_keys(FileSystem& files, const std::string& state_directory, std::string_view backup,
                    std::string_view recovery_code);

}  // namespace greffe::archive

#endif
