// The day's list of hearings, as the registry gives it in a CSV file. What is wrong is said with line, column and remedy;
// what is right is kept. See docs/formats/docket.md.
#ifndef GREFFE_INGEST_DOCKET_H
#define GREFFE_INGEST_DOCKET_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "archive/base/file_system.h"
#include "archive/format/documents.h"
#include "ingest/settings.h"
#include "ingest/station.h"

namespace greffe::ingest {

struct DocketRow {
  std::uint64_t line = 0;
  std::string court;  // as the list writes them: codes or names
  std::string room;
  Details details;    // with the scheduled time
};
struct DocketProblem {
  std::uint64_t line = 0;
  std::string column;  // empty: the row as a whole
  std::string what;    // and the remedy, in one sentence
};
struct Docket {
  std::vector<DocketRow> rows;          // by scheduled time
  std::vector<DocketProblem> problems;  // by line
};

// Never fails as a whole but by a header that names no hearing: then there are no rows. `zone`: of wall times; may be null.
Docket read_docket(std::string_view text, const Zone* zone);
// not_found, io_error: of the file. invalid: too large, or UTF-16.
Result<Docket> load_docket(FileSystem& files, const std::string& path, const Zone* zone);
// Whether the list means this station's room, by its codes or by a name that the configuration gives.
bool is_here(const DocketRow& row, const Enrolment& enrolment, const PlaceSettings& place);

// For the page: {"rows":[{"line","details"}],"problems":[{"line","column","what"}]}, the rows of this room and of the
// court's day (of UTC's without its zone); "details" is a document that `open` takes.
Result<Json> docket_json(FileSystem& files, const IngestSettings& settings, const Enrolment& enrolment, UtcTime now);

}  // namespace greffe::ingest

#endif
