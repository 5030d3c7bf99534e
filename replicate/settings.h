// The configuration of greffe-replicate, and what enrolment stored about the two sites. See docs/OPERATIONS.md.
#ifndef GREFFE_REPLICATE_SETTINGS_H
#define GREFFE_REPLICATE_SETTINGS_H

#include <optional>
#include <string>
#include <vector>

#include "archive/base/file_system.h"
#include "archive/client/archive_client.h"
#include "archive/format/ed25519.h"
#include "archive/store/open_pool.h"
#include "replicate/timetable.h"

namespace greffe::replicate {

constexpr std::size_t kMostTargets = 16;

struct TargetSettings {
  std::string name;      // 1 to 32 of a-z, 0-9, '-'
  bool unnamed = false;  // of the one table [target], as configurations of one target had it: its file is target.json
  Timetable timetable;
  std::optional<store::PoolPlace> copy = {};  // a pool that nobody answers for; none: a second site
};

struct Settings {
  std::string state_directory;  // identity.key, returning.key, source.json, targets/<name>.json
  std::string archive;          // the origin that is carried to the other site
  std::optional<VerifierKey> log;  // that signs it: for a replicator that keeps copies only, and is not enrolled at the archive
  store::PoolPlace source;      // the archive's pool
  std::int64_t poll_interval_ms = 1000;
  unsigned connections = 4;     // objects sent to one target at the same time
  std::string metrics_address;  // loopback, of `run`; empty: none
  std::vector<TargetSettings> targets;
  std::string run_socket() const { return join(state_directory, "run.sock"); }  // what `run` tells `status`
};
// invalid with file, line and key.
Result<Settings> load_settings(FileSystem& files, const std::string& path);

// What an enrolment code taught about a site: "<state>/source.json", "<state>/targets/<name>.json".
struct Site {
  std::string address;
  Digest server_spki;
  VerifierKey log;                     // of the site's own main log
  std::vector<VerifierKey> cosigners;  // the site as holder
  std::string name;                    // under which we are enrolled there
  std::uint64_t epoch = 1;
  std::vector<std::string> nodes = {};  // addresses of all its machines, where it has several, as it said at the enrolment
  client::ArchiveEndpoint endpoint() const { return {address, server_spki, epoch, nodes}; }
};
// not_found: not enrolled there yet, with the command that does it.
Result<Site> load_source(FileSystem& files, const Settings& settings);
// The key of the archive's main log: as enrolment there said it, else as the configuration does. not_found: neither does, with what to do.
// invalid: they contradict each other.
Result<VerifierKey> archive_log_key(FileSystem& files, const Settings& settings);
// The same, of a second site; the file of an installation with one target, "<state>/target.json", counts for the only one.
Result<Site> load_target(FileSystem& files, const Settings& settings, const TargetSettings& target);
// The target of that name; without a name, the only one. invalid: there is none, or there are several.
Result<const TargetSettings*> find_target(const Settings& settings, std::string_view name);

// The replicator's own key, "<state>/identity.key" (mode 0600); made by the first enrolment.
Result<PrivateKey> load_identity(FileSystem& files, const Settings& settings);
// Another one, "<state>/returning.key", for what comes back to a site that was promoted: that may know the first one as its own replicator's.
Result<PrivateKey> load_returning_identity(FileSystem& files, const Settings& settings);

// Enrols this replicator's key with the code and stores what the code says. denied: wrong, used or expired code. `target`: none:
// at the source. The code of a target may be one of `returning add`, for what comes back of the epoch that was written here. invalid also: a target that is a
// copy has no code.
Status enrol(FileSystem& files, const Settings& settings, const TargetSettings* target, std::string_view code);

}  // namespace greffe::replicate

#endif
