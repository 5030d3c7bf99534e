// Who may talk to the machine listener: keys that the main log enrolled, and one-time codes of those that are about to
// enrol. Thread-safe.
#ifndef GREFFE_ARCHIVE_PEERS_H
#define GREFFE_ARCHIVE_PEERS_H

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "archive/base/clock.h"
#include "archive/base/file_system.h"
#include "archive/client/archive_client.h"
#include "archive/deposit.h"
#include "archive/main_log.h"

namespace greffe::archive {

constexpr std::int64_t kCodeLifetimeMs = 24 * 3'600'000;

// What an enrolment code leads to.
struct Invitation {
  std::string role;   // "station", "replicator", "returning" or "reader"
  std::string name;   // station: its name; replicator, reader: the name of the archive it comes from; returning: the origin of the old log
  std::string court;  // role station
  std::string room;
  bool renews = false;  // a new key for one that is enrolled; the old one is retired when it comes
};

class Peers {
 public:
  // What every code tells the newcomer about this archive.
  struct Self {
    std::string machine_url;
    PublicKey server_key;
    VerifierKey log;
    VerifierKey holder;
  };
  // Open invitations are kept in "<state>/invitations.json": only digests of their secrets.
  Peers(FileSystem& files, Clock& clock, MainLog& main_log, const std::string& state_directory, Self self);

  // A new one-time code, good for 24 hours; the file is durable when it returns. already_exists: a station of that name
  // is enrolled and not revoked, and this does not renew it. invalid: a name.
  Result<std::string> invite(const Invitation& invitation);
  // Enrols `key` with the secret of a code: one `key` entry in the main log, the code is used up. denied: wrong, used or
  // expired code, or another name. A second try with the same key and code after a lost answer is ok.
  Result<catalogue::KnownKey> enrol(const PublicKey& key, std::string_view secret, std::string_view name,
                                    std::string_view role);
  // The invitation that renews the key of an enrolled station. not_found: there is none of that name.
  Result<Invitation> renewal(const std::string& station) const;
  // The invitation of an archive to read what is held of it here: of an origin, which it must be. Of one that is enrolled it renews the
  // key. not_found: this is no origin.
  Result<Invitation> reading(const std::string& origin) const;
  // The invitation of the site that was this archive in an earlier epoch to bring back what only it has of that; the epoch before this one
  // where none is said. invalid: this archive has no such epoch before its own.
  Result<Invitation> returning(std::optional<std::uint64_t> epoch) const;
  // A peer by its TLS key. denied: unknown key.
  Result<Peer> identify(const PublicKey& key) const;
  Status revoke(std::string_view role, std::string_view name, std::string_view why);
  // Sites that confirm what they hold, of the log and not revoked, with their verifier keys.
  Result<std::vector<VerifierKey>> cosigners() const;
  // These and the witnesses, who have seen the main log and hold nothing of it.
  Result<std::vector<VerifierKey>> main_log_cosigners() const;

 private:
  struct Open {
    Invitation invitation;
    Digest secret;
    UtcTime expires;
  };
  Result<std::vector<Open>> load() const;
  Status save(const std::vector<Open>& open) const;

  FileSystem& files_;
  Clock& clock_;
  MainLog& main_log_;
  const std::string path_;
  const Self self_;
  std::mutex mutex_;  // guards the file
};

}  // namespace greffe::archive

#endif
