// Files become a hearing in the spool: read by sandboxed children, merged by wall clock into one log, durable batch by
// batch. Started again after a crash at any moment, the same import goes on where it was. One thread.
#ifndef GREFFE_INGEST_IMPORT_H
#define GREFFE_INGEST_IMPORT_H

#include <memory>
#include <string>
#include <vector>

#include "archive/base/clock.h"
#include "archive/base/file_system.h"
#include "ingest/import_begin.h"
#include "ingest/live_hearing.h"
#include "ingest/media_worker.h"
#include "ingest/settings.h"

namespace greffe::ingest {

struct ImportOutcome {
  HearingId hearing;
  bool resumed = false;      // a part of it, or all, had been done before
  bool closed = false;
  std::uint64_t entries = 0;
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;
  std::vector<std::string> warnings;  // what is wrong with the files, in sentences
};

// A recording and the child that reads it.
struct OpenedTrack {
  StreamRequest request;
  std::unique_ptr<MediaWorker> worker;
  TrackFacts facts;
};
// Every file is looked at before anything is written. To be called before a key is in memory and before there is a second thread: the
// children are forks.
Result<std::vector<OpenedTrack>> open_tracks(const ImportPlan& plan);

// ok: everything that the files hold is in the hearing's log, durable and signed. Otherwise nothing was begun, or what
// was recorded so far stays in the spool and the same import goes on with it later.
Result<ImportOutcome> import_files(FileSystem& files, Clock& clock, const IngestSettings& settings, const ImportPlan& plan,
                                   std::vector<OpenedTrack> tracks);

// Finishes a hearing: what a crash left in open/ is recovered, holes at the end are declared, and `close` is signed. `live`:
// of one that was recorded live, where it does not stand beside the log.
Result<ImportOutcome> close_hearing(FileSystem& files, const IngestSettings& settings, const HearingId& id,
                                    std::optional<LiveRecord> live = std::nullopt);

// What is signed of a hearing, whoever is recording it.
Result<ImportOutcome> look_at_outcome(FileSystem& files, const IngestSettings& settings, const HearingId& id);

}  // namespace greffe::ingest

#endif
