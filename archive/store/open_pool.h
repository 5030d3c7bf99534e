// Where a pool is, as configurations say it: disks of this machine, Ceph RADOS, or an S3 bucket; and the pool itself.
#ifndef GREFFE_ARCHIVE_STORE_OPEN_POOL_H
#define GREFFE_ARCHIVE_STORE_OPEN_POOL_H

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "archive/base/config.h"
#include "archive/store/rados_pool.h"
#include "archive/store/whole_pool.h"

namespace greffe::store {

// A bucket, and where its secrets are.
struct S3Place {
  std::string endpoint;  // "https://s3.court.example"
  std::string bucket;
  std::string region;
  std::string credentials_path;  // access key and secret key on two lines
  std::string authorities_path;  // PEM; empty: those of the system
  bool quoted_etags = true;
  unsigned retention_days = 0;
  std::string retention_mode;
};

// Volumes, or one of the two behind them.
struct PoolPlace {
  std::vector<std::string> volumes;
  std::optional<RadosSettings> rados;
  std::optional<S3Place> s3;
  unsigned replicas = 3;
  unsigned write_quorum = 2;
  std::int64_t min_free_bytes = 0;  // per volume: below it a volume counts as full
};

// The keys about a pool in one table of a configuration, `path` for words; what another kind of pool needs is left for the caller to
// refuse as unknown. invalid with file and key.
Result<PoolPlace> read_pool_place(Config& config, const std::string& path);

// Every key that it asks for, of whatever kind of pool: what a configuration says about its pool.
std::set<std::string, std::less<>> pool_keys();

// As LocalPool::open, RadosStore::open, S3Store::open. Files and clock must outlive the pool.
Result<std::unique_ptr<WholePool>> open_pool(FileSystem& files, Clock& clock, const PoolPlace& place, PoolMode mode, PoolListeners listeners = {});

// Makes the remote pool of this place one of Greffe's; as RadosStore::init and S3Store::init. What is worth knowing of it, in a
// sentence, or nothing.
Result<std::string> init_remote_pool(FileSystem& files, const PoolPlace& place, const std::string& pool_id);

}  // namespace greffe::store

#endif
