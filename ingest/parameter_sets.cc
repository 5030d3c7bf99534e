#include "ingest/parameter_sets.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

namespace greffe::ingest {
namespace {

constexpr unsigned kAvcSps = 7;
constexpr unsigned kAvcPps = 8;

// Packets either have start codes (00 00 01) or lengths; the track's description tells which.
bool has_lengths(const AVCodecParameters& parameters) { return parameters.extradata_size > 6 && parameters.extradata[0] == 1; }

std::vector<ByteView> units_by_length(ByteView bytes, std::size_t length_bytes) {
  std::vector<ByteView> out;
  while (bytes.size() > length_bytes) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < length_bytes; ++i) size = size << 8 | bytes[i];
    bytes = bytes.subspan(length_bytes);
    if (size == 0 || size > bytes.size()) break;
    out.push_back(bytes.first(size));
    bytes = bytes.subspan(size);
  }
  return out;
}

// Only the beginning of a packet can hold parameter sets, and pictures are large: stops at the first picture.
std::vector<ByteView> units_by_start_code(ByteView bytes, bool (*is_picture)(ByteView)) {
  static constexpr std::uint8_t kCode[] = {0, 0, 1};
  std::vector<ByteView> out;
  auto at = std::search(bytes.begin(), bytes.end(), std::begin(kCode), std::end(kCode));
  while (at != bytes.end()) {
    at += 3;
    if (at == bytes.end() || is_picture(ByteView(at, bytes.end()))) break;
    const auto next = std::search(at, bytes.end(), std::begin(kCode), std::end(kCode));
    auto end = next;
    while (end != at && *(end - 1) == 0) --end;
    if (end != at) out.emplace_back(at, end);
    at = next;
  }
  return out;
}

bool is_avc_picture(ByteView unit) { return (unit[0] & 31u) >= 1 && (unit[0] & 31u) <= 5; }
bool is_hevc_picture(ByteView unit) { return (unit[0] >> 1 & 63u) < 32; }
bool is_avc_set(ByteView unit) { return (unit[0] & 31u) == kAvcSps || (unit[0] & 31u) == kAvcPps; }
bool is_hevc_set(ByteView unit) { return (unit[0] >> 1 & 63u) >= 32 && (unit[0] >> 1 & 63u) <= 34; }

void append_set(Bytes& out, ByteView set) {
  out.insert(out.end(), {0, 0, 0, 1});
  out.insert(out.end(), set.begin(), set.end());
}

// ISO 14496-15, 5.2.4.1; profile, compatibility and level are those of the first SPS.
Bytes avc_configuration(const std::vector<ByteView>& sets) {
  Bytes out;
  for (const unsigned type : {kAvcSps, kAvcPps}) {
    std::vector<ByteView> of_type;
    for (const ByteView set : sets) {
      if ((set[0] & 31u) == type && set.size() >= 4 && set.size() <= 0xFFFF) of_type.push_back(set);
    }
    if (of_type.empty() || of_type.size() > 31) return {};
    if (type == kAvcSps) out = {1, of_type[0][1], of_type[0][2], of_type[0][3], 0xFF};
    out.push_back(static_cast<std::uint8_t>(type == kAvcSps ? 0xE0 | of_type.size() : of_type.size()));
    for (const ByteView set : of_type) {
      out.push_back(static_cast<std::uint8_t>(set.size() >> 8));
      out.push_back(static_cast<std::uint8_t>(set.size()));
      out.insert(out.end(), set.begin(), set.end());
    }
  }
  return out;
}

bool never(ByteView) { return false; }

}  // namespace

Bytes parameter_sets_in(const AVCodecParameters& parameters, const AVPacket& packet) {
  const bool avc = parameters.codec_id == AV_CODEC_ID_H264;
  const bool hevc = parameters.codec_id == AV_CODEC_ID_HEVC;
  if (!avc && !hevc) return {};
  const ByteView bytes(packet.data, static_cast<std::size_t>(packet.size));
  std::vector<ByteView> units;
  if (has_lengths(parameters)) {
    const std::size_t at = avc ? 4 : 21;
    if (parameters.extradata_size <= static_cast<int>(at)) return {};
    units = units_by_length(bytes, (parameters.extradata[at] & 3u) + 1);
  } else {
    units = units_by_start_code(bytes, avc ? is_avc_picture : is_hevc_picture);
  }
  Bytes out;
  for (const ByteView unit : units) {
    if (avc ? is_avc_set(unit) : is_hevc_set(unit)) append_set(out, unit);
  }
  return out;
}

Bytes extradata_of(const AVCodecParameters& parameters, const Bytes& sets) {
  if (!has_lengths(parameters)) return sets;
  // Lengths and H.265: the stored description lists what its maker chose; the sets stay inside the packets as well.
  if (parameters.codec_id != AV_CODEC_ID_H264 || (parameters.extradata[4] & 3u) != 3) return {};
  return avc_configuration(units_by_start_code(sets, never));
}

void set_extradata(AVCodecParameters& parameters, const Bytes& extradata) {
  av_freep(&parameters.extradata);
  parameters.extradata = static_cast<std::uint8_t*>(av_mallocz(extradata.size() + AV_INPUT_BUFFER_PADDING_SIZE));
  GREFFE_CHECK(parameters.extradata != nullptr);
  std::memcpy(parameters.extradata, extradata.data(), extradata.size());
  parameters.extradata_size = static_cast<int>(extradata.size());
}

}  // namespace greffe::ingest
