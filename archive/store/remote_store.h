// Objects and log files at a service that keeps its own replicas (RemoteBytes). What the service gives is believed only
// after it was hashed. Thread-safe. Writers and files that it handed out must not outlive it.
#ifndef GREFFE_ARCHIVE_STORE_REMOTE_STORE_H
#define GREFFE_ARCHIVE_STORE_REMOTE_STORE_H

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "archive/base/clock.h"
#include "archive/store/remote_bytes.h"
#include "archive/store/remote_heads.h"
#include "archive/store/whole_pool.h"

namespace greffe::store {

// The service as messages and reports name it.
struct RemotePlace {
  std::string name;    // "the Ceph pool court"
  std::string kind;    // "ceph"
  std::string pool_id;
};

// What all uploads together may hold in memory: the service takes an object in one operation, so it is collected first.
inline constexpr std::uint64_t kUploadBytesMax = 256 * 1024 * 1024;

class RemoteStore : public WholePool {
 public:
  // As a reader every write is `denied`.
  RemoteStore(RemoteBytes& bytes, RemoteHeads& heads, Clock& clock, PoolMode mode, StoreTraits traits, RemotePlace place,
              DamageListener on_damage);

  StoreTraits traits() const override { return traits_; }
  // unavailable: the objects that are being written now would take more memory than kUploadBytesMax with this one.
  Result<std::unique_ptr<ObjectWriter>> begin_object(std::uint64_t size) override;
  Result<bool> prove_object(const Digest& digest) override;
  Result<std::shared_ptr<ReadableFile>> open_object(const Digest& digest) override;
  Result<Bytes> read_object(const Digest& digest) override;
  Status put(std::string_view key, ByteView bytes) override;
  Result<Bytes> get(std::string_view key) override;
  Result<std::vector<Bytes>> get_all(std::string_view key) override;
  Status list(std::string_view prefix, const std::function<bool(const ObjectInfo&)>& visit) override;
  Status remove_stage(std::string_view key) override;
  // One report for the whole service: its replicas are good or bad together.
  Result<ReplicaReport> compare(std::string_view key, ByteView good) override;
  Result<ReplicaReport> restore(std::string_view key, ByteView good) override;

  Result<std::string> read_head(std::string_view key) override { return heads_.read(key); }
  Status swap_head(std::string_view key, std::string_view expected, std::string_view next) override {
    return heads_.swap(key, expected, next);
  }
  Result<ObjectHealth> repair_object(const Digest& digest, ReadFrom from = ReadFrom::cache) override;
  Status set_aside(const Digest& digest) override;
  ReadBackCount read_back(const Digest& digest) override;
  Result<Digest> hash_behind(ByteView prefix, const Digest& digest) override;
  // invalid: `after` is set: the service has an order of its own.
  Result<ScrubTotals> scrub(const ScrubSettings& settings, const std::function<bool(const ScrubbedObject&)>& visit,
                            std::stop_token stop = {}) override;
  std::vector<VolumeReport> volumes() override;  // one
  Status walk_objects(const std::function<bool(const Digest&)>& visit) override;
  Result<bool> holds_object(const Digest& digest) override;
  bool has_all_replicas(const Digest& digest) override;
  const std::string& pool_id() const override { return place_.pool_id; }

  // As TermLease::check; denied for a reader.
  Status may_still_write() const { return heads_.may_still_write(); }

 private:
  class Writer;
  class File;

  Status store_object(const Digest& digest, Upload& upload, std::size_t size);
  Result<Bytes> read_and_hash(const Digest& digest);
  Result<std::uint64_t> hash_lately(const Digest& digest);
  Status replace_damaged(const std::string& key, ByteView damaged, ByteView good);
  Status may_write(std::string_view what) const;
  void note_durable(const Digest& digest, std::uint64_t size);

  RemoteBytes& bytes_;
  RemoteHeads& heads_;
  Clock& clock_;
  const PoolMode mode_;
  const StoreTraits traits_;
  const RemotePlace place_;
  const DamageListener on_damage_;
  std::atomic<std::uint64_t> under_way_bytes_{0};  // of objects that are being written, as announced
  // By digest and size; the service counts as one replica, without a volume.
  VerifiedCopies verified_;
};

}  // namespace greffe::store

#endif
