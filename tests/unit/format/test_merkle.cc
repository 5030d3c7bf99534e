#include <catch2/catch.hpp>

#include <map>

#include "archive/format/merkle.h"

using greffe::Digest;
using greffe::node_hash;

namespace {

std::vector<Digest> leaves_of(std::size_t count) {
  std::vector<Digest> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(greffe::leaf_hash(greffe::as_bytes("leaf " + std::to_string(i))));
  return out;
}

// RFC 6962 section 2.1 as it is written, memoised: slow and obvious.
class Reference {
 public:
  explicit Reference(std::vector<Digest> leaves) : leaves_(std::move(leaves)) {}

  Digest mth(std::size_t begin, std::size_t end) {
    if (begin == end) return greffe::sha256({});
    if (end - begin == 1) return leaves_[begin];
    const auto found = known_.find({begin, end});
    if (found != known_.end()) return found->second;
    const std::size_t k = split(end - begin);
    const Digest hash = node_hash(mth(begin, begin + k), mth(begin + k, end));
    known_.emplace(std::pair(begin, end), hash);
    return hash;
  }
  std::vector<Digest> path(std::size_t m, std::size_t begin, std::size_t end) {
    if (end - begin == 1) return {};
    const std::size_t k = split(end - begin);
    const bool left = m < k;
    std::vector<Digest> out = left ? path(m, begin, begin + k) : path(m - k, begin + k, end);
    out.push_back(left ? mth(begin + k, end) : mth(begin, begin + k));
    return out;
  }
  std::vector<Digest> proof(std::size_t m, std::size_t begin, std::size_t end, bool whole) {
    if (m == end - begin) return whole ? std::vector<Digest>{} : std::vector<Digest>{mth(begin, end)};
    const std::size_t k = split(end - begin);
    const bool left = m <= k;
    std::vector<Digest> out = left ? proof(m, begin, begin + k, whole) : proof(m - k, begin + k, end, false);
    out.push_back(left ? mth(begin + k, end) : mth(begin, begin + k));
    return out;
  }

 private:
  static std::size_t split(std::size_t n) {
    std::size_t k = 1;
    while (k * 2 < n) k *= 2;
    return k;
  }
  std::vector<Digest> leaves_;
  std::map<std::pair<std::size_t, std::size_t>, Digest> known_;
};

greffe::SubtreeReader reader_of(Reference& reference) {
  return [&](unsigned level, std::uint64_t index) -> greffe::Result<Digest> {
    return reference.mth(index << level, (index + 1) << level);
  };
}

}  // namespace

TEST_CASE("the hash of a leaf is that of a zero byte and the entry, however long it is") {
  for (const std::size_t size : {0u, 1u, 55u, 1023u, 1024u, 1025u, 65'535u}) {
    const std::string entry(size, 'x');
    const Digest expected = greffe::sha256(greffe::as_bytes(std::string(1, '\0') + entry));
    REQUIRE(greffe::leaf_hash(greffe::as_bytes(entry)) == expected);
    greffe::Sha256 running;
    running.update(greffe::as_bytes(std::string(1, '\0')));
    running.update(greffe::as_bytes(entry));
    REQUIRE(running.finish() == expected);
  }
}

TEST_CASE("all tree sizes up to 1,100: roots and edges equal the reference") {
  constexpr std::size_t kMost = 1100;
  const std::vector<Digest> leaves = leaves_of(kMost);
  Reference reference(leaves);
  greffe::TreeEdge edge;
  for (std::size_t size = 0; size <= kMost; ++size) {
    REQUIRE(edge.size() == size);
    REQUIRE(edge.root() == reference.mth(0, size));
    REQUIRE(*greffe::root_from_subtrees(size, reader_of(reference)) == edge.root());
    auto again = greffe::TreeEdge::from_subtrees(size, edge.subtrees());
    REQUIRE(again);
    REQUIRE(again->root() == edge.root());
    if (size < kMost) edge.append(leaves[size]);
  }
}

TEST_CASE("all pairs of sizes up to 1,100: proofs equal the reference and verify") {
  constexpr std::size_t kMost = 1100;
  const std::vector<Digest> leaves = leaves_of(kMost);
  Reference reference(leaves);
  const auto subtree = reader_of(reference);
  std::vector<Digest> roots;
  for (std::size_t size = 0; size <= kMost; ++size) roots.push_back(reference.mth(0, size));
  for (std::size_t n = 1; n <= kMost; ++n) {
    for (std::size_t m = 0; m <= n; ++m) {
      const auto proof = greffe::consistency_proof(m, n, subtree);
      REQUIRE(proof);
      const std::vector<Digest> expected = m == 0 ? std::vector<Digest>{} : reference.proof(m, 0, n, true);
      if (*proof != expected) FAIL("consistency " << m << " -> " << n);
      if (!greffe::verify_consistency(m, n, roots[m], roots[n], *proof)) FAIL("does not verify " << m << " -> " << n);
      if (m == n) continue;
      const auto inclusion = greffe::inclusion_proof(m, n, subtree);
      REQUIRE(inclusion);
      if (*inclusion != reference.path(m, 0, n)) FAIL("inclusion " << m << " of " << n);
      if (!greffe::verify_inclusion(m, n, leaves[m], *inclusion, roots[n])) FAIL("does not verify " << m << " of " << n);
    }
  }
}

TEST_CASE("altered proofs are refused") {
  const std::vector<Digest> leaves = leaves_of(300);
  Reference reference(leaves);
  const auto subtree = reader_of(reference);
  const Digest root = reference.mth(0, 300);
  const std::vector<Digest> proof = *greffe::inclusion_proof(257, 300, subtree);
  REQUIRE(greffe::verify_inclusion(257, 300, leaves[257], proof, root));
  CHECK_FALSE(greffe::verify_inclusion(257, 300, leaves[256], proof, root));
  CHECK_FALSE(greffe::verify_inclusion(256, 300, leaves[257], proof, root));
  CHECK_FALSE(greffe::verify_inclusion(257, 600, leaves[257], proof, root));
  CHECK_FALSE(greffe::verify_inclusion(300, 300, leaves[257], proof, root));
  for (std::size_t i = 0; i < proof.size(); ++i) {
    std::vector<Digest> flipped = proof;
    flipped[i].bytes[7] ^= 1;
    CHECK_FALSE(greffe::verify_inclusion(257, 300, leaves[257], flipped, root));
    std::vector<Digest> shorter = proof;
    shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK_FALSE(greffe::verify_inclusion(257, 300, leaves[257], shorter, root));
  }
  std::vector<Digest> longer = proof;
  longer.push_back(root);
  CHECK_FALSE(greffe::verify_inclusion(257, 300, leaves[257], longer, root));
  std::vector<Digest> swapped = proof;
  std::swap(swapped[0], swapped[1]);
  CHECK_FALSE(greffe::verify_inclusion(257, 300, leaves[257], swapped, root));

  const std::vector<Digest> growth = *greffe::consistency_proof(7, 300, subtree);
  CHECK(growth.size() == 10);
  for (std::size_t i = 0; i < growth.size(); ++i) {
    std::vector<Digest> flipped = growth;
    flipped[i].bytes[0] ^= 0x80;
    CHECK_FALSE(greffe::verify_consistency(7, 300, reference.mth(0, 7), root, flipped));
  }
  CHECK_FALSE(greffe::verify_consistency(8, 300, reference.mth(0, 7), root, growth));
  CHECK_FALSE(greffe::verify_consistency(7, 300, reference.mth(0, 8), root, growth));
  CHECK_FALSE(greffe::verify_consistency(7, 7, reference.mth(0, 8), reference.mth(0, 7), {}));
  CHECK_FALSE(greffe::verify_consistency(0, 7, root, reference.mth(0, 7), {}));
  CHECK(greffe::verify_consistency(0, 7, greffe::empty_root(), reference.mth(0, 7), {}));
  CHECK_FALSE(greffe::verify_consistency(9, 7, root, root, {}));
}

TEST_CASE("proofs at the boundaries of tiles") {
  constexpr std::size_t kMost = 65'537;
  const std::vector<Digest> leaves = leaves_of(kMost);
  Reference reference(leaves);
  const auto subtree = reader_of(reference);
  for (const std::size_t n : {255, 256, 257, 65'535, 65'536, 65'537}) {
    const Digest root = reference.mth(0, n);
    for (const std::size_t m : {std::size_t{1}, std::size_t{254}, std::size_t{255}, n / 2, n - 1}) {
      CHECK(greffe::verify_inclusion(m - 1, n, leaves[m - 1], *greffe::inclusion_proof(m - 1, n, subtree), root));
      CHECK(greffe::verify_consistency(m, n, reference.mth(0, m), root, *greffe::consistency_proof(m, n, subtree)));
    }
  }
}
