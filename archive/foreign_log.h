// A replica's copy of another archive's main log, below "log/from/<SHA-256 of origin>". Every root is recomputed from
// bytes; nothing is taken whose hearings or documents are not held. Thread-safe.
#ifndef GREFFE_ARCHIVE_FOREIGN_LOG_H
#define GREFFE_ARCHIVE_FOREIGN_LOG_H

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "archive/deposit.h"
#include "archive/entries_ahead.h"
#include "archive/hearing_logs.h"
#include "archive/tlog/log_piece.h"

namespace greffe::archive {

class ForeignLogs {
 public:
  // An origin that this replica holds, with the key that signs its main log (from its own `key` entries, role "origin").
  // `ahead`: what is known ahead of the logs; none: nothing is.
  ForeignLogs(Clock& clock, Stores stores, HearingLogs& hearings, MainLog& own_log, const PrivateKey& holder_key, EntriesAhead* ahead = nullptr);
  ~ForeignLogs();

  // As Deposit, for documents that main-log entries name. denied: the peer is not this origin's replicator.
  Result<std::vector<Digest>> missing(const Peer& peer, const std::string& origin, const std::vector<Digest>& digests);
  Result<std::unique_ptr<store::ObjectWriter>> begin_object(const Peer& peer, const std::string& origin, std::uint64_t size);
  Status deposited(const std::string& origin, const Digest& digest, std::uint64_t size);
  // Appends main-log entries; cosigned when every hearing checkpoint and document among them is held here, but what two
  // officers declared lost, among them or in entries further on that are shown. denied also: something is declared lost
  // without two officers.
  Result<std::variant<Receipt, Unready>> append(const Peer& peer, const std::string& origin, std::uint64_t first,
                                                const std::vector<std::string>& entries, std::string_view checkpoint,
                                                const std::vector<ShownEntry>& shown = {});
  Result<SignedCheckpoint> checkpoint(const std::string& origin);
  // The key that signs this main log, and the right edge of what is held of it. denied: the peer is not this origin's replicator.
  struct Held {
    VerifierKey key;
    TreeEdge edge;
  };
  Result<Held> held(const Peer& peer, const std::string& origin);
  // A document that an entry held here names, for the origin's own replicator or reader, to which it may have been lost. not_found: no
  // entry names it, or no volume has it. Reads that one entry, or the log from its beginning up to one that names it.
  Result<std::shared_ptr<ReadableFile>> open_document(const Peer& peer, const std::string& origin, const Digest& digest,
                                                      const std::optional<std::uint64_t>& entry = std::nullopt);
  // For a site that rebuilds its pool: entries from `first` on, of its main log or of one of its hearings. denied: the peer is not
  // the replicator of that archive. not_found: nothing is held.
  Result<tlog::LogPiece> read_entries(const Peer& peer, const std::string& origin, std::uint64_t first, std::optional<std::uint64_t> last);
  Result<tlog::LogPiece> read_entries(const Peer& peer, const HearingId& id, std::uint64_t first, std::optional<std::uint64_t> last);
  // Also those that its main log here does not name yet. As tlog::hearings_of.
  Result<std::vector<HearingId>> hearings_of_day(const Peer& peer, const std::string& origin, std::string_view day);
  // The origin whose SHA-256 an address names. not_found: not held here.
  Result<std::string> origin_of(const Digest& digest) const;
  Result<std::vector<std::string>> origins() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace greffe::archive

#endif
