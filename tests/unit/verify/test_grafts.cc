// Which `graft` entries can be, by the states that epochs go on from; what a later epoch's log is asked of the policy's sites. Against the old
// logs themselves, with hearings, in pools and exports: tests/twin/test_grafts.py, tests/twin/test_epoch_quorum.py.
#include <catch2/catch.hpp>

#include "archive/verify/grafts.h"
#include "archive/verify/main_check.h"

using namespace greffe;
using namespace greffe::verify;

namespace {

const std::string kArchive = "archive.court.example";

// Three epochs: numbers 0 to 9, 10 to 14, and from 15 on.
GraftRule three_epochs() { return GraftRule({{{kArchive, 1}, 0, 10}, {{kArchive, 2}, 10, 5}, {{kArchive, 3}, 15, 20}}); }

Graft graft(std::uint64_t index, const std::string& origin, std::uint64_t size) {
  Graft out{index, {}};
  out.entry.end = {origin, size, sha256(as_bytes("root"))};
  return out;
}

std::string why(const GraftRule& rule, const Graft& one) {
  const auto good = rule.check(one);
  return good ? "epoch at " + std::to_string(*good) : good.error().message;
}

PublicKey key_of(const std::string& label) { return PrivateKey::from_seed(sha256(as_bytes(label)).bytes)->public_key(); }
VerifierKey site(const std::string& name, const std::string& label) { return {name, KeyType::cosignature_v1, key_of(label)}; }
VerifierKey site(const std::string& name) { return site(name, name); }

std::string named(const VerifierKey& key, const std::string& action, const std::string& role = "cosigner") {
  KeyEntry out;
  out.action = action;
  out.role = role;
  out.name = key.name;
  out.key = key.key;
  out.cosigner = key.text();
  if (action == "revoked") out.why = "retired";
  return write_main_entry(out);
}

NamedCosigners names(const std::vector<std::string>& sites) {
  NamedCosigners out;
  for (const std::string& one : sites) out.take(named(site(one), "added"));
  return out;
}

Policy policy(const std::string& groups) {
  std::string text = "log " + VerifierKey{kArchive, KeyType::ed25519, key_of("log")}.text() + "\n";
  for (const std::string one : {"a", "b", "c", "d"}) text += "witness w-" + one + " " + site(one).text() + "\n";
  const auto parsed = parse_policy(text + groups);
  REQUIRE(parsed);
  return *parsed;
}

}  // namespace

TEST_CASE("a graft gives back an earlier epoch, and more of it than counted before") {
  GraftRule rule = three_epochs();
  CHECK(why(rule, graft(10, kArchive, 11)) == "epoch at 0");
  CHECK(why(rule, graft(14, kArchive, 11)) == "epoch at 0");
  CHECK(why(rule, graft(15, kArchive, 11)) == "epoch at 0");
  CHECK(why(rule, graft(99, kArchive + "/epoch/2", 6)) == "epoch at 1");
  rule.take_back(0, 15);
  CHECK(why(rule, graft(99, kArchive, 16)) == "epoch at 0");
  CHECK_THAT(why(rule, graft(99, kArchive, 15)), Catch::Contains("15 of them counted before"));
  CHECK(why(rule, graft(99, kArchive + "/epoch/2", 6)) == "epoch at 1");
}

TEST_CASE("a graft that gives back what no earlier epoch can have had") {
  const GraftRule rule = three_epochs();
  for (const std::uint64_t size : {1u, 9u, 10u}) CHECK_THAT(why(rule, graft(12, kArchive, size)), Catch::Contains("10 of them counted before"));
  CHECK_THAT(why(rule, graft(99, kArchive + "/epoch/2", 5)), Catch::Contains("5 of them counted before"));
  CHECK_THAT(why(rule, graft(9, kArchive, 11)), Catch::Contains("no earlier epoch"));
  CHECK_THAT(why(rule, graft(14, kArchive + "/epoch/2", 6)), Catch::Contains("no earlier epoch"));
  CHECK_THAT(why(rule, graft(99, kArchive + "/epoch/3", 99)), Catch::Contains("no earlier epoch"));
  CHECK_THAT(why(rule, graft(99, kArchive + "/epoch/4", 99)), Catch::Contains("no earlier epoch"));
  CHECK_THAT(why(rule, graft(99, "other.court.example", 99)), Catch::Contains("no earlier epoch"));
}

TEST_CASE("of a later epoch those sites are asked that its own log names") {
  const Policy all = policy("group sites all w-a w-b w-c\nquorum sites\n");
  CHECK(asked_of_epoch(all, names({})).quorum == "none");
  CHECK(asked_of_epoch(all, names({"d", "stranger"})).quorum == "none");
  const Policy two = asked_of_epoch(all, names({"a", "c"}));
  CHECK(two.quorum == "sites");
  REQUIRE(two.groups.size() == 1);
  CHECK(two.groups[0].needed == 2);
  CHECK(two.groups[0].members == std::vector<std::string>{"w-a", "w-c"});
  const Policy one = asked_of_epoch(policy("group sites 2 w-a w-b w-c\ngroup more any w-d\ngroup both all sites more\nquorum both\n"), names({"a", "b", "c"}));
  CHECK(one.quorum == "both");
  REQUIRE(one.groups.size() == 2);
  CHECK(one.groups[0].needed == 2);
  CHECK(one.groups[1].members == std::vector<std::string>{"sites"});
  CHECK(one.groups[1].needed == 1);
  CHECK(asked_of_epoch(policy("quorum w-a\n"), names({"a"})).quorum == "w-a");
  CHECK(asked_of_epoch(policy("quorum w-a\n"), names({"b"})).quorum == "none");
  CHECK(asked_of_epoch(policy("quorum none\n"), names({"a"})).quorum == "none");
}

TEST_CASE("an epoch names a site until it takes the key back or another one in its place") {
  NamedCosigners sites;
  sites.take(named(site("a"), "added"));
  CHECK(sites.has(site("a")));
  CHECK_FALSE(sites.has(site("a", "another")));
  sites.take(named(site("a", "another"), "renewed"));
  CHECK_FALSE(sites.has(site("a")));
  CHECK(sites.has(site("a", "another")));
  sites.take(named(site("a"), "revoked"));
  CHECK(sites.has(site("a", "another")));
  sites.take(named(site("a", "another"), "revoked"));
  CHECK_FALSE(sites.has(site("a", "another")));
  sites.take(named(site("b"), "added", "witness"));
  CHECK_FALSE(sites.has(site("b")));
}
