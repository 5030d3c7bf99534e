// greffe-pool.json: which volumes a pool has and what is asked of each. The same file lies on every volume; the newest
// generation counts. With it a pool knows the volumes that are not there, and those that must not come back. See
// docs/formats/volume.md.
#ifndef GREFFE_ARCHIVE_STORE_POOL_ROSTER_H
#define GREFFE_ARCHIVE_STORE_POOL_ROSTER_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "archive/base/clock.h"
#include "archive/base/file_system.h"
#include "archive/base/result.h"

namespace greffe::store {

enum class VolumeDuty {
  active,
  draining,  // read, but nothing new goes there, and what is there does not count as a replica
  retired,   // it has left the pool; it never comes back under its id
};
std::string_view name_of(VolumeDuty duty);

struct RosterVolume {
  std::string id;
  std::string domain;
  std::string path;  // where it was last; a volume is recognised by its label, not by this
  VolumeDuty duty = VolumeDuty::active;
  UtcTime since;     // of the duty
  // A generation that the volume itself is known to have held. A disk with this id and an older one is a copy from
  // before, of which nobody knows what it lacks.
  std::uint64_t seen = 0;
};

struct PoolRoster {
  std::string pool;
  std::uint64_t generation = 0;  // grows with every change and with every start of a writer
  std::vector<RosterVolume> volumes;
  RosterVolume* find(std::string_view id);
};

inline constexpr std::string_view kRosterFile = "greffe-pool.json";
inline constexpr std::size_t kVolumesMax = 256;  // of one pool, the retired ones too

std::string write_pool_roster(const PoolRoster& roster);
Result<PoolRoster> parse_pool_roster(std::string_view text);  // invalid with the reason

// Of the volume at `path`. not_found: it has none (yet).
Result<PoolRoster> read_pool_roster(FileSystem& files, const std::string& path);

}  // namespace greffe::store

#endif
