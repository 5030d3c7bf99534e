// What entries of logs say about the objects that they name: which are on no volume any more, and which seconds of
// which hearing an object is. Blocks; reads only.
#ifndef GREFFE_ARCHIVE_SCRUB_LOGS_H
#define GREFFE_ARCHIVE_SCRUB_LOGS_H

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "archive/format/entries.h"
#include "archive/store/whole_pool.h"

namespace greffe::archive {

// Where a log names an object.
struct NamedPlace {
  std::string log;  // path
  std::uint64_t entry = 0;
  std::string kind;  // of the entry
  std::optional<HearingId> hearing;
  // Of a segment; an empty stream: it is something else.
  std::string stream;
  UtcTime utc;
  std::int64_t duration_ms = 0;

  std::string words() const;  // "hearing X, stream cam-bench, 10.0 s from 2026-11-22T09:02:50.000Z"
};

// Each with the first entry that names it.
struct NamedTrouble {
  std::map<Digest, NamedPlace> absent;  // no volume that is there has a file of this name; but those of the log's `lost` entries
  std::map<Digest, NamedPlace> wanted;
};

// Objects that entries of a log name and that `is_wanted`, but for what the log's own `lost` entries name; each with the
// first entry that names it. Reads every entry. not_found: files of a log that was never published.
Result<std::map<Digest, NamedPlace>> find_named(store::WholePool& pool, const std::string& log_path,
                                                const std::function<bool(const Digest&)>& is_wanted);

enum class LookForAbsent { no, yes };

// Reads every entry of one log. not_found: files of a log that was never published.
Result<NamedTrouble> look_through_log(store::WholePool& pool, const std::string& log_path, LookForAbsent absent,
                                      const std::function<bool(const Digest&)>& is_wanted);

}  // namespace greffe::archive

#endif
