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

Result<Digest> hash_copy_behind(Pool& pool, ByteView prefix, const Digest& digest) {
  const std::string key = object_key(digest);
  bool any = false;
  for (Volume* volume : pool.ranked(key)) {
    if (!volume->readable()) continue;
    Sha256 name;
    Sha256 behind;
    behind.update(prefix);
    const Status read = pool.files.read_medium(volume->file(key), kMaxObjectBytes, [&](ByteView piece) {
      name.update(piece);
      behind.update(piece);
      return ok();
    });
    any = any || read || read.error().code != Errc::not_found;
    if (read && name.finish() == digest) return behind.finish();
  }
  return any ? fail(Errc::corrupt, "no good replica is left of " + key) : fail(Errc::not_found, "no volume has " + key);
}

}  // namespace greffe::store
