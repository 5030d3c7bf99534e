// Whole values under keys at a service that keeps and repairs its own replicas: what Ceph RADOS and S3 have in common,
// and all that RemoteStore needs of them. Thread-safe; blocks; a write is tried once.
#ifndef GREFFE_ARCHIVE_STORE_REMOTE_BYTES_H
#define GREFFE_ARCHIVE_STORE_REMOTE_BYTES_H

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "archive/base/bytes.h"
#include "archive/store/object_store.h"

namespace greffe::store {

enum class Created { now, before };

// A value that is collected before it is created. Its memory may outlive it: what was sent and never answered can still be on its way.
class Upload {
 public:
  virtual ~Upload() = default;
  virtual std::span<std::uint8_t> room() = 0;  // as much as was asked for; not to be changed once it was created
  // As RemoteBytes::create, of the first `bytes` of it.
  virtual Result<Created> create(std::string_view key, std::size_t bytes) = 0;
};

class RemoteBytes {
 public:
  virtual ~RemoteBytes() = default;
  // Gives the key its value in one operation; a value that is there is never replaced. now: these bytes are durable.
  // before: there is a value, which nobody compared or confirmed. unavailable: whether it was written is unknown, and it may
  // still be written after this returns: read before you judge. no_space, denied, invalid: it was not written.
  virtual Result<Created> create(std::string_view key, ByteView bytes) = 0;
  // For a value of at most `size` bytes. Must not outlive this.
  virtual std::unique_ptr<Upload> begin(std::size_t size);
  // not_found; invalid: more than `limit` bytes; unavailable; io_error.
  virtual Result<Bytes> read(std::string_view key, std::uint64_t limit) = 0;
  virtual Result<std::size_t> read_at(std::string_view key, std::uint64_t offset, std::span<std::uint8_t> out) = 0;
  virtual Result<std::uint64_t> size(std::string_view key) = 0;
  // ok: the value that was read lately is on all the replicas that the service promises. A service may show a value that
  // is still on its way to them.
  virtual Status confirm(std::string_view key) = 0;
  // Only to put good bytes in the place of damaged ones.
  virtual Status overwrite(std::string_view key, ByteView bytes) = 0;
  virtual Status remove(std::string_view key) = 0;  // ok when it is gone already
  // Every object, in the service's own order.
  virtual Status walk_objects(const std::function<bool(const std::string& key)>& step) = 0;
  // Zeros: the service does not say.
  virtual Result<Space> space() = 0;
  // As ObjectStore::list.
  virtual Status list(std::string_view prefix, const std::function<bool(const ObjectInfo&)>& visit) = 0;
};

}  // namespace greffe::store

#endif
