#include "archive/store/volume_replicas.h"

#include <fmt/format.h>

#include "archive/format/names.h"

namespace greffe::store {
namespace {

constexpr const char* kAllObjects = "sha256/";

Error not_there(const Volume& volume) { return fail(Errc::unavailable, "volume " + volume.path() + " is not there"); }

bool is_fan_out(std::string_view name) { return name.size() == 2 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos; }

// The walk over one volume in the order of keys, from behind `after` to the first folder with objects. Nobody removes a
// folder: one that was seen and is not there means that the disk went away, and that nothing is known of what is in it.
class FolderWalk {
 public:
  FolderWalk(Pool& pool, Volume& volume, const std::optional<Digest>& after)
      : pool_(pool), volume_(volume), after_(after), after_key_(after ? object_key(*after) : std::string()) {}

  // Below "sha256/" at depth 0, below "sha256/ab/" at depth 1.
  Status fan_out(const std::string& parent, int depth) {
    const std::vector<std::string> names = GREFFE_TRY(list(parent));
    for (const std::string& name : names) {
      const std::string folder = parent + name + "/";
      if (!is_fan_out(name)) {
        stray(parent + name);
      } else if (folder >= std::string_view(after_key_).substr(0, folder.size())) {
        GREFFE_TRY(depth == 0 ? fan_out(folder, 1) : objects(folder));
      }
      if (!out_.objects.empty()) return ok();
    }
    return ok();
  }
  ReplicaNames take() { return std::move(out_); }

 private:
  Status objects(const std::string& folder) {
    const bool begun = after_key_.starts_with(folder);  // then what is strange in it was told
    const std::vector<std::string> names = GREFFE_TRY(list(folder));
    for (const std::string& name : names) {
      const auto digest = parse_object_key(folder + name);
      if (!digest && !begun) stray(folder + name);
      if (digest && (!after_ || *after_ < *digest)) out_.objects.push_back(*digest);
    }
    return ok();
  }
  Result<std::vector<std::string>> list(const std::string& folder) {
    auto names = pool_.files.list(volume_.file(folder.substr(0, folder.size() - 1)));
    if (names) return *std::move(names);
    if (names.error().code == Errc::not_found && folder != kAllObjects) return not_there(volume_);
    if (names.error().code == Errc::unavailable) return names.error();
    if (!after_key_.starts_with(folder)) out_.strays.push_back({folder, folder + " cannot be listed: " + names.error().message});
    return std::vector<std::string>();
  }
  void stray(std::string key) {
    if (key <= after_key_) return;
    std::string problem = key + " is not an object: nothing of Greffe's has such a name";
    out_.strays.push_back({std::move(key), std::move(problem)});
  }

  Pool& pool_;
  Volume& volume_;
  const std::optional<Digest>& after_;
  const std::string after_key_;
  ReplicaNames out_;
};

// Whether too few volumes have a file of this name: asked of every volume that has one, and answered for the first.
bool lacks_replicas(Pool& pool, const Volume& volume, const std::string& key) {
  unsigned found = 0;
  unsigned kept = 0;
  for (Volume* other : pool.ranked(key)) {
    if (!other->readable()) continue;
    const auto stat = pool.files.stat(other->file(key));
    if (!stat || !stat->is_regular) continue;
    if (found++ == 0 && other != &volume) return false;
    if (other->keeps()) ++kept;
  }
  return found > 0 && kept < pool.settings.replicas;
}

}  // namespace

Result<ReplicaNames> replica_names_behind(Pool& pool, Volume& volume, const std::optional<Digest>& after) {
  if (!volume.readable()) return not_there(volume);
  FolderWalk walk(pool, volume, after);
  GREFFE_TRY(walk.fan_out(kAllObjects, 0));
  ReplicaNames out = walk.take();
  if (!out.objects.empty()) return out;
  // An empty mount point has no names either.
  const auto label = read_volume_label(pool.files, volume.path());
  if (!label) return fail(Errc::unavailable, volume.note_failure(label.error()).message);
  return out;
}

Result<ReplicaReading> read_one_replica(Pool& pool, Volume& volume, const Digest& digest) {
  if (!volume.readable()) return not_there(volume);
  const std::string key = object_key(digest);
  const CopyCheck found = check_copy(pool, volume, digest, ReadFrom::medium);
  ReplicaReading out;
  if (found.state == CopyState::good) {
    out.state = ReplicaReading::State::good;
    out.bytes = found.bytes;
    out.lacking = lacks_replicas(pool, volume, key);
    return out;
  }
  // What is wrong with one file is told from what is wrong with all of them.
  const auto label = read_volume_label(pool.files, volume.path());
  if (!label) return fail(Errc::unavailable, volume.note_failure(label.error()).message);
  if (found.state == CopyState::damaged) {
    out.state = ReplicaReading::State::damaged;
    return out;
  }
  const auto stat = pool.files.stat(volume.file(key));
  if (stat) return fail(Errc::unavailable, volume.file(key) + " could not be read now");
  return out;
}

bool has_replica_name(Pool& pool, const Digest& digest) {
  const std::string key = object_key(digest);
  for (const auto& volume : pool.volumes) {
    if (volume->readable() && pool.files.stat(volume->file(key))) return true;
  }
  return false;
}

unsigned count_replica_names(Pool& pool, const Digest& digest) {
  const std::string key = object_key(digest);
  unsigned out = 0;
  for (const auto& volume : pool.volumes) {
    if (volume->readable() && pool.files.stat(volume->file(key))) ++out;
  }
  return out;
}

}  // namespace greffe::store
