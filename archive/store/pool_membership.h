// Which volumes take part in a pool: recognises them by their labels and by the pool's own list (pool_roster.h), lets
// new ones in, and lets others go. Thread-safe; one change at a time.
#ifndef GREFFE_ARCHIVE_STORE_POOL_MEMBERSHIP_H
#define GREFFE_ARCHIVE_STORE_POOL_MEMBERSHIP_H

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "archive/store/object_store.h"
#include "archive/store/pool.h"
#include "archive/store/pool_roster.h"

namespace greffe::store {

// The locks of all volumes that are there. A volume that comes back later is locked before it is used again.
class LocalLease : public WriterLease {
 public:
  Status take(FileSystem& files, const Volume& volume);

 private:
  std::vector<std::unique_ptr<FileLock>> locks_;
  std::set<std::string> held_;  // ids of the volumes
};

class PoolMembership {
 public:
  explicit PoolMembership(Pool& pool) : pool_(pool) {}

  // Finds the volumes of the configuration and of the pool's list. As a writer: takes the lease, and writes the list
  // anew, so that a copy of a volume from before this moment is told apart. Errors: see LocalPool::open.
  Status open();

  // A volume that was away takes part again as soon as its label is seen and its lock is held. A reader also learns
  // what has changed in the list.
  void look();

  // Grows whenever replicas may lack because of the volumes and not because of damage: one is missing at the start or was
  // behind then, came back, was added, or is to be emptied. 0: all was well when the pool was opened.
  std::uint64_t changes() const;

  // A directory without a label becomes a volume; one that has this pool's label, and was never in the list (an add that
  // a crash cut short), is taken in. ok: the list is on at least W volumes; objects may go there from now on.
  // already_exists: it is a volume of this pool. invalid: it belongs to another pool, has left this one, or the names
  // cannot be. unavailable: too few volumes took the list, or the new one cannot be used.
  Result<VolumeLabel> add(const std::string& path, const std::string& domain);
  // Nothing new goes there and nothing there counts from now on; whoever watches the replicas empties it. Also for a
  // volume that is gone for good. ok: the list is on W volumes. invalid: too few volumes would be left. not_found.
  Status drain(const std::string& id);
  // Everything that must be kept is elsewhere, says the caller. conflict: it was not being drained.
  Status retire(const std::string& id);

 private:
  Status recognise();
  Status take_lease();
  void load_roster();
  void find_listed();
  void judge(Volume& volume);
  bool look_once();
  void refuse_duplicates();
  Volume* by_id(std::string_view id) const;
  Volume* unrecognised(const std::string& path) const;
  Volume& slot(const std::string& path);
  Status publish(unsigned least);

  Pool& pool_;
  mutable std::mutex mutex_;
  LocalLease lease_;                           // guarded by mutex_, as all below
  PoolRoster roster_;
  std::uint64_t changes_ = 0;
  std::map<std::string, std::uint64_t> held_;  // by id: the generation that the volume itself holds
};

}  // namespace greffe::store

#endif
