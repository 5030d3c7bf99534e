// Bytes in memory as a file to send from. Only for the length of one call: the bytes stay the caller's.
#ifndef GREFFE_ARCHIVE_CLIENT_OBJECT_BODY_H
#define GREFFE_ARCHIVE_CLIENT_OBJECT_BODY_H

#include <algorithm>

#include "archive/base/file_system.h"

namespace greffe::client {

class ObjectBody : public ReadableFile {
 public:
  explicit ObjectBody(ByteView bytes) : bytes_(bytes) {}
  Result<std::uint64_t> size() override { return static_cast<std::uint64_t>(bytes_.size()); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) override {
    if (offset >= bytes_.size()) return std::size_t{0};
    const std::size_t count = std::min<std::size_t>(out.size(), bytes_.size() - offset);
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), count, out.begin());
    return count;
  }
  int descriptor() const override { return -1; }

 private:
  const ByteView bytes_;
};

}  // namespace greffe::client

#endif
