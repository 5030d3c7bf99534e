// The versions of what a hearing is about: what it was opened with, what the courtroom put in its place while it was
// recorded (`details` entries of its own log), and what the archive corrected (`details` entries of the main log). Rows
// are there for corrected hearings only. Used within the builder's transaction, and by the read side.
#ifndef GREFFE_ARCHIVE_CATALOGUE_DETAILS_VERSIONS_H
#define GREFFE_ARCHIVE_CATALOGUE_DETAILS_VERSIONS_H

#include <cstdint>
#include <string>
#include <vector>

#include "archive/base/clock.h"
#include "archive/base/result.h"
#include "archive/catalogue/sqlite.h"

namespace greffe::catalogue {

struct DetailsVersion {
  bool from_archive = false;      // else of the hearing's own log
  std::uint64_t entry_index = 0;  // in that log
  UtcTime utc;
  UtcTime counts_from;  // utc; of the room's at the latest when the main log had it: its clock may be years ahead
  std::string account;  // archive: pseudonym; room: what the station wrote
  std::string reason;   // archive; empty when its document is lost
  std::string details;  // as hearing.details has it; empty: lost
  std::string details_sha256;
};

// Files more versions, and makes the newest of all the hearing's details.
Status add_details_versions(Connection& db, std::int64_t hearing_row, const std::vector<DetailsVersion>& versions);

// Oldest first; none of a hearing that was never corrected. The opening's comes first. Each log keeps its own order, and
// an entry counts as no earlier than those before it; between the two logs `counts_from` decides, and at the same moment the
// archive's is the later one. So what a clerk corrects stands against all that the room had corrected before, even when a
// room without a network delivers it afterwards.
Result<std::vector<DetailsVersion>> details_versions(Connection& db, std::int64_t hearing_row);

}  // namespace greffe::catalogue

#endif
