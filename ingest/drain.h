// The whole spool: what is in it, deliver what is not safe yet, free what policy allows. One thread.
#ifndef GREFFE_INGEST_DRAIN_H
#define GREFFE_INGEST_DRAIN_H

#include <string>
#include <vector>

#include "ingest/delivery.h"

namespace greffe::ingest {

struct SpooledHearing {
  HearingId id;
  std::string state;          // "importing", "open", "closed", "continued", "damaged"
  std::optional<HearingId> continued;  // where it goes on
  std::string problem;        // of a damaged one
  UtcTime start;
  std::uint64_t entries = 0;
  ReceiptState receipt;
  bool safe = false;          // closed, and covered as the policy wants it
  bool freed = false;         // its media were removed; its log stays
  std::uint64_t bytes = 0;    // of objects in the spool
  std::uint64_t objects = 0;
};
Result<SpooledHearing> look_at(FileSystem& files, const IngestSettings& settings, const Enrolment& enrolment, const PublicKey& key,
                               const HearingId& id);

struct DrainOutcome {
  std::vector<SpooledHearing> hearings;
  std::vector<std::string> problems;  // sentences; delivery goes on with the next hearing
  std::vector<std::string> notices;   // sentences: what was done that the user must know
  std::uint64_t delivered = 0;        // hearings that got a receipt now
  std::uint64_t freed_bytes = 0;
};
// Tries every hearing that is not safe, again and again with growing pauses while `retry_for_s` lasts, as long as what
// stands in the way may pass. Stores the highest epoch that was seen.
Result<DrainOutcome> drain(FileSystem& files, Clock& clock, const IngestSettings& settings, std::int64_t retry_for_s);

}  // namespace greffe::ingest

#endif
