// `greffe-archive check`: re-derives every tile and root from entries, every reference, every digest, and the catalogue,
// beside a running archive. Changes nothing.
#ifndef GREFFE_ARCHIVE_POOL_CHECK_H
#define GREFFE_ARCHIVE_POOL_CHECK_H

#include <string>
#include <vector>

#include "archive/format/canonical_json.h"
#include "archive/store/whole_pool.h"

namespace greffe::archive {

struct PoolCheck {
  std::uint64_t logs = 0;
  std::uint64_t entries = 0;
  std::uint64_t objects = 0;
  std::vector<std::string> findings;  // sentences; empty: all is as the logs say
};

Result<PoolCheck> check_pool(FileSystem& files, Clock& clock, store::WholePool& pool, const std::string& catalogue_path);
Json json_of(const PoolCheck& check);

}  // namespace greffe::archive

#endif
