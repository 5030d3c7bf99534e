// What an archive tells its stations of its officers: what is proved, over two epochs, and which promotion counts with it.
#include <catch2/catch.hpp>

#include "tests/unit/support/successor_log.h"

using namespace greffe;
using greffe::testing::EpochLog;
using greffe::testing::labelled_key;
using greffe::testing::officer_entry;
using greffe::testing::promotion_of;

namespace {

constexpr const char* kArchive = "archive.court.example";
constexpr const char* kUrl = "https://second.court.example:8444";
const std::map<std::string, std::string> kBoth = {{"officer-1", "one"}, {"officer-2", "two"}};

// Entry 0 stands for the genesis, 3 for everything that is not about officers.
EpochLog first_epoch() {
  return {{kArchive, 1}, labelled_key("log"), {"{}", officer_entry("officer-1", "one"), officer_entry("officer-2", "two"), "{}", officer_entry("officer-3", "three")}};
}

Successors told_by(const EpochLog& log, const std::vector<std::uint64_t>& indices) {
  Successors out;
  out.checkpoint = log.note();
  for (const std::uint64_t index : indices) out.entries.push_back(log.proved(index, log.entries.size()));
  out.sites = {{kUrl, sha256(as_bytes("server"))}};
  return out;
}

// Epoch 2 pins four entries of epoch 1: officer-3 is lost with it.
struct TwoEpochs {
  EpochLog before = first_epoch();
  EpochLog now{{kArchive, 2}, labelled_key("new log"),
               {write_promotion(promotion_of(kArchive, 2, before.state(4), kUrl, kBoth)), officer_entry("officer-4", "four")}};
  Successors told() const {
    Successors out = told_by(now, {0, 1});
    out.entries.insert(out.entries.begin(), {before.proved(1, 4), before.proved(2, 4)});
    return out;
  }
};

}  // namespace

TEST_CASE("what is told of officers is written and read, and counts with its proofs under the log's key") {
  const EpochLog log = first_epoch();
  const Successors told = told_by(log, {1, 2, 4});
  const auto again = parse_successors(write_successors(told));
  REQUIRE(again);
  CHECK(again->entries == told.entries);
  CHECK(again->sites == told.sites);
  CHECK(again->checkpoint == told.checkpoint);
  CHECK(check_successors(*again, log.verifier()));

  CHECK(check_successors(told, {kArchive, KeyType::ed25519, labelled_key("other").public_key()}).error().code == Errc::denied);
  CHECK(check_successors(told, {"other.court.example", KeyType::ed25519, log.key.public_key()}).error().code == Errc::denied);
  Successors changed = told;
  changed.entries[1].entry = officer_entry("officer-2", "thief");
  CHECK(check_successors(changed, log.verifier()).error().code == Errc::corrupt);
  changed = told;
  std::swap(changed.entries[0], changed.entries[1]);
  CHECK(check_successors(changed, log.verifier()).error().code == Errc::invalid);
  CHECK_FALSE(parse_successors(write_successors(changed)));
  // Of no officer; of an epoch that nothing pins.
  CHECK_FALSE(check_successors(told_by(log, {0}), log.verifier()));
  changed = told;
  for (ProvedEntry& one : changed.entries) one.epoch = 2;
  CHECK(check_successors(changed, log.verifier()).error().code == Errc::invalid);
}

TEST_CASE("what is not of the right shape is refused") {
  Successors told = told_by(first_epoch(), {1});
  told.sites.assign(kSuccessorSitesMax + 1, {kUrl, sha256(as_bytes("server"))});
  CHECK_FALSE(parse_successors(write_successors(told)));
  told.sites = {{"http://second.court.example:8444", sha256(as_bytes("server"))}};
  CHECK_FALSE(parse_successors(write_successors(told)));
  told.sites.clear();
  CHECK(parse_successors(write_successors(told)));
  told.entries[0].inclusion.assign(64, sha256(as_bytes("x")));
  CHECK_FALSE(parse_successors(write_successors(told)));
  told.entries.assign(kSuccessorEntriesMax + 1, {"{}", 1, 0, {}});
  CHECK_FALSE(parse_successors(write_successors(told)));
  CHECK_FALSE(parse_successors("{}"));
  CHECK_FALSE(parse_successors(std::string(kSuccessorsBytesMax + 1, ' ')));
}

TEST_CASE("officers of an epoch before are proved by what the promotion pins") {
  const TwoEpochs epochs;
  CHECK(check_successors(epochs.told(), epochs.now.verifier()));
  // Behind the pin; without the promotion; with one that pins something else.
  Successors changed = epochs.told();
  changed.entries.insert(changed.entries.begin() + 2, epochs.before.proved(4, 5));
  CHECK_FALSE(check_successors(changed, epochs.now.verifier()));
  changed = epochs.told();
  changed.entries.erase(changed.entries.begin() + 2);
  CHECK(check_successors(changed, epochs.now.verifier()).error().code == Errc::invalid);
  TwoEpochs others;
  others.now.entries[0] = write_promotion(promotion_of(kArchive, 2, others.before.state(3), kUrl, kBoth));
  CHECK_FALSE(check_successors(others.told(), others.now.verifier()));
  others.now.entries[0] = write_promotion(promotion_of("other.court.example", 2, {"other.court.example", 4, epochs.before.state(4).root}, kUrl, kBoth));
  CHECK_FALSE(check_successors(others.told(), others.now.verifier()));
}

// Somebody who knew the officers of epoch 1, and nothing of epoch 2, in which others took their place before they began epoch 3.
struct SleptThrough {
  EpochLog first = first_epoch();
  EpochLog second{{kArchive, 2}, labelled_key("new log"),
                  {write_promotion(promotion_of(kArchive, 2, first.state(4), kUrl, kBoth)), officer_entry("officer-4", "four"), officer_entry("officer-5", "five"),
                   officer_entry("officer-1", "one", "revoked")}};
  Successors known = told_by(first, {1, 2});
  PromotionEntry newest = to_third({{"officer-4", "four"}, {"officer-5", "five"}});

  PromotionEntry to_third(const std::map<std::string, std::string>& signers) const { return promotion_of(kArchive, 3, second.state(4), kUrl, signers, "third"); }
  Successors told() const {
    const EpochLog third{{kArchive, 3}, labelled_key("third log"), {write_promotion(newest)}};
    Successors out = told_by(third, {0});
    const std::vector<ProvedEntry> before = {first.proved(1, 4), first.proved(2, 4), second.proved(0, 4), second.proved(1, 4), second.proved(2, 4), second.proved(3, 4)};
    out.entries.insert(out.entries.begin(), before.begin(), before.end());
    out.ends = {second.note()};
    REQUIRE(check_successors(out, third.verifier()));
    return out;
  }
};

TEST_CASE("who slept through a promotion is led step by step by what each epoch's officers signed") {
  const SleptThrough slept;
  CHECK_FALSE(check_promotion(slept.known, slept.newest));
  const auto told = parse_successors(write_successors(slept.told()));
  REQUIRE(told);
  CHECK(told->ends == slept.told().ends);
  const auto now = known_after(slept.known, 1, *told, slept.newest);
  REQUIRE(now);
  CHECK(now->entries.size() == 6);
  CHECK(check_promotion(*now, slept.newest));
  // Officers of before as well, but the one who was revoked meanwhile.
  CHECK(check_promotion(*now, slept.to_third({{"officer-2", "two"}, {"officer-4", "four"}})));
  CHECK_FALSE(check_promotion(*now, slept.to_third(kBoth)));
}

TEST_CASE("a step that is not proved leads nowhere") {
  SleptThrough slept;
  Successors told = slept.told();
  Errc code = Errc::denied;
  SECTION("nothing between is shown") { std::erase_if(told.entries, [](const ProvedEntry& one) { return one.epoch == 2; }); }
  SECTION("not how the epoch between ended") { told.ends.clear(); }
  SECTION("that is signed by somebody else") {
    slept.second.key = labelled_key("thief");
    told.ends = {slept.second.note()};
  }
  SECTION("it is another state than the next one goes on from") {
    slept.second.entries.push_back(officer_entry("officer-6", "thief"));
    told.ends = {slept.second.note()};
    for (ProvedEntry& one : told.entries) {
      if (one.epoch == 2) one = slept.second.proved(one.index, 5);
    }
  }
  SECTION("officers whom nobody knows began the epoch between") { slept.known.entries.erase(slept.known.entries.begin()); }
  SECTION("an officer is not in the log") {
    told.entries[3].entry = officer_entry("officer-4", "thief");
    code = Errc::corrupt;
  }
  SECTION("an officer is behind the state that the first promotion pins") {
    told.entries.insert(told.entries.begin() + 2, slept.first.proved(4, 5));
    code = Errc::corrupt;
  }
  SECTION("too many ends") {
    told.ends.assign(kSuccessorEndsMax + 1, told.ends.front());
    CHECK_FALSE(parse_successors(write_successors(told)));
    told.ends.clear();
  }
  const auto now = known_after(slept.known, 1, told, slept.newest);
  REQUIRE_FALSE(now);
  INFO(now.error().message);
  const bool refused = now.error().code == code || (code == Errc::corrupt && now.error().code == Errc::invalid);
  CHECK(refused);
}

TEST_CASE("a promotion counts with two officers whom the pinned part names, and who were not revoked") {
  EpochLog log = first_epoch();
  const auto counts = [&log](std::uint64_t pinned, const std::map<std::string, std::string>& signers) {
    std::vector<std::uint64_t> all;
    for (std::uint64_t i = 0; i < log.entries.size(); ++i) {
      if (log.entries[i] != "{}") all.push_back(i);
    }
    const Successors told = told_by(log, all);
    REQUIRE(check_successors(told, log.verifier()));
    return check_promotion(told, promotion_of(kArchive, 2, log.state(pinned), kUrl, signers));
  };
  CHECK(counts(5, kBoth));
  CHECK(counts(4, kBoth));
  CHECK(counts(5, {{"officer-1", "one"}, {"officer-3", "three"}}));
  const auto refused = [&](std::uint64_t pinned, const std::map<std::string, std::string>& signers) {
    const Status status = counts(pinned, signers);
    return !status && status.error().code == Errc::denied;
  };
  CHECK(refused(4, {{"officer-1", "one"}, {"officer-3", "three"}}));  // behind the pin
  CHECK(refused(2, kBoth));
  CHECK(refused(5, {{"officer-1", "one"}}));
  CHECK(refused(5, {{"officer-1", "one"}, {"officer-2", "one"}}));
  CHECK(refused(5, {{"officer-1", "one"}, {"stranger", "stranger"}}));
  log.entries.push_back(officer_entry("officer-4", "one"));
  CHECK(refused(6, {{"officer-1", "one"}, {"officer-4", "one"}}));  // one person under two names
  log.entries.push_back(officer_entry("officer-2", "two", "revoked"));
  CHECK(refused(7, kBoth));
  CHECK(refused(5, kBoth));  // that the pin is before it changes nothing
  CHECK(counts(5, {{"officer-1", "one"}, {"officer-3", "three"}}));
  // Whoever knows no officer believes nobody.
  CHECK_FALSE(check_promotion(Successors(), promotion_of(kArchive, 2, log.state(5), kUrl, kBoth)));
}
