// `greffe-archive check`: re-derives every tile and root from entries, the signature of every log's newest checkpoint, every
// reference, every digest, and the catalogue, beside a running archive, and changes nothing; or repairs, when nothing else
// writes the pool.
#ifndef GREFFE_ARCHIVE_POOL_CHECK_H
#define GREFFE_ARCHIVE_POOL_CHECK_H

#include <string>
#include <vector>

#include "archive/format/canonical_json.h"
#include "archive/format/promotion.h"
#include "archive/store/whole_pool.h"
#include "archive/tlog/log_check.h"

namespace greffe::archive {

struct PoolCheck {
  std::uint64_t logs = 0;
  std::uint64_t entries = 0;
  std::uint64_t objects = 0;
  std::uint64_t repaired = 0;         // replicas written, and the catalogue when it was made anew
  std::vector<std::string> findings;  // sentences; empty: all is as the logs say
};

// `name`: whose catalogue it is, in which epoch. `repair` needs a pool that is open for writing: bad and missing replicas are written from good ones, a catalogue that differs is made
// anew. A finding stays a finding, with what was done about it.
Result<PoolCheck> check_pool(FileSystem& files, Clock& clock, store::WholePool& pool, const EpochName& name, const std::string& catalogue_path,
                             tlog::CheckMode mode = tlog::CheckMode::report);
// The trees and the signatures of their heads alone.
Result<PoolCheck> check_pool_logs(store::WholePool& pool, tlog::CheckMode mode = tlog::CheckMode::report);
Json json_of(const PoolCheck& check);

}  // namespace greffe::archive

#endif
