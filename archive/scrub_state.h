// How far the scrub is, as it survives a crash: for each volume the name up to which its replicas were read in this pass,
// when the pass began, and what it found so far. Values and arithmetic; no I/O but load and save. See docs/formats/scrub-state.md.
#ifndef GREFFE_ARCHIVE_SCRUB_STATE_H
#define GREFFE_ARCHIVE_SCRUB_STATE_H

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "archive/base/clock.h"
#include "archive/base/file_system.h"
#include "archive/format/entries.h"
#include "archive/format/merkle.h"

namespace greffe::archive {

// Names are digests, evenly spread: the first bits of one say which share of a volume stands before it.
using NamePosition = std::uint32_t;
constexpr NamePosition kAllNames = 1u << 24;
NamePosition position_of(const Digest& digest);

// A pass takes four fifths of the period, so that a replica has been read again when the period ends also where one pass
// is slower than the one before.
constexpr std::int64_t pass_length_ms(std::int64_t period_ms) { return period_ms / 5 * 4; }

// What every pass counts, of a volume as of the logs.
struct PassSoFar {
  UtcTime began;               // this pass
  std::uint64_t bytes = 0;     // of what was good, of one replica each
  std::uint64_t failures = 0;  // missing or damaged
  TreeEdge results;            // one leaf a replica or log, in the order of names or paths: "<name> good" or "<name> damaged"
  std::uint64_t passes = 0;    // finished ones

  void end();  // the next one begins at nothing; `began` is the caller's
};

// The reading of one volume.
struct VolumePass : PassSoFar {
  static constexpr std::size_t kShares = 16;  // of all names; how finely it is known when what was read

  std::string volume;           // id
  UtcTime since;                // when the scrub saw the volume first
  std::optional<Digest> after;  // every replica with a name up to this one was read in this pass; none: not one was
  std::uint64_t objects = 0;    // replicas read in this pass
  // When the newest reading of each share began; 0: it was never read through.
  std::array<UtcTime, kShares> read{};
  UtcTime entered;              // when this pass came to the share in which it is
  std::int64_t longest_ms = 0;  // that a replica had not been read when this pass came to it; at least as long as it was

  static VolumePass begin(std::string id, UtcTime now);
  NamePosition position() const { return after ? position_of(*after) : 0; }
  // No name is read before its time, so that the disk is never busy for longer than it must.
  UtcTime due(NamePosition position, std::int64_t period_ms) const;
  void take(const Digest& digest, std::uint64_t size, bool good, UtcTime now);
  // What longest_ms comes to when the pass ends now; none: this was the first one, before which nothing was read.
  std::optional<std::int64_t> longest_at_end(UtcTime now) const;
  // The pass is over: the next one begins.
  void finish(UtcTime now);
  // Every replica on the volume was read at this moment or later; none: some were not read yet at all.
  std::optional<UtcTime> oldest() const;
  // Something on it was not read for longer than the period.
  bool late(std::int64_t period_ms, UtcTime now) const;
  // The clock was set back: goes on from here as if it had always been so.
  void clock_went_back(UtcTime now, std::int64_t period_ms);

 private:
  void leave_shares(std::size_t first, std::size_t last, UtcTime now);
};

std::string result_leaf(const Digest& digest, bool good);  // "<64 hex> good" or "<64 hex> damaged"

// The logs of the pool: all of them in one go, once a pass.
struct LogsPass : PassSoFar {
  std::string after;  // every log with a path up to this one was checked in this pass
  std::uint64_t logs = 0;

  void finish();  // `began` stays: the next pass is due by it
};

// The entries of the main log with which passes that end now are summed up.
ScrubEntry summary_of(const VolumePass& pass, UtcTime now);
ScrubEntry summary_of(const LogsPass& pass, UtcTime now);

struct ScrubState {
  std::string pool;  // id; what is known of another pool counts for nothing
  UtcTime saved;     // a clock that is behind this was set back
  std::vector<VolumePass> volumes;
  LogsPass logs;
};

std::string write_scrub_state(const ScrubState& state);
Result<ScrubState> parse_scrub_state(std::string_view text);

// not_found: there is none yet. invalid: it cannot be read; to begin anew reads more than needed and skips nothing.
Result<ScrubState> load_scrub_state(FileSystem& files, const std::string& path);
// Durable and atomic.
Status save_scrub_state(FileSystem& files, const std::string& path, const ScrubState& state);

}  // namespace greffe::archive

#endif
