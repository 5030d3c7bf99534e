// Objects and log files as objects of an S3 bucket: written on the condition that there is none. Thread-safe.
#ifndef GREFFE_ARCHIVE_STORE_S3_BYTES_H
#define GREFFE_ARCHIVE_STORE_S3_BYTES_H

#include "archive/store/remote_bytes.h"
#include "archive/store/s3_client.h"

namespace greffe::store {

class S3Bytes : public RemoteBytes {
 public:
  explicit S3Bytes(S3Client& client) : client_(client) {}

  // From now on what is written and never removed is given a time until which the service keeps it: objects, log files but stages
  // and markers, and what was moved aside. Before anything is written.
  void keep(Clock& clock, std::string mode, unsigned days);

  Result<Created> create(std::string_view key, ByteView bytes) override;
  Result<Bytes> read(std::string_view key, std::uint64_t limit) override;
  Result<std::size_t> read_at(std::string_view key, std::uint64_t offset, std::span<std::uint8_t> out) override;
  Result<std::uint64_t> size(std::string_view key) override { return client_.size(key); }
  Status confirm(std::string_view) override { return ok(); }  // S3 shows nothing that is not durable
  Status overwrite(std::string_view key, ByteView bytes) override { return client_.put(key, bytes, {}, retention_of(key)); }
  Status remove(std::string_view key) override { return client_.remove(key); }
  Status walk_objects(const std::function<bool(const std::string& key)>& step) override {
    return list("sha256/", [&](const ObjectInfo& info) { return step(info.key); });
  }
  Result<Space> space() override { return Space{}; }
  Status list(std::string_view prefix, const std::function<bool(const ObjectInfo&)>& visit) override;

 private:
  std::optional<S3Retention> retention_of(std::string_view key) const;

  S3Client& client_;
  Clock* clock_ = nullptr;  // none: the bucket has no Object Lock, or it is not used
  std::string mode_;
  unsigned days_ = 0;
};

}  // namespace greffe::store

#endif
