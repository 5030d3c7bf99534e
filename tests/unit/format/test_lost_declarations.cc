// What two officers declare lost: whose signatures count, for which hearing, and what is shown ahead with a proof.
#include "archive/format/lost_declarations.h"

#include "archive/format/merkle.h"
#include "archive/format/policy.h"
#include "tests/unit/format/vectors.h"

using greffe::Digest;
using greffe::Errc;
using greffe::HearingId;
using greffe::Json;
using greffe::KeyEntry;
using greffe::LostDeclarations;
using greffe::MainLostEntry;
using greffe::PrivateKey;
using greffe::testing::need;
using greffe::testing::vectors;

namespace {

const std::string kArchive = "archive.court.example";

Digest named(std::string_view text) { return greffe::sha256(greffe::as_bytes(text)); }
PrivateKey key_of(std::string_view label) { return need(PrivateKey::from_seed(named(label).bytes)); }
HearingId hearing() { return need(greffe::parse_hearing_id("019d0a3c-7c00-7abc-8def-0123456789ab")); }
HearingId other_hearing() { return need(greffe::parse_hearing_id("019d0a3b-0000-7000-8000-000000000001")); }

KeyEntry officer(const std::string& name, const PrivateKey& key, const std::string& action = "added") {
  KeyEntry out;
  out.action = action;
  out.role = "officer";
  out.name = name;
  out.key = key.public_key();
  return out;
}

struct TwoOfficers {
  PrivateKey one = key_of("greffe vector station");  // whose signatures the vectors have
  PrivateKey two = key_of("greffe vector log");
  LostDeclarations log{kArchive};

  TwoOfficers() {
    REQUIRE(log.take(officer("officer-1", one)));
    REQUIRE(log.take(officer("officer-2", two)));
  }
  MainLostEntry order(const std::optional<HearingId>& about = hearing()) const {
    MainLostEntry out;
    out.hearing = about;
    out.objects = {named("b"), named("a")};
    out.officers = {"officer-1", "officer-2"};
    const std::string text = greffe::lost_statement(kArchive, about, out.objects);
    out.signatures = {one.sign(greffe::as_bytes(text)), two.sign(greffe::as_bytes(text))};
    return out;
  }
};

greffe::MainEntry golden(std::string_view name) {
  for (const Json& one : need(vectors("main-entries.json").array("entries"))) {
    if (need(one.string("name")) == name) return need(greffe::parse_main_entry(need(one.string("entry"))));
  }
  FAIL("no vector " << name);
  return greffe::UnknownEntry{};
}

}  // namespace

TEST_CASE("what two officers sign is plain text, whatever the order of the objects") {
  const std::string text = greffe::lost_statement(kArchive, hearing(), {named("b"), named("a")});
  CHECK(text == greffe::lost_statement(kArchive, hearing(), {named("a"), named("b")}));
  CHECK(text.starts_with("greffe declares lost v1\narchive.court.example\n019d0a3c-7c00-7abc-8def-0123456789ab\n"));
  CHECK(text.ends_with(std::max(named("a").hex(), named("b").hex()) + "\n"));
  CHECK(greffe::lost_statement(kArchive, std::nullopt, {named("a")}) == "greffe declares lost v1\narchive.court.example\nmain\n" + named("a").hex() + "\n");
  CHECK_FALSE(greffe::parse_checkpoint(text));
}

TEST_CASE("orders that another implementation signed declare what they name, of that hearing only") {
  TwoOfficers officers;
  REQUIRE(officers.log.take(golden("lost with signatures")));
  REQUIRE(officers.log.take(golden("lost documents of the main log")));
  CHECK(officers.log.covers(hearing(), named("lost 1")));
  CHECK(officers.log.covers(hearing(), named("lost 2")));
  CHECK_FALSE(officers.log.covers(other_hearing(), named("lost 1")));
  CHECK_FALSE(officers.log.covers(std::nullopt, named("lost 1")));
  CHECK(officers.log.covers(std::nullopt, named("snapshot")));
  CHECK(officers.log.names(named("lost 1")));
  CHECK_FALSE(officers.log.names(named("lost 3")));
  CHECK(officers.log.of(hearing()).size() == 2);
}

TEST_CASE("an order counts with two officers who had their keys then, and not otherwise") {
  TwoOfficers officers;
  const auto refused = [&](const MainLostEntry& entry, LostDeclarations log) {
    const auto taken = log.take(entry);
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code == Errc::denied);
    CHECK_FALSE(log.names(named("a")));
    return taken.error().message;
  };
  REQUIRE(LostDeclarations(officers.log).take(officers.order()));
  CHECK(refused(std::get<MainLostEntry>(golden("lost")), officers.log).find("signatures of two officers") != std::string::npos);
  MainLostEntry one = officers.order();
  one.officers.pop_back();
  one.signatures.pop_back();
  refused(one, officers.log);
  MainLostEntry more = officers.order();
  more.objects.push_back(named("c"));
  refused(more, officers.log);
  MainLostEntry elsewhere = officers.order();
  elsewhere.hearing = other_hearing();
  refused(elsewhere, officers.log);
  LostDeclarations other_archive("other.court.example");
  REQUIRE((other_archive.take(officer("officer-1", officers.one)) && other_archive.take(officer("officer-2", officers.two))));
  refused(officers.order(), other_archive);
  LostDeclarations one_person(kArchive);
  REQUIRE((one_person.take(officer("officer-1", officers.one)) && one_person.take(officer("officer-2", officers.one))));
  MainLostEntry twice = officers.order();
  twice.signatures[1] = twice.signatures[0];
  CHECK(refused(twice, one_person).find("one person") != std::string::npos);
  LostDeclarations revoked = officers.log;
  REQUIRE(revoked.take(officer("officer-2", officers.two, "revoked")));
  CHECK(refused(officers.order(), revoked).find("officer-2 is not an officer") != std::string::npos);
  LostDeclarations renewed = officers.log;
  REQUIRE(renewed.take(officer("officer-2", key_of("a new key"), "renewed")));
  REQUIRE(renewed.take(officer("officer-2", officers.two, "revoked")));
  refused(officers.order(), renewed);
  KeyEntry station = officer("officer-2", officers.two);
  station.role = "station";
  LostDeclarations no_officer(kArchive);
  REQUIRE((no_officer.take(officer("officer-1", officers.one)) && no_officer.take(station)));
  refused(officers.order(), no_officer);
}

TEST_CASE("entries that concern it are recognised by their bytes") {
  TwoOfficers officers;
  CHECK(LostDeclarations::concerns(greffe::write_main_entry(officers.order())));
  CHECK(LostDeclarations::concerns(greffe::write_main_entry(officer("officer-1", officers.one))));
  greffe::AccountEntry account;
  CHECK_FALSE(LostDeclarations::concerns(greffe::write_main_entry(account)));
}

TEST_CASE("an entry shown ahead counts with its proof, under the log's own signature") {
  const PrivateKey key = key_of("log");
  const std::vector<std::string> entries = {"one", "two", "three"};
  greffe::TreeEdge edge;
  for (const std::string& entry : entries) edge.append(greffe::leaf_hash(greffe::as_bytes(entry)));
  const greffe::Checkpoint checkpoint{kArchive, 3, edge.root()};
  greffe::TlogProof proof;
  proof.index = 2;
  proof.hashes = {greffe::node_hash(greffe::leaf_hash(greffe::as_bytes("one")), greffe::leaf_hash(greffe::as_bytes("two")))};
  proof.checkpoint = greffe::SignedNote{checkpoint.text(), {greffe::sign_checkpoint(checkpoint, key)}}.write();
  const greffe::VerifierKey log{kArchive, greffe::KeyType::ed25519, key.public_key()};
  const std::string text = greffe::write_tlog_proof(proof);
  CHECK(need(greffe::check_shown({"three", text}, log)) == 2);
  CHECK(greffe::check_shown({"Three", text}, log).error().code == Errc::corrupt);
  CHECK(greffe::check_shown({"three", text}, {kArchive, greffe::KeyType::ed25519, key_of("other").public_key()}).error().code == Errc::denied);
  CHECK(greffe::check_shown({"three", text}, {"other.example", greffe::KeyType::ed25519, key.public_key()}).error().code == Errc::denied);
  CHECK(greffe::check_shown({"three", "nothing"}, log).error().code == Errc::invalid);
}
