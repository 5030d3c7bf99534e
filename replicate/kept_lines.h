// What cosigners said of a state of a log that has gone on since, for whoever keeps a log without knowing all their keys.
#ifndef GREFFE_REPLICATE_KEPT_LINES_H
#define GREFFE_REPLICATE_KEPT_LINES_H

#include <string>

#include "archive/format/signed_note.h"
#include "archive/store/object_store.h"

namespace greffe::replicate {

// Keeps `note` beside the log for each key that has signed it but the log's own, as tlog::keep_cosigned does. Never goes back. Whether the lines
// verify is asked by who reads them.
Status keep_lines(store::HeadStore& heads, const std::string& log_path, const SignedCheckpoint& note);

}  // namespace greffe::replicate

#endif
