// Walks every object, re-hashes every replica and repairs. Log files are checked by tlog::check_log, which knows what they
// should hold.
#ifndef GREFFE_ARCHIVE_STORE_SCRUB_H
#define GREFFE_ARCHIVE_STORE_SCRUB_H

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/store/object_repair.h"

namespace greffe::store {

struct ScrubSettings {
  std::uint64_t bytes_per_second = 0;  // read from all volumes together; 0: as fast as it goes
  std::string after;                   // local pools: go on behind this key; empty: from the beginning
};

// One object as it was found.
struct ScrubbedObject {
  std::string key;
  ObjectHealth health;
  std::string problem;  // empty, or why no good replica is left, or that the file is not an object
};

struct ScrubTotals {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;     // read and hashed
  std::uint64_t failures = 0;  // replicas that were missing or damaged, and objects without a good one
  std::uint64_t repaired = 0;  // replicas
  bool finished = false;       // false: stopped on the way
};

// How a pool names its objects, and how it looks at one of them.
struct ScrubSource {
  std::function<Status(const std::function<bool(const std::string& key)>& step)> walk;  // `step` returns false to stop
  std::function<Result<ObjectHealth>(const Digest& digest)> check;
};

// `visit` sees every object in the order of the walk; it returns false to stop. cancelled is never returned: a stop gives
// the totals so far. One scrub at a time.
Result<ScrubTotals> scrub_objects(Clock& clock, const ScrubSource& source, const ScrubSettings& settings,
                                  const std::function<bool(const ScrubbedObject&)>& visit, std::stop_token stop);

}  // namespace greffe::store

#endif
