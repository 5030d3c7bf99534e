// The incomplete rightmost tile of every level of a tree: what the next leaves complete, and the root once more, by
// another way than TreeEdge (over tiles instead of over bits). A value.
#ifndef GREFFE_ARCHIVE_TLOG_TILE_EDGE_H
#define GREFFE_ARCHIVE_TLOG_TILE_EDGE_H

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "archive/format/digest.h"

namespace greffe::tlog {

// RFC 6962's tree hash over hashes, from its definition.
Digest tree_hash(std::span<const Digest> hashes);

class TileEdge {
 public:
  using OnTile = std::function<void(unsigned level, std::uint64_t index, const std::vector<Digest>& hashes)>;

  TileEdge() = default;
  // levels[L] holds the hashes of the incomplete tile at level L of a tree of `size`.
  TileEdge(std::uint64_t size, std::vector<std::vector<Digest>> levels) : size_(size), levels_(std::move(levels)) {}

  // `on_tile` is given every tile that this leaf completes, lowest level first.
  void append(const Digest& leaf, const OnTile& on_tile = {});
  std::uint64_t size() const { return size_; }
  Digest root() const;
  const std::vector<std::vector<Digest>>& levels() const { return levels_; }

 private:
  std::uint64_t size_ = 0;
  std::vector<std::vector<Digest>> levels_;
};

}  // namespace greffe::tlog

#endif
