#include "archive/catalogue/catalogue.h"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <set>
#include <thread>

#include "tests/unit/catalogue/world.h"

using greffe::Details;
using greffe::Errc;
using greffe::HearingId;
using greffe::UtcTime;
using greffe::catalogue::Catalogue;
using greffe::catalogue::CatalogueBuilder;
using greffe::catalogue::CourtSet;
using greffe::catalogue::EntryQuery;
using greffe::catalogue::HearingPage;
using greffe::catalogue::HearingQuery;
using greffe::testing::details_of;
using greffe::testing::Directory;
using greffe::testing::NewHearing;
using greffe::testing::World;

namespace {

const CourtSet kAll = CourtSet::everything();

struct Fixture {
  World world;
  Directory directory;
  CatalogueBuilder builder = *CatalogueBuilder::create(directory.file("c"), world.sources());
  Catalogue catalogue = *Catalogue::open(directory.file("c"));

  void apply() {
    REQUIRE(world.apply_all(builder));
    REQUIRE(catalogue.problems()->empty());
  }
  HearingPage page(const HearingQuery& query, const CourtSet& courts = kAll) {
    auto page = catalogue.find(query, courts);
    INFO((page ? "" : page.error().message));
    REQUIRE(page);
    return *std::move(page);
  }
  // Ids of all hits over all pages, in order; checks that pages and count agree.
  std::vector<HearingId> all(HearingQuery query, const CourtSet& courts = kAll) {
    std::vector<HearingId> out;
    std::uint64_t count = 0;
    for (;;) {
      const HearingPage one = page(query, courts);
      CHECK(one.hearings.size() <= query.limit);
      for (const auto& row : one.hearings) out.push_back(row.id);
      count = one.count;
      if (!one.next_cursor) break;
      CHECK(one.hearings.size() == query.limit);
      query.cursor = *one.next_cursor;
    }
    CHECK(count == out.size());
    CHECK(std::set<HearingId>(out.begin(), out.end()).size() == out.size());
    return out;
  }
  std::vector<HearingId> hits(const std::string& text, const CourtSet& courts = kAll) {
    HearingQuery query;
    query.text = text;
    return all(query, courts);
  }
};

UtcTime minutes(const NewHearing& hearing, std::int64_t count) { return {hearing.start.ms + count * 60'000}; }

using Ids = std::vector<HearingId>;

}  // namespace

TEST_CASE("a hearing is found by every way in which people type") {
  Fixture f;
  NewHearing chinese{"(2026)浙01民初1234号", {"王伟", "阿卜杜·热合曼"}, "张秀英"};
  chinese.title = "房屋租赁合同纠纷";
  NewHearing french{"RG 24/00123", {"Zoé Lefèvre", "SARL Cœur d’Or"}, "Gaëlle Noël"};
  french.title = "Bail commercial";
  NewHearing other{"(2026)浙01民初12345号", {"李强"}, "陈法官"};
  const HearingId zh = f.world.file(chinese);
  const HearingId fr = f.world.file(french);
  const HearingId longer = f.world.file(other);
  f.apply();

  for (const char* text : {"王伟", "王", "伟", "热合曼", "张秀英", "秀英", "租赁", "浙01民初1234号", "民初1234号", "初1234号", "１２３４号",
                           "民初第1234号", "王伟 租赁", "租赁　王伟", "(2026)浙01民初1234号", "（２０２６）浙０１民初１２３４号",
                           "〔2026〕浙01民初01234號", " (2026) 浙01民初第01234号", "2026浙01民初1234号", "民初01234号", "阿卜杜・热合曼"}) {
    INFO(text);
    CHECK(f.hits(text) == Ids{zh});
  }
  for (const char* text : {"Lefevre", "lefèvre", "LEFEV", "zoe", "gaelle", "RG 24/00123", "rg24/00123", "24/001", "coeur", "cœur",
                           "d'or", "bail comm", "lefevre zoe", "Noël, Gaëlle", "ＲＧ　２４／００１２３"}) {
    INFO(text);
    CHECK(f.hits(text) == Ids{fr});
  }
  // A part of a number finds every number that begins so; the exact number comes first.
  CHECK(f.hits("民初1234") == Ids{longer, zh});
  CHECK(f.hits("(2026)浙01民初1234") == Ids{zh, longer});
  CHECK(f.hits("（2026）浙01民初 01234") == Ids{zh});
  CHECK(f.hits("号").size() == 2);
  CHECK(f.hits("").size() == 3);
  CHECK(f.hits("  ").size() == 3);
  for (const char* text : {"efevr", "王强", "伟王", "民初123号", "'", "\"", "()", "-", "%", "*", "王伟 李强", "1234号之一"}) {
    INFO(text);
    CHECK(f.hits(text).empty());
  }
}

TEST_CASE("nothing that is typed is an error but what is too long or no text") {
  Fixture f;
  const HearingId id = f.world.file({"RG 24/00123", {"Robert'); DROP TABLE hearing;--"}});
  f.apply();
  for (const char* text : {"' OR '1'='1", "\" OR \"", "NEAR(a, b)", "a AND", "NOT", "cases:1", "^a", "{a}:b", "a + b", "(((", "*"}) {
    HearingQuery query;
    query.text = text;
    CHECK(f.catalogue.find(query, kAll));
    query.text = "x";
    query.judge = text;
    query.court = text;
    query.room = text;
    CHECK(f.page(query).hearings.empty());
  }
  CHECK(f.hits("Robert'); DROP TABLE hearing;--") == Ids{id});
  HearingQuery query;
  query.text = "\xC3";
  CHECK(f.catalogue.find(query, kAll).error().code == Errc::invalid);
  query.text = std::string(1000, 'a');
  CHECK(f.catalogue.find(query, kAll).error().code == Errc::invalid);
  query.text = "";
  query.cursor = "e' OR 1=1";
  CHECK(f.catalogue.find(query, kAll).error().code == Errc::invalid);
  query.cursor = "";
  query.limit = 0;
  CHECK(f.catalogue.find(query, kAll).error().code == Errc::invalid);
}

TEST_CASE("pages are newest first, without holes or repeats, and the count is honest") {
  Fixture f;
  std::vector<HearingId> newest_first;
  for (int i = 0; i < 57; ++i) {
    NewHearing hearing{i % 3 == 0 ? "(2026)浙01民初7号" : "(2026)浙01民初" + std::to_string(70 + i) + "号", {"王伟"}};
    hearing.start = {1'780'000'000'000 + (i * 37 % 57) * 1000 / 3};  // out of order, several in one second
    f.world.file(hearing);
  }
  f.apply();
  HearingQuery query;
  query.limit = 5;
  const HearingPage plain = f.page(query);
  CHECK(f.all(query).size() == 57);
  query.text = "王伟";
  const Ids by_name = f.all(query);
  REQUIRE(by_name.size() == 57);
  for (std::size_t i = 1; i < by_name.size(); ++i) {
    const auto start = [&f](const HearingId& id) { return f.catalogue.hearing(id, kAll)->row.start.ms / 1000; };
    CHECK(start(by_name[i - 1]) >= start(by_name[i]));
  }
  query.text = "(2026)浙01民初7";
  const Ids by_case = f.all(query);
  REQUIRE(by_case.size() == 19 + 6);  // and 71, 72, 74, 75, 77, 78
  for (std::size_t i = 0; i < 19; ++i) {
    CHECK(f.catalogue.hearing(by_case[i], kAll)->row.details.cases.front() == "(2026)浙01民初7号");
  }
  query.text = "王伟";
  query.count_limit = 56;
  CHECK(f.page(query).count == 56);
  CHECK_FALSE(f.page(query).count_is_exact);
  query.count_limit = 57;
  CHECK(f.page(query).count == 57);
  CHECK(f.page(query).count_is_exact);
}

TEST_CASE("rights act inside the query: other courts change no hit, no count and no page") {
  Fixture f;
  std::map<std::string, std::set<HearingId>> by_court;
  for (int i = 0; i < 60; ++i) {
    NewHearing hearing{"(2026)浙01民初9号", {"王伟"}};
    hearing.court = i % 3 == 0 ? "lyon" : i % 3 == 1 ? "lyon-2" : "paris";
    hearing.start = {1'780'000'000'000 + i * 60'000};
    by_court[hearing.court].insert(f.world.file(hearing));
  }
  f.apply();
  const auto as_set = [](const Ids& ids) { return std::set<HearingId>(ids.begin(), ids.end()); };
  for (const char* text : {"", "王伟", "王", "(2026)浙01民初9号"}) {
    HearingQuery query;
    query.text = text;
    query.limit = 7;
    CHECK(as_set(f.all(query, {false, {"lyon"}})) == by_court["lyon"]);
    CHECK(as_set(f.all(query, {false, {"paris", "lyon"}})).size() == 40);
    CHECK(f.all(query, {false, {}}).empty());
    CHECK(f.all(query, {false, {"elsewhere"}}).empty());
    query.court = "paris";
    CHECK(f.all(query, {false, {"lyon"}}).empty());
    CHECK(as_set(f.all(query)) == by_court["paris"]);
  }
  const HearingId hidden = *by_court["paris"].begin();
  CHECK(f.catalogue.hearing(hidden, {false, {"lyon"}}).error().code == Errc::not_found);
  CHECK(f.catalogue.marks(hidden, {false, {"lyon"}}).error().code == Errc::not_found);
  CHECK(f.catalogue.hearing(hidden, {false, {"paris"}}));
  // The words by which courts are told apart cannot be typed.
  CHECK(f.hits("\x01" "c=paris", {false, {"lyon"}}).empty());
  CHECK(f.hits("c=paris").empty());
}

TEST_CASE("filters narrow the search") {
  Fixture f;
  NewHearing old_one{"RG 1", {"Dupont"}, "Gaëlle Noël"};
  old_one.start = *greffe::parse_utc("2026-03-01T08:00:00.000Z");
  NewHearing new_one{"RG 2", {"Dupont"}, "张秀英"};
  new_one.start = *greffe::parse_utc("2026-03-02T08:00:00.000Z");
  new_one.room = "room-2";
  const HearingId first = f.world.file(old_one);
  const HearingId second = f.world.open(new_one);
  f.world.gap(second, "fault", minutes(new_one, 1), minutes(new_one, 2));
  f.world.checkpoint(second);
  f.apply();
  const auto with = [&f](const std::function<void(HearingQuery&)>& change) {
    Ids with_text, without_text;
    HearingQuery query;
    change(query);
    without_text = f.all(query);
    query.text = "dupont";
    with_text = f.all(query);
    CHECK(with_text == without_text);
    query.text = "RG 2";
    for (const HearingId& id : f.all(query)) CHECK(std::find(with_text.begin(), with_text.end(), id) != with_text.end());
    return with_text;
  };
  CHECK(with([](HearingQuery& q) { q.room = "room-2"; }) == Ids{second});
  CHECK(with([](HearingQuery& q) { q.judge = "noel"; }) == Ids{first});
  CHECK(with([](HearingQuery& q) { q.judge = "秀英"; }) == Ids{second});
  CHECK(with([](HearingQuery& q) { q.judge = "Dupont"; }).empty());
  CHECK(with([](HearingQuery& q) { q.judge = "--"; }).empty());
  CHECK(with([](HearingQuery& q) { q.closed = true; }) == Ids{first});
  CHECK(with([](HearingQuery& q) { q.closed = false; }) == Ids{second});
  CHECK(with([](HearingQuery& q) { q.with_gaps = true; }) == Ids{second});
  CHECK(with([&](HearingQuery& q) { q.from = new_one.start; }) == Ids{second});
  CHECK(with([&](HearingQuery& q) { q.to = new_one.start; }) == Ids{first});
  CHECK(with([&](HearingQuery& q) { q.from = old_one.start, q.to = new_one.start; }) == Ids{first});
  CHECK(with([](HearingQuery& q) { q.from = *greffe::parse_utc("2026-03-03T00:00:00.000Z"); }).empty());
  CHECK(with([](HearingQuery&) {}) == Ids{second, first});
  f.world.close(second, minutes(new_one, 30));
  f.world.checkpoint(second);
  f.apply();
  CHECK(with([](HearingQuery& q) { q.closed = true; }) == Ids{second, first});
  CHECK(with([](HearingQuery& q) { q.closed = false; }).empty());
}

TEST_CASE("a hearing's row grows with its log") {
  Fixture f;
  const NewHearing hearing{"RG 24/00001", {"Jean Dupont"}};
  Details details = details_of(hearing);
  details.clerk = "Inès";
  details.is_public = false;
  const HearingId id = f.world.open(hearing, details);
  f.world.checkpoint(id, UtcTime{1'790'000'000'001});
  f.apply();
  auto record = f.catalogue.hearing(id, kAll);
  REQUIRE(record);
  CHECK_FALSE(record->row.closed);
  CHECK_FALSE(record->row.end);
  CHECK(record->row.duration_ms == 0);
  CHECK(record->row.streams.size() == 2);
  CHECK(record->row.details.clerk == "Inès");
  CHECK_FALSE(record->row.details.is_public);
  CHECK(record->log_size == 1);
  CHECK(record->checkpoint_index == 0);
  CHECK_FALSE(record->key_index);
  CHECK(*f.catalogue.open_hearings(kAll) == Ids{id});
  CHECK(f.catalogue.open_hearings({false, {"paris"}})->empty());

  f.world.segment(id, "cam-bench", 0, minutes(hearing, 0));
  f.world.segment(id, "cam-bench", 1, minutes(hearing, 1));
  f.world.segment(id, "screen", 0, minutes(hearing, 1));
  f.world.gap(id, "recess", minutes(hearing, 2), minutes(hearing, 5));
  f.world.checkpoint(id, UtcTime{1'790'000'000'002});
  f.world.gap(id, "power", minutes(hearing, 6), minutes(hearing, 7));
  f.world.close(id, minutes(hearing, 60));
  f.world.checkpoint(id, UtcTime{1'790'000'000'003});
  f.world.station_key("added", "station-1", f.world.key.public_key());
  f.apply();
  record = f.catalogue.hearing(id, kAll);
  CHECK(record->row.closed);
  CHECK(record->row.end == minutes(hearing, 60));
  CHECK(record->row.duration_ms == 60 * 60'000);
  CHECK(record->row.gap_count == 2);
  CHECK(record->row.unexcused_gap_count == 1);
  REQUIRE(record->row.streams.size() == 3);
  CHECK(record->row.streams[0].segments == 2);
  CHECK(record->row.streams[0].bytes == 2000);
  CHECK(record->row.streams[0].duration_90k == 1'800'000);
  CHECK(record->row.streams[2].name == "screen");
  CHECK(record->log_size == 7);
  CHECK(record->checkpoint_index == 2);
  CHECK(record->checkpoint_utc.ms == 1'790'000'000'003);
  CHECK(record->origin == "archive.court.example/hearing/" + id.text());
  CHECK(record->station_key == f.world.key.public_key());
  CHECK(record->key_index == 3U);
  CHECK(record->details_json.find("salt") == std::string::npos);
  CHECK(f.catalogue.open_hearings(kAll)->empty());
}

TEST_CASE("a corrected hearing is found by the old and the new name, and shows both") {
  Fixture f;
  const NewHearing hearing{"(2026)浙01民初1234号", {"王伟"}};
  const HearingId id = f.world.file(hearing);
  Details after = details_of(hearing);
  after.parties = {{"王玮", "原告", {"Wang Wei"}}};
  after.cases = {"(2026)浙01民初1243号"};
  f.world.correct(id, after, "姓名有误");
  f.apply();
  for (const char* text : {"王伟", "王玮", "wang wei", "民初1234号", "民初1243号"}) CHECK(f.hits(text) == Ids{id});
  const auto record = f.catalogue.hearing(id, kAll);
  CHECK(record->row.details.parties.front().name == "王玮");
  REQUIRE(record->corrections.size() == 1);
  CHECK(record->corrections[0].reason == "姓名有误");
  CHECK(record->corrections[0].account == "u-1");
  CHECK(record->corrections[0].before.parties.front().name == "王伟");
  CHECK(record->corrections[0].after_sha256 == record->details_sha256);
  CHECK(record->corrections[0].entry_index == 1);
}

TEST_CASE("what the courtroom corrected while it recorded counts, and the wrong choice stays in the history") {
  Fixture f;
  const NewHearing wrong{"RG 26/00001", {"Jean Dupont"}};
  const HearingId id = f.world.open(wrong);
  f.world.checkpoint(id);
  f.apply();
  CHECK(f.hits("RG 26/00001") == Ids{id});
  CHECK(f.catalogue.hearing(id, kAll)->row.details.is_public);
  Details right = details_of(NewHearing{"RG 26/00002", {"Zoé Lefèvre"}});
  right.is_public = false;
  f.world.correct_in_room(id, right, minutes(wrong, 3));
  f.world.checkpoint(id);
  f.apply();
  const auto record = f.catalogue.hearing(id, kAll);
  CHECK_FALSE(record->row.details.is_public);
  for (const char* number : {"RG 26/00002", "RG 26/00001"}) {  // by the old one too, but shown as what it is
    HearingQuery query;
    query.text = number;
    CHECK(f.page(query).hearings.front().details.cases == std::vector<std::string>{"RG 26/00002"});
  }
  REQUIRE(record->corrections.size() == 1);
  const auto& correction = record->corrections[0];
  CHECK((!correction.from_archive && correction.entry_index == 1 && correction.utc == minutes(wrong, 3)));
  CHECK((correction.account == "clerk" && correction.reason.empty()));
  CHECK(correction.before.cases == std::vector<std::string>{"RG 26/00001"});
  CHECK(correction.after_sha256 == record->details_sha256);
}

TEST_CASE("between what the room and what the archive corrected, the later one counts, in whatever order they came") {
  const NewHearing hearing{"RG 26/00001"};
  const auto at = [&](std::int64_t minute) { return minutes(hearing, minute); };
  const auto named = [](const std::string& number) { return details_of(NewHearing{number}); };
  Fixture f;
  const HearingId id = f.world.open(hearing);
  f.world.checkpoint(id, at(1));
  const auto newest = [&] {
    f.apply();
    return f.catalogue.hearing(id, kAll)->row.details.cases.front();
  };
  f.world.correct(id, named("RG clerk"), "wrong", at(10));
  f.world.correct_in_room(id, named("RG room 5"), at(5));  // had no network; delivered after the clerk's
  f.world.checkpoint(id, at(11));
  CHECK(newest() == "RG clerk");
  f.world.correct_in_room(id, named("RG room 12"), at(12));
  f.world.checkpoint(id, at(13));
  CHECK(newest() == "RG room 12");
  f.world.correct_in_room(id, named("RG room 900"), at(900));  // its clock is ahead of everybody's
  f.world.checkpoint(id, at(14));
  CHECK(newest() == "RG room 900");
  f.world.correct(id, named("RG clerk again"), "wrong again", at(14));
  CHECK(newest() == "RG clerk again");
  f.world.correct_in_room(id, named("RG room 3"), at(3));  // its clock was set right: after the 900th minute of its own log all the same
  f.world.checkpoint(id, at(15));
  CHECK(newest() == "RG clerk again");
  std::vector<std::string> before;
  const auto record = f.catalogue.hearing(id, kAll);
  for (const auto& one : record->corrections) before.push_back(one.before.cases.front());
  CHECK(before == std::vector<std::string>{"RG 26/00001", "RG room 5", "RG clerk", "RG room 12", "RG room 900", "RG room 3"});
}

TEST_CASE("marks of the room and of the archive are found, and the row says where") {
  Fixture f;
  const NewHearing hearing{"RG 24/00001", {"Jean Dupont"}};
  const HearingId id = f.world.open(hearing);
  f.world.mark(id, minutes(hearing, 10), "证人王伟出庭");
  f.world.close(id, minutes(hearing, 60));
  f.world.checkpoint(id);
  f.world.archive_mark(id, minutes(hearing, 5), "Contradiction avec l’exposé du témoin");
  f.apply();
  HearingQuery query;
  query.text = "王伟";
  HearingPage page = f.page(query);
  REQUIRE(page.hearings.size() == 1);
  REQUIRE(page.hearings[0].mark_matches.size() == 1);
  CHECK(page.hearings[0].mark_matches[0].at == minutes(hearing, 10));
  CHECK(page.hearings[0].mark_matches[0].text == "证人王伟出庭");
  query.text = "temoin dupont";
  page = f.page(query);
  REQUIRE(page.hearings.size() == 1);
  CHECK(page.hearings[0].mark_matches.at(0).at == minutes(hearing, 5));
  query.text = "dupont";
  CHECK(f.page(query).hearings.at(0).mark_matches.empty());

  const auto marks = f.catalogue.marks(id, kAll);
  REQUIRE(marks->size() == 2);
  CHECK((*marks)[0].id == "archive-1");
  CHECK((*marks)[0].from_archive);
  CHECK((*marks)[0].account == "u-2");
  CHECK((*marks)[1].id == "room-1");
}

TEST_CASE("places have names, hearings are found by them, and a renamed court at once by the new one") {
  Fixture f;
  f.world.name_place("lyon", "", "里昂法院", "Tribunal judiciaire de Lyon");
  f.world.name_place("lyon", "room-1", "第三法庭", "Salle Molière");
  f.world.name_place("paris", "", "巴黎法院", "Tribunal de Paris");
  const HearingId id = f.world.file({"RG 1", {"Dupont"}});
  f.apply();
  const auto places = f.catalogue.places();
  REQUIRE(places->size() == 2);
  CHECK((*places)[0].zone == "Europe/Paris");
  CHECK((*places)[0].names.at("zh") == "里昂法院");
  REQUIRE((*places)[0].rooms.size() == 1);
  CHECK((*places)[0].rooms[0].names.at("fr") == "Salle Molière");
  CHECK(f.hits("第三法庭") == Ids{id});
  CHECK(f.hits("moliere lyon") == Ids{id});
  HearingQuery query;
  const HearingPage page = f.page(query);
  CHECK(page.hearings.at(0).court_names.at("fr") == "Tribunal judiciaire de Lyon");
  CHECK(page.hearings.at(0).room_names.at("zh") == "第三法庭");
  CHECK(page.hearings.at(0).zone == "Europe/Paris");
  f.world.name_place("lyon", "", "里昂司法法院", "Cour de Lyon");
  f.apply();
  CHECK(f.hits("司法法院") == Ids{id});
  CHECK(f.hits("judiciaire").empty());
  REQUIRE(f.builder.check_text_index());
}

TEST_CASE("keys, stations, genesis, scrubbing and entries are told") {
  Fixture f;
  CHECK_FALSE(*f.catalogue.archive_facts());
  CHECK_FALSE(f.catalogue.scrub_facts()->utc);
  greffe::GenesisEntry genesis;
  genesis.archive = "archive.court.example";
  genesis.log_key = f.world.key.public_key();
  genesis.role = "primary";
  genesis.holder = {"archive.court.example/holder", greffe::KeyType::cosignature_v1, f.world.key.public_key()};
  f.world.log(genesis);
  const greffe::PublicKey old_key = greffe::PrivateKey::generate().public_key();
  f.world.station_key("added", "station-1", old_key);                        // 1
  f.world.station_key("revoked", "station-1", old_key);                      // 2
  f.world.station_key("renewed", "station-1", f.world.key.public_key());     // 3
  f.world.station_key("added", "station-2", greffe::PrivateKey::generate().public_key());  // 4
  const HearingId id = f.world.open({"RG 1", {}});
  f.world.checkpoint(id, UtcTime{1'790'000'000'777});                        // 5
  greffe::ScrubEntry scrub;
  scrub.finding = "damaged";
  scrub.volume = "v1";
  scrub.key = "sha256/ab/cd/x";
  scrub.utc = UtcTime{1'789'000'000'000};
  scrub.action = "not-repaired";
  f.world.log(scrub);                                                        // 6
  greffe::AccessEntry access;
  access.hearing = id;
  access.account = "u-1";
  access.purpose = "play";
  access.session = "s";
  f.world.log(access);                                                       // 7
  f.apply();
  const auto facts = *f.catalogue.archive_facts();
  REQUIRE(facts);
  CHECK(facts->archive == "archive.court.example");
  CHECK(facts->log_key == f.world.key.public_key());
  CHECK(facts->holder_vkey == genesis.holder.text());

  CHECK(f.catalogue.keys()->size() == 3);
  CHECK(f.catalogue.keys("cosigner")->empty());
  const auto revoked = *f.catalogue.key("station", old_key);
  REQUIRE(revoked);
  CHECK(revoked->revoked_since);
  CHECK(revoked->revoked_why == "stolen");
  CHECK(revoked->entry_index == 1);
  CHECK_FALSE((*f.catalogue.key("station", f.world.key.public_key()))->revoked_since);
  CHECK_FALSE(*f.catalogue.key("cosigner", old_key));

  const auto stations = f.catalogue.stations();
  REQUIRE(stations->size() == 2);
  CHECK((*stations)[0].key.entry_index == 3);
  CHECK((*stations)[0].last_receipt == UtcTime{1'790'000'000'777});
  CHECK((*stations)[0].open_hearings == 1);
  CHECK_FALSE((*stations)[1].last_receipt);

  CHECK_FALSE(f.catalogue.scrub_facts()->utc);  // a finding, but no pass yet
  CHECK(f.catalogue.scrub_facts()->open_since == UtcTime{1'789'000'000'000});
  greffe::ScrubEntry pass;
  pass.finding = "pass";
  pass.volume = "v1";
  pass.objects = 10;
  pass.bytes = 1000;
  pass.failures = 1;
  pass.utc = UtcTime{1'790'000'000'000};
  f.world.log(pass);                                                         // 8
  f.apply();
  CHECK(f.catalogue.scrub_facts()->utc == UtcTime{1'790'000'000'000});
  CHECK(f.catalogue.scrub_facts()->objects == 10);
  CHECK(f.catalogue.scrub_facts()->open_findings == 1);
  scrub.action = "repaired";
  f.world.log(scrub);                                                        // 9
  f.apply();
  CHECK(f.catalogue.scrub_facts()->open_findings == 0);
  CHECK_FALSE(f.catalogue.scrub_facts()->open_since);

  using Indices = std::vector<std::uint64_t>;
  const auto entries = [&f](const EntryQuery& query) { return *f.catalogue.entries(query); };
  CHECK(entries({"key", {}, {}, 50}) == Indices{4, 3, 2, 1});
  CHECK(entries({"key", {}, 3, 1}) == Indices{2});
  CHECK(entries({"", id, {}, 50}) == Indices{7, 5});
  CHECK(entries({"hearing-checkpoint", id, {}, 50}) == Indices{5});
  CHECK(entries({"hearing-checkpoint", {}, {}, 50}) == Indices{5});
  CHECK(entries({"access", id, {}, 50}) == Indices{7});
  CHECK(entries({"' OR 1=1 --", {}, {}, 50}).empty());
  CHECK(f.catalogue.entries({}).error().code == Errc::invalid);
}

TEST_CASE("readers see whole batches while the builder works") {
  Fixture f;
  for (int i = 0; i < 300; ++i) f.world.file({"RG " + std::to_string(i), {"Dupont"}});
  std::thread writer([&f] { CHECK(f.world.apply_all(f.builder, 10)); });
  std::vector<std::thread> readers;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 6; ++i) {
    readers.emplace_back([&f, &wrong] {
      std::uint64_t last = 0;
      while (last < 300) {
        HearingQuery query;
        query.text = "dupont";
        const auto page = f.catalogue.find(query, kAll);
        if (!page || page->count < last || page->count % 10 != 0) {
          ++wrong;
          return;
        }
        last = page->count;
      }
    });
  }
  writer.join();
  for (std::thread& reader : readers) reader.join();
  CHECK(wrong == 0);
}
