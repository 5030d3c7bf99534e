// Questions and answers of a comparison: what one of the readers takes is written and read again the same, and keeps to the limits.
#include <cstdint>

#include "archive/base/result.h"
#include "archive/format/comparison_messages.h"

namespace {

using greffe::ByteView;

void questions(std::string_view text) {
  if (const auto begin = greffe::parse_comparison_begin(text)) {
    const auto again = greffe::parse_comparison_begin(greffe::write_comparison_begin(*begin));
    GREFFE_CHECK(again && again->name == begin->name && again->size == begin->size && again->root == begin->root);
  }
  if (const auto nodes = greffe::parse_nodes_question(text)) {
    GREFFE_CHECK(nodes->level < greffe::kComparisonLevels && !nodes->nodes.empty() && nodes->nodes.size() <= greffe::kComparisonNodesMax);
    GREFFE_CHECK(nodes->nodes.back() < greffe::comparison_width(nodes->level));
    const auto again = greffe::parse_nodes_question(greffe::write_nodes_question(*nodes));
    GREFFE_CHECK(again && again->nodes == nodes->nodes && again->level == nodes->level);
  }
  if (const auto ids = greffe::parse_ids_question(text)) {
    GREFFE_CHECK(!ids->leaves.empty() && ids->leaves.size() <= greffe::kComparisonLeavesMax && ids->leaves.back() < greffe::kComparisonLeaves);
    const auto again = greffe::parse_ids_question(greffe::write_ids_question(*ids));
    GREFFE_CHECK(again && again->leaves == ids->leaves && again->after == ids->after);
  }
  if (const auto challenge = greffe::parse_challenge_question(text)) {
    const auto again = greffe::parse_challenge_question(greffe::write_challenge_question(*challenge));
    GREFFE_CHECK(again && again->objects == challenge->objects && again->objects.size() <= greffe::kChallengedMax);
  }
  if (const auto absent = greffe::parse_absent_objects(text)) {
    const auto again = greffe::parse_absent_objects(greffe::write_absent_objects(*absent));
    GREFFE_CHECK(again && again->objects == absent->objects && again->hearing == absent->hearing);
  }
}

void answers(std::string_view text) {
  if (const auto state = greffe::parse_comparison_state(text)) {
    const auto again = greffe::parse_comparison_state(greffe::write_comparison_state(*state));
    GREFFE_CHECK(again && again->ready == state->ready && again->root == state->root && again->done == state->done);
  }
  const greffe::NodesQuestion nodes{"", 0, {0}};
  if (const auto hashes = greffe::parse_nodes_answer(text, nodes)) {
    GREFFE_CHECK(hashes->size() == greffe::kComparisonFan);
    GREFFE_CHECK(*greffe::parse_nodes_answer(greffe::write_nodes_answer(*hashes), nodes) == *hashes);
  }
  const greffe::IdsQuestion leaf{"", {0x11111}, std::nullopt};
  if (const auto ids = greffe::parse_ids_answer(text, leaf)) {
    for (const greffe::Digest& id : ids->ids) GREFFE_CHECK(greffe::comparison_leaf(id) == 0x11111);
    const auto again = greffe::parse_ids_answer(greffe::write_ids_answer(*ids), leaf);
    GREFFE_CHECK(again && again->ids == ids->ids && again->more == ids->more);
  }
  const greffe::ChallengeQuestion two{"", {}, {greffe::Digest{}, greffe::Digest{}}};
  if (const auto proofs = greffe::parse_challenge_answer(text, two)) {
    GREFFE_CHECK(proofs->size() == 2);
    GREFFE_CHECK(*greffe::parse_challenge_answer(greffe::write_challenge_answer(*proofs), two) == *proofs);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const ByteView input(bytes, size);
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  questions(text);
  answers(text);
  if (const auto item = greffe::unpack_compared_item(input)) GREFFE_CHECK(*greffe::unpack_compared_item(greffe::pack(*item)) == *item);
  return 0;
}
