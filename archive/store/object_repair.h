// Brings an object back to R good replicas from whichever good ones there are. Thread-safe; one object at a time.
#ifndef GREFFE_ARCHIVE_STORE_OBJECT_REPAIR_H
#define GREFFE_ARCHIVE_STORE_OBJECT_REPAIR_H

#include <mutex>
#include <string>
#include <vector>

#include "archive/store/object_replicas.h"

namespace greffe::store {

struct ObjectHealth {
  unsigned good = 0;               // replicas that were hashed and found good, with those that were written now
  unsigned repaired = 0;           // replicas written now
  unsigned wanted = 0;             // how many there should be
  std::uint64_t bytes = 0;         // read and hashed by this call
  std::vector<Damage> damage;      // what was found, and whether it was repaired
  bool healthy() const { return damage.empty() && good >= wanted; }
};

class ObjectRepair {
 public:
  explicit ObjectRepair(Pool& pool) : pool_(pool) {}

  // Hashes every replica on every volume. With a writer's pool: moves bad ones aside (when there is a good one) and
  // writes what lacks; every damage is reported to pool.on_damage. not_found: no volume has a replica. corrupt: there
  // are replicas and none is good; they are left where they are. unavailable: no good one was found, and one could not be
  // opened just now.
  Result<ObjectHealth> check(const Digest& digest, ReadFrom from = ReadFrom::cache);
  // The same for an object that is known to lack replicas because a volume left or came: what is missing is written and
  // not reported as damage.
  Result<ObjectHealth> fill(const Digest& digest);

  // As PoolUpkeep::set_aside.
  Status set_aside(const Digest& digest);

  // Moves a replica to another volume, or (`to` is null) removes one that is too many. Copied, synced, read back from the
  // medium, and only then removed: at every moment R good replicas are on volumes that count, each of them hashed by this
  // call. A crash leaves one too many. conflict: others are too few to lose one. corrupt: one of them, or this one, is
  // damaged. Other errors: `to` cannot take it. Nothing was removed then.
  Status move(const Digest& digest, Volume& from, Volume* to);

  // Writes replicas until there are `wanted`, from the good one on `source`; the volumes in `holders` have one already.
  // Returns how many were written.
  unsigned add_replicas(const Digest& digest, Volume& source, std::vector<Volume*> holders, unsigned wanted);

 private:
  enum class Missing { reported, expected };
  // What the volumes hold of one object.
  struct Found {
    std::vector<Volume*> holders;  // of good replicas that count
    Volume* source = nullptr;      // a good replica, also on a volume that is being emptied
    std::vector<std::pair<Volume*, std::string>> bad;
    std::vector<Volume*> without;
    unsigned unknown = 0;          // replicas that count and could not be opened just now: nothing is done about them
    unsigned leaving = 0;          // good replicas that do not count any more: that others lack so many is no damage
    std::uint64_t bytes = 0;       // read
  };
  Found look(const Digest& digest, ReadFrom from);
  Result<ObjectHealth> examine(const Digest& digest, ReadFrom from, Missing missing);
  Status write_moved(const Digest& digest, Volume& from, Volume& to);

  Pool& pool_;
  std::mutex mutex_;  // one repair at a time: two would move each other's work aside
};

}  // namespace greffe::store

#endif
