// Hearings as pages show them, read from the tables. Used by the read side.
#ifndef GREFFE_ARCHIVE_CATALOGUE_HEARING_ROWS_H
#define GREFFE_ARCHIVE_CATALOGUE_HEARING_ROWS_H

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "archive/base/result.h"
#include "archive/catalogue/catalogue.h"
#include "archive/catalogue/sqlite.h"

namespace greffe::catalogue {

// What read_row() expects first in a row, of `hearing h`; other columns may follow from kRowColumnCount on.
constexpr std::string_view kRowColumns =
    "h.row, h.id, h.court, h.room, h.station, h.details, h.start_ms, h.end_ms, h.newest_ms, h.streams, h.closed,"
    " h.gap_count, h.unexcused_gap_count, h.continues";
constexpr int kRowColumnCount = 14;

Result<NamesByLanguage> parse_names(std::string_view json);
Result<Details> parse_kept_details(std::string_view json);  // empty text: lost, empty details

// Reads rows of one page; asks for the names of each place once.
class RowReader {
 public:
  explicit RowReader(Connection& db) : db_(db) {}
  Result<HearingRow> read(const Rows& rows);  // without mark_matches

 private:
  struct Place {
    NamesByLanguage names;
    std::string zone;
  };
  Result<Place> place(const std::string& court, const std::string& room);
  Connection& db_;
  std::map<std::pair<std::string, std::string>, Place> places_;
};

}  // namespace greffe::catalogue

#endif
