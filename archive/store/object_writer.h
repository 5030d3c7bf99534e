// The write path of one object: one hash, R files, one commit.
#ifndef GREFFE_ARCHIVE_STORE_OBJECT_WRITER_H
#define GREFFE_ARCHIVE_STORE_OBJECT_WRITER_H

#include <memory>

#include "archive/store/object_commit.h"
#include "archive/store/object_repair.h"
#include "archive/store/object_store.h"

namespace greffe::store {

// Reserves room and opens the replicas. no_space: names the volumes and what they lack. unavailable: fewer than W
// volumes take objects now. invalid: larger than any object. The pool and its parts must outlive the writer.
Result<std::unique_ptr<ObjectWriter>> begin_local_object(Pool& pool, GroupCommit& commits, ObjectRepair& repair,
                                                         std::uint64_t size);

}  // namespace greffe::store

#endif
