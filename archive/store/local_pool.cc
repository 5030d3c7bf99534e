#include "archive/store/local_pool.h"

#include <fmt/format.h>

#include "archive/format/names.h"
#include "archive/store/key_walk.h"
#include "archive/store/local_heads.h"
#include "archive/store/log_files.h"
#include "archive/store/object_commit.h"
#include "archive/store/object_reader.h"
#include "archive/store/object_writer.h"
#include "archive/store/pool_membership.h"

namespace greffe::store {
struct LocalPool::State {
  State(FileSystem& files, Clock& clock, PoolSettings settings, PoolMode mode)
      : pool(files, clock, std::move(settings), mode) {}

  Pool pool;
  PoolMembership membership{pool};
  GroupCommit commits{pool};
  ObjectRepair repair{pool};
  Rebalance rebalance{pool, repair};
  LogFiles logs{pool};
  LocalHeads heads{pool};

  Result<Volume*> volume(std::string_view id) const {
    Volume* found = nullptr;  // rather the one that is there than its duplicate
    for (const auto& one : pool.volumes) {
      if (one->label().id == id && (found == nullptr || one->readable())) found = one.get();
    }
    if (found == nullptr) return fail(Errc::not_found, fmt::format("the pool has no volume {}", id));
    return found;
  }
};

LocalPool::LocalPool(std::unique_ptr<State> state) : state_(std::move(state)) {}
LocalPool::~LocalPool() = default;

Result<std::unique_ptr<LocalPool>> LocalPool::open(FileSystem& files, Clock& clock, PoolSettings settings,
                                                   PoolMode mode, PoolListeners listeners) {
  if (settings.volumes.empty()) return fail(Errc::invalid, "a pool needs at least one volume");
  auto state = std::make_unique<State>(files, clock, std::move(settings), mode);
  state->pool.on_damage = std::move(listeners.on_damage);
  state->pool.head_is_good = std::move(listeners.head_is_good);
  GREFFE_TRY(state->membership.open());
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
  auto found = open_local_object(state_->pool, state_->repair, digest);
  if (found || found.error().code != Errc::not_found || state_->pool.may_write()) return found;
  state_->membership.look();  // beside a writer that has added a volume
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
  state_->membership.look();
  return state_->repair.check(digest, from);
}

Status LocalPool::set_aside(const Digest& digest) {
  state_->membership.look();
  return state_->repair.set_aside(digest);
}

ReadBackCount LocalPool::read_back(const Digest& digest) {
  state_->membership.look();
  return read_back_copies(state_->pool, digest);
}

Result<Digest> LocalPool::hash_behind(ByteView prefix, const Digest& digest) {
  state_->membership.look();
  return hash_copy_behind(state_->pool, prefix, digest);
}

Result<ScrubTotals> LocalPool::scrub(const ScrubSettings& settings,
                                     const std::function<bool(const ScrubbedObject&)>& visit, std::stop_token stop) {
  state_->membership.look();
  ScrubSource source;
  source.walk = [this](const std::function<bool(const std::string&)>& step) {
    return walk_keys(state_->pool, "sha256/", [&](const WalkedKey& walked) { return step(walked.key); });
  };
  source.check = [this](const Digest& digest) { return state_->repair.check(digest); };
  return scrub_objects(state_->pool.clock, source, settings, visit, std::move(stop));
}

Result<CensusTotals> LocalPool::fill_up(const CensusSettings& settings, const std::function<bool(const CensusTotals&)>& visit,
                                        std::stop_token stop) {
  state_->membership.look();
  return fill_up_objects(state_->pool, state_->repair, settings, visit, std::move(stop));
}

bool LocalPool::lacks_room() { return state_->rebalance.lacks_room(); }

Result<RoomTotals> LocalPool::make_room(const RoomSettings& settings, const std::function<bool(const RoomTotals&)>& visit, std::stop_token stop) {
  state_->membership.look();
  return state_->rebalance.run(settings, visit, std::move(stop));
}

Result<VolumeLabel> LocalPool::add_volume(const std::string& path, const std::string& domain) {
  return state_->membership.add(path, domain);
}
Status LocalPool::drain_volume(const std::string& id) { return state_->membership.drain(id); }
std::uint64_t LocalPool::volume_changes() const { return state_->membership.changes(); }
Status LocalPool::retire_volume(const std::string& id) { return state_->membership.retire(id); }

Status LocalPool::walk_objects(const std::function<bool(const Digest&)>& visit) {
  state_->membership.look();
  return walk_keys(state_->pool, "sha256/", [&](const WalkedKey& walked) {
    const auto digest = parse_object_key(walked.key);
    return !digest || visit(*digest);  // what has no object's name is scrub's to report
  });
}

Result<bool> LocalPool::holds_object(const Digest& digest) { return has_replica_name(state_->pool, digest); }

bool LocalPool::has_all_replicas(const Digest& digest) {
  return count_replica_names(state_->pool, digest) >= std::min<std::size_t>(state_->pool.settings.replicas, state_->pool.volumes.size());
}

Result<ReplicaNames> LocalPool::names_behind(const std::string& volume, const std::optional<Digest>& after) {
  Volume* const one = GREFFE_TRY(state_->volume(volume));
  return replica_names_behind(state_->pool, *one, after);
}

Result<ReplicaReading> LocalPool::read_replica(const std::string& volume, const Digest& digest) {
  Volume* const one = GREFFE_TRY(state_->volume(volume));
  return read_one_replica(state_->pool, *one, digest);
}

Result<ObjectHealth> LocalPool::fill_object(const Digest& digest) { return state_->repair.fill(digest); }

std::vector<VolumeReport> LocalPool::volumes() {
  state_->membership.look();
  std::vector<VolumeReport> out;
  for (const auto& volume : state_->pool.volumes) out.push_back(volume->report());
  return out;
}

const std::string& LocalPool::pool_id() const { return state_->pool.settings.pool_id; }

}  // namespace greffe::store
