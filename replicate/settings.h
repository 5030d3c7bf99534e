// The configuration of greffe-replicate, and what enrolment stored about the two sites. See docs/OPERATIONS.md.
#ifndef GREFFE_REPLICATE_SETTINGS_H
#define GREFFE_REPLICATE_SETTINGS_H

#include <string>
#include <vector>

#include "archive/base/file_system.h"
#include "archive/client/archive_client.h"
#include "archive/format/ed25519.h"
#include "archive/store/open_pool.h"

namespace greffe::replicate {

struct Settings {
  std::string state_directory;  // identity key, source.json, target.json
  std::string archive;          // the origin that is carried to the other site
  store::PoolPlace source;      // the archive's pool
  std::int64_t poll_interval_ms = 1000;
  unsigned connections = 4;     // objects sent at the same time
};
// invalid with file, line and key.
Result<Settings> load_settings(FileSystem& files, const std::string& path);

// What an enrolment code taught about a site; "<state>/source.json" or "<state>/target.json".
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
enum class SiteRole { source, target };
// not_found: not enrolled there yet, with the command that does it.
Result<Site> load_site(FileSystem& files, const Settings& settings, SiteRole role);

// The replicator's own key, "<state>/identity.key" (mode 0600); made by the first enrolment.
Result<PrivateKey> load_identity(FileSystem& files, const Settings& settings);

// Enrols this replicator's key with the code and stores what the code says. denied: wrong, used or expired code.
Status enrol(FileSystem& files, const Settings& settings, SiteRole role, std::string_view code);

}  // namespace greffe::replicate

#endif
