// Bytes and views of bytes; text is std::string and std::string_view.
#ifndef GREFFE_ARCHIVE_BASE_BYTES_H
#define GREFFE_ARCHIVE_BASE_BYTES_H

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "archive/base/result.h"

namespace greffe {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;  // never owns

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes to_bytes(std::string_view text) { return Bytes(as_bytes(text).begin(), as_bytes(text).end()); }

std::string to_hex(ByteView bytes);                       // lower case
Result<Bytes> from_hex(std::string_view text);            // invalid: odd length, upper case or another character
std::string to_base64(ByteView bytes);                    // RFC 4648 section 4, padded
Result<Bytes> from_base64(std::string_view text);         // invalid: anything but the one canonical padded form
std::string to_base64url(ByteView bytes);                 // RFC 4648 section 5, not padded
Result<Bytes> from_base64url(std::string_view text);      // invalid: anything but the one canonical unpadded form

bool is_valid_utf8(std::string_view text);

// Random bytes from the kernel. Never fails: without randomness the process cannot go on and aborts.
void fill_random(std::span<std::uint8_t> out);

// A decimal of the log formats: no sign, no leading zero, below 2^63. invalid otherwise.
Result<std::uint64_t> parse_decimal(std::string_view text);

}  // namespace greffe

#endif
