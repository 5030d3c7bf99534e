// The read path of objects: only bytes that were hashed lately, repair on the way. Thread-safe.
#ifndef GREFFE_ARCHIVE_STORE_OBJECT_READER_H
#define GREFFE_ARCHIVE_STORE_OBJECT_READER_H

#include <memory>

#include "archive/store/object_repair.h"

namespace greffe::store {

// See ObjectStore. A damaged replica that is met on the way is repaired before these return (a writer's pool).
Result<std::shared_ptr<ReadableFile>> open_local_object(Pool& pool, ObjectRepair& repair, const Digest& digest);
Result<Bytes> read_local_object(Pool& pool, ObjectRepair& repair, const Digest& digest);
Result<bool> prove_local_object(Pool& pool, ObjectRepair& repair, const Digest& digest);

}  // namespace greffe::store

#endif
