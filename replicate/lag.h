// How far a target is behind, from durable numbers only: the heads here, and the checkpoints that it cosigned. Never less than the
// truth (I10): what cannot be asked counts as behind.
#ifndef GREFFE_REPLICATE_LAG_H
#define GREFFE_REPLICATE_LAG_H

#include <optional>
#include <string>
#include <vector>

#include "archive/base/clock.h"
#include "replicate/copy_grade.h"
#include "replicate/last_comparison.h"
#include "replicate/log_copier.h"

namespace greffe::replicate {

// Of the entries that no checkpoint covers: the target may know them all the same, ahead of what they name.
struct LogLag {
  std::uint64_t known_ahead = 0;  // entries
  std::uint64_t unknown = 0;      // entries that it neither holds nor knows
  std::optional<UtcTime> oldest;  // of these; of a segment when it ended
};

// What no checkpoint of the target covers. Bytes of the log are those of its entries; documents are counted as objects.
struct ClassLag {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  std::optional<UtcTime> oldest;  // when it was recorded or written
};

struct Lag {
  std::uint64_t main_size = 0;
  std::uint64_t main_held = 0;
  std::uint64_t entries_behind = 0;   // of the main log
  std::uint64_t hearings_behind = 0;
  std::uint64_t hearing_entries_behind = 0;
  std::uint64_t bytes_behind = 0;     // of sound and picture that the target does not hold
  std::optional<UtcTime> oldest;      // of the oldest recording or entry that is not covered
  std::optional<UtcTime> cosigned;    // when the target last confirmed the main log
  ByClass<ClassLag> classes;
  LogLag log;                         // of all logs
  std::string target;                 // the name of its key, or of the copy that has none
  bool is_passive = false;            // nobody answers for it: what it holds is what stands there
  std::optional<CopyGrade> grade;     // of such a copy; none: not known; the caller's to fill in
  std::optional<LastComparison> compared;  // none: never; the caller's to fill in
  std::string not_asked;              // why it could not be asked; empty: it was
  // A copy of which something is known to be bad has not everything.
  bool caught_up() const { return entries_behind == 0 && hearings_behind == 0 && (!grade || grade->bad.empty()); }
  Json json(UtcTime now) const;
  std::string words(UtcTime now) const;
};

// Time grows with what is behind, memory does not. Errors are those of the source: a target that does not answer is measured by
// what it has confirmed here. Without a key the target is a copy that confirms nothing: it holds what stands there and has the
// source's root, and nothing when it is not there. `name`: of such a one.
Result<Lag> measure_lag(const Source& source, CopySite& target, const std::optional<VerifierKey>& target_key, const std::string& name = {});

// What only a running service knows of a target.
struct LiveFacts {
  ByClass<std::uint64_t> rate{};               // bytes a second, over five minutes
  std::uint64_t holes = 0;
  std::optional<std::int64_t> round_trip_ms;   // of the newest echo
  std::int64_t silent_ms = 0;                  // since the last echo, or since the service began
  std::string problem;                         // why it does not go on; empty: it does
};
// Adds them to what Lag::json() gave, or to nothing.
void add_live(Json& lag, const LiveFacts& live);
// The time until everything is there, from the bytes behind and the rate that stand in it; nothing where that cannot be said.
void add_drain(Json& lag);
// In words, a line each.
std::string live_words(const Json& with_live);

}  // namespace greffe::replicate

#endif
