// C2SP tlog-tiles: paths and bytes of tiles and entry bundles. Pure. See docs/formats/tiles.md.
#ifndef GREFFE_ARCHIVE_FORMAT_TILES_H
#define GREFFE_ARCHIVE_FORMAT_TILES_H

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format/digest.h"

namespace greffe {

constexpr std::uint64_t kTileWidth = 256;      // fixed by tlog-tiles
constexpr std::size_t kMaxEntryBytes = 65'535;  // the u16 length prefix of a bundle

// One tile of hashes (level 0..63) or one entry bundle. width 0 means full.
struct TileName {
  bool entries = false;
  unsigned level = 0;  // of a hash tile
  std::uint64_t index = 0;
  unsigned width = 0;  // 1..255 partial, 0 full
  std::string path() const;  // "tile/0/x001/067", "tile/entries/000.p/44"
  auto operator<=>(const TileName&) const = default;
};
Result<TileName> parse_tile_path(std::string_view path);  // invalid: anything but the one spelling

// Width of the rightmost tile at `level` of a tree of `size`; 0: there is no partial tile there.
unsigned partial_width(unsigned level, std::uint64_t size);

std::string write_bundle(std::span<const std::string> entries);       // u16 BE length || bytes, per entry
Result<std::vector<std::string>> parse_bundle(ByteView bytes);        // invalid: cut short, more than 256 entries
// A stage holds the entries since the last full bundle in the same form, at most `max_entries`.
Result<std::vector<std::string>> parse_entries(ByteView bytes, std::size_t max_entries);

// The hashes of a tile: width (or 256) x 32 bytes.
Bytes write_tile(std::span<const Digest> hashes);
Result<std::vector<Digest>> parse_tile(ByteView bytes);
// The root of a full tile's 256 hashes: one hash of the parent level.
Digest tile_root(std::span<const Digest> hashes);

}  // namespace greffe

#endif
