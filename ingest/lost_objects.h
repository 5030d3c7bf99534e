// Objects that the station's disk no longer gives back: gone, unreadable, or with other bytes than their name says. They never
// hold up the rest. Whoever meets one leaves a mark in lost/ (no lock is needed for that); whoever writes the hearing's log
// says so in a `lost` entry; a log that is finished already goes on in a new hearing that says it.
#ifndef GREFFE_INGEST_LOST_OBJECTS_H
#define GREFFE_INGEST_LOST_OBJECTS_H

#include <set>
#include <string>
#include <vector>

#include "archive/client/archive_client.h"
#include "ingest/settings.h"
#include "ingest/spool.h"
#include "ingest/station.h"

namespace greffe::ingest {

// Reads the whole object, a second time if the first fails. Errors only where the disk is not to blame: unavailable, denied.
Result<bool> is_whole_object(FileSystem& files, const SpoolPaths& paths, const Digest& digest);

// Durable marks, each the name of an object.
Status note_lost(FileSystem& files, const SpoolPaths& paths, const Digest& digest);
Result<std::set<Digest>> noted_lost(FileSystem& files, const SpoolPaths& paths);

// Every digest that the entries [first, …) name, each once; not those that a `lost` entry among them excuses.
Result<std::vector<Digest>> objects_of(const std::vector<std::string>& entries, std::uint64_t first);

// What these objects were, in words: "cam-bench from 09:02:50 to 09:03:00". Those that `lost` entries name already, or those
// given.
std::vector<std::string> lost_parts(const std::vector<std::string>& entries);
std::vector<std::string> parts_of(const std::vector<std::string>& entries, const std::set<Digest>& objects);

struct LostSettled {
  bool deliver_again = false;          // the log says it now, or the rest stands in another hearing
  std::string words;                   // what the user must know
};
// To be called when the delivery of a hearing answers `corrupt`: reads everything of it that no receipt covers, and sees to it
// that what is lost is said. conflict: the process that records this hearing has to say it (HearingSpool::declare_lost). denied:
// nothing is lost here; the archive asks for what it has confirmed, and what was removed for that reason.
Result<LostSettled> settle_lost(FileSystem& files, const IngestSettings& settings, const Enrolment& enrolment, const PrivateKey& key,
                                client::ArchiveClient& archive, const HearingId& id);

}  // namespace greffe::ingest

#endif
