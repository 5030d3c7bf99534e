// Comma-separated values as RFC 4180 writes them and as spreadsheets write them: LF or CRLF, comma or semicolon, with or
// without a UTF-8 byte order mark. A broken row costs only itself. Pure.
#ifndef GREFFE_INGEST_CSV_H
#define GREFFE_INGEST_CSV_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "archive/base/result.h"

namespace greffe::ingest {

struct CsvRow {
  std::uint64_t line = 0;  // from 1: where it begins
  std::vector<std::string> fields;
};
struct CsvProblem {
  std::uint64_t line = 0;
  std::string what;  // and the remedy, in one sentence
};
struct CsvTable {
  std::vector<CsvRow> rows;  // without empty ones; the first that could be read is the header
  std::vector<CsvProblem> problems;
};
constexpr std::size_t kMaxCsvBytes = 4 * 1024 * 1024;
constexpr std::size_t kMaxCsvRows = 10'000;  // besides the header; broken ones count
constexpr std::size_t kMaxCsvFieldBytes = 16 * 1024;
constexpr std::size_t kMaxCsvRecordBytes = 64 * 1024;

// invalid: too large, or UTF-16.
Result<CsvTable> read_csv(std::string_view text);

}  // namespace greffe::ingest

#endif
