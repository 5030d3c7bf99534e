#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

#include "replicate/differences.h"
#include "tests/unit/support/temporary_folder.h"

using greffe::as_bytes;
using greffe::ComparedItem;
using greffe::ComparedKind;
using greffe::Digest;
using greffe::Errc;
using greffe::sha256;
using greffe::client::ComparisonStep;
using greffe::replicate::ComparedSides;
using greffe::replicate::Differences;
using greffe::store::ComparedObjects;
using greffe::testing::TemporaryFolder;

namespace {

const std::string kName = "00112233445566778899aabbccddeeff";

// Sixteen bytes of which the first are well spread: quicker than hashing half a million of them.
Digest id_of(std::uint64_t number) {
  Digest out;
  std::uint64_t mixed = number * 0x9e3779b97f4a7c15u;
  mixed ^= mixed >> 29;
  mixed *= 0xbf58476d1ce4e5b9u;
  for (int i = 0; i < 8; ++i) out.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(mixed >> (56 - 8 * i));
  for (int i = 0; i < 8; ++i) out.bytes[static_cast<std::size_t>(24 + i)] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
  return out;
}

std::unique_ptr<ComparedObjects> side_of(const std::string& directory, const std::vector<Digest>& ids) {
  greffe::PosixFileSystem files;
  greffe::store::ComparedSources sources;
  sources.name_all = [&](const greffe::store::ComparedSources::Take& take) -> greffe::Status {
    for (const Digest& id : ids) GREFFE_TRY(take({id, ComparedKind::object, std::nullopt}, false));
    return greffe::ok();
  };
  sources.walk_stored = [&](const std::function<bool(const Digest&)>& visit) {
    for (const Digest& id : ids) static_cast<void>(visit(id));
    return greffe::ok();
  };
  sources.is_stored = [](const Digest&) -> greffe::Result<bool> { return false; };
  greffe::store::ComparedProgress progress;
  auto built = ComparedObjects::build(files, directory, sources, progress, {});
  REQUIRE(built);
  return std::move(*built);
}

// The second site, behind the messages that it would get.
class Site : public greffe::replicate::ComparedSite {
 public:
  explicit Site(const ComparedObjects& held) : held_(held) {}
  std::set<Digest> without_bytes;  // it has the names
  bool guesses = false;            // and makes something up
  std::function<void(ComparisonStep, std::string&)> lie;
  bool gone = false;

  greffe::Result<std::string> ask(ComparisonStep step, std::string question) override {
    if (gone) return greffe::fail(Errc::unavailable, "the second site does not answer");
    std::string out = GREFFE_TRY(answer(step, question));
    if (lie) lie(step, out);
    return out;
  }

 private:
  greffe::Result<std::string> answer(ComparisonStep step, const std::string& question) {
    if (step == ComparisonStep::nodes) {
      const greffe::NodesQuestion nodes = GREFFE_TRY(greffe::parse_nodes_question(question));
      return greffe::write_nodes_answer(held_.answer(nodes));
    }
    if (step == ComparisonStep::ids) {
      const greffe::IdsQuestion ids = GREFFE_TRY(greffe::parse_ids_question(question));
      const greffe::IdsAnswer found = GREFFE_TRY(held_.answer(ids));
      return greffe::write_ids_answer(found);
    }
    REQUIRE(step == ComparisonStep::challenge);
    const greffe::ChallengeQuestion challenge = GREFFE_TRY(greffe::parse_challenge_question(question));
    greffe::ChallengeAnswer answers;
    for (const Digest& id : challenge.objects) {
      if (!without_bytes.contains(id)) answers.emplace_back(proof(greffe::challenge_prefix(challenge.nonce), id));
      else if (guesses) answers.emplace_back(sha256(id.view()));
      else answers.emplace_back(std::nullopt);
    }
    return greffe::write_challenge_answer(answers);
  }

 public:
  static Digest proof(greffe::ByteView prefix, const Digest& id) {
    greffe::Bytes all(prefix.begin(), prefix.end());
    all.insert(all.end(), id.bytes.begin(), id.bytes.end());
    return sha256(all);
  }

 private:
  const ComparedObjects& held_;
};

std::vector<Digest> numbers(std::uint64_t first, std::uint64_t last) {
  std::vector<Digest> out;
  for (std::uint64_t i = first; i < last; ++i) out.push_back(id_of(i));
  return out;
}

std::set<Digest> ids_in(const std::vector<ComparedItem>& items) {
  std::set<Digest> out;
  for (const ComparedItem& item : items) out.insert(item.id);
  return out;
}

struct Pair {
  Pair(const std::vector<Digest>& here, const std::vector<Digest>& there)
      : own(side_of(folder.path + "/here", here)), other(side_of(folder.path + "/there", there)), site(*other) {}
  greffe::Result<Differences> find() {
    traffic = {};
    return ComparedSides(*own, site, kName, other->tree().root(), traffic).find({});
  }
  TemporaryFolder folder;
  std::unique_ptr<ComparedObjects> own;
  std::unique_ptr<ComparedObjects> other;
  Site site;
  greffe::replicate::Traffic traffic;
};

}  // namespace

TEST_CASE("thirty-seven differences among three hundred thousand are found in six round trips") {
  std::vector<Digest> here = numbers(0, 300'000);
  std::vector<Digest> there = here;
  std::set<Digest> only_here;
  std::set<Digest> only_there;
  for (std::uint64_t i = 0; i < 20; ++i) {
    only_here.insert(there[i * 9'001]);
    there[i * 9'001] = there.back();
    there.pop_back();
  }
  for (std::uint64_t i = 0; i < 17; ++i) only_there.insert(id_of(1'000'000 + i));
  there.insert(there.end(), only_there.begin(), only_there.end());
  Pair pair(here, there);
  const auto found = pair.find();
  REQUIRE(found);
  CHECK(ids_in(found->only_here) == only_here);
  CHECK(std::set<Digest>(found->only_there.begin(), found->only_there.end()) == only_there);
  CHECK(found->only_here_count == 20);
  CHECK(found->only_there_count == 17);
  CHECK(pair.traffic.round_trips == 6);
  CHECK(pair.traffic.bytes < 120'000);
}

TEST_CASE("sides that hold the same say so without a question") {
  Pair pair(numbers(0, 1000), numbers(0, 1000));
  const auto found = pair.find();
  REQUIRE(found);
  CHECK(found->none());
  CHECK(pair.traffic.round_trips == 0);
}

TEST_CASE("everything and nothing: all of one side is found, in pieces") {
  const std::uint64_t many = 40'000;
  Pair gone(numbers(0, many), {});
  const auto all_here = gone.find();
  REQUIRE(all_here);
  CHECK(all_here->only_here_count == many);
  CHECK(all_here->only_there_count == 0);
  Pair more({}, numbers(0, many));
  const auto all_there = more.find();
  REQUIRE(all_there);
  CHECK(all_there->only_there_count == many);
  CHECK(std::is_sorted(all_there->only_there.begin(), all_there->only_there.end()));
  CHECK(more.traffic.round_trips > 6);
  Pair strangers(numbers(0, many), numbers(many, 2 * many));
  const auto both = strangers.find();
  REQUIRE(both);
  CHECK((both->only_here_count == many && both->only_there_count == many));
}

TEST_CASE("a leaf whose ids need several answers is compared whole") {
  std::vector<Digest> there = numbers(0, 2 * greffe::kComparisonIdsMax + 50);
  for (Digest& id : there) id.bytes[0] = id.bytes[1] = id.bytes[2] = 0x11;
  std::sort(there.begin(), there.end());
  std::vector<Digest> here = there;
  // One at each end of what an answer holds.
  std::set<Digest> missing;
  for (const std::size_t at : {std::size_t{0}, greffe::kComparisonIdsMax - 1, greffe::kComparisonIdsMax, there.size() - 1}) missing.insert(there[at]);
  std::erase_if(here, [&](const Digest& id) { return missing.contains(id); });
  Pair pair(here, there);
  const auto found = pair.find();
  REQUIRE(found);
  CHECK(found->only_here_count == 0);
  CHECK(std::set<Digest>(found->only_there.begin(), found->only_there.end()) == missing);
  CHECK(pair.traffic.round_trips == 5 + 3);
}

TEST_CASE("a site that contradicts itself is not believed") {
  Pair pair(numbers(0, 4999), numbers(0, 5000));
  const auto refused = [&](ComparisonStep lies_in, const std::function<std::string(const std::string&)>& changed, Errc code) {
    pair.site.lie = [&](ComparisonStep step, std::string& answer) {
      if (step == lies_in) answer = changed(answer);
    };
    const auto found = pair.find();
    REQUIRE_FALSE(found);
    CHECK(found.error().code == code);
  };
  // It hides the difference by the hashes that this site has.
  refused(ComparisonStep::nodes, [&](const std::string&) { return greffe::write_nodes_answer(pair.own->answer(greffe::NodesQuestion{kName, 0, {0}})); }, Errc::corrupt);
  // It leaves an id out that it has.
  refused(ComparisonStep::ids, [&](const std::string&) { return greffe::write_ids_answer({}); }, Errc::corrupt);
  refused(ComparisonStep::ids, [&](const std::string&) { return std::string("{}"); }, Errc::invalid);
  pair.site.lie = nullptr;
  CHECK(pair.find());
  pair.site.gone = true;
  const auto unreached = pair.find();
  REQUIRE_FALSE(unreached);
  CHECK(unreached.error().code == Errc::unavailable);
  std::stop_source stop;
  stop.request_stop();
  CHECK_FALSE(ComparedSides(*pair.own, pair.site, kName, pair.other->tree().root(), pair.traffic).find(stop.get_token()));
}

TEST_CASE("a challenge names every object whose bytes are not proved, on either side") {
  Pair pair(numbers(0, 100), numbers(0, 100));
  ComparedSides sides(*pair.own, pair.site, kName, pair.other->tree().root(), pair.traffic);
  std::size_t seen = 0;
  std::set<Digest> unreadable_here;
  const ComparedSides::Prove prove = [&](greffe::ByteView prefix, const Digest& id) -> greffe::Result<Digest> {
    if (unreadable_here.contains(id)) return greffe::fail(Errc::corrupt, "no good replica is left");
    return Site::proof(prefix, id);
  };
  const auto challenge = [&] {
    auto done = sides.challenge(40, prove, [&] { ++seen; }, {});
    REQUIRE(done);
    CHECK(done->objects == 40);
    return std::move(done->unproved);
  };
  CHECK(challenge().empty());
  CHECK(seen == 40);
  CHECK(pair.traffic.round_trips == 3);
  for (const Digest& id : numbers(0, 100)) pair.site.without_bytes.insert(id);
  CHECK(challenge().size() == 40);
  pair.site.guesses = true;
  const auto guessed = challenge();
  CHECK(guessed.size() == 40);
  CHECK_FALSE(guessed.front().here);
  pair.site.without_bytes.clear();
  for (const Digest& id : numbers(0, 100)) unreadable_here.insert(id);
  const auto own = challenge();
  CHECK(own.size() == 40);
  CHECK(own.front().here);
}
