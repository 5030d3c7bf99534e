// Re-derives every piece of entries that are known ahead of their objects, on every volume; repairs what can be. For scrub, `check` and the
// keeper. Blocks.
#ifndef GREFFE_ARCHIVE_AHEAD_CHECK_H
#define GREFFE_ARCHIVE_AHEAD_CHECK_H

#include <cstdint>
#include <stop_token>
#include <vector>

#include "archive/store/object_store.h"
#include "archive/tlog/log_check.h"

namespace greffe::archive {

struct AheadCheck {
  std::uint64_t pieces = 0;
  std::uint64_t bytes = 0;  // of one replica each
  std::vector<tlog::LogFinding> findings;  // `lost`: no volume has bytes that are what the piece's name says
};

// Pieces may come and go meanwhile. `remover`: takes a lost piece away, so that nothing behind it counts as known and it is sent again; none:
// it stays.
Result<AheadCheck> check_ahead(store::ObjectStore& objects, store::ReplicaRepair& replicas, store::StageRemover* remover, tlog::CheckMode mode,
                               const std::stop_token& stop = {});

}  // namespace greffe::archive

#endif
