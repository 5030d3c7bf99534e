// The signed checkpoint with which an earlier epoch of a main log ends, for whoever shows a part of it to somebody who follows the chain.
#ifndef GREFFE_ARCHIVE_EPOCH_END_H
#define GREFFE_ARCHIVE_EPOCH_END_H

#include "archive/main_log.h"

namespace greffe::archive {

// Exactly the state that the next epoch goes on from, also when this log is held further: it was kept when the archive was promoted. With the
// lines of the cosigners and witnesses that have signed just this. Signatures are the caller's to check. `link`: of `chain`, not the
// newest. not_found: no signed checkpoint of that size is in this pool.
Result<SignedCheckpoint> end_of_epoch(Stores stores, const catalogue::Catalogue& catalogue, const tlog::LogChain& chain, const tlog::LogChain::Link& link);

// Keeps it, before the next epoch begins. The caller has checked its signature.
Status keep_end_of_epoch(store::ObjectStore& objects, const tlog::LogChain::Link& link, const SignedCheckpoint& end);

// Puts the line of this key, if `from` bears it, beside those of `to`, which is of the same state.
void put_line(const SignedCheckpoint& from, const VerifierKey& key, SignedCheckpoint& to);

}  // namespace greffe::archive

#endif
