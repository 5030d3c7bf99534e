// A promoted archive takes back what only the old site had.
#include <catch2/catch.hpp>

#include "archive/format/policy.h"
#include "tests/unit/archive/promoted_archive.h"

using greffe::Checkpoint;
using greffe::DetailsEntry;
using greffe::Digest;
using greffe::Errc;
using greffe::GraftEntry;
using greffe::KeyEntry;
using greffe::MainEntry;
using greffe::UtcTime;
using greffe::archive::Grafts;
using greffe::archive::Peer;
using greffe::archive::Receipt;
using greffe::archive::Unready;
using greffe::testing::key_entry;
using greffe::testing::PromotedArchive;
using greffe::testing::SampleHearing;

namespace {

GraftEntry graft_at(const PromotedArchive& archive, std::uint64_t number) {
  const auto text = archive.site.main_log->chain().entries(number, number + 1);
  REQUIRE(text);
  const auto entry = greffe::parse_main_entry(text->front());
  REQUIRE(entry);
  REQUIRE(std::holds_alternative<GraftEntry>(*entry));
  return std::get<GraftEntry>(*entry);
}

greffe::ShownEntry shown(const greffe::testing::OldLog& log, std::size_t index) {
  greffe::TlogProof proof;
  proof.index = index;
  const auto subtree = [&](unsigned level, std::uint64_t at) -> greffe::Result<Digest> {
    greffe::TreeEdge edge;
    for (std::uint64_t i = at << level; i < (at + 1) << level; ++i) edge.append(greffe::leaf_hash(greffe::as_bytes(log.entries[i])));
    return edge.root();
  };
  proof.hashes = greffe::inclusion_proof(index, log.entries.size(), subtree).value();
  proof.checkpoint = log.note(log.entries.size());
  return {log.entries[index], greffe::write_tlog_proof(proof)};
}

std::string cases_of(const PromotedArchive& archive, const SampleHearing& hearing) {
  const auto record = archive.found(hearing);
  REQUIRE(record);
  REQUIRE(record->row.details.cases.size() == 1);
  return record->row.details.cases.front();
}

// Two hearings went on, or were begun, behind the state that the second epoch goes on from: `before`, and one of a station that got a new key there.
struct Returning : PromotedArchive {
  Returning() {
    before.add_segment();
    before.close();
    old.add(commit(before, before.entries.size(), true));
    old.add(key_entry("station", "station-1", after.key.public_key(), "renewed"));
    after.add_segment();
    old.add(commit(after, 1));
    old.add(commit(after, after.entries.size()));
  }
  DetailsEntry corrected(const SampleHearing& hearing, const std::string& case_number) {
    greffe::Details details;
    details.cases = {case_number};
    DetailsEntry out;
    out.hearing = hearing.id;
    out.details = bring_document(greffe::write_details(details));
    out.reason = bring_document(greffe::write_note("reason", "typing error"));
    out.account = "u-1";
    return out;
  }
  void bring_hearings() {
    bring(before, 2);
    bring(after, 0);
  }

  SampleHearing after{site.name, UtcTime{1'795'345'000'000}};
};

// To do without the last object of a hearing.
greffe::MainLostEntry lost_order(Returning& archive, const std::string& first, const std::string& second) {
  greffe::MainLostEntry out;
  out.hearing = archive.before.id;
  out.objects = {archive.before.objects.back().first};
  const std::string text = greffe::lost_statement(archive.site.name, out.hearing, out.objects);
  out.officers = {first, second};
  for (const std::string& name : out.officers) out.signatures.push_back(archive.officer(name).sign(greffe::as_bytes(text)));
  return out;
}

}  // namespace

TEST_CASE("what only the old site had comes back with a graft, and what of it still says something is said again") {
  Returning archive;
  const auto said_again = [&](const MainEntry& entry) {
    archive.old.add(entry);
    return archive.old.entries.back();
  };
  greffe::MarkAddedEntry mark;
  mark.hearing = archive.after.id;
  mark.note = archive.bring_document(greffe::write_note("mark", "listen here"));
  mark.account = "u-1";
  greffe::AccessEntry access;
  access.hearing = archive.before.id;
  access.account = "u-1";
  access.purpose = "play";
  access.session = "s1";
  greffe::PlaceEntry place;
  place.court = "court-1";
  place.names = archive.bring_document(greffe::write_place_names({{"en", "First Court"}}));
  place.zone = "Europe/Paris";
  std::vector<std::string> block = {archive.old.entries.at(archive.pin + 1)};
  block.push_back(said_again(archive.corrected(archive.after, "RG 26/00002")));
  archive.old.add(key_entry("officer", "officer-3", archive.officer("officer-3").public_key()));
  block.push_back(said_again(mark));
  block.push_back(said_again(access));
  archive.old.add(greffe::ScrubEntry{"pass", "disk-1", "", "", 1, 1, 0, {}, {}});
  block.push_back(said_again(place));
  archive.bring_hearings();
  // Of a station that this archive does not know nothing is in its log before the graft.
  CHECK(archive.found(archive.before)->row.closed);
  CHECK(archive.found(archive.after).error().code == Errc::not_found);
  archive.restart();
  CHECK(archive.found(archive.after).error().code == Errc::not_found);
  const auto missing = archive.post_main(archive.pin, archive.old.entries.size());  // what was sent before the restart is asked for again
  REQUIRE(missing);
  REQUIRE(std::holds_alternative<Unready>(*missing));
  CHECK(std::get<Unready>(*missing).missing.size() == 4);
  for (const Digest& digest : std::get<Unready>(*missing).missing) {
    const auto bytes = archive.site.pool->read_object(digest);
    REQUIRE(bytes);
    archive.bring_document(std::string(greffe::as_text(*bytes)));
  }
  archive.bring_main();
  const Grafts::Done done = archive.grafted();
  CHECK((done.entries == block.size() && done.hearings == 2 && done.size == archive.old.entries.size()));

  const GraftEntry graft = graft_at(archive, done.number);
  CHECK(graft.end == archive.old.at(archive.old.entries.size()));
  REQUIRE(graft.hearings.size() == 2);
  CHECK((graft.hearings[0].hearing == archive.before.id && graft.hearings[0].size == 4));
  CHECK((graft.hearings[1].hearing == archive.after.id && graft.hearings[1].size == 2));
  CHECK(graft.hearings[1].root == greffe::parse_signed_checkpoint(archive.after.checkpoint(2))->checkpoint.root);
  CHECK(*archive.site.main_log->chain().entries(done.number + 1, done.number + 1 + block.size()) == block);
  CHECK(*archive.site.main_log->chain().size() == done.number + 1 + block.size());
  // The catalogue has it as if it had never been away.
  CHECK(cases_of(archive, archive.after) == "RG 26/00002");
  CHECK(archive.site.main_log->catalogue().marks(archive.after.id, greffe::catalogue::CourtSet::everything())->size() == 1);
  CHECK(archive.site.main_log->catalogue().places()->at(0).zone == "Europe/Paris");
  CHECK(archive.site.main_log->catalogue().problems()->empty());
  CHECK(archive.site.main_log->catalogue().keys("officer")->size() == 2);
  // Its station goes on with the key that came back.
  archive.after.add_segment();
  REQUIRE(greffe::testing::deposit_object(archive.site, archive.after, archive.after.objects.back().first, archive.after.objects.back().second));
  REQUIRE(greffe::testing::append_range(archive.site, archive.after, 2, 3));
  // The old epoch is shown with the state that this one goes on from, as before.
  const auto& chain = archive.site.main_log->chain();
  const auto end = greffe::archive::end_of_epoch(archive.site.stores(), archive.site.main_log->catalogue(), chain, chain.links().front());
  REQUIRE(end);
  CHECK(end->checkpoint == archive.old.at(archive.pin));

  // Asked again, also after a restart, it says the same and makes nothing.
  for (const bool again : {false, true}) {
    if (again) archive.restart();
    const Grafts::Done same = archive.grafted();
    CHECK((same.number == done.number && same.entries == done.entries && same.hearings == done.hearings && same.size == done.size));
  }
  CHECK(archive.count_kind("graft") == 1);
  CHECK(archive.count(block.back()) == 1);
}

TEST_CASE("nothing comes back but from the site that wrote it, and only whole") {
  Returning archive;
  const std::string end = archive.old.note(archive.old.entries.size());
  const auto ask = [&](const Peer& peer, const std::string& note) { return archive.grafts->make(peer, archive.old.origin, note); };
  SECTION("another peer") {
    Peer peer = archive.returning();
    for (const Peer::Kind kind : {Peer::Kind::station, Peer::Kind::replicator, Peer::Kind::reader}) {
      peer.kind = kind;
      CHECK(ask(peer, end).error().code == Errc::denied);
      CHECK(archive.foreign->append(peer, archive.old.origin, archive.pin, {archive.old.entries.at(archive.pin)}, archive.old.note(archive.pin + 1)).error().code == Errc::denied);
    }
    peer.kind = Peer::Kind::returning;
    peer.key.name = archive.old.origin + "/epoch/2";  // of another epoch
    CHECK(ask(peer, end).error().code == Errc::denied);
    CHECK(archive.grafts->make(peer, peer.key.name, end).error().code == Errc::not_found);
  }
  SECTION("not sent yet") {
    const auto refused = ask(archive.returning(), end);
    REQUIRE(refused);
    CHECK(std::get<Unready>(*refused).held_size == archive.pin);
    CHECK(archive.post_main(archive.pin, archive.pin + 1).error().code == Errc::unavailable);  // its hearing first
  }
  SECTION("signed by another key") {
    greffe::testing::OldLog other = {archive.old.origin};
    other.entries = archive.old.entries;
    CHECK(ask(archive.returning(), other.note(other.entries.size())).error().code == Errc::denied);
    CHECK(archive.foreign->append(archive.returning(), archive.old.origin, archive.pin, {other.entries.at(archive.pin + 1)}, other.note(archive.pin + 1)).error().code == Errc::denied);
  }
  SECTION("nothing behind the pin") { CHECK(ask(archive.returning(), archive.old.note(archive.pin)).error().code == Errc::invalid); }
  SECTION("said to end before what was sent") {
    archive.bring_hearings();
    archive.bring_main();
    CHECK(ask(archive.returning(), archive.old.note(archive.pin + 1)).error().code == Errc::conflict);
    CHECK(archive.count_kind("graft") == 0);
  }
  SECTION("while nothing is signed") {
    archive.bring_hearings();
    archive.bring_main();
    archive.site.main_log->hold("a witness is asked");
    CHECK(archive.graft().error().code == Errc::unavailable);
    archive.site.main_log->release();
    CHECK(archive.grafted().hearings == 2);
    CHECK(archive.count_kind("graft") == 1);
  }
}

TEST_CASE("a hearing that went on otherwise is refused by its name") {
  Returning archive;
  const std::vector<std::string> there = archive.before.entries;
  archive.before.entries.resize(2);
  archive.before.add_gap(5000, "fault");
  CHECK(greffe::testing::append_range(archive.site, archive.before, 2, 3));
  archive.before.entries = there;
  archive.bring_objects(archive.before);
  const auto refused = archive.post(archive.before, 2, 4);
  REQUIRE(refused);
  CHECK(std::get<Unready>(*refused).held_size == 3);
  const auto diverged = archive.post(archive.before, 3, 4);
  REQUIRE(diverged);
  CHECK(std::get<Unready>(*diverged).diverged);
  const auto log = archive.post_main(archive.pin, archive.pin + 1);
  REQUIRE_FALSE(log);
  CHECK_THAT(log.error().message, Catch::Contains(archive.before.id.text()));
}

TEST_CASE("a crash at any step of a return is gone on with") {
  Returning archive;
  archive.bring_hearings();
  archive.bring_main();
  SECTION("before the graft") { archive.restart(); }
  SECTION("when the stations were enrolled") {
    REQUIRE(archive.site.main_log->append_texts({archive.old.entries.at(archive.pin + 1)}));
    archive.restart();
    CHECK(archive.found(archive.after));
  }
  const Grafts::Done done = archive.grafted();
  CHECK(done.hearings == 2);
  archive.restart();
  CHECK(archive.grafted().number == done.number);
  CHECK(archive.count_kind("graft") == 1);
  CHECK(archive.count(archive.old.entries.at(archive.pin + 1)) == 2);  // enrolled first, and said again
  CHECK(archive.site.main_log->catalogue().problems()->empty());
}

TEST_CASE("a long end of an old log comes back in several grafts") {
  Returning archive;
  archive.old.add(archive.corrected(archive.after, "RG 26/00002"));
  archive.old.add(archive.corrected(archive.after, "RG 26/00003"));
  archive.bring_hearings();
  archive.bring_main();
  archive.serve({.hearings = 1, .entries = 1});
  const Grafts::Done done = archive.grafted();
  CHECK((done.entries == 3 && done.hearings == 2));
  CHECK(archive.count_kind("graft") == 3);
  CHECK(graft_at(archive, done.number).end == archive.old.at(archive.old.entries.size()));
  CHECK(graft_at(archive, done.number).hearings.empty());
  CHECK(graft_at(archive, done.number - 2).hearings.size() == 1);
  CHECK(cases_of(archive, archive.after) == "RG 26/00003");
  CHECK(archive.grafted().number == done.number);
  SECTION("and one that was longer than its site had said comes on") {
    archive.old.add(archive.corrected(archive.before, "RG 26/00009"));
    archive.bring_main();
    CHECK(archive.grafted().number > done.number);
    CHECK(cases_of(archive, archive.before) == "RG 26/00009");
    CHECK(cases_of(archive, archive.after) == "RG 26/00003");
  }
}

TEST_CASE("what this archive has said itself since stands") {
  Returning archive;
  const auto store = [&](const std::string& bytes) { return *greffe::archive::store_document(*archive.site.pool, bytes); };
  const auto share_of = [&](const std::string& action, const Digest& reason) {
    greffe::ShareEntry out;
    out.action = action;
    out.archive = archive.site.name;
    out.hearing = archive.before.id;
    out.court = "court-2";
    out.reason = reason;
    out.account = "u-1";
    return out;
  };
  const Digest reason = archive.bring_document(greffe::write_note("reason", "appeal"));
  archive.old.add(archive.corrected(archive.before, "RG 26/00002"));
  archive.old.add(share_of("granted", reason));
  // Meanwhile here: other details, the share given and ended, the station with another key, the old key of before stolen.
  DetailsEntry newer = archive.corrected(archive.before, "RG 26/00007");
  REQUIRE(archive.site.main_log->append(newer));
  REQUIRE(archive.site.main_log->append(std::vector<MainEntry>{share_of("granted", store(greffe::write_note("reason", "theirs"))), share_of("revoked", store(greffe::write_note("reason", "over")))}));
  const auto third = greffe::PrivateKey::generate();
  REQUIRE(archive.site.main_log->append(key_entry("station", "station-1", third.public_key(), "renewed")));
  archive.bring_hearings();
  archive.bring_main();
  const Grafts::Done done = archive.grafted();
  CHECK(cases_of(archive, archive.before) == "RG 26/00007");
  const auto shares = archive.site.main_log->catalogue().shares(archive.before.id);
  REQUIRE(shares->size() == 1);
  CHECK(shares->front().revoked);
  // The key that came back may bring what was begun under it; the station's is the one that it has here.
  const auto came = archive.site.main_log->catalogue().key("station", archive.after.key.public_key());
  REQUIRE(*came);
  CHECK((*came)->revoked_why == "retired");
  CHECK_FALSE((*archive.site.main_log->catalogue().key("station", third.public_key()))->revoked_since);
  CHECK(archive.site.main_log->catalogue().problems()->empty());
  CHECK(archive.grafted().number == done.number);
}

TEST_CASE("of a station whose key was stolen nothing comes back") {
  Returning archive;
  KeyEntry stolen = key_entry("station", "station-1", archive.before.key.public_key(), "revoked");
  stolen.why = "stolen";
  REQUIRE(archive.site.main_log->append(stolen));
  archive.bring_objects(archive.after);
  const auto refused = archive.post(archive.before, 2, 4);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::denied);
  CHECK_THAT(refused.error().message, Catch::Contains("stolen"));
}

TEST_CASE("what came back of a key that this archive had ended does not hold") {
  Returning archive;
  // The station was enrolled again here with the same key, which was stolen then.
  REQUIRE(archive.site.main_log->append(key_entry("station", "station-1", archive.after.key.public_key(), "renewed")));
  archive.bring_hearings();
  KeyEntry stolen = key_entry("station", "station-1", archive.after.key.public_key(), "revoked");
  stolen.why = "stolen";
  REQUIRE(archive.site.main_log->append(stolen));
  archive.bring_main();
  archive.grafted();
  const auto key = archive.site.main_log->catalogue().key("station", archive.after.key.public_key());
  REQUIRE(*key);
  CHECK((*key)->revoked_why == "stolen");
}

TEST_CASE("an object that was declared lost over there is missed here, unless officers of this archive declared it") {
  Returning archive;
  const bool known = GENERATE(true, false);
  archive.old.add(key_entry("officer", "officer-3", archive.officer("officer-3").public_key()));
  archive.old.add(lost_order(archive, "officer-1", known ? "officer-2" : "officer-3"));
  const Digest gone = archive.before.objects.back().first;
  archive.before.objects.pop_back();
  archive.bring_objects(archive.before);
  const auto missed = archive.post(archive.before, 2, 4);
  REQUIRE(missed);
  CHECK(std::get<Unready>(*missed).missing == std::vector<Digest>{gone});
  const std::size_t last = archive.old.entries.size() - 1;
  const auto taken = archive.post(archive.before, 2, 4, {shown(archive.old, last - 1), shown(archive.old, last)});
  if (!known) {
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code == Errc::denied);
    CHECK_THAT(taken.error().message, Catch::Contains("officer-3"));
    return;
  }
  REQUIRE(taken);
  CHECK(std::holds_alternative<Receipt>(*taken));
  archive.bring(archive.after, 0);
  archive.bring_main();
  archive.grafted();
  CHECK(*archive.site.main_log->declared_lost().covers(archive.before.id, gone));
}

TEST_CASE("orders to do without an object come back if officers of this archive signed them") {
  Returning archive;
  archive.old.add(key_entry("officer", "officer-3", archive.officer("officer-3").public_key()));
  const bool known = GENERATE(true, false);
  archive.old.add(lost_order(archive, "officer-1", known ? "officer-2" : "officer-3"));
  archive.bring_hearings();
  archive.bring_main();
  CHECK(archive.grafted().entries == (known ? 2 : 1));
  CHECK(archive.count_kind("lost") == (known ? 1 : 0));
  CHECK(*archive.site.main_log->declared_lost().covers(archive.before.id, archive.before.objects.back().first) == known);
}
