#include "archive/store/local_pool.h"

#include <fmt/format.h>

#include <set>

#include "archive/store/key_walk.h"
#include "archive/store/local_heads.h"
#include "archive/store/log_files.h"
#include "archive/store/object_commit.h"
#include "archive/store/object_reader.h"
#include "archive/store/object_writer.h"

namespace greffe::store {
namespace {

// The locks of all volumes that are there. A volume that comes back later is locked before it is used again.
class LocalLease : public WriterLease {
 public:
  Status take(FileSystem& files, const Volume& volume) {
    const std::string id = volume.label().id;
    if (!volume.readable() || held_.contains(id)) return ok();
    auto lock = files.lock(volume.file(kLockFile));
    if (!lock) return lock.error();
    locks_.push_back(*std::move(lock));
    held_.insert(id);
    return ok();
  }

 private:
  std::vector<std::unique_ptr<FileLock>> locks_;
  std::set<std::string> held_;  // ids of the volumes
};

Status check_settings(PoolSettings& settings) {
  if (settings.volumes.empty()) return fail(Errc::invalid, "a pool needs at least one volume");
  const auto volumes = static_cast<unsigned>(settings.volumes.size());
  settings.replicas = std::min(settings.replicas, volumes);
  if (settings.write_quorum == 0 || settings.write_quorum > settings.replicas) {
    return fail(Errc::invalid, fmt::format("a write quorum of {} with {} replicas on {} volumes: it must be between 1 "
                                           "and the number of replicas",
                                           settings.write_quorum, settings.replicas, volumes));
  }
  return ok();
}

// Two paths with one id are one disk mounted twice, or a copy of a disk: counted once.
void refuse_duplicates(const Pool& pool) {
  std::set<std::string> seen;
  for (const auto& volume : pool.volumes) {
    if (!volume->readable() || seen.insert(volume->label().id).second) continue;
    volume->refuse(fmt::format("{} has the id {} of another volume of this pool: the same disk twice, or a copy of it",
                               volume->path(), volume->label().id));
  }
}

}  // namespace

struct LocalPool::State {
  State(FileSystem& files, Clock& clock, PoolSettings settings, PoolMode mode)
      : pool(files, clock, std::move(settings), mode) {}
  Status recognise();
  Status take_lease();
  void look_for_missing();

  Pool pool;
  std::mutex refresh_mutex;  // one thread at a time looks for volumes that came back
  LocalLease lease;          // guarded by refresh_mutex
  GroupCommit commits{pool};
  ObjectRepair repair{pool};
  LogFiles logs{pool};
  LocalHeads heads{pool};
};

Status LocalPool::State::recognise() {
  const PoolSettings& settings = pool.settings;
  for (const std::string& path : settings.volumes) {
    pool.volumes.push_back(std::make_unique<Volume>(pool.files, pool.clock, path, settings.min_free_bytes));
    pool.volumes.back()->refresh(settings.pool_id);
  }
  std::set<std::string> pools;
  for (const auto& volume : pool.volumes) {
    if (volume->readable()) pools.insert(volume->label().pool);
  }
  if (pools.empty()) {
    std::string reasons;
    for (const auto& volume : pool.volumes) reasons += volume->report().reason + "; ";
    return fail(Errc::not_found, "no volume of the pool was recognised: " + reasons);
  }
  if (pools.size() > 1) {
    return fail(Errc::invalid, "the volumes belong to different pools: " + *pools.begin() + " and " + *pools.rbegin());
  }
  pool.settings.pool_id = *pools.begin();
  refuse_duplicates(pool);
  return ok();
}

Status LocalPool::State::take_lease() {
  if (!pool.may_write()) return ok();
  for (const auto& volume : pool.volumes) {
    const Status locked = lease.take(pool.files, *volume);
    if (locked) continue;
    if (locked.error().code == Errc::unavailable) {
      return fail(Errc::unavailable, "another process is writing to this pool: " + locked.error().message);
    }
    static_cast<void>(volume->note_failure(locked.error()));  // a broken volume does not keep the others from work
  }
  return ok();
}

// A volume that was away takes part again as soon as its label is seen and its lock is held.
void LocalPool::State::look_for_missing() {
  const std::lock_guard lock(refresh_mutex);
  for (const auto& volume : pool.volumes) {
    if (volume->readable()) continue;
    volume->refresh(pool.settings.pool_id);
    const Status locked = pool.may_write() ? lease.take(pool.files, *volume) : ok();
    if (!locked) volume->refuse("its lock cannot be taken: " + locked.error().message);
  }
  refuse_duplicates(pool);
}

LocalPool::LocalPool(std::unique_ptr<State> state) : state_(std::move(state)) {}
LocalPool::~LocalPool() = default;

Result<std::unique_ptr<LocalPool>> LocalPool::open(FileSystem& files, Clock& clock, PoolSettings settings,
                                                   PoolMode mode, PoolListeners listeners) {
  GREFFE_TRY(check_settings(settings));
  auto state = std::make_unique<State>(files, clock, std::move(settings), mode);
  state->pool.on_damage = std::move(listeners.on_damage);
  state->pool.head_is_good = std::move(listeners.head_is_good);
  GREFFE_TRY(state->recognise());
  GREFFE_TRY(state->take_lease());
  return std::unique_ptr<LocalPool>(new LocalPool(std::move(state)));
}

StoreTraits LocalPool::traits() const {
  return {state_->pool.settings.replicas, state_->pool.settings.write_quorum, false};
}

Result<std::unique_ptr<ObjectWriter>> LocalPool::begin_object(std::uint64_t size) {
  if (!state_->pool.may_write()) return read_only_pool("cannot store an object").error();
  return begin_local_object(state_->pool, state_->commits, state_->repair, size);
}

Result<bool> LocalPool::prove_object(const Digest& digest) {
  return prove_local_object(state_->pool, state_->repair, digest);
}

Result<std::shared_ptr<ReadableFile>> LocalPool::open_object(const Digest& digest) {
  return open_local_object(state_->pool, state_->repair, digest);
}

Result<Bytes> LocalPool::read_object(const Digest& digest) {
  return read_local_object(state_->pool, state_->repair, digest);
}

Status LocalPool::put(std::string_view key, ByteView bytes) { return state_->logs.put(key, bytes); }
Result<Bytes> LocalPool::get(std::string_view key) { return state_->logs.get(key); }
Result<std::vector<Bytes>> LocalPool::get_all(std::string_view key) { return state_->logs.get_all(key); }

Status LocalPool::list(std::string_view prefix, const std::function<bool(const ObjectInfo&)>& visit) {
  return state_->logs.list(prefix, visit);
}

Result<std::string> LocalPool::read_head(std::string_view key) { return state_->heads.read(key); }

Status LocalPool::swap_head(std::string_view key, std::string_view expected, std::string_view next) {
  return state_->heads.swap(key, expected, next);
}

Status LocalPool::remove_stage(std::string_view key) { return state_->logs.remove_stage(key); }

Result<ReplicaReport> LocalPool::compare(std::string_view key, ByteView good) {
  return state_->logs.compare(key, good);
}

Result<ReplicaReport> LocalPool::restore(std::string_view key, ByteView good) {
  return state_->logs.restore(key, good);
}

Result<ObjectHealth> LocalPool::repair_object(const Digest& digest, ReadFrom from) {
  state_->look_for_missing();
  return state_->repair.check(digest, from);
}

ReadBackCount LocalPool::read_back(const Digest& digest) {
  state_->look_for_missing();
  return read_back_copies(state_->pool, digest);
}

Result<ScrubTotals> LocalPool::scrub(const ScrubSettings& settings,
                                     const std::function<bool(const ScrubbedObject&)>& visit, std::stop_token stop) {
  state_->look_for_missing();
  ScrubSource source;
  source.walk = [this](const std::function<bool(const std::string&)>& step) {
    return walk_keys(state_->pool, "sha256/", [&](const WalkedKey& walked) { return step(walked.key); });
  };
  source.check = [this](const Digest& digest) { return state_->repair.check(digest); };
  return scrub_objects(state_->pool.clock, source, settings, visit, std::move(stop));
}

std::vector<VolumeReport> LocalPool::volumes() {
  state_->look_for_missing();
  std::vector<VolumeReport> out;
  for (const auto& volume : state_->pool.volumes) out.push_back(volume->report());
  return out;
}

const std::string& LocalPool::pool_id() const { return state_->pool.settings.pool_id; }

}  // namespace greffe::store
