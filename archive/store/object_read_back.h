// Replicas read back from their media: what the disks kept, not what the page cache remembers. Thread-safe.
#ifndef GREFFE_ARCHIVE_STORE_OBJECT_READ_BACK_H
#define GREFFE_ARCHIVE_STORE_OBJECT_READ_BACK_H

#include "archive/store/object_replicas.h"

namespace greffe::store {

// What came of reading one object back.
struct ReadBackCount {
  unsigned good = 0;        // replicas, each on another volume, that this call read whole and hashed to their name
  unsigned wanted = 0;      // W, and at least two when the pool has two volumes
  unsigned asked = 0;       // volumes that were looked at: those whose word counts for a receipt
  bool damaged = false;     // one of them has other bytes under that name, or cannot read them
  std::uint64_t bytes = 0;  // read and found good
  bool enough() const { return good >= wanted; }
};

// Looks no further than `wanted`. Repairs and reports nothing: ObjectRepair::check does.
ReadBackCount read_back_copies(Pool& pool, const Digest& digest);

// As PoolUpkeep::hash_behind.
Result<Digest> hash_copy_behind(Pool& pool, ByteView prefix, const Digest& digest);

}  // namespace greffe::store

#endif
