// SHA-256: the name of an object, a leaf or a root of a tree. Values.
#ifndef GREFFE_ARCHIVE_FORMAT_DIGEST_H
#define GREFFE_ARCHIVE_FORMAT_DIGEST_H

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "archive/base/bytes.h"
#include "archive/base/result.h"

namespace greffe {

struct Digest {
  std::array<std::uint8_t, 32> bytes{};
  auto operator<=>(const Digest&) const = default;
  std::string hex() const { return to_hex(bytes); }
  ByteView view() const { return bytes; }
};

Result<Digest> digest_from_hex(std::string_view hex);  // invalid: not 64 lower-case hexadecimal digits
Result<Digest> digest_from_bytes(ByteView bytes);      // invalid: not 32 bytes

Digest sha256(ByteView bytes);

// A running SHA-256. One thread at a time.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(ByteView bytes);
  Digest peek() const;  // the digest so far; the running hash goes on (it is copied and finished)
  Digest finish();      // the digest; this object must not be used after

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace greffe

template <>
struct std::hash<greffe::Digest> {
  std::size_t operator()(const greffe::Digest& d) const noexcept {
    std::size_t out = 0;
    for (std::size_t i = 0; i < sizeof out; ++i) out = out << 8 | d.bytes[i];
    return out;  // a digest is uniform already
  }
};

#endif
