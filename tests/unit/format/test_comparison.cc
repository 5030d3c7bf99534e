#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

#include "archive/format/canonical_json.h"
#include "archive/format/comparison_messages.h"

using greffe::as_bytes;
using greffe::ComparedItem;
using greffe::ComparedKind;
using greffe::ComparisonTree;
using greffe::Digest;
using greffe::sha256;

namespace {

Digest hex(std::string_view text) { return *greffe::digest_from_hex(text); }
Digest id_of(int number) { return sha256(as_bytes("object " + std::to_string(number))); }

ComparisonTree tree_of(const std::set<Digest>& ids) {
  greffe::ComparisonTreeBuilder builder;
  for (const Digest& id : ids) builder.add(id);
  return std::move(builder).finish();
}

std::set<Digest> ids_up_to(int count) {
  std::set<Digest> out;
  for (int i = 0; i < count; ++i) out.insert(id_of(i));
  return out;
}

const std::string kName = "00112233445566778899aabbccddeeff";

}  // namespace

// The values are those of a few lines of Python over hashlib.
TEST_CASE("the comparison tree gives published roots") {
  CHECK(tree_of({}).root() == hex("d6724edd0c3457e9e9bfd513ae6e427e77a1e55d835048a50251850950723398"));
  CHECK(tree_of(ids_up_to(1000)).root() == hex("312b75825b6bc0f77e98b3d3496efa94a2e52f0bd5025bd3fec62158bbe5bbfc"));
  CHECK(greffe::log_item_id("archive.example/hearing/x", 17, sha256(as_bytes("root"))) ==
        hex("d7447a8c82d66da43bbf8ed4b2488c50256216c5ab18e356875385129dda8272"));
  greffe::Bytes answered = greffe::challenge_prefix(sha256(as_bytes("nonce")));
  for (const char c : std::string("bytes")) answered.push_back(static_cast<std::uint8_t>(c));
  CHECK(sha256(answered) == hex("c82f00d16ceeace966195f217d40c1e9995a18192c6b7130248986e793689ec1"));
}

TEST_CASE("a tree has every id in the leaf of its first twenty bits, and one id more changes exactly the way up from there") {
  std::set<Digest> ids = ids_up_to(3000);
  // The first and the last leaf, and two that share one.
  Digest first, last, beside_last;
  last.bytes.fill(0xff);
  beside_last.bytes.fill(0xff);
  beside_last.bytes[31] = 0xfe;
  ids.insert({first, last, beside_last});
  const ComparisonTree tree = tree_of(ids);
  CHECK(tree.size() == ids.size());
  CHECK(tree.begin(0) == 0);
  CHECK(tree.end(greffe::kComparisonLeaves - 1) == ids.size());
  CHECK(tree.end(greffe::kComparisonLeaves - 1) - tree.begin(greffe::kComparisonLeaves - 1) >= 2);
  const std::vector<Digest> sorted(ids.begin(), ids.end());
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const std::uint32_t leaf = greffe::comparison_leaf(sorted[i]);
    CHECK((tree.begin(leaf) <= i && i < tree.end(leaf)));
  }
  const Digest more = id_of(-1);
  ids.insert(more);
  const ComparisonTree other = tree_of(ids);
  std::uint32_t index = greffe::comparison_leaf(more);
  for (unsigned level = greffe::kComparisonLevels + 1; level-- > 0; index /= greffe::kComparisonFan) {
    unsigned different = 0;
    for (std::uint32_t i = 0; i < greffe::comparison_width(level); ++i) different += tree.hash(level, i) != other.hash(level, i) ? 1 : 0;
    CHECK(different == 1);
    CHECK(tree.hash(level, index) != other.hash(level, index));
  }
}

TEST_CASE("what is compared is packed and read back") {
  const ComparedItem document{id_of(1), ComparedKind::object, std::nullopt};
  const ComparedItem log{id_of(2), ComparedKind::hearing_log, greffe::make_hearing_id(greffe::UtcTime{1'790'000'000'000})};
  for (const ComparedItem& item : {document, log}) CHECK(*greffe::unpack_compared_item(greffe::pack(item)) == item);
  auto bytes = greffe::pack(log);
  bytes[32] = 3;  // a kind of the future
  CHECK_FALSE(greffe::unpack_compared_item(bytes));
  CHECK_FALSE(greffe::unpack_compared_item(greffe::ByteView(bytes).first(48)));
}

TEST_CASE("questions and answers of a comparison are read back as they were written") {
  const auto begin = greffe::parse_comparison_begin(greffe::write_comparison_begin({kName, 17, id_of(1)}));
  REQUIRE(begin);
  CHECK((begin->name == kName && begin->size == 17 && begin->root == id_of(1)));
  CHECK(greffe::make_comparison_name() != greffe::make_comparison_name());
  CHECK(greffe::parse_comparison_begin(greffe::write_comparison_begin({greffe::make_comparison_name(), 1, id_of(1)})));

  greffe::ComparisonState state;
  state.done = 3;
  state.total = 768;
  auto read = greffe::parse_comparison_state(greffe::write_comparison_state(state));
  REQUIRE(read);
  CHECK((!read->ready && read->done == 3 && read->total == 768));
  state = {true, 0, 0, 5, 2, id_of(9)};
  read = greffe::parse_comparison_state(greffe::write_comparison_state(state));
  REQUIRE(read);
  CHECK((read->ready && read->items == 5 && read->absent == 2 && read->root == id_of(9)));

  const greffe::NodesQuestion nodes{kName, 4, {0, 77, 65'535}};
  const auto nodes_again = greffe::parse_nodes_question(greffe::write_nodes_question(nodes));
  REQUIRE(nodes_again);
  CHECK((nodes_again->level == 4 && nodes_again->nodes == nodes.nodes && nodes_again->name == kName));
  std::vector<Digest> hashes;
  for (int i = 0; i < 48; ++i) hashes.push_back(id_of(i));
  CHECK(*greffe::parse_nodes_answer(greffe::write_nodes_answer(hashes), nodes) == hashes);

  std::vector<Digest> ids(hashes);
  std::sort(ids.begin(), ids.end());
  std::vector<std::uint32_t> leaves;
  for (const Digest& id : ids) leaves.push_back(greffe::comparison_leaf(id));
  const greffe::IdsQuestion question{kName, leaves, ids[3]};
  const auto question_again = greffe::parse_ids_question(greffe::write_ids_question(question));
  REQUIRE(question_again);
  CHECK((question_again->leaves == leaves && question_again->after == ids[3]));
  const greffe::IdsAnswer answer{{ids.begin() + 4, ids.end()}, true};
  const auto answer_again = greffe::parse_ids_answer(greffe::write_ids_answer(answer), question);
  REQUIRE(answer_again);
  CHECK((answer_again->ids == answer.ids && answer_again->more));

  const greffe::ChallengeQuestion challenge{kName, id_of(1), {id_of(2), id_of(3)}};
  const auto challenge_again = greffe::parse_challenge_question(greffe::write_challenge_question(challenge));
  REQUIRE(challenge_again);
  CHECK((challenge_again->nonce == id_of(1) && challenge_again->objects == challenge.objects));
  const greffe::ChallengeAnswer answers{id_of(5), std::nullopt};
  CHECK(*greffe::parse_challenge_answer(greffe::write_challenge_answer(answers), challenge) == answers);

  const greffe::AbsentObjects absent{greffe::make_hearing_id(greffe::UtcTime{1}), {id_of(1)}};
  const auto absent_again = greffe::parse_absent_objects(greffe::write_absent_objects(absent));
  REQUIRE(absent_again);
  CHECK((absent_again->hearing == absent.hearing && absent_again->objects == absent.objects));
  CHECK_FALSE(greffe::parse_absent_objects(greffe::write_absent_objects({std::nullopt, {id_of(1)}}))->hearing);
}

TEST_CASE("what is no question or no answer of a comparison is refused") {
  using greffe::parse_nodes_question;
  const auto nodes = [](std::string_view packed, int level = 1) {
    return greffe::parse_nodes_question("{\"comparison\":\"" + kName + "\",\"level\":" + std::to_string(level) + ",\"nodes\":\"" + std::string(packed) + "\"}");
  };
  CHECK(nodes("AAAAAQ"));
  CHECK_FALSE(nodes(""));                // none
  CHECK_FALSE(nodes("AAAAAQ="));         // padded
  CHECK_FALSE(nodes("AAAA"));            // three bytes
  CHECK_FALSE(nodes("AAAAEA"));          // 16 of 16
  CHECK_FALSE(nodes("AAAAAQAAAAE"));     // twice the same
  CHECK_FALSE(nodes("AAAAAgAAAAE"));     // falling
  CHECK_FALSE(nodes("AAAAAQ", 5));       // leaves have no children
  CHECK_FALSE(nodes("AAAAAQ", -1));
  CHECK_FALSE(nodes(std::string(6000, 'A')));  // more than may be asked at once
  CHECK_FALSE(greffe::parse_nodes_question("{\"comparison\":\"short\",\"level\":1,\"nodes\":\"AAAAAQ\"}"));

  const greffe::NodesQuestion one{kName, 0, {0}};
  std::vector<Digest> hashes(16);
  CHECK(greffe::parse_nodes_answer(greffe::write_nodes_answer(hashes), one));
  hashes.resize(15);
  CHECK_FALSE(greffe::parse_nodes_answer(greffe::write_nodes_answer(hashes), one));
  hashes.resize(17);
  CHECK_FALSE(greffe::parse_nodes_answer(greffe::write_nodes_answer(hashes), one));

  const Digest a = id_of(1);
  const Digest b = id_of(2);
  const Digest low = std::min(a, b);
  const Digest high = std::max(a, b);
  const greffe::IdsQuestion both{kName, {greffe::comparison_leaf(low), greffe::comparison_leaf(high)}, std::nullopt};
  CHECK(greffe::parse_ids_answer(greffe::write_ids_answer({{low, high}, false}), both));
  CHECK_FALSE(greffe::parse_ids_answer(greffe::write_ids_answer({{high, low}, false}), both));
  CHECK_FALSE(greffe::parse_ids_answer(greffe::write_ids_answer({{low, low}, false}), both));
  CHECK_FALSE(greffe::parse_ids_answer(greffe::write_ids_answer({{}, true}), both));  // it would be asked for ever
  const greffe::IdsQuestion behind{kName, both.leaves, low};
  CHECK_FALSE(greffe::parse_ids_answer(greffe::write_ids_answer({{low}, false}), behind));
  const greffe::IdsQuestion other{kName, {greffe::comparison_leaf(low)}, std::nullopt};
  CHECK_FALSE(greffe::parse_ids_answer(greffe::write_ids_answer({{low, high}, false}), other));

  const greffe::ChallengeQuestion question{kName, a, {a, b}};
  CHECK_FALSE(greffe::parse_challenge_answer(greffe::write_challenge_answer({a}), question));
  CHECK_FALSE(greffe::parse_challenge_question(greffe::write_challenge_question({kName, a, {}})));
  CHECK_FALSE(greffe::parse_challenge_question(greffe::write_challenge_question({kName, a, std::vector<Digest>(65, a)})));
  CHECK_FALSE(greffe::parse_absent_objects(greffe::write_absent_objects({std::nullopt, {}})));
  CHECK_FALSE(greffe::parse_comparison_begin(greffe::write_comparison_begin({kName, 0, a})));
  CHECK_FALSE(greffe::parse_comparison_state("{\"ready\":true}"));
  CHECK_FALSE(greffe::parse_comparison_state("{\"done\":-1,\"ready\":false,\"total\":3}"));
}
