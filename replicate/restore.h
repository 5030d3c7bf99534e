// Rebuilds a pool from what the second site holds of this archive: objects of a hearing, then its log, and the main log last of all, that of each
// epoch.
// Every object is hashed, every log is hashed to a checkpoint whose signatures are checked, before it is stored. Keeps no state: what
// the pool has is the state. One thread; it starts further ones.
#ifndef GREFFE_REPLICATE_RESTORE_H
#define GREFFE_REPLICATE_RESTORE_H

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/base/clock.h"
#include "archive/format/entries.h"
#include "archive/format/lost_declarations.h"
#include "archive/tlog/log_import.h"
#include "replicate/restored_hearing.h"
#include "replicate/restored_main_log.h"

namespace greffe::replicate {

// What is to be brought back. Neither: everything.
struct RestoreChoice {
  std::optional<std::string> court;
  std::optional<HearingId> hearing;
  bool is_whole() const { return !court && !hearing; }
};

// Something that the second site could not give, or that is not what it must be.
struct NotRestored {
  std::optional<HearingId> hearing;  // none: it belongs to the main log
  std::optional<Digest> object;      // none: it is the log, or belongs to it
  std::string why;
};

struct RestoreReport {
  std::uint64_t hearings = 0;         // whose logs are in the pool now, whole
  std::uint64_t objects = 0;          // fetched and stored
  std::uint64_t bytes = 0;            // of them
  std::uint64_t objects_here = 0;     // were there and are good: hashed, not fetched
  std::uint64_t entries = 0;          // of logs, fetched
  std::uint64_t main_size = 0;
  std::int64_t seconds = 0;
  std::uint64_t missing_count = 0;
  std::vector<NotRestored> missing;   // the first thousand
  bool complete() const { return missing_count == 0; }
  Json json() const;
  std::string words() const;
};

class Restore {
 public:
  struct Limits {
    unsigned connections = 4;           // as many objects or logs at a time, each object up to 16 MiB in memory
    std::size_t hearings_at_once = 64;  // whose lists of objects are in memory
  };
  // Bytes that are stored or were there, and about how many there are in all, as far as is known.
  using OnProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;
  // Whether the pool has all replicas of an object that it should have; none: what it proves is enough.
  using IsWhole = std::function<bool(const Digest&)>;
  Restore(tlog::LogStores pool, RestoreSite& site, RestoreKeys keys, Limits limits, Clock& clock, OnProgress progress, IsWhole whole = {});

  // ok: what the report does not name as missing is durable in the pool. unavailable: the second site does not answer; run it again.
  // denied: it does not know this replicator. conflict: the pool belongs to another archive or log, or the main log there is not signed as it
  // must be. no_space, io_error: of the pool. cancelled.
  Result<RestoreReport> run(const RestoreChoice& choice, std::stop_token stop);

 private:
  struct Wanted {
    RestoredHearing* hearing = nullptr;  // none: a document of the main log
    NamedObject object;
  };
  Result<std::set<HearingId>> chosen(const RestoreChoice& choice, std::stop_token stop);
  Status add_uncommitted(std::set<HearingId>& ids, std::stop_token stop);
  Status restore_hearings(const std::set<HearingId>& ids, const RestoreChoice& choice, std::stop_token stop);
  Status restore_group(std::vector<HearingId> ids, const RestoreChoice& choice, std::stop_token stop);
  Status fetch(const std::vector<Wanted>& wanted, std::stop_token stop);
  Status fetch_one(const Wanted& wanted);
  Status restore_documents(const std::set<HearingId>* about, std::stop_token stop);
  Status store_main();
  void missing(NotRestored one);
  void count(std::uint64_t bytes);

  const tlog::LogStores pool_;
  RestoreSite& site_;
  const RestoreKeys keys_;
  const Limits limits_;
  Clock& clock_;
  const OnProgress progress_;
  const IsWhole whole_;
  RestoredMainLog main_;
  std::mutex mutex_;  // guards the two below
  RestoreReport report_;
  std::uint64_t done_bytes_ = 0;
  std::uint64_t total_bytes_ = 0;  // about
};

}  // namespace greffe::replicate

#endif
