// What the verb `docket` of greffe-ingest does and prints.
#ifndef GREFFE_INGEST_PAPER_VERBS_H
#define GREFFE_INGEST_PAPER_VERBS_H

#include <string>

#include "archive/base/file_system.h"
#include "ingest/settings.h"

namespace greffe::ingest {

// The exit status.
Result<int> report_docket(FileSystem& files, const IngestSettings& settings, const std::string& path, bool json);

}  // namespace greffe::ingest

#endif
