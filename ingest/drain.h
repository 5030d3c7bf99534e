// The whole spool: what is in it, deliver what is not safe yet, free what policy allows. One thread.
#ifndef GREFFE_INGEST_DRAIN_H
#define GREFFE_INGEST_DRAIN_H

#include <string>
#include <vector>

#include "ingest/spool_space.h"

namespace greffe::ingest {

struct DrainOutcome {
  std::vector<SpooledHearing> hearings;
  std::vector<std::string> problems;  // sentences; delivery goes on with the next hearing
  std::vector<std::string> notices;   // sentences: what was done that the user must know
  std::uint64_t delivered = 0;        // hearings that got a receipt now
  RoomMade made;                      // room, from what is safe
};
// Tries every hearing that is not safe, again and again with growing pauses while `retry_for_s` lasts, as long as what
// stands in the way may pass. Stores the highest epoch that was seen.
Result<DrainOutcome> drain(FileSystem& files, Clock& clock, const IngestSettings& settings, std::int64_t retry_for_s);

}  // namespace greffe::ingest

#endif
