// The keys of a station: the one for new hearings, and those that it had before (station-1.key, station-2.key …), under which
// the hearings of their time are delivered.
#ifndef GREFFE_INGEST_HEARING_KEY_H
#define GREFFE_INGEST_HEARING_KEY_H

#include <optional>
#include <string>

#include "ingest/spool.h"
#include "ingest/station.h"

namespace greffe::ingest {

// The key that signs this log, as its `open` entry says. Nothing: it has no entry yet.
std::optional<PublicKey> key_named_in(const SignedLog& log);
// One of the station's earlier keys. not_found: it is not here.
Result<PrivateKey> load_earlier_key(FileSystem& files, const std::string& directory, const PublicKey& wanted);

// Enrols a new key of this station with a code from `station renew` and keeps the old one beside it. The same code can be used
// again after a crash. conflict: a hearing in the spool is not finished; it could not be under another key.
Result<Enrolment> renew_station_key(FileSystem& files, const std::string& directory, std::string_view code);

}  // namespace greffe::ingest

#endif
