// The closing sheet: what was recorded of a finished hearing, in one file that its station signed. Pure.
// See docs/formats/closing-sheet.md.
#ifndef GREFFE_ARCHIVE_FORMAT_CLOSING_SHEET_H
#define GREFFE_ARCHIVE_FORMAT_CLOSING_SHEET_H

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format/documents.h"
#include "archive/format/entries.h"
#include "archive/format/signed_note.h"
#include "archive/format/time_account.h"

namespace greffe {

struct SheetStream {
  ExpectedStream stream;
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;
  std::int64_t duration_90k = 0;  // of the media
  TimeSums time;
};
struct SheetExplanation {  // filed later
  std::string person;
  std::string reason;  // or empty
  std::string note;    // the document, verbatim
};
struct SheetInterruption {
  UtcTime from;
  UtcTime to;
  std::int64_t length_ms = 0;        // on the axis of the account of time
  std::string reason;
  std::vector<std::string> streams;  // {"*"}: all
  std::string person;                // account, or empty
  std::string note;                  // the document, verbatim; empty: none
  std::vector<SheetExplanation> explanations;
};

// What the hearing is about was corrected while it was recorded. Only that, when and by whom: what had been chosen wrongly may
// be the case of others, and the sheet goes to the parties.
struct SheetCorrection {
  UtcTime utc;
  std::string person;  // account, or empty
  Digest details;      // of the document that counted from then on
};

struct ClosingSheet {
  std::string archive;
  HearingId hearing;
  std::string court;
  std::string room;
  std::map<std::string, std::string> court_names;  // by language; empty: not known at the station
  std::map<std::string, std::string> room_names;
  std::string station;
  PublicKey station_key;
  std::optional<HearingId> continues;
  std::string details;     // the document that `open` or the last correction names, verbatim
  std::vector<SheetCorrection> corrections;
  UtcTime start;
  UtcTime end;
  std::string zone;        // IANA name; empty: not known
  std::vector<SheetStream> streams;
  std::vector<SheetInterruption> interruptions;
  std::string checkpoint;  // the station's signed note over the whole log, verbatim

  std::string origin() const { return hearing_origin(archive, hearing); }
  VerifierKey key() const { return {origin(), KeyType::ed25519, station_key}; }
};
constexpr std::size_t kMaxClosingSheetBytes = 16 * 1024 * 1024;

// The signed file. `key` is the station's; the sheet names its public half.
std::string write_closing_sheet(const ClosingSheet& sheet, const PrivateKey& key);
// invalid with the member: not a closing sheet, or it contradicts itself. corrupt: the station key that it names did not
// sign it, or not the checkpoint in it. Whether that key is a station of the archive only the archive's main log shows.
Result<ClosingSheet> parse_closing_sheet(std::string_view file);

}  // namespace greffe

#endif
