// The one write path: objects and entries of hearings, from a station or (at a replica) from another archive's
// replicator. Thread-safe.
#ifndef GREFFE_ARCHIVE_DEPOSIT_H
#define GREFFE_ARCHIVE_DEPOSIT_H

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "archive/entries_ahead.h"
#include "archive/hearing_logs.h"
#include "archive/held_log.h"
#include "archive/main_log.h"
#include "archive/unfiled_bytes.h"

namespace greffe::archive {

// Who is at the other end, as its TLS key and the main log say.
struct Peer {
  // A reader is another archive that may read the copies of what it recorded, and nothing else; its key's name is that archive's. What is
  // returning is the site that was this archive before it was promoted elsewhere, with what only that has; its key's name is the origin of
  // the old main log.
  enum class Kind { station, replicator, reader, returning };
  Kind kind = Kind::station;
  catalogue::KnownKey key;
};

class Deposit {
 public:
  struct Limits {
    std::uint64_t pending_bytes_per_hearing = 64ull * 1024 * 1024 * 1024;  // deposited but not named by an entry
    std::int64_t commit_interval_ms = 30'000;
  };
  // `ahead`: at a replica, what is known ahead of the logs; none: nothing is.
  Deposit(Clock& clock, Log& log, Stores stores, HearingLogs& hearings, MainLog& main_log, UnfiledBytes& unfiled,
          const PrivateKey& holder_key, std::string role, Limits limits, EntriesAhead* ahead = nullptr);
  ~Deposit();  // stops the thread "gr-commit"

  // Start-up, before anything is served, and when stations were enrolled whose hearings had come back before: appends every hearing head newer
  // than its last main-log entry, and counts anew what stations had sent without entries. While the main log is not signed (MainLog::refusal), ok: it is done as soon as it is.
  Status catch_up();

  // The one of these digests that this hearing does not hold: what another hearing holds counts as missing.
  Result<std::vector<Digest>> missing(const HearingId& id, const std::vector<Digest>& digests);
  // denied: the peer may not write to this hearing. no_space: the station's quota of what no entry names is used up (entries
  // that name it make room), or the volumes are full.
  Result<std::unique_ptr<store::ObjectWriter>> begin_object(const Peer& peer, const HearingId& id, const Digest& digest,
                                                            std::uint64_t size);
  // The object was committed for this hearing; to be called before the peer is told so.
  void deposited(const Peer& peer, const HearingId& id, const Digest& digest, std::uint64_t size);

  // Appends entries [first, …) whose tree is `checkpoint`. In order: signature and consistency -> objects proved ->
  // stage, verify, head, tiles (LogWriter) -> main log when due -> cosign -> answer. Sending the same again is ok.
  // denied: key unknown, revoked, or not this hearing's. invalid: an entry, the checkpoint or the tree is wrong. unavailable also: this
  // archive does not sign its main log at the moment, and says why.
  // `shown`: at a second site, entries further on in this log or in the main log that declare lost what was not sent.
  Result<std::variant<Receipt, Unready>> append(const Peer& peer, const HearingId& id, std::uint64_t first,
                                                const std::vector<std::string>& entries, std::string_view checkpoint,
                                                const std::vector<ShownEntry>& shown = {});
  // The held checkpoint with all cosignatures. not_found: nothing is held.
  Result<SignedCheckpoint> checkpoint(const HearingId& id);
  // Proof that the held log of `size` entries continues its first `old_size`. invalid: sizes that it never had.
  Result<std::vector<Digest>> consistency(const HearingId& id, std::uint64_t old_size, std::uint64_t size);
  // A cosigner's line on a hearing checkpoint that this archive holds.
  Status add_cosignature(const HearingId& id, const SignedCheckpoint& cosigned, const VerifierKey& cosigner);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace greffe::archive

#endif
