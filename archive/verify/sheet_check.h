// A closing sheet, or the text of the code that is printed on it, against the keys and the recording
// (docs/formats/closing-sheet.md).
#ifndef GREFFE_ARCHIVE_VERIFY_SHEET_CHECK_H
#define GREFFE_ARCHIVE_VERIFY_SHEET_CHECK_H

#include <optional>
#include <string>

#include "archive/format/closing_sheet.h"
#include "archive/format/policy.h"
#include "archive/verify/hearing_check.h"
#include "archive/verify/report.h"

namespace greffe::verify {

struct Sheet {
  std::string file;
  SignedCheckpoint note;              // the station's, over the hearing's log
  HearingOrigin origin;
  std::optional<ClosingSheet> whole;  // none: only the note was given, as it was read from paper
};
// Nothing: it is a sheet that the key in it did not sign (finding `sheet-signature`). invalid: neither a sheet nor a note.
Result<std::optional<Sheet>> read_sheet(const std::string& file, Report& report);

// Without the recording: what is missing for a verdict. Findings: `sheet-alone`, `sheet-archive`.
void check_sheet_alone(const Sheet& sheet, const Policy& policy, Report& report);
// Against a hearing that was checked. Findings: `sheet-hearing`, `sheet-root`, `sheet-signature`, `sheet-differs`.
void check_sheet(const Sheet& sheet, const HearingCheck& hearing, Report& report);

}  // namespace greffe::verify

#endif
