#include "archive/tlog/tree_view.h"

#include <fmt/format.h>

#include <bit>

namespace greffe::tlog {
namespace {

constexpr int kLoadAttempts = 5;

std::uint64_t last_bundle_start(std::uint64_t size) { return size / kTileWidth * kTileWidth; }

// Stages of exactly this head. Usually one; the same batch may have been staged from two sizes.
Result<std::vector<StageName>> stages_of(store::ObjectStore& objects, const std::string& log_path,
                                         const Checkpoint& head) {
  std::vector<StageName> out;
  const std::string prefix = log_path + "/stage/";
  GREFFE_TRY(objects.list(prefix, [&](const store::ObjectInfo& info) {
    const auto name = parse_stage_name(std::string_view(info.key).substr(prefix.size()));
    if (name && name->size == head.size && name->root == head.root) out.push_back(*name);
    return true;
  }));
  return out;
}

}  // namespace

Result<std::shared_ptr<const TreeView>> TreeView::load(store::ObjectStore& objects, store::HeadStore& heads,
                                                       const std::string& log_path) {
  std::string head = GREFFE_TRY(heads.read_head(checkpoint_path(log_path)));
  for (int attempt = 1;; ++attempt) {
    auto view = load_at(objects, log_path, head);
    if (view || attempt == kLoadAttempts) return view;
    // The writer may have gone on and cleared the stage of the head that was read.
    std::string head_now = GREFFE_TRY(heads.read_head(checkpoint_path(log_path)));
    if (head_now == head) return view;
    head = std::move(head_now);
  }
}

Result<std::shared_ptr<const TreeView>> TreeView::load_at(store::ObjectStore& objects, const std::string& log_path,
                                                          const std::string& head) {
  auto checkpoint = parse_signed_checkpoint(head);
  if (!checkpoint) return fail(Errc::corrupt, "the head of " + log_path + " cannot be read: " + checkpoint.error().message);
  const std::shared_ptr<TreeView> view(new TreeView(*std::move(checkpoint), head));
  Status problem = ok();
  for (const auto trust : {StoredTree::Trust::quick, StoredTree::Trust::careful}) {
    view->stored_ = std::make_shared<StoredTree>(objects, log_path, trust);
    const auto taken = view->take_held(objects, log_path, trust);
    if (taken && *taken) return std::shared_ptr<const TreeView>(view);
    if (!taken) problem = taken.error();
  }
  if (!problem && problem.error().code != Errc::not_found) return problem.error();
  return fail(Errc::corrupt,
              fmt::format("{}: the head says {} entries with the root {}, and what is stored does not lead there", log_path,
                          view->size(), view->checkpoint_.checkpoint.root.hex()));
}

// Finds the tail and checks it against the root. false: nothing that is stored leads there.
Result<bool> TreeView::take_held(store::ObjectStore& objects, const std::string& log_path, StoredTree::Trust trust) {
  const Checkpoint& head = checkpoint_.checkpoint;
  const std::uint64_t start = last_bundle_start(head.size);
  // Nearly always the stage begins at the last full bundle; only a batch that went over its end begins earlier.
  const StageName usual{start, head.size, head.root};
  std::vector<StageName> names;
  if (trust == StoredTree::Trust::quick && start != head.size) names.push_back(usual);
  for (int round = 0; round < 2; ++round) {
    for (const StageName& name : names) {
      if (name.first > start || name.first % kTileWidth != 0) continue;
      stage_ = name;
      const bool taken = GREFFE_TRY(take_bytes(objects, stage_path(log_path, name), name.first));
      if (taken) return true;
    }
    if (round == 0) names = GREFFE_TRY(stages_of(objects, log_path, head));
  }
  stage_.reset();
  held_.clear();
  held_hashes_.clear();
  held_first_ = start;
  if (start == head.size) return check_root().has_value();
  const TileName partial{true, 0, start / kTileWidth, partial_width(0, head.size)};
  return take_bytes(objects, tile_key(log_path, partial), start);
}

Result<bool> TreeView::take_bytes(store::ObjectStore& objects, const std::string& key, std::uint64_t first) {
  const auto replicas = objects.get_all(key);
  if (!replicas && replicas.error().code == Errc::not_found) return false;
  if (!replicas) return replicas.error();
  for (const Bytes& bytes : *replicas) {
    auto entries = parse_entries(bytes, kMaxStageEntries);
    if (!entries || entries->size() != size() - first) continue;
    held_first_ = first;
    held_ = *std::move(entries);
    held_hashes_ = leaf_hashes(held_);
    if (check_root()) return true;
  }
  return false;
}

Status TreeView::check_root() const {
  const auto reader = [this](unsigned level, std::uint64_t index) { return subtree(level, index); };
  const Digest root = GREFFE_TRY(root_from_subtrees(size(), reader));
  if (root != checkpoint_.checkpoint.root) return fail(Errc::corrupt, "another root than the head's");
  return ok();
}

// The hash at tile level `level`: a leaf, or the root of a full tile one level below.
Result<Digest> TreeView::node(unsigned level, std::uint64_t index) const {
  const std::uint64_t leaves = std::uint64_t{1} << (8 * level);
  const std::uint64_t first = index * leaves;
  if (first >= held_first_) {
    GREFFE_CHECK(first + leaves <= size());
    return tree_hash(std::span(held_hashes_).subspan(first - held_first_, leaves));
  }
  if (level > 0 && first + leaves > held_first_) {
    // Its tile was completed by the newest stage and may not be written yet.
    std::vector<Digest> row;
    for (std::uint64_t i = index * kTileWidth; i < (index + 1) * kTileWidth; ++i) {
      row.push_back(GREFFE_TRY(node(level - 1, i)));
    }
    return tree_hash(row);
  }
  if (level > 0) return stored_->tile_root(level - 1, index);
  const std::vector<Digest> hashes = GREFFE_TRY(stored_->tile(0, index / kTileWidth));
  return hashes[index % kTileWidth];
}

Result<Digest> TreeView::subtree(unsigned level, std::uint64_t index) const {
  if (level >= 64 || index >= (size() >> level)) return fail(Errc::invalid, "no such subtree in this tree");
  const unsigned tile_level = level / 8;
  const unsigned within = level % 8;
  const std::uint64_t first = index << within;
  const std::uint64_t count = std::uint64_t{1} << within;
  const std::uint64_t last_leaf = ((index + 1) << level) - 1;
  // A full stored tile has them all in one read.
  const std::uint64_t tile_index = first / kTileWidth;
  const bool full = tile_level < 7 && ((tile_index + 1) << (8 * (tile_level + 1))) <= size();
  if (full && last_leaf < held_first_) {
    const std::vector<Digest> hashes = GREFFE_TRY(stored_->tile(tile_level, tile_index));
    return tree_hash(std::span(hashes).subspan(first % kTileWidth, count));
  }
  std::vector<Digest> row;
  row.reserve(count);
  for (std::uint64_t i = first; i < first + count; ++i) row.push_back(GREFFE_TRY(node(tile_level, i)));
  return tree_hash(row);
}

Result<std::vector<std::string>> TreeView::bundle(std::uint64_t index) const {
  const std::uint64_t first = index * kTileWidth;
  if (first >= size()) return fail(Errc::not_found, "the log has no such entries");
  if (first < held_first_) return stored_->bundle(index);
  const auto begin = held_.begin() + static_cast<std::ptrdiff_t>(first - held_first_);
  const auto count = static_cast<std::ptrdiff_t>(std::min(kTileWidth, size() - first));
  return std::vector<std::string>(begin, begin + count);
}

Result<std::vector<Digest>> TreeView::tile(unsigned level, std::uint64_t index, unsigned width) const {
  const std::uint64_t nodes = level >= 8 ? 0 : size() >> (8 * level);
  const std::uint64_t first = index * kTileWidth;
  if (index > nodes / kTileWidth || first + width > nodes) {
    return fail(Errc::not_found, fmt::format("a log of {} entries does not have that tile", size()));
  }
  if (level < 7 && (index + 1) << (8 * (level + 1)) <= held_first_) {
    std::vector<Digest> hashes = GREFFE_TRY(stored_->tile(level, index));
    hashes.resize(width);
    return hashes;
  }
  std::vector<Digest> out;
  for (std::uint64_t i = first; i < first + width; ++i) out.push_back(GREFFE_TRY(node(level, i)));
  return out;
}

Result<TileEdge> TreeView::boundary() const {
  const std::uint64_t size_there = held_first_;
  std::vector<std::vector<Digest>> levels(1);
  for (unsigned level = 1; level < 8 && (size_there >> (8 * level)) != 0; ++level) {
    const std::uint64_t nodes = size_there >> (8 * level);
    std::vector<Digest>& row = levels.emplace_back();
    for (std::uint64_t i = nodes - nodes % kTileWidth; i < nodes; ++i) row.push_back(GREFFE_TRY(node(level, i)));
  }
  return TileEdge(size_there, std::move(levels));
}

}  // namespace greffe::tlog
