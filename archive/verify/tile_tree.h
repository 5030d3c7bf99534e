// A whole Merkle tree in memory, as tiles of 256: what a log's files are compared with. 32 bytes an entry. A value.
#ifndef GREFFE_ARCHIVE_VERIFY_TILE_TREE_H
#define GREFFE_ARCHIVE_VERIFY_TILE_TREE_H

#include <cstdint>
#include <vector>

#include "archive/format/merkle.h"
#include "archive/format/tiles.h"

namespace greffe::verify {

class TileTree {
 public:
  void append(const Digest& leaf);
  std::uint64_t size() const { return levels_.empty() ? 0 : levels_[0].size(); }
  Digest root() const { return root_at(size()); }
  Digest root_at(std::uint64_t size) const;  // size <= size()
  // The hashes that the tile must hold in a tree of this size: `width` of them, 0 for a full tile. Empty: no such tile.
  std::vector<Digest> tile(const TileName& name) const;
  // The tiles of hashes of this tree: full ones, and the partial ones of its size.
  std::vector<TileName> names() const;

 private:
  std::vector<std::vector<Digest>> levels_;  // [l][i]: hash of the full subtree of 256^l leaves from i * 256^l on
};

}  // namespace greffe::verify

#endif
