// What cosigners said of a log last: beside the log, so that what they have confirmed is remembered when the log goes back.
#ifndef GREFFE_ARCHIVE_TLOG_COSIGNED_H
#define GREFFE_ARCHIVE_TLOG_COSIGNED_H

#include <string>

#include "archive/format/signed_note.h"
#include "archive/store/object_store.h"

namespace greffe::tlog {

// Keeps `note` as the newest that this cosigner gave for a log: the head of "<log>/cosigned/<key id>". Never goes back.
Status keep_cosigned(store::HeadStore& heads, const std::string& log_path, const SignedCheckpoint& note,
                     const VerifierKey& cosigner);
// The newest checkpoint that this cosigner signed; not_found: none yet.
Result<SignedCheckpoint> newest_cosigned(store::HeadStore& heads, const std::string& log_path,
                                         const VerifierKey& cosigner);

}  // namespace greffe::tlog

#endif
