// Which of a station's two directories counts, and what has to be settled before anything is written (docs/decisions/0012-second-directory.md).
// The rule behind all of it: two different trees of one size are never signed. Reads both; blocks; one thread.
#ifndef GREFFE_INGEST_SECOND_START_H
#define GREFFE_INGEST_SECOND_START_H

#include <string>
#include <vector>

#include "archive/base/log.h"
#include "ingest/settings.h"
#include "ingest/spool.h"
#include "ingest/station.h"

namespace greffe::ingest {

struct DirectoryChoice {
  std::string counts;
  std::string other;
  std::string problem;            // why the other one cannot be used, in words; empty: it can
  bool unsure = false;            // the other one may hold more, and cannot be read
  std::vector<HearingId> fetch;   // the other one holds more of these
  std::vector<HearingId> differ;  // two logs of which neither is the beginning of the other
};
// Changes nothing. unavailable: neither can be read.
Result<DirectoryChoice> choose_directory(FileSystem& files, const std::string& first, const std::string& second);

// Whoever is to write the spool that counts calls it first: what the other one holds more is fetched; hearings that waited for it are
// finished; or, where it cannot be read and may hold more, the hearings that were not finished wait for it from here on (`waits.json`), and
// the live one goes on in a new hearing that continues it. `settings`: of the directory that counts. `must_go_on`: where the two cannot be
// brought together, everything is left like that too, because somebody must record; else that is an error.
Status settle_directories(FileSystem& files, Clock& clock, Log& log, const IngestSettings& settings, const DirectoryChoice& choice,
                          bool must_go_on);

// The last part alone: every hearing that is not finished waits for the other directory.
Status leave_unfinished(FileSystem& files, Clock& clock, Log& log, const IngestSettings& settings);

}  // namespace greffe::ingest

#endif
