// The main logs that a pool holds of other archives, through all their epochs: where they lie, who signs them, who may order anything.
#ifndef GREFFE_ARCHIVE_TLOG_COPIED_MAIN_LOG_H
#define GREFFE_ARCHIVE_TLOG_COPIED_MAIN_LOG_H

#include <cstdint>
#include <string>
#include <vector>

#include "archive/format/officers.h"
#include "archive/tlog/log_chain.h"

namespace greffe::tlog {

// Of this origin, one epoch's: below "log/from"; but "log/main" where this pool began it, as that of a site does which came back after
// another one was promoted. corrupt, unavailable: as HeadStore::read_head.
Result<std::string> copied_log_path(store::HeadStore& heads, const std::string& origin);
// All epochs that are held. As LogChain::open.
Result<LogChain> open_copied_log(store::ObjectStore& objects, store::HeadStore& heads, const std::string& archive);

// A log that is signed with this key, and the number of its entry 0 among those of all epochs.
struct SignedLog {
  VerifierKey key;
  std::uint64_t first = 0;
};
// Of each epoch in the chain; `first`: the key of the first one. Later ones say theirs in their promotion.
Result<std::vector<SignedLog>> signed_logs(const LogChain& chain, const VerifierKey& first);
// The officers that entries before `number` name and have not revoked.
Result<Officers> officers_before(const LogChain& chain, std::uint64_t number);

}  // namespace greffe::tlog

#endif
