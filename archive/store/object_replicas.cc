#include "archive/store/object_replicas.h"

#include <fmt/format.h>

#include "archive/format/names.h"
#include "archive/store/reservation.h"

namespace greffe::store {
namespace {

CopyCheck damaged(std::string problem) { return {CopyState::damaged, 0, std::move(problem)}; }

// Feeds the whole file to `take` in pieces; the digest of what was read. corrupt: it cannot be read. Other errors are
// those of `take`.
template <class Take>
Result<Digest> read_through(ReadableFile& file, const Take& take) {
  Sha256 hash;
  Bytes piece(kTransferBytes);
  for (std::uint64_t offset = 0;;) {
    const auto got = file.read_at(offset, piece);
    if (!got) return fail(Errc::corrupt, got.error().message);
    const std::size_t n = *got;
    const ByteView bytes = ByteView(piece).first(n);
    hash.update(bytes);
    GREFFE_TRY(take(bytes));
    offset += n;
    if (n < piece.size()) return hash.finish();
    if (offset > kMaxObjectBytes) return fail(Errc::corrupt, "the file is larger than any object");
  }
}

Result<Digest> digest_of(FileSystem& files, const std::string& path, ReadFrom from) {
  if (from == ReadFrom::cache) {
    const auto file = GREFFE_TRY(files.open_read(path));
    return read_through(*file, [](ByteView) { return ok(); });
  }
  Sha256 hash;
  GREFFE_TRY(files.read_medium(path, kMaxObjectBytes, [&](ByteView piece) {
    hash.update(piece);
    return ok();
  }));
  return hash.finish();
}

// The volume is there and the replica is not: nothing that its disk is to blame for.
bool is_moved_away(Pool& pool, Volume& volume, const Digest& digest) {
  const auto replica = pool.files.stat(volume.file(object_key(digest)));
  return !replica && replica.error().code == Errc::not_found && pool.files.stat(volume.file(kLabelFile));
}

}  // namespace

CopyCheck check_copy(Pool& pool, Volume& volume, const Digest& digest, ReadFrom from) {
  if (!volume.readable()) return {};
  const std::string path = volume.file(object_key(digest));
  pool.verified.forget(&volume, digest);
  const auto stat = pool.files.stat(path);
  if (!stat && stat.error().code == Errc::not_found) return {};
  if (!stat) return damaged(stat.error().message);
  const auto read = digest_of(pool.files, path, from);
  if (!read && read.error().code == Errc::not_found) return {};  // moved to another volume between the two looks
  if (!read && read.error().code == Errc::unavailable) return {CopyState::unknown, 0, {}};
  if (!read) return damaged(read.error().message);
  if (*read != digest) {
    return damaged(fmt::format("{} has the digest {} instead of the one in its name", path, read->hex()));
  }
  pool.verified.note_hashed(&volume, digest, *stat, pool.clock.monotonic_ms());
  return {CopyState::good, stat->size, {}};
}

bool is_verified_copy(Pool& pool, Volume& volume, const Digest& digest) {
  if (!volume.readable()) return false;
  const auto stat = pool.files.stat(volume.file(object_key(digest)));
  return stat && pool.verified.hashed_lately(&volume, digest, *stat, pool.clock.monotonic_ms());
}

Status make_copy_durable(Pool& pool, Volume& volume, const Digest& digest) {
  const std::string key = object_key(digest);
  const std::string path = volume.file(key);
  const auto attempt = [&]() -> Status {
    GREFFE_TRY(pool.files.sync_file(path));
    GREFFE_TRY(volume.ensure_directory(parent_of(key)));
    GREFFE_TRY(pool.files.sync_directory(parent_of(path)));
    const FileStat stat = GREFFE_TRY(pool.files.stat(path));
    pool.verified.note_durable(&volume, digest, stat, pool.clock.monotonic_ms());
    return ok();
  };
  const Status done = attempt();
  if (done || is_moved_away(pool, volume, digest)) return done;
  return volume.note_failure(done.error());
}

Status copy_replica(Pool& pool, Volume& from, Volume& to, const Digest& digest) {
  const std::string key = object_key(digest);
  const auto source = GREFFE_TRY(pool.files.open_read(from.file(key)));
  const std::uint64_t size = GREFFE_TRY(source->size());
  const Reservation room = GREFFE_TRY(Reservation::make(to, size));
  const auto write = [&]() -> Status {
    GREFFE_TRY(to.ensure_directory("sha256"));
    const auto target = GREFFE_TRY(pool.files.create_unnamed(to.file("sha256")));
    const Digest read = GREFFE_TRY(read_through(*source, [&](ByteView piece) { return target->write(piece); }));
    if (read != digest) return fail(Errc::corrupt, from.file(key) + " is damaged");
    GREFFE_TRY(target->sync());
    GREFFE_TRY(to.ensure_directory(parent_of(key)));
    GREFFE_TRY(pool.files.link(*target, to.file(key)));
    GREFFE_TRY(pool.files.sync_directory(parent_of(to.file(key))));
    const FileStat stat = GREFFE_TRY(pool.files.stat(to.file(key)));
    pool.verified.note_durable(&to, digest, stat, pool.clock.monotonic_ms());
    return ok();
  };
  const Status written = write();
  if (!written && written.error().code != Errc::corrupt && written.error().code != Errc::already_exists) {
    return to.note_failure(written.error());
  }
  return written;
}

}  // namespace greffe::store
