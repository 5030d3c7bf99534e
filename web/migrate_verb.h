// `greffe-archive migrate`: the archive's pool is copied to another place, of whatever kind (archive/pool_migration.h).
#ifndef GREFFE_WEB_MIGRATE_VERB_H
#define GREFFE_WEB_MIGRATE_VERB_H

#include <string>

#include "web/new_pool.h"

namespace greffe::web {

struct MigrateOptions {
  std::string config;   // of the archive; the new configuration is written beside it, as "<config>.new"
  NewPool to;           // for the first call; later ones go on with what "<config>.new" says
  bool finish = false;  // the archive is stopped: copy the rest, and the heads
  bool json = false;
};

// Exit 1: everything was copied that can be, and something was found that is wrong with it; each finding is named. unavailable: with
// `finish`, the archive still runs.
Result<int> migrate(const MigrateOptions& options);

// The text of a configuration with these lines in the place of those about its pool.
std::string with_other_pool(std::string_view config, std::string_view lines);

}  // namespace greffe::web

#endif
