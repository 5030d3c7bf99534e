// When the archive holds another log of a hearing than this spool (the spool was replaced by an older copy and recorded
// on), what the archive does not have is filed in a new hearing whose `open` entry says `continues`. One thread.
#ifndef GREFFE_INGEST_CONTINUATION_H
#define GREFFE_INGEST_CONTINUATION_H

#include <optional>
#include <string>
#include <vector>

#include "ingest/settings.h"
#include "ingest/spool.h"
#include "ingest/station.h"

namespace greffe::ingest {

// Stands as `continued.json` in the old hearing's directory. What the archive holds of the old one is proved by its own
// words: its checkpoint, signed by this station's key, and a proof that it begins with our first `first` entries.
struct Continuation {
  HearingId hearing;             // the new one
  std::uint64_t first = 0;       // of the old one's entries: from here on they stand in the new one
  std::string held;              // the archive's note; empty: it holds nothing
  std::vector<Digest> proof;
};
std::string write_continuation(const Continuation& continuation);
Result<Continuation> parse_continuation(std::string_view text);
// Nothing: this hearing goes on under its own name.
Result<std::optional<Continuation>> read_continuation(FileSystem& files, const SpoolPaths& paths);
// invalid: the archive's note does not prove that it holds the first `first` entries of `log`.
Status check_continuation(const Continuation& continuation, const SignedLog& log, const PublicKey& station_key, const Enrolment& enrolment);

// Files the rest of `old` from `wanted.first` on (`wanted.hearing` is chosen here); the new hearing's id. Begun before and
// broken off by a crash, it is finished as it was begun. Nothing of `old` is changed or removed. conflict: an import of it
// is not finished. unavailable: another process writes it.
Result<HearingId> continue_elsewhere(FileSystem& files, const IngestSettings& settings, const Enrolment& enrolment, const PrivateKey& key,
                                     const HearingId& old, Continuation wanted, const std::optional<Checkpoint>& seen);

// What a broken station had recorded of a hearing, in a copy of its disk.
struct Salvage {
  SpoolPaths from;
  HearingId hearing;
  std::string station;               // who had recorded it
  std::vector<std::string> entries;  // the signed ones, then those of the unsigned tail that are whole
};
// Files what stands in it from `wanted.first` on, and the segments in its open/, as a hearing of this station: everything is
// flagged `recovered`, and `open` says `recovered_from`. As continue_elsewhere; nothing: there is nothing to file. The new
// hearing is not finished: close_hearing() recovers its open segments.
Result<std::optional<HearingId>> file_salvage(FileSystem& files, const IngestSettings& settings, const Enrolment& enrolment,
                                              const PrivateKey& key, const Salvage& salvage, Continuation wanted,
                                              const std::optional<Checkpoint>& seen);

}  // namespace greffe::ingest

#endif
