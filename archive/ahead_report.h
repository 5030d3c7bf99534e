// What a replica knows and does not hold: which hearings, how far, and which of their objects it lacks. For whoever must say what a second
// site lacks when the first one is gone. Reads a pool, also beside the archive that writes it; blocks.
#ifndef GREFFE_ARCHIVE_AHEAD_REPORT_H
#define GREFFE_ARCHIVE_AHEAD_REPORT_H

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "archive/format/entries.h"
#include "archive/store/whole_pool.h"

namespace greffe::archive {

// An object that an entry known ahead names and that is on no volume.
struct LackingObject {
  Digest object;
  std::uint64_t entry = 0;
  std::string kind;                 // of that entry
  std::string stream;               // of a segment; else empty
  std::optional<UtcTime> utc;
  std::optional<std::uint64_t> bytes;
};

// A log of which more is known than held.
struct LackingLog {
  std::string archive;
  std::optional<HearingId> hearing;  // none: the archive's main log
  std::uint64_t held = 0;            // entries, with all that they name
  std::uint64_t known = 0;           // entries, held and ahead
  std::uint64_t named = 0;           // of a hearing: entries that its archive's main log commits to, as far as that is known; above `known`: the rest is not even known
  std::uint64_t objects = 0;         // lacking ones
  std::uint64_t bytes = 0;           // of those whose size an entry states
  std::vector<LackingObject> lacks;  // of the hearing that was asked about
};

struct AheadReport {
  std::vector<LackingLog> logs;       // main logs first, then hearings by id
  std::vector<std::string> problems;  // entries that were known and cannot be read, a sentence each
  Json json() const;
  std::string words() const;
};

// `only`: objects of this hearing are named, and nothing else is reported. `looked`: after each entry.
Result<AheadReport> report_ahead(store::WholePool& pool, const std::optional<HearingId>& only, const std::function<void()>& looked = {});

}  // namespace greffe::archive

#endif
