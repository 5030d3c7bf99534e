#include "archive/store/object_reader.h"

#include "archive/format/names.h"

namespace greffe::store {
namespace {

// What was seen of replicas of which none could be given.
struct Seen {
  bool damaged = false;
  bool unknown = false;  // one was there and could not be opened just now
};

Error nothing_good(const Digest& digest, const Seen& seen) {
  const std::string key = object_key(digest);
  if (seen.unknown) return fail(Errc::unavailable, key + " cannot be read now; try again in a moment");
  if (seen.damaged) return fail(Errc::corrupt, "no good replica is left of " + key + "; restore it from the other site");
  return fail(Errc::not_found, "no volume has " + key);
}

// Reads a replica whole, hashing what is returned. not_found: not there; corrupt: not those bytes; unavailable: not now.
Result<Bytes> read_copy(Pool& pool, Volume& volume, const Digest& digest) {
  if (!volume.readable()) return fail(Errc::not_found, volume.path() + " is not there");
  const std::string path = volume.file(object_key(digest));
  const FileStat stat = GREFFE_TRY(pool.files.stat(path));
  auto bytes = pool.files.read_file(path, kMaxObjectBytes);
  // Moved to another volume between the two looks; or there is no descriptor left to open it.
  if (!bytes && (bytes.error().code == Errc::not_found || bytes.error().code == Errc::unavailable)) return bytes.error();
  if (!bytes) return fail(Errc::corrupt, bytes.error().message);
  if (sha256(*bytes) != digest) {
    pool.verified.forget(&volume, digest);
    return fail(Errc::corrupt, path + " has another digest than its name");
  }
  pool.verified.note_hashed(&volume, digest, stat, pool.clock.monotonic_ms());
  return bytes;
}

bool is_known_durable(Pool& pool, Volume& volume, const Digest& digest) {
  const auto stat = pool.files.stat(volume.file(object_key(digest)));
  return stat && pool.verified.durable_lately(&volume, digest, *stat, pool.clock.monotonic_ms());
}

// Hashes every replica and repairs; what came of it is in the damage reports and the next read.
void mend(ObjectRepair& repair, const Digest& digest) { static_cast<void>(repair.check(digest).has_value()); }

// A replica that is moved just then is on its new volume before it leaves the old one; whoever had looked at the new one
// before it came, and at the old one after it went, finds it at the second look.
constexpr int kLooks = 2;

std::shared_ptr<ReadableFile> open_verified(Pool& pool, const Digest& digest) {
  const std::string key = object_key(digest);
  for (Volume* volume : pool.ranked(key)) {
    if (!is_verified_copy(pool, *volume, digest)) continue;
    auto file = pool.files.open_read(volume->file(key));
    if (file) return *std::move(file);
  }
  return nullptr;
}

}  // namespace

Result<std::shared_ptr<ReadableFile>> open_local_object(Pool& pool, ObjectRepair& repair, const Digest& digest) {
  if (auto file = open_verified(pool, digest)) return file;
  const std::string key = object_key(digest);
  Seen seen;
  std::shared_ptr<ReadableFile> good;
  for (int look = 0; look < kLooks && !good && !seen.damaged; ++look) {
    for (Volume* volume : pool.ranked(key)) {
      const CopyCheck found = check_copy(pool, *volume, digest);
      seen.damaged = seen.damaged || found.state == CopyState::damaged;
      seen.unknown = seen.unknown || found.state == CopyState::unknown;
      auto file = found.state == CopyState::good ? pool.files.open_read(volume->file(key))
                                                        : Result<std::unique_ptr<ReadableFile>>(fail(Errc::not_found, key));
      seen.unknown = seen.unknown || (!file && file.error().code == Errc::unavailable);
      if (!file) continue;
      good = *std::move(file);
      break;
    }
  }
  if (seen.damaged) mend(repair, digest);
  if (!good) return nothing_good(digest, seen);
  return good;
}

Result<Bytes> read_local_object(Pool& pool, ObjectRepair& repair, const Digest& digest) {
  Seen seen;
  for (int look = 0; look < kLooks && !seen.damaged; ++look) {
    for (Volume* volume : pool.ranked(object_key(digest))) {
      auto bytes = read_copy(pool, *volume, digest);
      seen.damaged = seen.damaged || (!bytes && bytes.error().code != Errc::not_found && bytes.error().code != Errc::unavailable);
      seen.unknown = seen.unknown || (!bytes && bytes.error().code == Errc::unavailable);
      if (!bytes) continue;
      if (seen.damaged) mend(repair, digest);
      return bytes;
    }
  }
  if (seen.damaged) mend(repair, digest);
  return nothing_good(digest, seen);
}

Result<bool> prove_local_object(Pool& pool, ObjectRepair& repair, const Digest& digest) {
  const std::vector<Volume*> volumes = pool.ranked(object_key(digest));
  unsigned good = 0;
  bool damage = false;
  const auto enough = [&] { return good >= pool.settings.write_quorum; };
  std::vector<Volume*> unknown;
  for (Volume* volume : volumes) {
    if (enough()) return true;
    if (!volume->trusted()) continue;  // what is synced on a suspect volume does not count
    if (is_known_durable(pool, *volume, digest)) {
      ++good;
    } else {
      unknown.push_back(volume);
    }
  }
  for (Volume* volume : unknown) {
    if (enough()) return true;
    const CopyCheck found = check_copy(pool, *volume, digest);
    damage = damage || found.state == CopyState::damaged;
    if (found.state == CopyState::good && make_copy_durable(pool, *volume, digest)) ++good;
  }
  if (enough()) return true;
  if (good == 0 && !damage) return false;
  mend(repair, digest);  // perhaps there is a good replica to copy from
  good = 0;
  for (Volume* volume : volumes) {
    if (volume->trusted() && is_known_durable(pool, *volume, digest)) ++good;
  }
  return enough();
}

}  // namespace greffe::store
