#include "archive/store/rados_index.h"

#include <cerrno>
#include <map>
#include <set>

namespace greffe::store {
namespace {

constexpr std::size_t kKnownFoldersMax = 100'000;  // some 10 MB
constexpr std::uint64_t kNamesPerRead = 1000;
constexpr std::size_t kFilesPerLook = 64;  // sizes asked for at once

std::string index_name(std::string_view folder) { return "index/" + std::string(folder); }

// "log/main/stage/" of "log/main/stage/0-1-ab" and "log/main/" of "log/main/stage/".
std::string folder_of(std::string_view key) {
  if (key.ends_with('/')) key.remove_suffix(1);
  return std::string(key.substr(0, key.rfind('/') + 1));
}

std::string name_in(std::string_view key, const std::string& folder) { return std::string(key.substr(folder.size())); }

}  // namespace

RadosPending RadosIndex::send_name(const std::string& folder, const std::string& name) {
  librados::ObjectWriteOperation operation;
  operation.omap_set({{name, librados::bufferlist()}});
  return send_write(cluster_.logs(), index_name(folder), operation);
}

// From the root down: a folder that has names is always found from above.
Status RadosIndex::ensure_folder(const std::string& folder) {
  if (folder == "log/") return ok();
  {
    const std::lock_guard lock(mutex_);
    if (known_.contains(folder)) return ok();
  }
  const std::string parent = folder_of(folder);
  GREFFE_TRY(ensure_folder(parent));
  const int code = send_name(parent, name_in(folder, parent)).wait();
  if (code < 0) return error_of_rados(code, "the folder " + folder + " cannot be noted");
  const std::lock_guard lock(mutex_);
  if (known_.size() >= kKnownFoldersMax) known_.clear();
  known_.insert(folder);
  return ok();
}

Result<RadosPending> RadosIndex::add(const std::string& key) {
  const std::string folder = folder_of(key);
  GREFFE_TRY(ensure_folder(folder));
  return send_name(folder, name_in(key, folder));
}

Status RadosIndex::remove(const std::string& key) {
  const std::string folder = folder_of(key);
  librados::ObjectWriteOperation operation;
  operation.omap_rm_keys({name_in(key, folder)});
  const int code = send_write(cluster_.logs(), index_name(folder), operation).wait();
  return code < 0 && code != -ENOENT ? Status(error_of_rados(code, "the name " + key + " cannot be removed")) : ok();
}

// One listing. The names come in order; the sizes of several files are asked for at once.
class RadosIndex::Walk {
 public:
  Walk(RadosCluster& cluster, const std::function<bool(const ObjectInfo&)>& visit) : cluster_(cluster), visit_(visit) {}

  Status folder(const std::string& folder) {
    std::string after;
    for (bool more = true; more && !stopped_;) {
      std::set<std::string> names;
      librados::ObjectReadOperation operation;
      int code_of_keys = 0;
      operation.omap_get_keys2(after, kNamesPerRead, &names, &more, &code_of_keys);
      const int code = send_read(cluster_.logs(), index_name(folder), operation).wait();
      if (code == -ENOENT) return ok();
      if (code < 0 || code_of_keys < 0) return error_of_rados(code < 0 ? code : code_of_keys, folder + " cannot be listed");
      if (names.empty()) break;
      after = *names.rbegin();
      for (const std::string& name : names) {
        if (stopped_) break;
        GREFFE_TRY(step(folder + name));
      }
    }
    return ok();
  }

  Status flush() {
    std::vector<Look> looks(waiting_.size());
    std::vector<RadosPending> pending;
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
      librados::ObjectReadOperation operation;
      operation.stat2(&looks[i].bytes, &looks[i].modified, &looks[i].code);
      pending.push_back(send_read(cluster_.logs(), waiting_[i], operation));
    }
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
      const int code = pending[i].wait();
      if (stopped_ || code == -ENOENT) continue;
      if (code < 0) return error_of_rados(code, waiting_[i] + " cannot be looked at");
      stopped_ = !visit_({waiting_[i], looks[i].bytes});
    }
    waiting_.clear();
    return ok();
  }

 private:
  struct Look {
    std::uint64_t bytes = 0;
    timespec modified{};
    int code = 0;
  };

  Status step(const std::string& key) {
    if (key.ends_with('/')) return folder(key);
    waiting_.push_back(key);
    return waiting_.size() < kFilesPerLook ? ok() : flush();
  }

  RadosCluster& cluster_;
  const std::function<bool(const ObjectInfo&)>& visit_;
  std::vector<std::string> waiting_;  // files whose size is not known yet
  bool stopped_ = false;
};

Status RadosIndex::list(std::string_view prefix, const std::function<bool(const ObjectInfo&)>& visit) {
  Walk walk(cluster_, visit);
  GREFFE_TRY(walk.folder(std::string(prefix)));
  return walk.flush();
}

}  // namespace greffe::store
