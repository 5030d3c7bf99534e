// How two sites find what one of them lacks without listing what both have: a tree of hashes over the sorted ids of what a site
// holds, the same on both sides where they hold the same. Pure. See docs/formats/comparison.md.
#ifndef GREFFE_ARCHIVE_FORMAT_COMPARISON_TREE_H
#define GREFFE_ARCHIVE_FORMAT_COMPARISON_TREE_H

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "archive/format/names.h"

namespace greffe {

// Every node has 16 children; the leaf of an id is its first 20 bits. Level 0 is the root, level 5 the leaves.
constexpr unsigned kComparisonLevels = 5;
constexpr std::uint32_t kComparisonFan = 16;
constexpr std::uint32_t kComparisonLeaves = 1u << 20;

constexpr std::uint32_t comparison_width(unsigned level) { return 1u << (4 * level); }  // nodes of a level
std::uint32_t comparison_leaf(const Digest& id);
Digest comparison_node_hash(std::span<const Digest> children);  // of exactly 16

// The hash of a leaf, id by id in rising order.
class ComparisonLeafHash {
 public:
  ComparisonLeafHash();
  void add(const Digest& id) { hash_.update(id.view()); }
  Digest finish() { return hash_.finish(); }

 private:
  Sha256 hash_;
};

// All of it: 36 MB, however many ids there are. Immutable; thread-safe.
class ComparisonTree {
 public:
  const Digest& hash(unsigned level, std::uint32_t index) const { return levels_[level][index]; }
  const Digest& root() const { return levels_[0][0]; }
  // Ids of a leaf are the range [begin, end) of all of them, sorted.
  std::uint64_t begin(std::uint32_t leaf) const { return begins_[leaf]; }
  std::uint64_t end(std::uint32_t leaf) const { return begins_[leaf + 1]; }
  std::uint64_t size() const { return begins_.back(); }

 private:
  friend class ComparisonTreeBuilder;
  std::array<std::vector<Digest>, kComparisonLevels + 1> levels_;
  std::vector<std::uint64_t> begins_;
};

class ComparisonTreeBuilder {
 public:
  ComparisonTreeBuilder();
  void add(const Digest& id);  // each behind the one before it
  ComparisonTree finish() &&;

 private:
  void close_leaves(std::uint32_t up_to);

  ComparisonTree tree_;
  std::optional<ComparisonLeafHash> open_;  // of the leaf that ids are being added to
  std::uint64_t count_ = 0;
  Digest last_;
};

// What is compared: objects by their digests, and logs by what was recomputed from what is stored of them.
enum class ComparedKind : std::uint8_t { object = 0, hearing_log = 1, main_log = 2 };
struct ComparedItem {
  Digest id;  // of an object: its digest
  ComparedKind kind = ComparedKind::object;
  std::optional<HearingId> hearing;  // whose log it is, or that names the object; none: the main log does, for no hearing
  auto operator<=>(const ComparedItem&) const = default;
};
// SHA-256 over what the log is: two sites that hold different trees under one name hold different items.
Digest log_item_id(std::string_view origin, std::uint64_t size, const Digest& root);

// Sorted by id as bytes are.
constexpr std::size_t kComparedItemBytes = 49;
std::array<std::uint8_t, kComparedItemBytes> pack(const ComparedItem& item);
Result<ComparedItem> unpack_compared_item(ByteView bytes);  // corrupt

// What proves that somebody has the bytes of an object now: SHA-256 over a line, the nonce and the bytes.
Bytes challenge_prefix(const Digest& nonce);

}  // namespace greffe

#endif
