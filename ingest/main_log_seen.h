// The newest checkpoint of the archive's main log that this station has seen. A hearing's `open` entry names it, so that
// nobody can later claim that the hearing is older. Kept in the station directory; it only ever grows. With a promotion another log begins:
// what was seen of the one before is set aside as "main-checkpoint-epoch-<n>".
#ifndef GREFFE_INGEST_MAIN_LOG_SEEN_H
#define GREFFE_INGEST_MAIN_LOG_SEEN_H

#include <optional>
#include <string>

#include "ingest/station.h"

namespace greffe::ingest {

std::string main_checkpoint_path(const std::string& directory);

// Nothing: none was ever seen, or what is kept does not verify with the key of the enrolment. A recording begins anyway.
std::optional<Checkpoint> newest_seen(FileSystem& files, const std::string& directory, const Enrolment& enrolment);

// Asks the archive, and keeps its answer, durably, once it verifies: signed by the main log's key of the enrolment code,
// and proved to continue what was seen before. conflict: the archive shows a main log that is older than what it showed
// before, or another one; nothing is changed. denied: not signed by that key. unavailable and so on: as the client says.
Status look_at_main_log(FileSystem& files, const std::string& directory, const Enrolment& enrolment, client::ArchiveClient& archive);

// Believes the main log that the archive shows now, whatever was seen before: for an operator who was told that the archive was
// restored from an older state. Still signed by the key of the enrolment code, or denied.
struct AcceptedMainLog {
  std::uint64_t before = 0;  // entries that were seen; 0: none
  std::uint64_t now = 0;
  bool continues = false;    // it is the one that was known; there was nothing to accept
};
Result<AcceptedMainLog> accept_main_log(FileSystem& files, const std::string& directory, const Enrolment& enrolment, client::ArchiveClient& archive);

}  // namespace greffe::ingest

#endif
