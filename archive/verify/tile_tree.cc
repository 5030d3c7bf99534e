#include "archive/verify/tile_tree.h"

#include <span>

namespace greffe::verify {

void TileTree::append(const Digest& leaf) {
  Digest hash = leaf;
  for (std::size_t level = 0;; ++level) {
    if (levels_.size() <= level) levels_.emplace_back();
    std::vector<Digest>& row = levels_[level];
    row.push_back(hash);
    if (row.size() % kTileWidth != 0) return;
    hash = tile_root(std::span(row).last(kTileWidth));
  }
}

Digest TileTree::root_at(std::uint64_t size) const {
  GREFFE_CHECK(size <= this->size());
  if (size == 0) return empty_root();
  const auto subtree = [&](unsigned level, std::uint64_t index) -> Result<Digest> {
    const std::vector<Digest>& row = levels_.at(level / 8);
    const std::uint64_t count = std::uint64_t{1} << (level % 8);
    TreeEdge edge;
    for (std::uint64_t i = index * count; i < (index + 1) * count; ++i) edge.append(row.at(i));
    return edge.root();
  };
  const auto root = root_from_subtrees(size, subtree);
  GREFFE_CHECK(root.has_value());
  return *root;
}

std::vector<Digest> TileTree::tile(const TileName& name) const {
  if (name.level >= levels_.size()) return {};
  const std::vector<Digest>& row = levels_[name.level];
  const std::uint64_t first = name.index * kTileWidth;
  const std::uint64_t count = name.width == 0 ? kTileWidth : name.width;
  if (first > row.size() || row.size() - first < count) return {};
  const auto begin = row.begin() + static_cast<std::ptrdiff_t>(first);
  return {begin, begin + static_cast<std::ptrdiff_t>(count)};
}

std::vector<TileName> TileTree::names() const {
  std::vector<TileName> out;
  for (unsigned level = 0; level < levels_.size(); ++level) {
    const std::uint64_t full = levels_[level].size() / kTileWidth;
    for (std::uint64_t index = 0; index < full; ++index) out.push_back({false, level, index, 0});
    const auto width = static_cast<unsigned>(levels_[level].size() % kTileWidth);
    if (width != 0) out.push_back({false, level, full, width});
  }
  return out;
}

}  // namespace greffe::verify
