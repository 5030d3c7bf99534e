#include "archive/tlog/stored_tree.h"

#include <algorithm>

#include "archive/format/merkle.h"
#include "archive/tlog/tile_edge.h"

namespace greffe::tlog {
namespace {

constexpr std::size_t kRootsMax = 100'000;

std::vector<std::vector<Digest>> full_tiles(const std::vector<Bytes>& replicas) {
  std::vector<std::vector<Digest>> out;
  for (const Bytes& bytes : replicas) {
    auto hashes = parse_tile(bytes);
    if (hashes && hashes->size() == kTileWidth) out.push_back(*std::move(hashes));
  }
  return out;
}

}  // namespace

std::string tile_key(const std::string& log_path, const TileName& name) { return log_path + "/" + name.path(); }

std::vector<Digest> leaf_hashes(const std::vector<std::string>& entries) {
  std::vector<Digest> out;
  out.reserve(entries.size());
  for (const std::string& entry : entries) out.push_back(leaf_hash(as_bytes(entry)));
  return out;
}

Result<std::vector<Digest>> StoredTree::stored_tile(unsigned level, std::uint64_t index) {
  const std::string key = tile_key(log_path_, {false, level, index, 0});
  const Bytes bytes = GREFFE_TRY(objects_.get(key));
  auto hashes = parse_tile(bytes);
  if (hashes && hashes->size() == kTileWidth) return hashes;
  const std::vector<Bytes> replicas = GREFFE_TRY(objects_.get_all(key));
  for (auto& tile : full_tiles(replicas)) return std::move(tile);
  return fail(Errc::corrupt, key + " is not a full tile on any volume");
}

Result<std::vector<Digest>> StoredTree::derived_tile(unsigned level, std::uint64_t index) {
  if (level == 0) {
    const std::vector<std::string> entries = GREFFE_TRY(bundle(index));
    return leaf_hashes(entries);
  }
  std::vector<Digest> out;
  for (std::uint64_t child = index * kTileWidth; child < (index + 1) * kTileWidth; ++child) {
    out.push_back(GREFFE_TRY(tile_root(level - 1, child)));
  }
  return out;
}

Result<std::vector<Digest>> StoredTree::tile(unsigned level, std::uint64_t index) {
  if (trust_ == Trust::careful) return derived_tile(level, index);
  auto stored = stored_tile(level, index);
  if (stored) return stored;
  auto derived = derived_tile(level, index);
  return derived ? derived : stored;
}

Result<Digest> StoredTree::tile_root(unsigned level, std::uint64_t index) {
  const std::pair key(level, index);
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = roots_.find(key); found != roots_.end()) return found->second;
  }
  const std::vector<Digest> hashes = GREFFE_TRY(tile(level, index));
  const Digest root = tree_hash(hashes);
  const std::lock_guard lock(mutex_);
  if (roots_.size() >= kRootsMax) roots_.clear();
  roots_.emplace(key, root);
  return root;
}

Result<std::vector<std::string>> StoredTree::bundle(std::uint64_t index) {
  const std::string key = tile_key(log_path_, {true, 0, index, 0});
  const std::string tile = tile_key(log_path_, {false, 0, index, 0});
  // The usual case: the first replicas agree.
  const auto first = objects_.get(key);
  if (!first && first.error().code == Errc::not_found) return first.error();
  const auto first_tile = objects_.get(tile);
  if (first && first_tile) {
    auto entries = parse_bundle(*first);
    const auto hashes = parse_tile(*first_tile);
    if (entries && hashes && entries->size() == kTileWidth && leaf_hashes(*entries) == *hashes) return entries;
  }
  const std::vector<Bytes> replicas = GREFFE_TRY(objects_.get_all(key));
  std::vector<std::vector<std::string>> bundles;
  for (const Bytes& bytes : replicas) {
    auto entries = parse_bundle(bytes);
    if (entries && entries->size() == kTileWidth) bundles.push_back(*std::move(entries));
  }
  const auto tile_replicas = objects_.get_all(tile);
  const auto tiles = full_tiles(tile_replicas ? *tile_replicas : std::vector<Bytes>());
  for (auto& entries : bundles) {
    const std::vector<Digest> hashes = leaf_hashes(entries);
    if (std::find(tiles.begin(), tiles.end(), hashes) != tiles.end()) return std::move(entries);
  }
  // No tile to judge by (a crash before it was written): a single reading of the bundle is left to the root to judge.
  if (tiles.empty() && bundles.size() == 1) return std::move(bundles.front());
  return fail(Errc::corrupt, key + " does not agree with its hashes on any volume");
}

}  // namespace greffe::tlog
