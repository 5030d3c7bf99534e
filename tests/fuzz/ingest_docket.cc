// The day's list: what is read has sane lines, can be stored as details, and problems always say something.
#include <cstdint>

#include "archive/base/result.h"
#include "ingest/docket.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  static const auto zone = greffe::Zone::named("Europe/Paris");
  GREFFE_CHECK(zone);
  const greffe::ingest::Docket docket = greffe::ingest::read_docket(text, &*zone);
  for (const auto& row : docket.rows) {
    GREFFE_CHECK(row.line > 1 && !row.court.empty() && !row.room.empty() && !row.details.cases.empty());
    GREFFE_CHECK(greffe::parse_details(greffe::write_details(row.details)));
  }
  std::uint64_t line = 1;
  for (const auto& problem : docket.problems) {
    GREFFE_CHECK(problem.line >= line && !problem.what.empty() && greffe::is_valid_utf8(problem.column));
    line = problem.line;
  }
  return 0;
}
