#include "archive/format/tiles.h"

#include <fmt/format.h>

#include <array>

#include "archive/format/merkle.h"

namespace greffe {
namespace {

constexpr unsigned kMaxLevel = 63;

// tlog-tiles: groups of three digits, all but the last with an 'x' before them.
std::string index_path(std::uint64_t index) {
  std::string out = fmt::format("{:03d}", index % 1000);
  for (index /= 1000; index != 0; index /= 1000) out = fmt::format("x{:03d}/{}", index % 1000, out);
  return out;
}

Error not_a_tile(std::string_view path) {
  return fail(Errc::invalid, "\"" + std::string(path.substr(0, 128)) + "\" is not the path of a tile");
}

// Takes the text up to `separator` (or all) off the front.
std::string_view take(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return part;
}

}  // namespace

std::string TileName::path() const {
  const std::string kind = entries ? std::string("entries") : std::to_string(level);
  const std::string part = width == 0 ? std::string() : fmt::format(".p/{}", width);
  return "tile/" + kind + "/" + index_path(index) + part;
}

Result<TileName> parse_tile_path(std::string_view path) {
  std::string_view rest = path;
  if (path.size() > 128 || take(rest, '/') != "tile") return not_a_tile(path);
  TileName out;
  const std::string_view kind = take(rest, '/');
  out.entries = kind == "entries";
  if (!out.entries) {
    const auto level = parse_decimal(kind);
    if (!level || *level > kMaxLevel) return not_a_tile(path);
    out.level = static_cast<unsigned>(*level);
  }
  if (const std::size_t part = rest.find(".p/"); part != std::string_view::npos) {
    const auto width = parse_decimal(rest.substr(part + 3));
    if (!width || *width == 0 || *width >= kTileWidth) return not_a_tile(path);
    out.width = static_cast<unsigned>(*width);
    rest = rest.substr(0, part);
  }
  while (!rest.empty()) {
    std::string_view group = take(rest, '/');
    if (!rest.empty()) {
      if (!group.starts_with('x')) return not_a_tile(path);
      group.remove_prefix(1);
    }
    if (group.size() != 3 || out.index > (std::uint64_t{1} << 52)) return not_a_tile(path);
    for (const char c : group) {
      if (c < '0' || c > '9') return not_a_tile(path);
      out.index = out.index * 10 + static_cast<std::uint64_t>(c - '0');
    }
  }
  if (out.path() != path) return not_a_tile(path);  // one spelling for each tile
  return out;
}

unsigned partial_width(unsigned level, std::uint64_t size) {
  const unsigned shift = level * 8;
  return shift >= 64 ? 0 : static_cast<unsigned>((size >> shift) % kTileWidth);
}

std::string write_bundle(std::span<const std::string> entries) {
  std::size_t total = 0;
  for (const std::string& entry : entries) total += 2 + entry.size();
  std::string out;
  out.reserve(total);
  for (const std::string& entry : entries) {
    GREFFE_CHECK(entry.size() <= kMaxEntryBytes);
    out += static_cast<char>(entry.size() >> 8);
    out += static_cast<char>(entry.size() & 0xff);
    out += entry;
  }
  return out;
}

Result<std::vector<std::string>> parse_entries(ByteView bytes, std::size_t max_entries) {
  std::vector<std::string> out;
  while (!bytes.empty()) {
    if (out.size() == max_entries) return fail(Errc::invalid, fmt::format("a bundle holds more than {} entries", max_entries));
    if (bytes.size() < 2) return fail(Errc::invalid, "a bundle is cut short");
    const std::size_t size = std::size_t{bytes[0]} << 8 | bytes[1];
    if (bytes.size() < 2 + size) return fail(Errc::invalid, "a bundle is cut short");
    out.emplace_back(as_text(bytes.subspan(2, size)));
    bytes = bytes.subspan(2 + size);
  }
  return out;
}

Result<std::vector<std::string>> parse_bundle(ByteView bytes) { return parse_entries(bytes, kTileWidth); }

Bytes write_tile(std::span<const Digest> hashes) {
  Bytes out;
  out.reserve(hashes.size() * 32);
  for (const Digest& hash : hashes) out.insert(out.end(), hash.bytes.begin(), hash.bytes.end());
  return out;
}

Result<std::vector<Digest>> parse_tile(ByteView bytes) {
  if (bytes.empty() || bytes.size() % 32 != 0 || bytes.size() > kTileWidth * 32) {
    return fail(Errc::invalid, "a tile has 1 to 256 hashes of 32 bytes");
  }
  std::vector<Digest> out;
  out.reserve(bytes.size() / 32);
  for (; !bytes.empty(); bytes = bytes.subspan(32)) out.push_back(*digest_from_bytes(bytes.first(32)));
  return out;
}

Digest tile_root(std::span<const Digest> hashes) {
  GREFFE_CHECK(hashes.size() == kTileWidth);
  TreeEdge edge;
  for (const Digest& hash : hashes) edge.append(hash);
  return edge.root();
}

}  // namespace greffe
