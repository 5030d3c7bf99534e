#include "archive/format/comparison_tree.h"

#include <fmt/format.h>

#include <algorithm>

namespace greffe {
namespace {

// No line begins another one, and none is an entry, a tree or a note of a log.
constexpr std::string_view kLeafLine = "greffe comparison leaf v1\n";
constexpr std::string_view kNodeLine = "greffe comparison node v1\n";
constexpr std::string_view kLogLine = "greffe comparison log v1\n";
constexpr std::string_view kChallengeLine = "greffe challenge v1\n";

constexpr std::size_t kKindAt = 32;
constexpr std::size_t kHearingAt = 33;

}  // namespace

std::uint32_t comparison_leaf(const Digest& id) {
  return static_cast<std::uint32_t>(id.bytes[0]) << 12 | static_cast<std::uint32_t>(id.bytes[1]) << 4 | id.bytes[2] >> 4;
}

Digest comparison_node_hash(std::span<const Digest> children) {
  GREFFE_CHECK(children.size() == kComparisonFan);
  Sha256 hash;
  hash.update(as_bytes(kNodeLine));
  for (const Digest& child : children) hash.update(child.view());
  return hash.finish();
}

ComparisonLeafHash::ComparisonLeafHash() { hash_.update(as_bytes(kLeafLine)); }

ComparisonTreeBuilder::ComparisonTreeBuilder() {
  tree_.levels_[kComparisonLevels].reserve(kComparisonLeaves);
  tree_.begins_.reserve(kComparisonLeaves + 1);
  tree_.begins_.push_back(0);
}

// Leaves below `up_to` are complete; most of a small set are empty, and those are hashed once.
void ComparisonTreeBuilder::close_leaves(std::uint32_t up_to) {
  std::vector<Digest>& leaves = tree_.levels_[kComparisonLevels];
  if (leaves.size() < up_to && open_) {
    leaves.push_back(open_->finish());
    open_.reset();
    tree_.begins_.push_back(count_);
  }
  if (leaves.size() >= up_to) return;
  const Digest empty = ComparisonLeafHash().finish();
  leaves.resize(up_to, empty);
  tree_.begins_.resize(up_to + 1, count_);
}

void ComparisonTreeBuilder::add(const Digest& id) {
  GREFFE_CHECK(count_ == 0 || last_ < id);
  close_leaves(comparison_leaf(id));
  if (!open_) open_.emplace();
  open_->add(id);
  last_ = id;
  ++count_;
}

ComparisonTree ComparisonTreeBuilder::finish() && {
  close_leaves(kComparisonLeaves);
  for (unsigned level = kComparisonLevels; level-- > 0;) {
    const std::span<const Digest> below = tree_.levels_[level + 1];
    std::vector<Digest>& nodes = tree_.levels_[level];
    nodes.reserve(comparison_width(level));
    for (std::uint32_t i = 0; i < comparison_width(level); ++i) {
      nodes.push_back(comparison_node_hash(below.subspan(std::size_t{i} * kComparisonFan, kComparisonFan)));
    }
  }
  return std::move(tree_);
}

Digest log_item_id(std::string_view origin, std::uint64_t size, const Digest& root) {
  return sha256(as_bytes(fmt::format("{}{}\n{}\n{}\n", kLogLine, origin, size, root.hex())));
}

std::array<std::uint8_t, kComparedItemBytes> pack(const ComparedItem& item) {
  std::array<std::uint8_t, kComparedItemBytes> out{};
  std::copy(item.id.bytes.begin(), item.id.bytes.end(), out.begin());
  out[kKindAt] = static_cast<std::uint8_t>(item.kind);
  if (item.hearing) std::copy(item.hearing->bytes.begin(), item.hearing->bytes.end(), out.begin() + kHearingAt);
  return out;
}

Result<ComparedItem> unpack_compared_item(ByteView bytes) {
  if (bytes.size() != kComparedItemBytes || bytes[kKindAt] > static_cast<std::uint8_t>(ComparedKind::main_log)) {
    return fail(Errc::corrupt, "what was sorted for a comparison does not read back as it was written; begin the comparison again");
  }
  ComparedItem out;
  out.id = GREFFE_TRY(digest_from_bytes(bytes.first(kKindAt)));
  out.kind = static_cast<ComparedKind>(bytes[kKindAt]);
  HearingId hearing;
  std::copy(bytes.begin() + kHearingAt, bytes.end(), hearing.bytes.begin());
  if (hearing != HearingId{}) out.hearing = hearing;
  return out;
}

Bytes challenge_prefix(const Digest& nonce) {
  Bytes out(kChallengeLine.size() + nonce.bytes.size());
  std::copy(kChallengeLine.begin(), kChallengeLine.end(), out.begin());
  std::copy(nonce.bytes.begin(), nonce.bytes.end(), out.begin() + static_cast<std::ptrdiff_t>(kChallengeLine.size()));
  return out;
}

}  // namespace greffe
