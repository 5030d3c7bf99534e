// All that a catalogue says, as text: equal dumps are equal catalogues. One thread at a time for a connection.
#ifndef GREFFE_ARCHIVE_CATALOGUE_DUMP_H
#define GREFFE_ARCHIVE_CATALOGUE_DUMP_H

#include <functional>
#include <string_view>

#include "archive/base/result.h"
#include "archive/catalogue/sqlite.h"

namespace greffe::catalogue {

// Every row of every table in a fixed order. cancelled: `write` returned false. Others as Connection's.
Status dump_tables(Connection& db, const std::function<bool(std::string_view line)>& write);

}  // namespace greffe::catalogue

#endif
