// The closing sheet of a hearing in the spool: made from its signed log and documents, signed by the station, and put
// beside the log as sheet.json and as a page for paper. It adds nothing to the log. See docs/formats/closing-sheet.md.
#ifndef GREFFE_INGEST_CLOSING_SHEET_H
#define GREFFE_INGEST_CLOSING_SHEET_H

#include <optional>
#include <string>

#include "archive/base/file_system.h"
#include "archive/format/closing_sheet.h"
#include "archive/format/names.h"
#include "ingest/settings.h"
#include "ingest/sheet_words.h"

namespace greffe::ingest {

struct FiledSheet {
  ClosingSheet sheet;
  std::string file;  // sheet.json
  std::string page;  // sheet-<language>.html
  Language language = Language::en;
};
// Makes the sheet once; later calls read it back, so that all copies of it are the same. The page is in `language`, or in
// that of the details. Both files are durable when it returns, and a crash leaves each of them whole, old or absent:
// the same call makes them again. Only what is signed is read: nobody need hold the hearing's lock.
// conflict: the hearing is not finished. not_found: no such hearing, or its documents were freed before a sheet was made.
// denied: this station's key is not the one that opened the hearing.
Result<FiledSheet> file_closing_sheet(FileSystem& files, const IngestSettings& settings, const HearingId& id,
                                      std::optional<Language> language = std::nullopt);

}  // namespace greffe::ingest

#endif
