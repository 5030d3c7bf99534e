#include "archive/store/object_read_back.h"

#include <algorithm>

#include "archive/format/names.h"

namespace greffe::store {

ReadBackCount read_back_copies(Pool& pool, const Digest& digest) {
  ReadBackCount count;
  count.wanted = std::max(pool.settings.write_quorum, std::min(2u, pool.active_volumes()));
  for (Volume* volume : pool.ranked(object_key(digest))) {
    if (count.enough()) break;
    if (!volume->trusted()) continue;
    ++count.asked;
    const CopyCheck found = check_copy(pool, *volume, digest, ReadFrom::medium);
    count.damaged = count.damaged || found.state == CopyState::damaged;
    if (found.state != CopyState::good) continue;
    ++count.good;
    count.bytes += found.bytes;
  }
  return count;
}

}  // namespace greffe::store
