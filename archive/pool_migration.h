// Moving house: everything in one pool is copied into another one of whatever kind.
//
// Objects and log files come first, in any order and as often as wanted, beside an archive that goes on writing; heads come last, when
// nobody writes the old pool any more, and the main log's is the last of all. So the new pool is no archive until it is a whole one:
// a crash, or a stop in the middle, leaves the old pool as it was and the new one without heads or with old ones, and doing it again
// goes on. Nothing is removed from the old pool.
#ifndef GREFFE_ARCHIVE_POOL_MIGRATION_H
#define GREFFE_ARCHIVE_POOL_MIGRATION_H

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "archive/store/whole_pool.h"

namespace greffe::archive {

struct MigrationTotals {
  std::uint64_t objects = 0;    // in the old pool
  std::uint64_t copied = 0;     // of these, by this call; the others were in the new one already
  std::uint64_t bytes = 0;      // copied
  std::uint64_t log_files = 0;
  std::uint64_t damaged = 0;    // objects of which the old pool has no good replica
  std::vector<std::string> problems;  // the first of those, a sentence each
};

class PoolMigration {
 public:
  // One thread calls. Both pools must outlive this; `to` is open for writing.
  PoolMigration(store::WholePool& from, store::WholePool& to) : from_(from), to_(to) {}

  // Objects that are not in the new pool yet, each hashed on the way, with four threads; `copied` is called by them with the bytes of each.
  // An object without a good replica is counted and left out. unavailable, no_space, io_error: what is copied stays.
  Result<MigrationTotals> copy_objects(const std::function<void(std::uint64_t)>& copied);
  // Files of logs. `still`: nobody writes the old pool, so what changes there is copied too (stages, markers of open hearings).
  // corrupt: the volumes of the old pool hold different bytes under one key; `greffe-archive scrub` there finds out which are right.
  Result<std::uint64_t> copy_log_files(bool still);
  // Everything else is in the new pool, and nobody writes the old one.
  Status copy_heads();

 private:
  Status copy_one(const Digest& digest, MigrationTotals& totals, const std::function<void(std::uint64_t)>& copied);
  Status copy_batch(const std::vector<Digest>& batch, MigrationTotals& totals, const std::function<void(std::uint64_t)>& copied);
  Status copy_log_file(const std::string& key, bool still);
  Status copy_head(const std::string& key);

  store::WholePool& from_;
  store::WholePool& to_;
  std::mutex mutex_;  // guards the totals while threads copy
};

}  // namespace greffe::archive

#endif
