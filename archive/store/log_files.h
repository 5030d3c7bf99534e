// The immutable files of logs (tiles, bundles, stages, markers) on the R home volumes of their log. Thread-safe.
#ifndef GREFFE_ARCHIVE_STORE_LOG_FILES_H
#define GREFFE_ARCHIVE_STORE_LOG_FILES_H

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/store/object_store.h"
#include "archive/store/pool.h"

namespace greffe::store {

inline constexpr std::uint64_t kLogFileBytesMax = 64 * 1024 * 1024;

// invalid: not a relative path below "log/" of plain names.
Status check_log_key(std::string_view key);

// Files that FileSystem::replace leaves behind when the power goes; they are no keys.
bool is_leftover(std::string_view name);

class LogFiles : public ReplicaRepair {
 public:
  explicit LogFiles(Pool& pool) : pool_(pool) {}

  // See ObjectStore. A minority that holds other bytes than the W that agree is moved aside and replaced.
  Status put(std::string_view key, ByteView bytes);
  Result<Bytes> get(std::string_view key);
  Result<std::vector<Bytes>> get_all(std::string_view key);
  Status list(std::string_view prefix, const std::function<bool(const ObjectInfo&)>& visit);
  Status remove_stage(std::string_view key);

  Result<ReplicaReport> compare(std::string_view key, ByteView good) override;
  Result<ReplicaReport> restore(std::string_view key, ByteView good) override;

 private:
  enum class Held { same, absent, different, unknown };  // unknown: there is no descriptor or memory to look at it now
  Held examine(Volume& volume, std::string_view key, ByteView good);
  Status write_replica(Volume& volume, const std::string& key, ByteView bytes);
  Status sync_replica(Volume& volume, const std::string& key);
  Result<ReplicaReport> survey(std::string_view key, ByteView good, bool write);

  Pool& pool_;
};

}  // namespace greffe::store

#endif
