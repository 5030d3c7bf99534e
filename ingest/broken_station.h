// Drains the disk of a broken station that is mounted at this one, read-only. What its key has signed is handed over under its own
// checkpoints where its key can be read there; everything else (its unsigned tail, segments that were not finished, what its key
// cannot deliver any more) is filed by this station as a new hearing that continues the old one, flagged `recovered`. Nothing is
// added under the old key, and nothing on that disk is changed. One thread.
#ifndef GREFFE_INGEST_BROKEN_STATION_H
#define GREFFE_INGEST_BROKEN_STATION_H

#include <optional>
#include <string>
#include <vector>

#include "archive/base/clock.h"
#include "ingest/spooled_hearing.h"

namespace greffe::ingest {

struct RecoveredHearing {
  HearingId hearing;
  std::uint64_t signed_entries = 0;    // on that disk
  std::uint64_t held = 0;              // of those, the archive holds
  std::optional<HearingId> continued;  // where the rest stands, in this station's spool; none: there is no rest
  std::vector<std::string> lost;       // what could not be read
};
struct RecoveryOutcome {
  std::string station;
  std::vector<RecoveredHearing> hearings;
  std::uint64_t nothing_to_do = 0;     // hearings that the archive has, as their receipts say
  std::vector<std::string> problems;   // sentences; the others go on. The same command again goes on where it was
};

// `from`: the station directory of the broken station. The rest is only filed in this spool; drain() delivers it. invalid: it
// records for another archive, or is this very station.
Result<RecoveryOutcome> recover_station(FileSystem& files, Clock& clock, const IngestSettings& settings, const std::string& from);

// Copies that a broken-off recovery has left: the same command goes on.
struct UnsettledDisk {
  std::string station;
  std::uint64_t hearings = 0;
};
Result<std::vector<UnsettledDisk>> unsettled_disks(FileSystem& files, const IngestSettings& settings);

}  // namespace greffe::ingest

#endif
