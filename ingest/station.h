// What a station is: its key and the archive that it was enrolled with. Kept in the station directory.
#ifndef GREFFE_INGEST_STATION_H
#define GREFFE_INGEST_STATION_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "archive/base/file_system.h"
#include "archive/client/archive_client.h"
#include "archive/format/ed25519.h"

namespace greffe::ingest {

struct Enrolment {
  std::string archive;  // its name; the origin of every hearing begins with it
  std::string address;  // empty: prepared without a network, nothing can be delivered yet
  Digest server_key;    // SHA-256 of the server's SubjectPublicKeyInfo
  std::string log_vkey;
  std::vector<VerifierKey> cosigners;
  std::string name;
  std::string court;
  std::string room;
  std::uint64_t epoch = 1;  // the highest that the archive stated
  std::vector<std::string> nodes = {};  // addresses of all machines of the archive, where it has several

  std::optional<UtcTime> since = {};  // when this station followed the archive to this address; none: it was enrolled there

  // The epoch whose keys these are; 1 where there are none yet.
  std::uint64_t keys_epoch() const;
  // The archive as holder: whose cosignature is the receipt. not_found: the code did not name it.
  Result<VerifierKey> holder() const;
  client::ArchiveEndpoint endpoint() const { return {address, server_key, epoch, nodes}; }
};

// The text of enrolment.json. invalid: what is not exactly right in it.
Result<Enrolment> parse_enrolment(std::string_view text);
std::string write_enrolment(const Enrolment& enrolment);

// For people: to which address, in which epoch, and since when.
std::string delivery_words(const Enrolment& enrolment);

std::string station_key_path(const std::string& directory);
std::string enrolment_path(const std::string& directory);
std::string spool_path(const std::string& directory);

// The station's own key; made when there is none and `make` is set (mode 0600, durable). not_found otherwise.
Result<PrivateKey> load_station_key(FileSystem& files, const std::string& directory, bool make);
Result<Enrolment> load_enrolment(FileSystem& files, const std::string& directory);  // not_found: never enrolled
Status save_enrolment(FileSystem& files, const std::string& directory, const Enrolment& enrolment);

// Enrols the key with the one-time code and stores the enrolment; enrol_station makes the station's key if needed. The same code
// can be used again after a crash. conflict: this directory is enrolled with another archive, or as another station.
Result<Enrolment> enrol_key(FileSystem& files, const std::string& directory, std::string_view code, const PrivateKey& key);
Result<Enrolment> enrol_station(FileSystem& files, const std::string& directory, std::string_view code);
// A station that records for `archive` before it can reach it. conflict as above.
Result<Enrolment> prepare_station(FileSystem& files, const std::string& directory, const Enrolment& wanted);

}  // namespace greffe::ingest

#endif
