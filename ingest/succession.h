// How a station follows its archive to another site. While the archive answers, the station learns its officers and the sites that hold its
// copies (successors.json, beside the enrolment); when it does not, or says itself that a later epoch has begun, all of them are asked for
// the officers' certificate. See docs/decisions/0018-epochs.md.
#ifndef GREFFE_INGEST_SUCCESSION_H
#define GREFFE_INGEST_SUCCESSION_H

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/base/clock.h"
#include "archive/format/successors.h"
#include "ingest/station.h"

namespace greffe::ingest {

std::string successors_path(const std::string& directory);
Result<Successors> load_successors(FileSystem& files, const std::string& directory);  // not_found: never learnt

// Asks the archive, and keeps what it says, durably, once it is proved by the main log whose key the enrolment has. ok as well where the
// archive is too old to say. denied, corrupt, invalid: it does not prove it. conflict: it is silent about an entry that it had shown of this
// same log. After an error what was known stays.
Status learn_successors(FileSystem& files, const std::string& directory, const Enrolment& enrolment, client::ArchiveClient& archive);

// With what the station is enrolled once it follows this certificate; nothing is stored. Nothing: it says nothing new. denied: it does not
// count, in words. conflict: the officers signed for two sites in one epoch.
Result<std::optional<Enrolment>> enrolment_after(const Enrolment& enrolment, const Successors& known, std::string_view certificate, UtcTime now);

// Nobody answers, or somebody else at the archive's address: reasons to look.
constexpr bool may_be_elsewhere(Errc code) { return code == Errc::unavailable || code == Errc::denied; }

struct Search {
  std::optional<Enrolment> found;     // stored already: from now on the station is enrolled with this
  std::vector<std::string> refused;   // certificates that do not count, a sentence for each
};
// Asks the archive, and then the sites that it had named, one after another; gives up those that are silent for five seconds. The first
// certificate that counts is followed: the enrolment is replaced, durably, and the old one is kept beside it as "enrolment-epoch-<n>.json".
// Where another process of this station has followed already, that is taken. Errors: of the disk; nothing has changed.
Result<Search> find_successor(FileSystem& files, Clock& clock, const std::string& directory, const Enrolment& enrolment, const PrivateKey& key,
                              std::stop_token stop = {});
// For people: where the archive goes on, and since when.
std::string succession_words(const Enrolment& followed);

}  // namespace greffe::ingest

#endif
