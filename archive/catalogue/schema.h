// The tables of the catalogue. A change of anything here or in search_text.cc needs a new kSchemaVersion: files of
// another version are rebuilt, never migrated.
#ifndef GREFFE_ARCHIVE_CATALOGUE_SCHEMA_H
#define GREFFE_ARCHIVE_CATALOGUE_SCHEMA_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "archive/base/clock.h"
#include "archive/base/result.h"
#include "archive/catalogue/sqlite.h"

namespace greffe::catalogue {

constexpr std::int64_t kSchemaVersion = 5;

Status create_schema(Connection& db);  // with the tokenizer registered

// Every table that is not made by SQLite itself, with the columns that order its dump.
struct Table {
  std::string_view name;
  std::string_view order;
};
const std::vector<Table>& dumped_tables();

// Hearings are numbered by their start, so that the order of numbers is the order of a page and a range of dates is a
// range of numbers: whole seconds since 1970, then 12 bits to tell apart hearings of one second.
constexpr int kRowBitsPerSecond = 12;
constexpr std::int64_t first_row_at(UtcTime start) { return (start.ms / 1000) << kRowBitsPerSecond; }

Result<std::string> meta(Connection& db, std::string_view name);  // empty when absent
Status set_meta(Connection& db, std::string_view name, std::string_view value);

}  // namespace greffe::catalogue

#endif
