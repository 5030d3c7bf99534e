// Growing a log that is held here for its owner: a hearing's for its station, a main log for another archive. One way to
// judge what was posted, one way to answer. The caller holds the log's lock.
#ifndef GREFFE_ARCHIVE_HELD_LOG_H
#define GREFFE_ARCHIVE_HELD_LOG_H

#include <optional>
#include <string>
#include <vector>

#include "archive/base/clock.h"
#include "archive/tlog/log_writer.h"

namespace greffe::archive {

// Why entries were not taken, so that the sender can mend it: HTTP 409, or 400 when its log can never go on here.
struct Unready {
  std::optional<std::uint64_t> held_size;  // send from here on
  std::vector<Digest> missing;             // deposit these first
  std::string detail;
  bool diverged = false;                   // what is held is not the beginning of the sender's log, or its "open" names
                                           // a main log that this archive never had: go on in a new hearing
};

struct Receipt {
  SignedCheckpoint checkpoint;  // with the archive's cosignature: every entry and object is on >= W volumes, fsynced
};

// Exactly this tree is held already: the answer to an earlier sending was lost.
bool is_held(const tlog::LogWriter& writer, const Checkpoint& wanted);

// ok without a value: the entries [first, …) lead from what is held to exactly `wanted`. With one: the sender must begin
// elsewhere, or they lead somewhere else (diverged). invalid: nothing that can be judged was sent. Who signed `wanted`, and what the entries say, is the caller's question.
Result<std::optional<Unready>> check_growth(const tlog::LogWriter& writer, std::uint64_t first, const std::vector<std::string>& entries,
                                            const Checkpoint& wanted);

// The head with this archive's cosignature, made and stored if it is not there yet. Only once all it commits to is durable.
Result<Receipt> cosign_head(Clock& clock, tlog::LogWriter& writer, const VerifierKey& holder, const PrivateKey& key);

}  // namespace greffe::archive

#endif
