// Single replicas of objects on single volumes: check one, copy one. Thread-safe.
#ifndef GREFFE_ARCHIVE_STORE_OBJECT_REPLICAS_H
#define GREFFE_ARCHIVE_STORE_OBJECT_REPLICAS_H

#include <string>

#include "archive/format/digest.h"
#include "archive/store/pool.h"

namespace greffe::store {

inline constexpr std::size_t kTransferBytes = 1024 * 1024;  // per read and write; durability.md section 2

enum class CopyState { good, absent, damaged, unknown };

// Where the bytes come from that are hashed.
enum class ReadFrom {
  cache,   // wherever the system has them, as for whoever plays them
  medium,  // FileSystem::read_medium: what the disk really kept
};

struct CopyCheck {
  CopyState state = CopyState::absent;
  std::uint64_t bytes = 0;
  std::string problem;  // when damaged: what is wrong, a sentence
};

// Reads and hashes the replica whole. A good one is noted in pool.verified, another is forgotten there. A replica that
// cannot be read at all is damaged; one on a volume that is not there is absent; one that this machine has no descriptor or
// memory left to open is unknown: nothing is held against it.
CopyCheck check_copy(Pool& pool, Volume& volume, const Digest& digest, ReadFrom from = ReadFrom::cache);

// Whether this process hashed the replica whole within the last 24 hours and the file still looks the same.
bool is_verified_copy(Pool& pool, Volume& volume, const Digest& digest);

// Syncs file, directory and parents of a replica that was just found good, and notes it as durable.
Status make_copy_durable(Pool& pool, Volume& volume, const Digest& digest);

// Writes a replica to `to` from the one on `from`, hashing on the way. ok: durable there. corrupt: `from` is not good.
// already_exists: `to` has a file of that name.
Status copy_replica(Pool& pool, Volume& from, Volume& to, const Digest& digest);

}  // namespace greffe::store

#endif
