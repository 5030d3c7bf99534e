// Writes a hearing as a folder that greffe-verify accepts and any player opens (docs/formats/export.md). Reads the pool
// only; the caller logs the export first.
#ifndef GREFFE_ARCHIVE_EXPORT_H
#define GREFFE_ARCHIVE_EXPORT_H

#include <string>

#include "archive/catalogue/catalogue.h"
#include "archive/main_log.h"

namespace greffe::archive {

struct Exported {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

// already_exists: the folder is there. A folder that broke off has no manifest and is refused by the verifier.
Result<Exported> export_hearing(FileSystem& files, Clock& clock, Stores stores, const tlog::MainLogPlace& main_log, const catalogue::Catalogue& catalogue,
                                const std::string& policy, const HearingId& id, const std::string& directory);

}  // namespace greffe::archive

#endif
