// Keeps the text index in step with the rows that it is made from. Used by the builder only; one thread at a time.
#ifndef GREFFE_ARCHIVE_CATALOGUE_TEXT_ROWS_H
#define GREFFE_ARCHIVE_CATALOGUE_TEXT_ROWS_H

#include <cstdint>

#include "archive/base/result.h"
#include "archive/catalogue/sqlite.h"

namespace greffe::catalogue {

// Writes what can be searched of one hearing: its newest details and those that were corrected (an old name still
// finds it), the names of its place, its marks, its scope words; and its case keys. Within the caller's transaction.
Status refresh_text(Connection& db, std::int64_t hearing_row);

}  // namespace greffe::catalogue

#endif
