// The connection to a Ceph cluster: one pool, its namespaces, the operations that the other rados_* files need. Only they
// include this: it brings librados. Thread-safe.
#ifndef GREFFE_ARCHIVE_STORE_RADOS_CLUSTER_H
#define GREFFE_ARCHIVE_STORE_RADOS_CLUSTER_H

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "archive/base/bytes.h"
#include "archive/base/file_system.h"
#include "archive/store/librados.h"
#include "archive/store/rados_pool.h"

namespace greffe::store {

// One operation on its way. Used by one thread.
class RadosPending {
 public:
  RadosPending();
  RadosPending(RadosPending&&) noexcept = default;
  ~RadosPending();  // waits: what the operation writes to may be about to go
  librados::AioCompletion* completion() const { return completion_.get(); }
  void not_sent(int code) { code_ = code; }
  int wait();  // librados's code: 0 or more, or -errno

 private:
  struct Release {
    void operator()(librados::AioCompletion* completion) const { completion->release(); }
  };
  std::unique_ptr<librados::AioCompletion, Release> completion_;
  std::optional<int> code_;
};

class RadosCluster {
 public:
  // unavailable: no monitor answers within the timeout. denied: the user or its key is not known there. not_found: no such
  // pool. invalid: the configuration file.
  static Result<std::unique_ptr<RadosCluster>> connect(const RadosSettings& settings);

  librados::IoCtx& objects() { return objects_; }  // namespace "objects"
  librados::IoCtx& logs() { return logs_; }        // namespace "logs": log files, heads, indexes, the pool's label
  const std::string& pool() const { return pool_; }

  Result<Space> space();  // of the whole cluster, before replication
  // What a monitor answers, as JSON of our profile.
  Result<std::string> ask_monitor(const std::string& command);

 private:
  RadosCluster() = default;
  librados::Rados rados_;  // outlives the contexts
  librados::IoCtx objects_;
  librados::IoCtx logs_;
  std::string pool_;
};

// Sends a write. A full cluster answers at once (no_space) instead of making everybody wait.
RadosPending send_write(librados::IoCtx& io, const std::string& name, librados::ObjectWriteOperation& operation);
// Sends a read that waits for writes of this object that are under way, so that what it shows cannot be undone by the
// death of one OSD.
RadosPending send_read(librados::IoCtx& io, const std::string& name, librados::ObjectReadOperation& operation);

librados::bufferlist to_buffer(std::string_view text);  // a copy: after a timeout the library may still hold it
librados::bufferlist to_buffer(ByteView bytes);

// The one place where librados's codes become ours.
Error error_of_rados(int code, std::string_view what);

}  // namespace greffe::store

#endif
