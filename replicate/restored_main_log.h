// The main log as it is to be restored, and what it says about everything else. One thread at a time; what it has read may be
// looked at from any.
#ifndef GREFFE_REPLICATE_RESTORED_MAIN_LOG_H
#define GREFFE_REPLICATE_RESTORED_MAIN_LOG_H

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "archive/format/entries.h"
#include "archive/format/lost_declarations.h"
#include "replicate/site_log.h"

namespace greffe::replicate {

// By whom the logs of an archive must be signed, as enrolment said.
struct RestoreKeys {
  VerifierKey log;     // of the archive; its name is the archive's
  std::optional<VerifierKey> holder;  // of the second site; none: a copy that nobody answers for, and that confirms nothing
};

// An object, and the entry that names it.
struct NamedObject {
  Digest digest;
  std::uint64_t entry = 0;
  std::optional<HearingId> about;  // of a main-log entry: the hearing that it is about
  std::uint64_t bytes = 0;         // 0: the entry does not say
};

// What the main log committed to last of a hearing.
struct CommittedHead {
  std::uint64_t size = 0;
  Digest root;
  bool closed = false;
};

class RestoredMainLog {
 public:
  RestoredMainLog(RestoreSite& site, tlog::LogStores pool, RestoreKeys keys);

  // Reads and checks all of it, and stores nothing. As SiteLog::read; denied also: not signed by the archive, or not confirmed by the site.
  Status read();
  // Stores it, with the checkpoints that were kept of it and the site's confirmation. After everything that it names.
  Status store();

  std::uint64_t size() const { return log_.head().checkpoint.size; }
  bool is_here() const { return log_.is_here(); }  // the pool has it whole
  std::uint64_t fetched() const { return log_.fetched(); }
  const std::map<HearingId, CommittedHead>& hearings() const { return hearings_; }
  const std::vector<NamedObject>& documents() const { return documents_; }
  const LostDeclarations& declared() const { return declared_; }
  bool knows_station(const PublicKey& key) const { return stations_.contains(key); }
  UtcTime began() const { return began_; }

 private:
  void forget();
  Status take(std::uint64_t index, std::string_view text);
  Status check(const SignedCheckpoint& head) const;

  const tlog::LogStores pool_;
  const RestoreKeys keys_;
  SiteLog log_;
  std::map<HearingId, CommittedHead> hearings_;
  std::vector<NamedObject> documents_;
  LostDeclarations declared_;
  std::set<PublicKey> stations_;
  UtcTime began_;
};

}  // namespace greffe::replicate

#endif
