// What anybody can say of a hearing in the spool by looking at it: what it holds, and how far it is covered. Reads only
// what is signed, takes no lock and changes nothing.
#ifndef GREFFE_INGEST_SPOOLED_HEARING_H
#define GREFFE_INGEST_SPOOLED_HEARING_H

#include <optional>
#include <string>
#include <vector>

#include "ingest/delivery.h"

namespace greffe::ingest {

struct SpooledHearing {
  HearingId id;
  std::string state;          // "importing", "open", "closed", "continued", "waits" (for the other directory), "damaged"
  std::optional<HearingId> continued;  // where it goes on
  std::string problem;        // of a damaged one
  UtcTime start;
  std::uint64_t entries = 0;
  ReceiptState receipt;
  bool safe = false;          // closed, and covered as the policy wants it
  bool freed = false;         // its media were removed; its log stays
  std::uint64_t bytes = 0;    // of objects in the spool
  std::vector<std::string> lost;  // what can no longer be delivered: "cam-bench from … to …"
  std::uint64_t objects = 0;
};
Result<SpooledHearing> look_at(FileSystem& files, const IngestSettings& settings, const Enrolment& enrolment, const PublicKey& key,
                               const HearingId& id);

// Does the receipt cover all `entries` as the policy wants it, and since when.
bool covers_all(const IngestSettings& settings, const ReceiptState& receipt, std::uint64_t entries);
UtcTime safe_since(const IngestSettings& settings, const ReceiptState& receipt);

}  // namespace greffe::ingest

#endif
