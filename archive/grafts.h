// What an archive that was promoted takes back of an earlier epoch: when the old log is held here to its end (archive/foreign_log.h), a `graft`
// entry makes it a part of the archive, and behind it, verbatim, stands what of it still says something. See docs/decisions/0018-epochs.md.
// Thread-safe; blocks: reads the old log behind the state that this archive goes on from.
#ifndef GREFFE_ARCHIVE_GRAFTS_H
#define GREFFE_ARCHIVE_GRAFTS_H

#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "archive/deposit.h"
#include "archive/foreign_log.h"
#include "archive/old_epoch.h"

namespace greffe::archive {

class Grafts {
 public:
  // How much comes back in one batch of the main log; a longer end of an old log comes in several, each with a graft of its own.
  struct Limits {
    std::size_t hearings = 400;   // that a graft names: an entry takes 65,535 bytes
    std::size_t entries = 1000;   // said again
    std::size_t bytes = 2 * 1024 * 1024;
  };
  // All of them outlive it.
  Grafts(Clock& clock, HearingLogs& hearings, MainLog& main_log, Deposit& deposit, ForeignLogs& foreign, Limits limits);
  Grafts(Clock& clock, HearingLogs& hearings, MainLog& main_log, Deposit& deposit, ForeignLogs& foreign);

  struct Done {
    std::uint64_t entries = 0;   // of the old log that are said again, in all
    std::uint64_t hearings = 0;  // that have a checkpoint in what came back
    std::uint64_t number = 0;    // of the newest graft of this log, through all epochs
    std::uint64_t size = 0;      // of the old log
  };
  // Makes all of the old log a part of the archive, up to this checkpoint, with which the sender says that it ends there. Asked again it says
  // the same and makes nothing: the main log says what has come back. Stations that only the old site had enrolled are enrolled first, so that
  // their hearings stand before what is said of them. A crash: the same call goes on. Unready: the log is not held here to that size, or is
  // another one. denied: the peer may not, or the old log's key did not sign that. invalid: it ends where this archive goes on from.
  // conflict: more than that is held here. unavailable: the main log is not signed now.
  Result<std::variant<Done, Unready>> make(const Peer& peer, const std::string& origin, std::string_view checkpoint);

 private:
  struct End;
  struct Piece;
  Result<End> read_end(const OldEpoch& epoch, std::uint64_t size) const;
  Result<Piece> read_piece(const OldEpoch& epoch, std::uint64_t from, std::uint64_t size) const;
  struct Newest {
    std::uint64_t number = 0;
    std::uint64_t size = 0;
  };
  Result<std::optional<Newest>> newest_of(const std::string& origin) const;
  Status enrol_stations(const Piece& piece, const End& end);
  Result<std::uint64_t> append(const OldEpoch& epoch, const Piece& piece, const End& end);

  Clock& clock_;
  HearingLogs& hearings_;
  MainLog& main_log_;
  Deposit& deposit_;
  ForeignLogs& foreign_;
  const Limits limits_;
  std::mutex mutex_;  // one graft at a time
};

}  // namespace greffe::archive

#endif
