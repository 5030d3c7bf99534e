// Walks the keys of all volumes at once, in order, each key once. Holds one directory at a time in memory.
#ifndef GREFFE_ARCHIVE_STORE_KEY_WALK_H
#define GREFFE_ARCHIVE_STORE_KEY_WALK_H

#include <functional>
#include <string>

#include "archive/store/pool.h"

namespace greffe::store {

struct WalkedKey {
  std::string key;
  std::uint64_t bytes = 0;  // of the replica that was seen first
  unsigned kept = 0;        // files of that length on volumes that count
};

// Keys below `prefix` (ends in '/'), sorted by their bytes; `visit` returns false to stop. A volume that cannot list a
// directory is left out of it and its state changes; io_error when no volume could. `after`: only those behind this key; what
// is before it is not even listed.
Status walk_keys(Pool& pool, const std::string& prefix, const std::function<bool(const WalkedKey&)>& visit, const std::string& after = {});

}  // namespace greffe::store

#endif
