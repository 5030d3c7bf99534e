#include "archive/format/merkle.h"

#include <bit>

namespace greffe {
namespace {

constexpr std::uint8_t kLeafPrefix = 0x00;
constexpr std::uint8_t kNodePrefix = 0x01;
constexpr std::size_t kMaxProofHashes = 63;
constexpr std::size_t kUsualEntryBytes = 1024;
constexpr std::uint64_t kMaxSize = std::uint64_t{1} << 63;

bool is_power_of_two(std::uint64_t n) { return n != 0 && (n & (n - 1)) == 0; }
std::uint64_t largest_power_below(std::uint64_t n) { return std::bit_floor(n - 1); }  // n >= 2

// MTH of leaves [begin, end), where begin is a multiple of the largest power of two that is not above the length.
Result<Digest> hash_of_range(std::uint64_t begin, std::uint64_t end, const SubtreeReader& subtree) {
  const std::uint64_t length = end - begin;
  if (is_power_of_two(length)) {
    const auto level = static_cast<unsigned>(std::countr_zero(length));
    return subtree(level, begin >> level);
  }
  const std::uint64_t split = begin + largest_power_below(length);
  const Digest left = GREFFE_TRY(hash_of_range(begin, split, subtree));
  const Digest right = GREFFE_TRY(hash_of_range(split, end, subtree));
  return node_hash(left, right);
}

}  // namespace

Digest leaf_hash(ByteView entry) {
  if (entry.size() <= kUsualEntryBytes) {  // one call for both is quicker than a running hash
    std::array<std::uint8_t, 1 + kUsualEntryBytes> input;
    input[0] = kLeafPrefix;
    std::copy(entry.begin(), entry.end(), input.begin() + 1);
    return sha256(ByteView(input).first(1 + entry.size()));
  }
  Sha256 hash;
  hash.update({&kLeafPrefix, 1});
  hash.update(entry);
  return hash.finish();
}

Digest node_hash(const Digest& left, const Digest& right) {
  std::array<std::uint8_t, 65> input;
  input[0] = kNodePrefix;
  std::copy(left.bytes.begin(), left.bytes.end(), input.begin() + 1);
  std::copy(right.bytes.begin(), right.bytes.end(), input.begin() + 33);
  return sha256(input);
}

Digest empty_root() { return sha256({}); }

Result<TreeEdge> TreeEdge::from_subtrees(std::uint64_t size, std::vector<Digest> subtrees) {
  if (static_cast<std::size_t>(std::popcount(size)) != subtrees.size()) {
    return fail(Errc::invalid, "a tree's right edge has one hash for each set bit of its size");
  }
  TreeEdge edge;
  edge.size_ = size;
  edge.subtrees_ = std::move(subtrees);
  return edge;
}

void TreeEdge::append(const Digest& leaf) {
  Digest hash = leaf;
  for (std::uint64_t bit = size_; (bit & 1) != 0; bit >>= 1) {
    hash = node_hash(subtrees_.back(), hash);
    subtrees_.pop_back();
  }
  subtrees_.push_back(hash);
  ++size_;
}

Digest TreeEdge::root() const {
  if (subtrees_.empty()) return empty_root();
  Digest hash = subtrees_.back();
  for (std::size_t i = subtrees_.size() - 1; i > 0; --i) hash = node_hash(subtrees_[i - 1], hash);
  return hash;
}

Result<Digest> root_from_subtrees(std::uint64_t size, const SubtreeReader& subtree) {
  if (size >= kMaxSize) return fail(Errc::invalid, "a tree has fewer than 2^63 leaves");
  if (size == 0) return empty_root();
  return hash_of_range(0, size, subtree);
}

Result<std::vector<Digest>> inclusion_proof(std::uint64_t index, std::uint64_t size, const SubtreeReader& subtree) {
  if (index >= size || size >= kMaxSize) {
    return fail(Errc::invalid, "there is no entry of that index in a tree of that size");
  }
  std::vector<Digest> siblings;  // root's child first; reversed at the end
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  while (end - begin > 1) {
    const std::uint64_t split = begin + largest_power_below(end - begin);
    if (index < split) {
      siblings.push_back(GREFFE_TRY(hash_of_range(split, end, subtree)));
      end = split;
    } else {
      siblings.push_back(GREFFE_TRY(hash_of_range(begin, split, subtree)));
      begin = split;
    }
  }
  return std::vector<Digest>(siblings.rbegin(), siblings.rend());
}

// RFC 6962 section 2.1.2, SUBPROOF as a loop.
Result<std::vector<Digest>> consistency_proof(std::uint64_t old_size, std::uint64_t size, const SubtreeReader& subtree) {
  if (old_size > size || size >= kMaxSize) {
    return fail(Errc::invalid, "the older tree must not be larger than the newer one");
  }
  std::vector<Digest> hashes;
  if (old_size == 0 || old_size == size) return hashes;
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  bool whole = true;  // the old tree is exactly [0, old_size) and its root is known to the verifier
  while (old_size != end) {
    const std::uint64_t split = begin + largest_power_below(end - begin);
    if (old_size <= split) {
      hashes.push_back(GREFFE_TRY(hash_of_range(split, end, subtree)));
      end = split;
    } else {
      hashes.push_back(GREFFE_TRY(hash_of_range(begin, split, subtree)));
      begin = split;
      whole = false;
    }
  }
  if (!whole) hashes.push_back(GREFFE_TRY(hash_of_range(begin, end, subtree)));
  return std::vector<Digest>(hashes.rbegin(), hashes.rend());
}

Status verify_inclusion(std::uint64_t index, std::uint64_t size, const Digest& leaf, std::span<const Digest> proof,
                        const Digest& root) {
  if (size >= kMaxSize || index >= size) return fail(Errc::invalid, "there is no entry of that index in a tree of that size");
  if (proof.size() > kMaxProofHashes) return fail(Errc::invalid, "a proof has at most 63 hashes");
  std::uint64_t fn = index;
  std::uint64_t sn = size - 1;
  Digest hash = leaf;
  for (const Digest& p : proof) {
    if (sn == 0) return fail(Errc::corrupt, "the inclusion proof is too long");
    if ((fn & 1) != 0 || fn == sn) {
      hash = node_hash(p, hash);
      while (fn != 0 && (fn & 1) == 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      hash = node_hash(hash, p);
    }
    fn >>= 1;
    sn >>= 1;
  }
  if (sn != 0 || hash != root) return fail(Errc::corrupt, "the inclusion proof does not lead to the checkpoint's root");
  return ok();
}

Status verify_consistency(std::uint64_t old_size, std::uint64_t size, const Digest& old_root, const Digest& root,
                          std::span<const Digest> proof) {
  if (size >= kMaxSize || old_size > size) return fail(Errc::invalid, "the older tree must not be larger than the newer one");
  if (proof.size() > kMaxProofHashes) return fail(Errc::invalid, "a proof has at most 63 hashes");
  const Error no = fail(Errc::corrupt, "the consistency proof does not hold: the newer tree does not extend the older one");
  if (old_size == size) return proof.empty() && old_root == root ? ok() : Status(no);
  if (old_size == 0) return proof.empty() && old_root == empty_root() ? ok() : Status(no);
  if (!is_power_of_two(old_size) && proof.empty()) return no;
  std::uint64_t fn = old_size - 1;
  std::uint64_t sn = size - 1;
  while ((fn & 1) != 0) {
    fn >>= 1;
    sn >>= 1;
  }
  Digest a = is_power_of_two(old_size) ? old_root : proof[0];
  Digest b = a;
  if (!is_power_of_two(old_size)) proof = proof.subspan(1);
  for (const Digest& c : proof) {
    if (sn == 0) return no;
    if ((fn & 1) != 0 || fn == sn) {
      a = node_hash(c, a);
      b = node_hash(c, b);
      while (fn != 0 && (fn & 1) == 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      b = node_hash(b, c);
    }
    fn >>= 1;
    sn >>= 1;
  }
  return a == old_root && b == root && sn == 0 ? ok() : Status(no);
}

}  // namespace greffe
