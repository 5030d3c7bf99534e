#include "replicate/differences.h"

#include <fmt/format.h>

#include <algorithm>

namespace greffe::replicate {
namespace {

constexpr std::size_t kChallengedAtOnce = 16;  // 256 MiB from a disk, before the other side would take silence for a dead line
constexpr std::size_t kLeafIdsMax = 1'000'000;  // far beyond what 10^9 objects would put into one

Error contradiction() {
  return fail(Errc::corrupt, "the second site contradicts itself: what it answers does not have the hash that it stated");
}

Error stopped() { return fail(Errc::cancelled, "the comparison was stopped"); }

}  // namespace

ComparedSides::ComparedSides(const store::ComparedObjects& own, ComparedSite& site, std::string name, const Digest& root_there, Traffic& traffic)
    : own_(own), site_(site), name_(std::move(name)), root_there_(root_there), traffic_(traffic) {}

Result<std::string> ComparedSides::ask(client::ComparisonStep step, const std::string& question) {
  ++traffic_.round_trips;
  std::string answer = GREFFE_TRY(site_.ask(step, question));
  traffic_.bytes += question.size() + answer.size();
  return answer;
}

// Those of the children whose hash is another one here.
Result<std::vector<ComparedSides::Node>> ComparedSides::differing_children(unsigned level, const std::vector<Node>& nodes, const std::stop_token& stop) {
  std::vector<Node> out;
  for (std::size_t first = 0; first < nodes.size(); first += kComparisonNodesMax) {
    if (stop.stop_requested()) return stopped();
    const std::span<const Node> some = std::span(nodes).subspan(first, std::min(kComparisonNodesMax, nodes.size() - first));
    NodesQuestion question{name_, level, {}};
    for (const Node& node : some) question.nodes.push_back(node.index);
    const std::string answer = GREFFE_TRY(ask(client::ComparisonStep::nodes, write_nodes_question(question)));
    const std::vector<Digest> hashes = GREFFE_TRY(parse_nodes_answer(answer, question));
    for (std::size_t i = 0; i < some.size(); ++i) {
      const std::span<const Digest> children = std::span(hashes).subspan(i * kComparisonFan, kComparisonFan);
      if (comparison_node_hash(children) != some[i].there) return contradiction();
      for (std::uint32_t child = 0; child < kComparisonFan; ++child) {
        const std::uint32_t index = some[i].index * kComparisonFan + child;
        if (children[child] != own_.tree().hash(level + 1, index)) out.push_back({index, children[child]});
      }
    }
  }
  return out;
}

Status ComparedSides::compare_leaf(const Node& leaf, const std::vector<Digest>& there, Differences& out) {
  ComparisonLeafHash hash;
  for (const Digest& id : there) hash.add(id);
  if (hash.finish() != leaf.there) return contradiction();
  const std::vector<ComparedItem> here = GREFFE_TRY(own_.leaf(leaf.index));
  auto other = there.begin();
  const auto pass_those_before = [&](const Digest* id) {
    for (; other != there.end() && (id == nullptr || *other < *id); ++other) {
      ++out.only_there_count;
      if (out.only_there.size() < Differences::kKept) out.only_there.push_back(*other);
    }
  };
  for (const ComparedItem& item : here) {
    pass_those_before(&item.id);
    if (other != there.end() && *other == item.id) {
      ++other;
      continue;
    }
    ++out.only_here_count;
    if (out.only_here.size() < Differences::kKept) out.only_here.push_back(item);
  }
  pass_those_before(nullptr);
  return ok();
}

// At most kComparisonLeavesMax. The ids of a leaf may come in several answers.
Status ComparedSides::compare_leaves(std::span<const Node> leaves, Differences& out, const std::stop_token& stop) {
  IdsQuestion question{name_, {}, {}};
  for (const Node& leaf : leaves) question.leaves.push_back(leaf.index);
  std::size_t at = 0;             // the leaf whose ids are coming
  std::vector<Digest> collected;  // of it
  IdsAnswer answer;
  do {
    if (stop.stop_requested()) return stopped();
    const std::string text = GREFFE_TRY(ask(client::ComparisonStep::ids, write_ids_question(question)));
    answer = GREFFE_TRY(parse_ids_answer(text, question));
    for (const Digest& id : answer.ids) {
      for (; leaves[at].index != comparison_leaf(id); ++at) {
        GREFFE_TRY(compare_leaf(leaves[at], collected, out));
        collected.clear();
      }
      collected.push_back(id);
    }
    if (collected.size() > kLeafIdsMax) return fail(Errc::invalid, "the second site sends more ids of one leaf than there can be");
    if (!answer.ids.empty()) question.after = answer.ids.back();
  } while (answer.more);
  for (; at < leaves.size(); ++at) {
    GREFFE_TRY(compare_leaf(leaves[at], collected, out));
    collected.clear();
  }
  return ok();
}

Result<Differences> ComparedSides::find(const std::stop_token& stop) {
  Differences out;
  std::vector<Node> nodes;
  if (root_there_ != own_.tree().root()) nodes.push_back({0, root_there_});
  for (unsigned level = 0; level < kComparisonLevels; ++level) {
    nodes = GREFFE_TRY(differing_children(level, nodes, stop));
  }
  for (std::size_t first = 0; first < nodes.size(); first += kComparisonLeavesMax) {
    GREFFE_TRY(compare_leaves(std::span(nodes).subspan(first, std::min(kComparisonLeavesMax, nodes.size() - first)), out, stop));
  }
  return out;
}

Result<ComparedSides::Challenged> ComparedSides::challenge(std::size_t count, const Prove& prove, const std::function<void()>& seen,
                                                           const std::stop_token& stop) {
  const std::vector<ComparedItem> sample = GREFFE_TRY(own_.sample(count));
  Challenged out;
  for (std::size_t first = 0; first < sample.size(); first += kChallengedAtOnce) {
    const std::span<const ComparedItem> some = std::span(sample).subspan(first, std::min(kChallengedAtOnce, sample.size() - first));
    ChallengeQuestion question{name_, {}, {}};
    fill_random(question.nonce.bytes);
    for (const ComparedItem& item : some) question.objects.push_back(item.id);
    const std::string text = GREFFE_TRY(ask(client::ComparisonStep::challenge, write_challenge_question(question)));
    const ChallengeAnswer answers = GREFFE_TRY(parse_challenge_answer(text, question));
    const Bytes prefix = challenge_prefix(question.nonce);
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (stop.stop_requested()) return stopped();
      ++out.objects;
      seen();
      if (!answers[i]) out.unproved.push_back({some[i], "the second site has no good replica of it", false});
      const auto own = prove(prefix, some[i].id);
      if (!own) {
        out.unproved.push_back({some[i], "this site has no good replica of it: " + own.error().message, true});
      } else if (answers[i] && *answers[i] != *own) {
        out.unproved.push_back({some[i], "the second site answered with something else than these bytes give", false});
      }
    }
  }
  return out;
}

}  // namespace greffe::replicate
