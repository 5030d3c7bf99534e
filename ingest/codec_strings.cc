#include "ingest/codec_strings.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace greffe::ingest {
namespace {

// What follows the four letters of a box; empty when there is none with at least `least` bytes behind it.
ByteView behind(ByteView init, std::string_view box, std::size_t least) {
  const ByteView name = as_bytes(box);
  const auto at = std::search(init.begin(), init.end(), name.begin(), name.end());
  const auto left = static_cast<std::size_t>(init.end() - at);
  if (left < name.size() + least) return {};
  return init.subspan(init.size() - left + name.size());
}

// ISO 14496-15, annex E.3.
std::string hevc_string(ByteView hvcc) {
  static constexpr std::string_view kSpaces[] = {"", "A", "B", "C"};
  std::uint32_t compatibility = 0;  // the bits in reverse order
  for (unsigned i = 0; i < 32; ++i) {
    if (hvcc[2 + i / 8] >> (7 - i % 8) & 1) compatibility |= std::uint32_t{1} << i;
  }
  std::string out = fmt::format("hvc1.{}{}.{:X}.{}{}", kSpaces[hvcc[1] >> 6], hvcc[1] & 31, compatibility,
                                hvcc[1] & 32 ? "H" : "L", hvcc[12]);
  std::size_t constraints = 6;
  while (constraints > 0 && hvcc[6 + constraints - 1] == 0) --constraints;
  for (std::size_t i = 0; i < constraints; ++i) out += fmt::format(".{:X}", hvcc[6 + i]);
  return out;
}

// The content of the first descriptor with this tag (ISO 14496-1, 8.3.3: lengths of seven bits a byte).
ByteView descriptor(ByteView bytes, std::uint8_t tag, std::size_t skip) {
  if (bytes.size() < skip) return {};
  bytes = bytes.subspan(skip);
  if (bytes.empty() || bytes[0] != tag) return {};
  std::size_t size = 0;
  std::size_t at = 1;
  for (; at < bytes.size() && at <= 4; ++at) {
    size = size << 7 | (bytes[at] & 0x7Fu);
    if ((bytes[at] & 0x80u) == 0) break;
  }
  if (at + 1 >= bytes.size()) return {};
  bytes = bytes.subspan(at + 1);
  return bytes.first(std::min(size, bytes.size()));
}

std::string mpeg_audio_string(ByteView esds) {
  constexpr std::uint8_t kElementary = 3;
  constexpr std::uint8_t kDecoderConfig = 4;
  constexpr std::uint8_t kDecoderSpecific = 5;
  const ByteView elementary = descriptor(esds, kElementary, 4);             // behind version and flags
  const ByteView config = descriptor(elementary, kDecoderConfig, 3);        // behind the id and flags
  if (config.empty()) return "mp4a";
  if (config[0] != 0x40) return fmt::format("mp4a.{:02X}", config[0]);      // 6B: MPEG-1 layer 3
  const ByteView specific = descriptor(config, kDecoderSpecific, 13);
  if (specific.size() < 2) return "mp4a.40.2";
  unsigned type = specific[0] >> 3;
  if (type == 31) type = 32 + ((specific[0] & 7u) << 3 | specific[1] >> 5);
  return fmt::format("mp4a.40.{}", type);
}

}  // namespace

std::string codec_string(ByteView init) {
  if (const ByteView avcc = behind(init, "avcC", 4); !avcc.empty()) {
    return fmt::format("avc1.{:02x}{:02x}{:02x}", avcc[1], avcc[2], avcc[3]);
  }
  if (const ByteView hvcc = behind(init, "hvcC", 13); !hvcc.empty()) return hevc_string(hvcc);
  if (const ByteView esds = behind(init, "esds", 20); !esds.empty()) return mpeg_audio_string(esds);
  if (!behind(init, "dOps", 1).empty()) return "opus";
  if (!behind(init, "dfLa", 1).empty()) return "flac";
  return "unknown";
}

}  // namespace greffe::ingest
