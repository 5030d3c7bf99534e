// A replica's copies of other archives' main logs, each epoch's apart (archive/tlog/copied_main_log.h says where). Every root is recomputed
// from bytes; nothing is taken whose hearings or documents are not held. Thread-safe.
//
// A later epoch begins with its promotion: taken when the epoch before is held to the state that it goes on from, and two officers whom that
// names signed it. The certificate is durable before the entry is; from then on the epoch before ends there.
//
// An archive that was promoted takes in the same way what only the old site has of an earlier epoch: of its peer in the role `returning`, and
// behind the state that the next epoch goes on from. It is part of the archive when the graft says so (archive/grafts.h).
#ifndef GREFFE_ARCHIVE_FOREIGN_LOG_H
#define GREFFE_ARCHIVE_FOREIGN_LOG_H

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "archive/deposit.h"
#include "archive/entries_ahead.h"
#include "archive/epochs.h"
#include "archive/hearing_logs.h"
#include "archive/tlog/log_piece.h"

namespace greffe::archive {

class ForeignLogs {
 public:
  // Which archives this replica holds, and the key that signs the main log of each one's first epoch, its own `key` entries say (role "origin").
  // `ahead`: what is known ahead of the logs; none: nothing is. All of them outlive it.
  ForeignLogs(Clock& clock, Stores stores, HearingLogs& hearings, MainLog& own_log, Epochs& epochs, const PrivateKey& holder_key,
              EntriesAhead* ahead = nullptr);
  ~ForeignLogs();

  // As Deposit, for documents that main-log entries name. denied: the peer is not the replicator of this origin's archive, nor, where that
  // is an earlier epoch of this one, the site that returns with it.
  Result<std::vector<Digest>> missing(const Peer& peer, const std::string& origin, const std::vector<Digest>& digests);
  Result<std::unique_ptr<store::ObjectWriter>> begin_object(const Peer& peer, const std::string& origin, std::uint64_t size);
  Status deposited(const std::string& origin, const Digest& digest, std::uint64_t size);
  // Appends main-log entries; cosigned when every hearing checkpoint and document among them is held here, but what two
  // officers declared lost, among them or in entries further on that are shown. denied also: something is declared lost
  // without two officers; the log of an epoch that has no place here; or more than the epoch after it goes on from.
  Result<std::variant<Receipt, Unready>> append(const Peer& peer, const std::string& origin, std::uint64_t first,
                                                const std::vector<std::string>& entries, std::string_view checkpoint,
                                                const std::vector<ShownEntry>& shown = {});
  Result<SignedCheckpoint> checkpoint(const std::string& origin);
  // The right edge of what is held of this main log. denied: the peer is not the replicator of its archive.
  Result<TreeEdge> held(const Peer& peer, const std::string& origin);
  // The key that signs these entries from `first` on. That of a later epoch the promotion says: the one that is held, or known, or the first
  // of these entries, which is judged. denied: it does not count here.
  Result<VerifierKey> signer(const Peer& peer, const std::string& origin, std::uint64_t first, const std::vector<std::string>& entries);
  // A document that an entry held here names, for the origin's own replicator or reader, to which it may have been lost. not_found: no
  // entry names it, or no volume has it. Reads that one entry, or the logs of all epochs from the beginning up to one that names it.
  Result<std::shared_ptr<ReadableFile>> open_document(const Peer& peer, const std::string& origin, const Digest& digest,
                                                      const std::optional<std::uint64_t>& entry = std::nullopt);
  // For a site that rebuilds its pool: entries from `first` on, of its main log or of one of its hearings. denied: the peer is not
  // the replicator of that archive. not_found: nothing is held.
  Result<tlog::LogPiece> read_entries(const Peer& peer, const std::string& origin, std::uint64_t first, std::optional<std::uint64_t> last);
  Result<tlog::LogPiece> read_entries(const Peer& peer, const HearingId& id, std::uint64_t first, std::optional<std::uint64_t> last);
  // Also those that its main log here does not name yet. As tlog::hearings_of.
  Result<std::vector<HearingId>> hearings_of_day(const Peer& peer, const std::string& origin, std::string_view day);
  // The origin whose SHA-256 an address names: of an epoch that is held, or the one after it. not_found: another one.
  Result<std::string> origin_of(const Digest& digest) const;
  Result<std::vector<std::string>> origins() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace greffe::archive

#endif
