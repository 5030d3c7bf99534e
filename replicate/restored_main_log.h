// The main log of an archive as it is to be restored, through all its epochs, and what it says about everything else. One thread at a time;
// what it has read may be looked at from any.
#ifndef GREFFE_REPLICATE_RESTORED_MAIN_LOG_H
#define GREFFE_REPLICATE_RESTORED_MAIN_LOG_H

#include <deque>
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
  EpochName name;    // the archive, in the epoch up to which it is restored
  VerifierKey log;   // of that epoch's log. Earlier ones are what it goes on from: no other key of them is needed
  std::optional<VerifierKey> holder;  // of the second site; none: a copy that nobody answers for, and that confirms nothing
};

// An object, and the entry that names it.
struct NamedObject {
  Digest digest;
  std::uint64_t entry = 0;         // of the hearing's log, or of the main log of this epoch
  std::uint64_t epoch = 1;
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

  // Reads and checks all of it, and stores nothing. As SiteLog::read; denied also: not signed by the archive, not confirmed by the site, or an epoch that
  // no two officers began. conflict also: the pool is another archive's, or an epoch ends where the next one does not go on.
  Status read();
  // Stores the log of each epoch, the newest one last, with the checkpoints that were kept of it and the site's confirmation. After everything
  // that they name. A crash leaves a pool on which the archive does not start in that epoch.
  Status store();

  std::uint64_t size() const { return epochs_.back().first + epochs_.back().log.head().checkpoint.size; }  // entries, through all epochs
  bool is_here() const;  // the pool has it whole
  std::uint64_t fetched() const;
  // After store(). Sentences: what an epoch that has ended lacks though all its entries are there.
  const std::vector<std::string>& lacking() const { return lacking_; }
  const std::map<HearingId, CommittedHead>& hearings() const { return said_.hearings; }
  const std::vector<NamedObject>& documents() const { return said_.documents; }
  const LostDeclarations& declared() const { return declared_; }
  bool knows_station(const PublicKey& key) const { return said_.stations.contains(key); }
  UtcTime began() const { return said_.began; }

 private:
  struct Epoch {
    Epoch(EpochName n, std::string where, RestoreSite& site, tlog::LogStores pool);
    const EpochName name;
    const std::string path;  // of its log, in the pool
    SiteLog log;
    std::uint64_t first = 0;              // number of its entry 0
    std::optional<VerifierKey> key;       // signs it. Of one that has ended its first entry says it
    std::string promotion;                // with which it begins; empty: the first one
    std::optional<Checkpoint> end;        // the state that the next one goes on from; none: the newest
    bool meets_end = false;               // it had that state
  };
  // What entries say.
  struct Said {
    std::map<HearingId, CommittedHead> hearings;
    std::vector<NamedObject> documents;
    std::set<PublicKey> stations;
    UtcTime began;
  };

  Status find_epochs();
  Result<std::string> first_path() const;
  Result<std::string> first_entry(const std::string& path, const std::string& origin) const;
  Status read(Epoch& epoch);
  Status take(Epoch& epoch, std::uint64_t index, std::string_view text);
  Status begin(Epoch& epoch, const MainEntry& entry, std::string_view text);
  Status check_end(const Epoch& epoch) const;
  void add(Said said);
  Status store(Epoch& epoch);
  Status keep_end(const Epoch& epoch);
  static Status check(const Epoch& epoch, const SignedCheckpoint& head);

  RestoreSite& site_;
  const tlog::LogStores pool_;
  const RestoreKeys keys_;
  std::deque<Epoch> epochs_;   // in order
  Said said_;                  // by the epochs that were read
  Said now_;                   // by the one that is read now
  LostDeclarations declared_before_;  // by those that were read
  LostDeclarations declared_;
  std::vector<std::string> lacking_;
};

}  // namespace greffe::replicate

#endif
