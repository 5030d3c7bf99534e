// The local pool: objects, logs and heads on the disks of one machine. Thread-safe; see object_store.h for what each
// operation guarantees and docs/formats/volume.md for what is on the disks.
#ifndef GREFFE_ARCHIVE_STORE_LOCAL_POOL_H
#define GREFFE_ARCHIVE_STORE_LOCAL_POOL_H

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/store/volume_label.h"
#include "archive/store/whole_pool.h"

namespace greffe::store {

class LocalPool : public WholePool, public VolumeMembers, public VolumeReplicas {
 public:
  // Reads the labels and, as a writer, takes the lease (a lock on every volume that is there) for the life of the pool.
  // Missing, foreign and duplicated volumes are in volumes() with the reason; the pool opens without them, and writes
  // are `unavailable` while fewer than W are left. invalid: settings that cannot be, or labels of several pools and no
  // pool_id to choose by. unavailable: another writer holds the pool. not_found: not one volume was recognised.
  static Result<std::unique_ptr<LocalPool>> open(FileSystem& files, Clock& clock, PoolSettings settings, PoolMode mode,
                                                 PoolListeners listeners = {});
  ~LocalPool() override;

  StoreTraits traits() const override;
  Result<std::unique_ptr<ObjectWriter>> begin_object(std::uint64_t size) override;
  Result<bool> prove_object(const Digest& digest) override;
  Result<std::shared_ptr<ReadableFile>> open_object(const Digest& digest) override;
  Result<Bytes> read_object(const Digest& digest) override;
  Status put(std::string_view key, ByteView bytes) override;
  Result<Bytes> get(std::string_view key) override;
  Result<std::vector<Bytes>> get_all(std::string_view key) override;
  // Also below "sha256/".
  Status list(std::string_view prefix, const std::function<bool(const ObjectInfo&)>& visit) override;

  Result<std::string> read_head(std::string_view key) override;
  Status swap_head(std::string_view key, std::string_view expected, std::string_view next) override;

  Status remove_stage(std::string_view key) override;

  Result<ReplicaReport> compare(std::string_view key, ByteView good) override;
  Result<ReplicaReport> restore(std::string_view key, ByteView good) override;

  Result<ObjectHealth> repair_object(const Digest& digest, ReadFrom from = ReadFrom::cache) override;
  Status set_aside(const Digest& digest) override;
  ReadBackCount read_back(const Digest& digest) override;
  Result<Digest> hash_behind(ByteView prefix, const Digest& digest) override;
  Result<ScrubTotals> scrub(const ScrubSettings& settings, const std::function<bool(const ScrubbedObject&)>& visit,
                            std::stop_token stop = {}) override;
  // Also looks whether a missing one is back.
  Status walk_objects(const std::function<bool(const Digest&)>& visit) override;
  Result<bool> holds_object(const Digest& digest) override;
  bool has_all_replicas(const Digest& digest) override;
  std::vector<VolumeReport> volumes() override;
  const std::string& pool_id() const override;
  VolumeMembers* members() override { return this; }
  VolumeReplicas* replicas() override { return this; }

  Result<CensusTotals> fill_up(const CensusSettings& settings, const std::function<bool(const CensusTotals&)>& visit,
                               std::stop_token stop = {}) override;
  bool lacks_room() override;
  Result<RoomTotals> make_room(const RoomSettings& settings, const std::function<bool(const RoomTotals&)>& visit,
                               std::stop_token stop = {}) override;
  Result<VolumeLabel> add_volume(const std::string& path, const std::string& domain) override;
  Status drain_volume(const std::string& id) override;
  Status retire_volume(const std::string& id) override;
  std::uint64_t volume_changes() const override;

  Result<ReplicaNames> names_behind(const std::string& volume, const std::optional<Digest>& after) override;
  Result<ReplicaReading> read_replica(const std::string& volume, const Digest& digest) override;
  Result<ObjectHealth> fill_object(const Digest& digest) override;

 private:
  struct State;
  explicit LocalPool(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace greffe::store

#endif
