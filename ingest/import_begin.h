// Finds the hearing that an import belongs to: a new one, one that this very import had begun before a crash, or an
// open one that it continues.
#ifndef GREFFE_INGEST_IMPORT_BEGIN_H
#define GREFFE_INGEST_IMPORT_BEGIN_H

#include <cstdint>
#include <memory>

#include "archive/base/clock.h"
#include "ingest/import_plan.h"
#include "ingest/settings.h"
#include "ingest/spool.h"
#include "ingest/station.h"

namespace greffe::ingest {

struct BegunImport {
  std::unique_ptr<HearingSpool> spool;
  std::uint64_t number = 0;  // of the record: import-<number>.json
  ImportRecord record;
  bool resumed = false;
};
// The record and the documents are durable when it returns. conflict: the hearing is finished, or another import of it
// was broken off and must be finished first. not_found: no such hearing. no_space: a new hearing is not admitted.
Result<BegunImport> begin_import(FileSystem& files, Clock& clock, const IngestSettings& settings, const Enrolment& enrolment,
                                 const PrivateKey& key, const ImportPlan& plan);

// The import records of a hearing, in order. A missing number ends them.
Result<std::vector<ImportRecord>> read_import_records(FileSystem& files, const SpoolPaths& paths);
// The hearings of the spool, oldest first. Names that are none are left out.
Result<std::vector<HearingId>> list_hearings(FileSystem& files, const std::string& station_directory);
// Of the name of a hearing's directory that was never put into place.
constexpr std::string_view kUnfinishedHearing = ".new";
// Removes such directories. Under the spool's lock.
Status sweep_unfinished(FileSystem& files, const std::string& spool);
SpoolPaths spool_of(const std::string& station_directory, const HearingId& id);

}  // namespace greffe::ingest

#endif
