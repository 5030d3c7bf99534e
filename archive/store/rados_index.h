// Which log files there are: RADOS itself can only list a whole namespace, in no order. Each folder of a key has an object
// "index/<folder>/" whose omap keys are the names in it, folders with a '/' at the end. A name may stand there without its
// file (a crash in between, or a write that failed): whoever lists looks; a file is never there without its name.
// Thread-safe.
#ifndef GREFFE_ARCHIVE_STORE_RADOS_INDEX_H
#define GREFFE_ARCHIVE_STORE_RADOS_INDEX_H

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "archive/store/object_store.h"
#include "archive/store/rados_cluster.h"

namespace greffe::store {

class RadosIndex {
 public:
  explicit RadosIndex(RadosCluster& cluster) : cluster_(cluster) {}

  // Makes sure of the folders and sends the name itself, which is durable when wait() gives 0: a file and its name may be
  // written side by side, and the file counts when both are there.
  Result<RadosPending> add(const std::string& key);
  Status remove(const std::string& key);
  // Every key below a prefix that ends in '/', sorted; with its size, if its file is there.
  Status list(std::string_view prefix, const std::function<bool(const ObjectInfo&)>& visit);

 private:
  class Walk;
  Status ensure_folder(const std::string& folder);
  RadosPending send_name(const std::string& folder, const std::string& name);

  RadosCluster& cluster_;
  std::mutex mutex_;
  std::unordered_set<std::string> known_;  // guarded by mutex_; folders whose own names are durable
};

}  // namespace greffe::store

#endif
