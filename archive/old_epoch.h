// An earlier epoch of the archive that writes here now: its log, which this pool holds at least to the state that the next epoch goes on
// from, and who signed it.
#ifndef GREFFE_ARCHIVE_OLD_EPOCH_H
#define GREFFE_ARCHIVE_OLD_EPOCH_H

#include "archive/main_log.h"

namespace greffe::archive {

struct OldEpoch {
  tlog::LogChain::Link link;
  VerifierKey log_key;
  std::uint64_t pin = 0;         // entries of its log that the next epoch goes on from
  std::uint64_t next_first = 0;  // number of the first entry of the next epoch
};

// not_found: this archive has no earlier epoch with that origin.
Result<OldEpoch> old_epoch(const MainLog& main_log, const std::string& origin);

}  // namespace greffe::archive

#endif
