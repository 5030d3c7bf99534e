// Other archives that hold copies of what this one holds, and give single objects of them back, and what they know of shares. Each was enrolled with a code that
// its operator made (`origin reader-code`); it knows this archive by the TLS key of its machine listener. Thread-safe.
#ifndef GREFFE_ARCHIVE_OTHER_SITES_H
#define GREFFE_ARCHIVE_OTHER_SITES_H

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "archive/base/file_system.h"
#include "archive/client/archive_client.h"
#include "archive/format/ed25519.h"
#include "archive/format/successors.h"

namespace greffe::archive {

class OtherSite {
 public:
  virtual ~OtherSite() = default;
  virtual const std::string& name() const = 0;  // of that archive
  // A whole object, at most 16 MiB, that a hearing names or (none) this archive's main log. Blocks, for half a minute at most.
  // not_found: it does not hold it for that log. corrupt: its copies are bad, or it sent other bytes. Others: it cannot be asked
  // now, or not by us.
  virtual Result<Bytes> get_object(const std::optional<HearingId>& hearing, const Digest& digest) = 0;
  // As client::ArchiveClient::shares.
  virtual Result<SharesTold> shares(const LookedAt& looked_at) = 0;
};

// Those that may be asked, in the order in which they are.
using AskableSites = std::function<std::vector<std::shared_ptr<OtherSite>>()>;

class OtherSites {
 public:
  // Sites are kept in "<state>/sites/<name>.json". `archive`: the name of this one; `identity` outlives this.
  OtherSites(FileSystem& files, const std::string& state_directory, std::string archive, const PrivateKey& identity);

  // At start. What cannot be read, a sentence for each; the other sites are known.
  std::vector<std::string> load();
  // Enrols this archive with the code and keeps the site, durably; its name. Blocks on the network. invalid: not a code of a reader
  // of this archive. denied: the code is wrong, used by another key or expired. With the same code and key again: ok.
  Result<std::string> add(std::string_view code);
  // Forgets it; there the key stays enrolled until it is revoked. not_found.
  Status remove(const std::string& name);
  // {"sites":[{"address","name"}]} in the order of names, in which they are asked.
  Json report() const;

  std::vector<std::shared_ptr<OtherSite>> all() const;
  // Where they answer, for those who must find them without this archive; in that order, at most eight.
  std::vector<SuccessorSite> places() const;
  // Whatever is asked ends with `cancelled` from now on.
  void stop() { stop_.request_stop(); }

 private:
  struct Kept {
    SuccessorSite place;
    std::shared_ptr<OtherSite> site;
  };
  void keep(const client::ArchiveEndpoint& endpoint, const std::string& name);
  std::string path_of(const std::string& name) const;

  FileSystem& files_;
  const std::string directory_;
  const std::string archive_;
  const PrivateKey& identity_;
  std::stop_source stop_;
  mutable std::mutex mutex_;           // guards the map; a leaf
  std::map<std::string, Kept> sites_;  // by name
};

}  // namespace greffe::archive

#endif
