// How far a pass of the keeper is, as it survives a stop or a crash: up to which name everything has its replicas, and how
// the volumes were. Values; no I/O but load and save. It is no evidence: without it a pass begins anew. See
// docs/formats/keeper-state.md.
#ifndef GREFFE_ARCHIVE_KEEPER_STATE_H
#define GREFFE_ARCHIVE_KEEPER_STATE_H

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "archive/base/file_system.h"
#include "archive/store/whole_pool.h"

namespace greffe::archive {

struct KeeperState {
  std::string pool;                                              // id
  std::vector<std::pair<std::string, std::string>> volumes;      // id, state: what the pass depends on
  bool volumes_changed = false;                                  // what lacks is no damage
  store::CensusTotals objects;                                   // of which `after` is where it goes on; nothing is stuck before it
};

std::string write_keeper_state(const KeeperState& state);
Result<KeeperState> parse_keeper_state(std::string_view text);  // invalid

// not_found: no pass was broken off. invalid: it cannot be read.
Result<KeeperState> load_keeper_state(FileSystem& files, const std::string& path);
// Atomic.
Status save_keeper_state(FileSystem& files, const std::string& path, const KeeperState& state);

}  // namespace greffe::archive

#endif
