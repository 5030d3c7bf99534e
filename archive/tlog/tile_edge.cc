#include "archive/tlog/tile_edge.h"

#include <bit>

#include "archive/format/merkle.h"
#include "archive/format/tiles.h"

namespace greffe::tlog {

Digest tree_hash(std::span<const Digest> hashes) {
  if (hashes.empty()) return empty_root();
  if (hashes.size() == 1) return hashes.front();
  const std::size_t split = std::bit_floor(hashes.size() - 1);
  return node_hash(tree_hash(hashes.first(split)), tree_hash(hashes.subspan(split)));
}

void TileEdge::append(const Digest& leaf, const OnTile& on_tile) {
  Digest hash = leaf;
  ++size_;
  for (unsigned level = 0;; ++level) {
    if (levels_.size() <= level) levels_.emplace_back();
    std::vector<Digest>& tile = levels_[level];
    tile.push_back(hash);
    if (tile.size() < kTileWidth) return;
    hash = tree_hash(tile);
    if (on_tile) on_tile(level, (size_ >> (8 * (level + 1))) - 1, tile);
    tile.clear();
  }
}

// Right of the tiles of a level stands what the levels below leave over, as one ragged subtree.
Digest TileEdge::root() const {
  std::vector<Digest> rest;
  for (const std::vector<Digest>& level : levels_) {
    std::vector<Digest> row = level;
    row.insert(row.end(), rest.begin(), rest.end());
    if (!row.empty()) rest = {tree_hash(row)};
  }
  return rest.empty() ? empty_root() : rest.front();
}

}  // namespace greffe::tlog
