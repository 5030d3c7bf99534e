#include "archive/format/tiles.h"

#include "archive/format/merkle.h"
#include "tests/unit/format/vectors.h"

using greffe::Digest;
using greffe::Json;
using greffe::TileName;
using greffe::testing::check_refused;
using greffe::testing::need;
using greffe::testing::vectors;

TEST_CASE("tile paths, and paths that are refused") {
  const Json json = vectors("tiles.json");
  for (const Json& one : need(json.array("paths"))) {
    TileName name;
    const std::string level = need(one.string("level"));
    name.entries = level == "entries";
    if (!name.entries) name.level = static_cast<unsigned>(std::stoul(level));
    name.index = need(one.size("index"));
    name.width = static_cast<unsigned>(need(one.size("width")));
    const std::string path = need(one.string("path"));
    CHECK(name.path() == path);
    CHECK(need(greffe::parse_tile_path(path)) == name);
  }
  for (const std::string& path : need(json.strings("refused"))) {
    INFO(path);
    check_refused(greffe::parse_tile_path(path), "is not the path of a tile");
  }
  for (const Json& one : need(json.array("partial"))) {
    CHECK(greffe::partial_width(static_cast<unsigned>(need(one.size("level"))), need(one.size("size"))) == need(one.size("width")));
  }
  CHECK(greffe::partial_width(63, ~std::uint64_t{0}) == 0);
}

TEST_CASE("bundles are read whole or refused") {
  const std::vector<std::string> entries{"", "a", std::string(greffe::kMaxEntryBytes, 'x')};
  const std::string bundle = greffe::write_bundle(entries);
  CHECK(bundle.size() == 3 * 2 + 1 + greffe::kMaxEntryBytes);
  CHECK(need(greffe::parse_bundle(greffe::as_bytes(bundle))) == entries);
  check_refused(greffe::parse_bundle(greffe::as_bytes(bundle.substr(0, bundle.size() - 1))), "cut short");
  check_refused(greffe::parse_bundle(greffe::as_bytes(bundle + "x")), "cut short");
  const std::vector<std::string> many(257, "e");
  check_refused(greffe::parse_bundle(greffe::as_bytes(greffe::write_bundle(many))), "more than 256 entries");
  CHECK(need(greffe::parse_entries(greffe::as_bytes(greffe::write_bundle(many)), 257)).size() == 257);
  check_refused(greffe::parse_entries(greffe::as_bytes(greffe::write_bundle(many)), 256), "more than 256 entries");
  CHECK(need(greffe::parse_entries({}, 0)).empty());
}

TEST_CASE("hash tiles are read whole or refused") {
  std::vector<Digest> hashes;
  for (int i = 0; i < 256; ++i) hashes.push_back(greffe::leaf_hash(greffe::as_bytes(std::to_string(i))));
  for (const std::size_t width : {1, 44, 255, 256}) {
    const std::vector<Digest> some(hashes.begin(), hashes.begin() + static_cast<std::ptrdiff_t>(width));
    const greffe::Bytes tile = greffe::write_tile(some);
    CHECK(tile.size() == width * 32);
    CHECK(need(greffe::parse_tile(tile)) == some);
    check_refused(greffe::parse_tile(greffe::ByteView(tile).first(tile.size() - 1)), "1 to 256 hashes");
  }
  check_refused(greffe::parse_tile({}), "1 to 256 hashes");
  check_refused(greffe::parse_tile(greffe::Bytes(257 * 32)), "1 to 256 hashes");
  greffe::TreeEdge edge;
  for (const Digest& hash : hashes) edge.append(hash);
  CHECK(greffe::tile_root(hashes) == edge.root());
  CHECK(edge.subtrees() == std::vector<Digest>{edge.root()});
}

TEST_CASE("trees, proofs: the vectors of another implementation") {
  const Json json = vectors("tree.json");
  std::vector<Digest> leaves;
  greffe::TreeEdge edge;
  const auto roots = need(json.strings("roots"));
  CHECK(edge.root().hex() == roots[0]);
  for (std::size_t n = 1; n < roots.size(); ++n) {
    leaves.push_back(greffe::leaf_hash(greffe::as_bytes("entry " + std::to_string(n - 1))));
    edge.append(leaves.back());
    CHECK(edge.root().hex() == roots[n]);
    CHECK(need(greffe::TreeEdge::from_subtrees(n, edge.subtrees())).root() == edge.root());
    CHECK_FALSE(greffe::TreeEdge::from_subtrees(n + 1, std::vector<Digest>(edge.subtrees().size() + 5)));
  }
  const greffe::SubtreeReader subtree = [&](unsigned level, std::uint64_t index) -> greffe::Result<Digest> {
    greffe::TreeEdge part;
    for (std::uint64_t i = index << level; i < (index + 1) << level; ++i) part.append(leaves.at(i));
    return part.root();
  };
  const auto hashes_of = [](const Json& one) {
    std::vector<Digest> out;
    for (const std::string& hash : need(one.strings("hashes"))) out.push_back(need(greffe::digest_from_hex(hash)));
    return out;
  };
  for (const Json& one : need(json.array("inclusion"))) {
    const auto index = need(one.size("index"));
    const auto size = need(one.size("size"));
    CHECK(need(greffe::inclusion_proof(index, size, subtree)) == hashes_of(one));
    CHECK(greffe::verify_inclusion(index, size, need(one.digest("leaf")), hashes_of(one), need(greffe::digest_from_hex(roots[size]))));
  }
  for (const Json& one : need(json.array("consistency"))) {
    const auto old_size = need(one.size("old_size"));
    const auto size = need(one.size("size"));
    CHECK(need(greffe::consistency_proof(old_size, size, subtree)) == hashes_of(one));
    CHECK(greffe::verify_consistency(old_size, size, need(greffe::digest_from_hex(roots[old_size])),
                                     need(greffe::digest_from_hex(roots[size])), hashes_of(one)));
  }
}

TEST_CASE("RFC 6962 section 2.1.3: seven leaves") {
  std::vector<Digest> leaf;
  for (int i = 0; i < 7; ++i) leaf.push_back(greffe::leaf_hash(greffe::as_bytes("d" + std::to_string(i))));
  const Digest a = leaf[0], b = leaf[1], c = leaf[2], d = leaf[3], e = leaf[4], f = leaf[5], j = leaf[6];
  const Digest g = greffe::node_hash(a, b), h = greffe::node_hash(c, d), i = greffe::node_hash(e, f);
  const Digest k = greffe::node_hash(g, h), l = greffe::node_hash(i, j);
  const Digest root = greffe::node_hash(k, l);
  const greffe::SubtreeReader subtree = [&](unsigned level, std::uint64_t index) -> greffe::Result<Digest> {
    const std::vector<std::vector<Digest>> levels{leaf, {g, h, i}, {k}};
    return levels.at(level).at(index);
  };
  using List = std::vector<Digest>;
  CHECK(need(greffe::root_from_subtrees(7, subtree)) == root);
  CHECK(need(greffe::inclusion_proof(0, 7, subtree)) == List{b, h, l});
  CHECK(need(greffe::inclusion_proof(3, 7, subtree)) == List{c, g, l});
  CHECK(need(greffe::inclusion_proof(4, 7, subtree)) == List{f, j, k});
  CHECK(need(greffe::inclusion_proof(6, 7, subtree)) == List{i, k});
  CHECK(need(greffe::consistency_proof(3, 7, subtree)) == List{c, d, g, l});
  CHECK(need(greffe::consistency_proof(4, 7, subtree)) == List{l});
  CHECK(need(greffe::consistency_proof(6, 7, subtree)) == List{i, j, k});
}

TEST_CASE("impossible sizes and endless proofs are refused") {
  const Digest digest;
  const std::uint64_t huge = std::uint64_t{1} << 63;
  const std::vector<Digest> endless(64);
  check_refused(greffe::verify_inclusion(0, 0, digest, {}, digest), "no entry of that index");
  check_refused(greffe::verify_inclusion(0, huge, digest, {}, digest), "no entry of that index");
  check_refused(greffe::verify_inclusion(0, huge - 1, digest, endless, digest), "at most 63 hashes");
  check_refused(greffe::verify_consistency(1, huge, digest, digest, {}), "must not be larger");
  check_refused(greffe::verify_consistency(1, 2, digest, digest, endless), "at most 63 hashes");
  const greffe::SubtreeReader none = [](unsigned, std::uint64_t) -> greffe::Result<Digest> {
    return greffe::fail(greffe::Errc::not_found, "no tile");
  };
  check_refused(greffe::inclusion_proof(5, 5, none), "no entry of that index");
  check_refused(greffe::consistency_proof(6, 5, none), "must not be larger");
  check_refused(greffe::root_from_subtrees(huge, none), "fewer than 2^63");
  CHECK(greffe::inclusion_proof(4, 5, none).error().code == greffe::Errc::not_found);  // what the reader said
  CHECK(greffe::consistency_proof(4, 5, none).error().code == greffe::Errc::not_found);
}
