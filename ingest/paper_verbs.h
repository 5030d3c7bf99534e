// What the verbs `sheet` and `docket` of greffe-ingest do and print.
#ifndef GREFFE_INGEST_PAPER_VERBS_H
#define GREFFE_INGEST_PAPER_VERBS_H

#include <string>

#include "archive/base/file_system.h"
#include "ingest/settings.h"

namespace greffe::ingest {

struct SheetArguments {
  std::string hearing;
  std::string language;  // empty: that of the details
  std::string out_path;  // empty: only beside the log
};
// The exit status.
Result<int> report_sheet(FileSystem& files, const IngestSettings& settings, const SheetArguments& arguments, bool json);
Result<int> report_docket(FileSystem& files, const IngestSettings& settings, const std::string& path, bool json);

}  // namespace greffe::ingest

#endif
