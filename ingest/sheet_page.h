// The closing sheet as a page for paper: one HTML file without scripts that loads nothing. Pure.
#ifndef GREFFE_INGEST_SHEET_PAGE_H
#define GREFFE_INGEST_SHEET_PAGE_H

#include <string>
#include <string_view>

#include "archive/format/closing_sheet.h"
#include "ingest/sheet_words.h"

namespace greffe::ingest {

// Text that stands in HTML as itself, whatever it holds: also characters that would turn the line around it.
std::string escaped(std::string_view text);
// invalid: the checkpoint does not fit into a QR code.
Result<std::string> sheet_page(const ClosingSheet& sheet, Language language);

}  // namespace greffe::ingest

#endif
