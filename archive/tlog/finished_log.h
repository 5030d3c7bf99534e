// Single entries of a log to which nothing is added any more. LogWriter::finalise has stored its partial tiles, so that its
// last entries and one row of hashes prove them, where LogReader reads every tile of it. Thread-safe.
#ifndef GREFFE_ARCHIVE_TLOG_FINISHED_LOG_H
#define GREFFE_ARCHIVE_TLOG_FINISHED_LOG_H

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "archive/format/digest.h"
#include "archive/store/object_store.h"

namespace greffe::tlog {

// The entries at `indices` (ascending, below `size`), proved by the root of the tree of `size`. invalid: the log is too long for this, or
// there is no such index. not_found: it was not finalised at this size. corrupt: the first replica of a file does not lead to the
// root. After any of them LogReader may still find the entries.
Result<std::vector<std::string>> finished_entries(store::ObjectStore& objects, const std::string& log_path, std::uint64_t size,
                                                  const Digest& root, std::span<const std::uint64_t> indices);

}  // namespace greffe::tlog

#endif
