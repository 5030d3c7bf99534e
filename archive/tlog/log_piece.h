// What is given of a log that a pool holds, when another pool is rebuilt from it: entries a piece at a time, and which hearings there are.
#ifndef GREFFE_ARCHIVE_TLOG_LOG_PIECE_H
#define GREFFE_ARCHIVE_TLOG_LOG_PIECE_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format/names.h"
#include "archive/format/signed_note.h"
#include "archive/store/object_store.h"

namespace greffe::tlog {

constexpr std::size_t kPieceBytes = 4 * 1024 * 1024;
constexpr std::size_t kPieceEntries = 16'384;
constexpr std::size_t kHearingsOfDayMax = 65'536;

struct LogPiece {
  SignedCheckpoint head;             // with all cosignatures
  std::uint64_t first = 0;
  std::vector<std::string> entries;  // verbatim; none when the log ends at or before `first`
  std::vector<std::string> kept;     // of a main log: notes that were kept of its sizes within these entries, smallest first
};

// The entries [first, last) of a log whose head is `head`, as many as a piece takes, one at least. Kept notes that are not of this tree are left
// out: nobody needs them to believe the entries. Errors as LogReader.
Result<LogPiece> read_piece(store::ObjectStore& objects, store::HeadStore& heads, const std::string& log_path, SignedCheckpoint head,
                            std::uint64_t first, std::optional<std::uint64_t> last);

// Hearings of that archive whose logs are in the pool, of one day of UTC as in their ids, "2026-11-22"; sorted. invalid: no day.
Result<std::vector<HearingId>> hearings_of(store::ObjectStore& objects, store::HeadStore& heads, std::string_view archive_name,
                                           std::string_view day);

}  // namespace greffe::tlog

#endif
