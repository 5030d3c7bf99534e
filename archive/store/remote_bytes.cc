#include "archive/store/remote_bytes.h"

namespace greffe::store {
namespace {

// For services that copy what they send.
class PlainUpload : public Upload {
 public:
  PlainUpload(RemoteBytes& bytes, std::size_t size) : bytes_(bytes), size_(size), room_(new std::uint8_t[size]) {}  // touched as bytes arrive
  std::span<std::uint8_t> room() override { return {room_.get(), size_}; }
  Result<Created> create(std::string_view key, std::size_t bytes) override { return bytes_.create(key, room().first(bytes)); }

 private:
  RemoteBytes& bytes_;
  const std::size_t size_;
  const std::unique_ptr<std::uint8_t[]> room_;
};

}  // namespace

std::unique_ptr<Upload> RemoteBytes::begin(std::size_t size) { return std::make_unique<PlainUpload>(*this, size); }

}  // namespace greffe::store
