#include "archive/store/object_reader.h"

#include "archive/format/names.h"

namespace greffe::store {
namespace {

Error nothing_good(const Digest& digest, bool damage) {
  const std::string key = object_key(digest);
  if (damage) return fail(Errc::corrupt, "no good replica is left of " + key + "; restore it from the other site");
  return fail(Errc::not_found, "no volume has " + key);
}

// Reads a replica whole, hashing what is returned. not_found: not there; corrupt: not those bytes.
Result<Bytes> read_copy(Pool& pool, Volume& volume, const Digest& digest) {
  if (!volume.readable()) return fail(Errc::not_found, volume.path() + " is not there");
  const std::string path = volume.file(object_key(digest));
  const FileStat stat = GREFFE_TRY(pool.files.stat(path));
  auto bytes = pool.files.read_file(path, kMaxObjectBytes);
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

}  // namespace

Result<std::shared_ptr<ReadableFile>> open_local_object(Pool& pool, ObjectRepair& repair, const Digest& digest) {
  const std::string key = object_key(digest);
  const std::vector<Volume*> volumes = pool.ranked(key);
  const auto open = [&](Volume* volume) -> std::shared_ptr<ReadableFile> {
    auto file = pool.files.open_read(volume->file(key));
    return file ? std::shared_ptr<ReadableFile>(*std::move(file)) : nullptr;
  };
  for (Volume* volume : volumes) {
    if (!is_verified_copy(pool, *volume, digest)) continue;
    if (auto file = open(volume)) return file;
  }
  bool damage = false;
  std::shared_ptr<ReadableFile> good;
  for (Volume* volume : volumes) {
    const CopyCheck found = check_copy(pool, *volume, digest);
    damage = damage || found.state == CopyState::damaged;
    if (found.state == CopyState::good) good = open(volume);
    if (good) break;
  }
  if (damage) mend(repair, digest);
  if (!good) return nothing_good(digest, damage);
  return good;
}

Result<Bytes> read_local_object(Pool& pool, ObjectRepair& repair, const Digest& digest) {
  bool damage = false;
  for (Volume* volume : pool.ranked(object_key(digest))) {
    auto bytes = read_copy(pool, *volume, digest);
    damage = damage || (!bytes && bytes.error().code != Errc::not_found);
    if (!bytes) continue;
    if (damage) mend(repair, digest);
    return bytes;
  }
  if (damage) mend(repair, digest);
  return nothing_good(digest, damage);
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
