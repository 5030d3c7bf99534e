// At a replica: entries that it knows before it holds what they name ("ahead"), so that a log does not wait for its pictures. They are
// knowledge and no promise: nothing is cosigned for them and nobody can play them. A log that grows to where they are makes them superfluous.
// Thread-safe; blocks.
//
// They lie in the pool in pieces (archive/format/ahead_piece.h), which follow one another from what the log holds. A piece is on W
// volumes, synced, before it counts as known. Folders are those of ahead_piece.h.
#ifndef GREFFE_ARCHIVE_ENTRIES_AHEAD_H
#define GREFFE_ARCHIVE_ENTRIES_AHEAD_H

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "archive/base/log.h"
#include "archive/format/ahead_piece.h"
#include "archive/main_log.h"

namespace greffe::archive {

struct KnownAhead {
  std::uint64_t size = 0;  // entries that are held, and those known ahead of them
  Digest root;             // of their tree
};

// Why entries were not taken.
struct NotAhead {
  std::uint64_t known_size = 0;  // send from there
  std::string detail;
  bool diverged = false;         // what is known or held is not the beginning of the sender's log
};

// What must be known to judge the entries that come next.
struct AheadEnd {
  std::uint64_t size = 0;  // 0: nothing is known ahead
  std::string opening;     // entry 0, if it is among what is known ahead
  bool closed = false;     // the last entry known ahead ends the hearing
};

// Of one archive, all its logs together.
struct AheadFacts {
  std::string archive;
  std::uint64_t hearings = 0;
  std::uint64_t entries = 0;       // of hearings
  std::uint64_t main_entries = 0;
  std::uint64_t objects = 0;       // that these entries name; some may have come already
  std::uint64_t bytes = 0;         // of those of them whose size is stated: sound and picture
  std::optional<UtcTime> oldest;   // entry
  bool counted = true;             // false: of some entries nobody has looked yet what they name, so that there is more
};

class EntriesAhead {
 public:
  struct Limits {
    std::uint64_t hearing_bytes = 64ull * 1024 * 1024;            // an eight-hour hearing of four streams has 4 MB
    std::uint64_t main_log_bytes = 4ull * 1024 * 1024 * 1024;     // two days of 3,000 courtrooms
    std::uint64_t all_bytes = 8ull * 1024 * 1024 * 1024;
  };
  // All of them outlive it.
  EntriesAhead(Log& log, Stores stores, Limits limits);
  ~EntriesAhead();

  // `held`: of the log as it is held, in all that follows.
  Result<KnownAhead> known(const std::string& folder, const TreeEdge& held);
  Result<AheadEnd> end(const std::string& folder, std::uint64_t held_size);

  // ok: they are known, durably, up to `wanted` at least (whose signature was checked). invalid: they are none that can be judged.
  // no_space: the limit of this log, or of all, or of the volumes; what is known stays. Other errors: as ObjectStore::put; nothing new is
  // known. The same entries again are ok.
  Result<std::variant<KnownAhead, NotAhead>> take(const std::string& folder, const TreeEdge& held, std::uint64_t first,
                                                  const std::vector<std::string>& entries, const SignedCheckpoint& wanted);

  // Before a log grows by `entries` to `wanted`: in words, how that contradicts what is known ahead. Nothing: it does not. A piece that
  // cannot be read contradicts nothing.
  Result<std::optional<std::string>> contradiction(const std::string& folder, const TreeEdge& held, const std::vector<std::string>& entries,
                                                   const Checkpoint& wanted);
  // The log holds so many entries now, none of which contradicted. What was known of them ahead is removed; a crash leaves it there, where
  // it is found superfluous later.
  void covered(const std::string& folder, std::uint64_t held_size);

  // Files of it were removed or repaired by somebody else: it is read anew.
  void read_again(const std::string& folder);

  // By archive. Of pieces that this process has not seen, only so many are read at a time.
  Result<std::vector<AheadFacts>> facts() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace greffe::archive

#endif
