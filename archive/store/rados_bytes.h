// Objects and log files as RADOS objects: one write, never replaced. Thread-safe.
#ifndef GREFFE_ARCHIVE_STORE_RADOS_BYTES_H
#define GREFFE_ARCHIVE_STORE_RADOS_BYTES_H

#include <string>
#include <string_view>

#include "archive/store/rados_index.h"
#include "archive/store/remote_bytes.h"

namespace greffe::store {

class RadosBytes : public RemoteBytes {
 public:
  RadosBytes(RadosCluster& cluster, RadosIndex& index) : cluster_(cluster), index_(index) {}

  Result<Created> create(std::string_view key, ByteView bytes) override;
  std::unique_ptr<Upload> begin(std::size_t size) override;
  Result<Bytes> read(std::string_view key, std::uint64_t limit) override;
  Result<std::size_t> read_at(std::string_view key, std::uint64_t offset, std::span<std::uint8_t> out) override;
  Result<std::uint64_t> size(std::string_view key) override;
  Status confirm(std::string_view key) override;
  Status overwrite(std::string_view key, ByteView bytes) override;
  Status remove(std::string_view key) override;
  Status walk_objects(const std::function<bool(const std::string& key)>& step) override;
  Result<Space> space() override { return cluster_.space(); }
  Status list(std::string_view prefix, const std::function<bool(const ObjectInfo&)>& visit) override;

 private:
  class SharedUpload;
  Result<Created> create_from(std::string_view key, const librados::bufferlist& buffer);
  librados::IoCtx& home_of(std::string_view key);

  RadosCluster& cluster_;
  RadosIndex& index_;
};

}  // namespace greffe::store

#endif
