// RFC 6962 Merkle trees: hashes, roots, proofs. Pure. See docs/formats/tree.md.
#ifndef GREFFE_ARCHIVE_FORMAT_MERKLE_H
#define GREFFE_ARCHIVE_FORMAT_MERKLE_H

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "archive/format/digest.h"

namespace greffe {

Digest leaf_hash(ByteView entry);                         // SHA-256(00 || entry)
Digest node_hash(const Digest& left, const Digest& right);  // SHA-256(01 || left || right)
Digest empty_root();                                      // SHA-256("")

// The right edge of a tree: append leaves, ask for the root, in O(log n) memory. A value.
class TreeEdge {
 public:
  TreeEdge() = default;
  // The edge of a tree of `size` leaves from its full subtrees, largest (leftmost) first: one per set bit of `size`.
  static Result<TreeEdge> from_subtrees(std::uint64_t size, std::vector<Digest> subtrees);
  void append(const Digest& leaf);
  std::uint64_t size() const { return size_; }
  Digest root() const;
  const std::vector<Digest>& subtrees() const { return subtrees_; }  // largest first

 private:
  std::uint64_t size_ = 0;
  std::vector<Digest> subtrees_;
};

// The hash of the full subtree of 2^level leaves that begins at leaf index << level.
using SubtreeReader = std::function<Result<Digest>(unsigned level, std::uint64_t index)>;

// Proofs for a tree of `size` leaves, read through `subtree`. invalid: index or size out of range; else what the
// reader returned.
Result<std::vector<Digest>> inclusion_proof(std::uint64_t index, std::uint64_t size, const SubtreeReader& subtree);
Result<std::vector<Digest>> consistency_proof(std::uint64_t old_size, std::uint64_t size, const SubtreeReader& subtree);
Result<Digest> root_from_subtrees(std::uint64_t size, const SubtreeReader& subtree);

// RFC 9162 section 2.1.3.2 and 2.1.4.2, with the loop guard. corrupt: the proof does not hold; invalid: impossible
// sizes or a proof of more than 63 hashes. The roots must come from verified checkpoints.
Status verify_inclusion(std::uint64_t index, std::uint64_t size, const Digest& leaf, std::span<const Digest> proof,
                        const Digest& root);
Status verify_consistency(std::uint64_t old_size, std::uint64_t size, const Digest& old_root, const Digest& root,
                          std::span<const Digest> proof);

}  // namespace greffe

#endif
