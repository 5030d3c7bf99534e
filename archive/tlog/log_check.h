// Re-derives every tile, bundle and root of one log, from the signed head downwards, on every volume; repairs what can
// be. For scrub and `check`.
#ifndef GREFFE_ARCHIVE_TLOG_LOG_CHECK_H
#define GREFFE_ARCHIVE_TLOG_LOG_CHECK_H

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/store/object_store.h"

namespace greffe::tlog {

struct LogFinding {
  std::string key;
  std::vector<std::string> missing;    // volumes
  std::vector<std::string> different;  // volumes
  unsigned repaired = 0;               // replicas written
  bool lost = false;                   // no volume has bytes that fit the head: bring them from the other site
};

struct LogCheck {
  std::string head;         // the note whose tree was derived again
  std::string first;        // entry 0 of it; empty: it is lost, or the check was stopped before it was read
  std::uint64_t size = 0;   // of the head
  std::uint64_t files = 0;  // tiles, bundles and the stage
  std::uint64_t bytes = 0;  // of one replica each
  std::vector<LogFinding> findings;
  bool finished = false;    // false: stopped on the way
  bool clean() const { return finished && findings.empty(); }
};

enum class CheckMode { report, repair };

// not_found: there is no such log. corrupt: what is stored does not lead to the head's root on any path, so that nothing
// can be judged. The signature of the head is the caller's to check. A log that is being written may be checked.
Result<LogCheck> check_log(store::ObjectStore& objects, store::HeadStore& heads, store::ReplicaRepair& replicas,
                           const std::string& log_path, CheckMode mode, std::stop_token stop = {});

}  // namespace greffe::tlog

#endif
