// Rebuilds one log in a pool from what another site holds of it. Memory: one bundle of entries.
#ifndef GREFFE_ARCHIVE_TLOG_LOG_IMPORT_H
#define GREFFE_ARCHIVE_TLOG_LOG_IMPORT_H

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "archive/store/object_store.h"

namespace greffe::tlog {

struct LogStores {  // one pool; all outlive whoever is given them
  store::ObjectStore& objects;
  store::HeadStore& heads;
  store::StageRemover& stages;
  store::ReplicaRepair& replicas;
};

// The entries from 256 * index on: 256 of them, fewer only at the end. Asked for each once, in order.
using BundleSource = std::function<Result<std::vector<std::string>>(std::uint64_t index)>;

// Makes `note` the head of the log, once full bundles and tiles and the tail's stage are durable and read back. What is there
// already is kept; other bytes under a name of this log are moved aside. Signatures of the old head stay when it is about the same
// tree. A crash leaves no head or the old one, and files that the next call takes over.
// conflict: the head here is of another log, of a larger tree, or of another tree of this size; nothing was changed. corrupt: the
// bundles do not lead to the root of the note: the head was not moved. Who signed the note is the caller's question.
Status import_log(const LogStores& pool, const std::string& log_path, const std::string& note, const BundleSource& bundle);

}  // namespace greffe::tlog

#endif
