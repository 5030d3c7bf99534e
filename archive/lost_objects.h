// Objects of which no good replica is left in this pool: which hearing and which seconds they are, so that a person can
// fetch them from elsewhere, and whether they came back. Thread-safe; blocks where it says that it reads.
//
// What is lost is in the main log, as findings that were not repaired; in memory it is only collected again.
#ifndef GREFFE_ARCHIVE_LOST_OBJECTS_H
#define GREFFE_ARCHIVE_LOST_OBJECTS_H

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/base/log.h"
#include "archive/main_log.h"
#include "archive/scrub_logs.h"
#include "archive/store/whole_pool.h"

namespace greffe::archive {

// What is to be declared lost, or was.
struct LostOrder {
  std::optional<HearingId> hearing;  // none: documents that only the main log names
  std::vector<Digest> objects;
};

struct LostObject {
  UtcTime found;
  std::string problem;              // a sentence
  std::optional<NamedPlace> place;  // none: not looked for yet, or no log names it
  bool looked_for = false;
};

class LostObjects {
 public:
  // `on_damage` is told when a finding is settled, and of an object that is on no volume at all.
  LostObjects(Clock& clock, Log& log, store::WholePool& pool, MainLog& main_log, store::DamageListener on_damage);

  bool contains(const Digest& digest) const;
  // Two officers declared it lost (DeclaredLost); false also while that cannot be read. Blocks.
  bool is_declared(const Digest& digest) const;
  bool is_declared(const std::optional<HearingId>& hearing, const Digest& digest) const;  // where this names it; none: the main log does

  // The text that two officers sign. conflict: a good replica is here after all. not_found: no log names one of them for this
  // hearing. unavailable: a volume is missing, and nobody knows what is on it. already_exists: all were declared lost before.
  Result<std::string> statement(const LostOrder& order);
  // Appends the `lost` entry, after the same questions; nothing of these objects is missed from then on. denied: a
  // signature, or an officer, is not good.
  struct Signed {
    std::string officer;
    Signature signature;
  };
  Status declare(const LostOrder& order, const std::vector<Signed>& officers);

  // What was declared lost is not missed: its damaged replicas are moved aside, its findings settled. false: it was not
  // declared, or there is a good replica. Reads it.
  bool give_up(const Digest& digest);

  // Replicas are there and none is good; whoever found that has reported it.
  void add(const Digest& digest, const std::string& problem);
  // A log names it and no volume has it; reported once.
  void add_absent(const Digest& digest, const NamedPlace& place);
  void place(const std::map<Digest, NamedPlace>& found);
  // Somebody else says that these are gone: each is looked for again, and what has no good replica, is named in the hearing's log or
  // in the main log at `main_log`, and is not excused, is added. How many of them are lost. Reads the logs. unavailable: a volume is
  // missing, and nobody knows what is on it.
  Result<std::uint64_t> look_for(const LostOrder& order, const std::string& main_log);

  // Somebody else has the bytes. not_found: it is not lost here. Errors else as ObjectStore::begin_object.
  Result<std::unique_ptr<store::ObjectWriter>> begin_return(const Digest& digest, std::uint64_t size);
  // They were stored: what was damaged is rewritten, the findings are settled.
  void returned(const Digest& digest);
  // The bytes of an object of which no good replica is here, from another site; whether it was known to be lost or not. ok: they are
  // stored durably, what was damaged is in the quarantine, and both is reported. Errors as of ObjectWriter.
  Status restore(const Digest& digest, ByteView bytes, const std::string& from);

  // Reads again every object with a finding that was not repaired, and every lost one: what is whole again is forgotten
  // here and settled in the main log, and what has no good replica is added.
  void settle(const std::stop_token& stop);
  // Some were not looked for in the logs yet.
  bool any_to_locate() const;
  // Reads all logs for the places of those.
  void locate(const std::stop_token& stop);

  std::map<Digest, LostObject> all() const;
  std::uint64_t count() const;

 private:
  Status may_declare(const LostOrder& order);
  Status are_named(const LostOrder& order);
  Status all_volumes_are_there() const;
  Result<std::map<Digest, NamedPlace>> places_of(const LostOrder& order, const std::string& main_log);
  Result<std::map<Digest, std::vector<std::string>>> open_findings() const;
  void report_absent(const std::string& key, const std::string& what, bool repaired) const;
  void settle_one(const Digest& digest, const std::vector<std::string>& volumes, bool all_there);
  void forget(const Digest& digest);

  Clock& clock_;
  Log& log_;
  store::WholePool& pool_;
  MainLog& main_log_;
  const store::DamageListener on_damage_;
  mutable std::mutex mutex_;             // guards those below
  std::map<Digest, LostObject> lost_;
  std::uint64_t beyond_ = 0;             // more of them than are kept here
};

// {"found","key","problem"} and, where it is known, {"hearing","ms","stream","utc"}.
Json json_of(const Digest& digest, const LostObject& lost);

}  // namespace greffe::archive

#endif
