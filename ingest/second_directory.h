// The two directories of a station, as anybody can look at them: whether the other one is there and is really this station's,
// and what each of them says about the other. Reads, and writes the mark; nothing is remembered.
#ifndef GREFFE_INGEST_SECOND_DIRECTORY_H
#define GREFFE_INGEST_SECOND_DIRECTORY_H

#include <string>
#include <vector>

#include "ingest/settings.h"
#include "ingest/station.h"

namespace greffe::ingest {

// Who a directory says that it is.
struct StationIdentity {
  std::string archive;
  std::string station;
  PublicKey key;
};
Result<StationIdentity> identity_of_directory(FileSystem& files, const std::string& directory);

enum class Presence {
  ours,
  fresh,    // an empty folder: a copy may be begun in it
  absent,   // not there, or it cannot be read: the disk is unplugged, or failing
  foreign,  // somebody else's: never touched
};
struct PresenceFound {
  Presence presence = Presence::absent;
  std::string why;  // of absent and foreign, in words
};
// `directory` beside `own`, which can be read. A folder that does not exist is absent: where a disk is not mounted, nothing is made.
PresenceFound look_for(FileSystem& files, const std::string& directory, const std::string& own);
// The same where nothing is known of this station but its configuration.
PresenceFound look_for(FileSystem& files, const std::string& directory);

// The same, but a disk that does not answer within five seconds is absent: a start must not wait for one that hangs. `files` must outlive
// the process then. `own`: empty, or as above.
PresenceFound look_patiently(FileSystem& files, const std::string& directory, const std::string& own);

// The mark `spool/paired` says: the other directory may hold more than this one, so nothing of this one that was not finished is gone
// on with while the other one cannot be read. A copy has it from its first byte on; the directory that counts gets it, durably,
// before its copy may take over, and loses it when the copy falls behind.
Result<bool> is_paired(FileSystem& files, const std::string& directory);
Status set_paired(FileSystem& files, const std::string& directory, bool paired);  // durable
std::string paired_path(const std::string& directory);

// The station's key, its earlier ones, its enrolment and what it has seen of the main log, where they differ.
Status copy_station(FileSystem& files, const std::string& from, const std::string& to);

}  // namespace greffe::ingest

#endif
