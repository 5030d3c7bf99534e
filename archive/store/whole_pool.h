// Everything that an archive asks of its pool, whatever it stands on: the disks of one machine, RADOS, S3. Thread-safe.
#ifndef GREFFE_ARCHIVE_STORE_WHOLE_POOL_H
#define GREFFE_ARCHIVE_STORE_WHOLE_POOL_H

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/store/object_read_back.h"
#include "archive/store/object_repair.h"
#include "archive/store/object_store.h"
#include "archive/store/pool.h"
#include "archive/store/scrub.h"
#include "archive/store/volume_members.h"
#include "archive/store/volume_replicas.h"
#include "archive/store/writer_place.h"

namespace greffe::store {

// Looking after what is stored. A service that keeps its own replicas counts as one place: what it shows is good or bad.
class PoolUpkeep {
 public:
  virtual ~PoolUpkeep() = default;
  // Hashes all replicas of one object and brings them back to R. not_found, corrupt: as ObjectRepair::check.
  virtual Result<ObjectHealth> repair_object(const Digest& digest, ReadFrom from = ReadFrom::cache) = 0;
  // Moves every damaged replica of an object aside: only for one that was declared lost, of which nothing good is left.
  // conflict: a replica is good, and nothing was moved. denied: a reader's pool.
  virtual Status set_aside(const Digest& digest) = 0;
  // Reads replicas from their media until enough are good. What is damaged is the caller's to repair.
  virtual ReadBackCount read_back(const Digest& digest) = 0;
  // SHA-256 over `prefix` and the bytes of an object, read from the medium of a replica that this reading found good: who does not
  // have the bytes cannot know it. Repairs and reports nothing. not_found: no volume has it. corrupt: no replica is good.
  virtual Result<Digest> hash_behind(ByteView prefix, const Digest& digest) = 0;
  // Walks all objects. As a reader it only reports.
  virtual Result<ScrubTotals> scrub(const ScrubSettings& settings, const std::function<bool(const ScrubbedObject&)>& visit,
                                    std::stop_token stop = {}) = 0;
  // Every object's name, in an order of its own; nothing is read of it. `visit` returns false to stop.
  virtual Status walk_objects(const std::function<bool(const Digest&)>& visit) = 0;
  // Whether anything is there under that name: what was committed once is. Its bytes are not looked at.
  virtual Result<bool> holds_object(const Digest& digest) = 0;
  // Whether as many replicas of that name are there as there should be: not so after a process was killed while it stored the object, and
  // while a volume is away. Their bytes are not looked at.
  virtual bool has_all_replicas(const Digest& digest) = 0;
  // Every place as it is now.
  virtual std::vector<VolumeReport> volumes() = 0;
  virtual const std::string& pool_id() const = 0;
  // Who writes to it. On local volumes that is not told: the kernel's lock says only that somebody does.
  virtual Result<SeenWriter> find_writer() { return SeenWriter{}; }
  // None: the service under this pool places its replicas itself.
  virtual VolumeMembers* members() { return nullptr; }
  // None: the service under this pool keeps the replicas, and scrubs them itself.
  virtual VolumeReplicas* replicas() { return nullptr; }
};

class WholePool : public ObjectStore, public HeadStore, public StageRemover, public ReplicaRepair, public PoolUpkeep {};

}  // namespace greffe::store

#endif
