// The browser API through its handlers: rights, one access entry per play session, corrections, marks, proofs.
#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

#include "archive/format/merkle.h"
#include "tests/unit/web/sample_browser.h"

using greffe::Json;
using greffe::testing::add_account;
using greffe::testing::append_range;
using greffe::testing::Browser;
using greffe::testing::deposit_all_objects;
using greffe::testing::SampleHearing;
using greffe::testing::SampleSite;

namespace {

void file(SampleSite& site, const SampleHearing& hearing) {
  deposit_all_objects(site.archive, hearing);
  const auto filed = append_range(site.archive, hearing, 0, hearing.entries.size());
  REQUIRE(filed);
}

SampleHearing file_hearing(SampleSite& site) {
  SampleHearing hearing(site.archive.name);
  for (int i = 0; i < 3; ++i) hearing.add_segment();
  hearing.close();
  file(site, hearing);
  return hearing;
}

std::size_t access_entries(SampleSite& site) {
  greffe::catalogue::EntryQuery query;
  query.kind = "access";
  return site.archive.main_log->catalogue().entries(query)->size();
}

}  // namespace

TEST_CASE("a clerk finds, opens and plays; each play session is one entry in the log") {
  SampleSite site;
  const SampleHearing hearing = file_hearing(site);
  add_account(site, "anne", greffe::accounts::Role::clerk, "court-1");
  Browser browser(site);
  CHECK(browser.call("GET", "/v1/hearings").status == 401);
  browser.log_in("anne");
  const Json page = browser.json(browser.call("GET", "/v1/hearings", {}, "", {{"q", "1234"}}));
  REQUIRE(page.array("hearings")->size() == 1);
  CHECK(*page.array("hearings")->front().string("id") == hearing.id.text());
  CHECK(browser.json(browser.call("GET", "/v1/hearings", {}, "", {{"q", "\"; DROP TABLE"}})).integer("count").value() == 0);

  const std::map<std::string, std::string> id{{"id", hearing.id.text()}};
  CHECK(access_entries(site) == 0);
  const Json timeline = browser.json(browser.call("GET", "/v1/hearings/{id}/timeline", id));
  CHECK(timeline.array("streams")->front().array("segments")->size() == 3);
  const auto master = browser.call("GET", "/v1/hearings/{id}/master.m3u8", id);
  CHECK(std::get<std::string>(master.body).find("streams/mic-judge/playlist.m3u8") != std::string::npos);
  const std::string digest = hearing.objects[1].first.hex();
  CHECK(browser.call("GET", "/v1/hearings/{id}/objects/{name}", {{"id", hearing.id.text()}, {"name", digest + ".mp4"}}).status == 200);
  CHECK(browser.call("GET", "/v1/hearings/{id}/objects/{name}", {{"id", hearing.id.text()}, {"name", digest + ".exe"}}).status == 404);
  CHECK(access_entries(site) == 1);

  const Json ticket = browser.json(browser.call("POST", "/v1/hearings/{id}/play", id));
  browser.cookie.clear();
  const auto played = browser.call("GET", "/v1/play/{ticket}/{path*}", {{"ticket", *ticket.string("ticket")}, {"path", "master.m3u8"}});
  CHECK(played.status == 200);
  CHECK(browser.call("GET", "/v1/play/{ticket}/{path*}", {{"ticket", "wrong"}, {"path", "master.m3u8"}}).status == 403);
  CHECK(access_entries(site) == 1);
}

TEST_CASE("a page that asks for many streams at once is one play session in the log") {
  SampleSite site;
  const SampleHearing hearing = file_hearing(site);
  add_account(site, "anne", greffe::accounts::Role::clerk, "court-1");
  Browser browser(site);
  browser.log_in("anne");
  const std::string name = hearing.objects[1].first.hex() + ".mp4";
  std::atomic<int> served{0};
  {
    std::vector<std::jthread> streams;
    for (int i = 0; i < 8; ++i) {
      streams.emplace_back([&site, &served, &hearing, &name, cookie = browser.cookie] {
        Browser one(site);
        one.cookie = cookie;
        served += one.call("GET", "/v1/hearings/{id}/objects/{name}", {{"id", hearing.id.text()}, {"name", name}}).status == 200 ? 1 : 0;
      });
    }
  }
  CHECK(served == 8);
  CHECK(access_entries(site) == 1);
}

TEST_CASE("while nothing is signed people play, and it is in the log when that goes on") {
  SampleSite site;
  const SampleHearing hearing = file_hearing(site);
  add_account(site, "anne", greffe::accounts::Role::clerk, "court-1");
  Browser browser(site);
  browser.log_in("anne");
  site.archive.main_log->hold("because of a test");
  const std::map<std::string, std::string> object{{"id", hearing.id.text()}, {"name", hearing.objects[1].first.hex() + ".mp4"}};
  for (int i = 0; i < 2; ++i) CHECK(browser.call("GET", "/v1/hearings/{id}/objects/{name}", object).status == 200);
  CHECK(access_entries(site) == 0);
  CHECK(site.accesses.waiting().count == 1);
  const Json held = *site.status.status();
  CHECK(*held.object("accesses")->size("waiting") == 1);
  const std::string since = *held.object("accesses")->string("since");
  const std::string reasons = write_json(Json().set("all", *held.array("reasons")));
  CHECK_THAT(reasons, Catch::Contains("\"code\":\"accesses-waiting\"") && Catch::Contains("\"since\":\"" + since + "\"") && Catch::Contains("state/accesses"));
  CHECK_THAT(site.metrics(), Catch::Contains("greffe_accesses_waiting 1\n") && Catch::Contains("greffe_accesses_oldest_seconds"));
  site.archive.main_log->release();
  REQUIRE(site.accesses.settle());
  CHECK(access_entries(site) == 1);
  const Json settled = *site.status.status();
  CHECK(*settled.object("accesses")->size("waiting") == 0);
  CHECK_FALSE(settled.object("accesses")->has("since"));
  CHECK(write_json(settled).find("accesses-waiting") == std::string::npos);
  CHECK_THAT(site.metrics(), Catch::Contains("greffe_accesses_waiting 0\n"));
  CHECK(browser.call("GET", "/v1/hearings/{id}/objects/{name}", object).status == 200);
  CHECK(access_entries(site) == 1);
}

TEST_CASE("further ranges of an object are answered at once, to whom it was just given and to nobody else") {
  SampleSite site;
  const SampleHearing hearing = file_hearing(site);
  add_account(site, "anne", greffe::accounts::Role::clerk, "court-1");
  add_account(site, "benoit", greffe::accounts::Role::clerk, "court-2");
  const std::string pattern = "/v1/hearings/{id}/objects/{name}";
  const auto& [digest, bytes] = hearing.objects[1];
  const std::string name = digest.hex() + ".mp4";
  const std::string path = "/v1/hearings/" + hearing.id.text() + "/objects/" + name;
  Browser anne(site);
  anne.log_in("anne");
  CHECK_FALSE(anne.at_once(pattern, path));
  CHECK(anne.object(hearing.id.text(), name).status == 200);
  const auto range = anne.at_once(pattern, path, "bytes=1-3");
  REQUIRE(range);
  CHECK(range->status == 206);
  CHECK(std::get<greffe::http::FileBody>(range->body).offset == 1);
  CHECK(std::get<greffe::http::FileBody>(range->body).size == 3);
  CHECK_FALSE(anne.at_once(pattern, path + "x"));
  Browser benoit(site);  // another person at the same archive
  benoit.log_in("benoit");
  CHECK_FALSE(benoit.at_once(pattern, path));
  CHECK(benoit.object(hearing.id.text(), name).status == 404);
  CHECK_FALSE(benoit.at_once(pattern, path));
  benoit.cookie.clear();
  CHECK_FALSE(benoit.at_once(pattern, path));
}

TEST_CASE("rights: another court, an operator, another site's page") {
  SampleSite site;
  const SampleHearing hearing = file_hearing(site);
  add_account(site, "benoit", greffe::accounts::Role::clerk, "court-2");
  add_account(site, "otto", greffe::accounts::Role::operator_, "");
  const std::map<std::string, std::string> id{{"id", hearing.id.text()}};
  Browser other_court(site);
  other_court.log_in("benoit");
  CHECK(other_court.json(other_court.call("GET", "/v1/hearings")).integer("count").value() == 0);
  CHECK(other_court.call("GET", "/v1/hearings/{id}", id).status == 404);
  CHECK(other_court.call("GET", "/v1/hearings/{id}/master.m3u8", id).status == 404);
  CHECK(other_court.call("GET", "/v1/status").status == 403);

  Browser op(site);
  op.log_in("otto");
  CHECK(op.call("GET", "/v1/status").status == 200);
  CHECK(op.call("GET", "/v1/hearings").status == 403);
  CHECK(op.call("GET", "/v1/hearings/{id}/timeline", id).status == 403);

  add_account(site, "anne", greffe::accounts::Role::clerk, "court-1");
  Browser attacked(site);
  attacked.log_in("anne");
  attacked.origin = "https://evil.example";
  const auto mark = attacked.call("POST", "/v1/hearings/{id}/marks", id, R"({"at":"2026-11-22T09:00:05.000Z","text":"x"})");
  CHECK(mark.status == 403);
  attacked.origin = "";
  CHECK(attacked.call("POST", "/v1/hearings/{id}/marks", id, R"({"at":"2026-11-22T09:00:05.000Z","text":"x"})").status == 403);
}

TEST_CASE("marks and corrections are found, and the old value stays visible") {
  SampleSite site;
  const SampleHearing hearing = file_hearing(site);
  add_account(site, "anne", greffe::accounts::Role::clerk, "court-1");
  Browser browser(site);
  browser.log_in("anne");
  const std::map<std::string, std::string> id{{"id", hearing.id.text()}};
  const auto mark = browser.call("POST", "/v1/hearings/{id}/marks", id, R"({"at":"2026-11-22T09:00:05.000Z","text":"objection du procureur"})");
  CHECK(mark.status == 201);
  const auto found = browser.json(browser.call("GET", "/v1/hearings", {}, "", {{"q", "procureur"}}));
  CHECK(found.integer("count").value() == 1);

  const auto corrected = browser.call("POST", "/v1/hearings/{id}/details", id,
                                      R"({"details":{"cases":["RG 24/00123"],"title":"Lefèvre c. Dupont"},"reason":"wrong case number"})");
  REQUIRE(corrected.status == 200);
  const Json after = browser.json(corrected);
  CHECK(*after.string("title") == "Lefèvre c. Dupont");
  REQUIRE(after.array("corrections")->size() == 1);
  const Json correction = after.array("corrections")->front();
  CHECK(*correction.string("reason") == "wrong case number");
  CHECK(correction.object("before")->strings("cases")->front() == "(2026)浙01民初1234号");
  CHECK(greffe::parse_details(*correction.string("document"))->cases.front() == "(2026)浙01民初1234号");
  CHECK(*greffe::parse_note(*correction.string("reason_document")) == "wrong case number");
  CHECK(greffe::parse_details(*after.string("details_document"))->title == "Lefèvre c. Dupont");
  const Json proof = browser.json(browser.call("GET", "/v1/hearings/{id}/proof", id));
  REQUIRE(proof.array("details_entries")->size() == 1);
  CHECK(*proof.array("details_entries")->front().size("index") == *correction.size("index"));
  for (const char* query : {"Lefevre", "24/00123", "民初1234"}) {
    INFO(query);
    CHECK(browser.json(browser.call("GET", "/v1/hearings", {}, "", {{"q", query}})).integer("count").value() == 1);
  }
  const auto refused = browser.call("POST", "/v1/hearings/{id}/details", id, R"({"details":{"cases":[" "]},"reason":"x"})");
  CHECK(refused.status == 400);
}

TEST_CASE("what the courtroom corrected is shown as such, below what a clerk corrects later") {
  SampleSite site;
  SampleHearing hearing(site.archive.name, greffe::UtcTime{1'700'000'000'000});  // long ago by any clock
  hearing.correct("<b>RG 26/1</b>", false);
  hearing.close();
  file(site, hearing);
  add_account(site, "anne", greffe::accounts::Role::clerk, "court-1");
  Browser browser(site);
  browser.log_in("anne");
  const std::map<std::string, std::string> id{{"id", hearing.id.text()}};
  const auto row = browser.json(browser.call("GET", "/v1/hearings", {}, "", {{"q", "RG 26/1"}})).array("hearings")->front();
  CHECK(*row.boolean("public") == false);
  const Json first = browser.json(browser.call("GET", "/v1/hearings/{id}", id));
  CHECK(first.strings("cases")->front() == "<b>RG 26/1</b>");  // as it was written: the page escapes
  REQUIRE(first.array("corrections")->size() == 1);
  const Json room = first.array("corrections")->front();
  CHECK((*room.string("origin") == "room" && *room.string("account_name") == "g-07" && room.string("reason")->empty() && *room.size("index") == 1));
  CHECK(greffe::parse_details(*room.string("document"))->cases.front() == "(2026)浙01民初1234号");
  CHECK_FALSE(room.has("reason_document"));
  const Json after = browser.json(browser.call("POST", "/v1/hearings/{id}/details", id, R"({"details":{"cases":["RG 26/2"]},"reason":"typed wrongly"})"));
  CHECK(after.strings("cases")->front() == "RG 26/2");
  REQUIRE(after.array("corrections")->size() == 2);
  CHECK(*after.array("corrections")->at(1).string("origin") == "archive");
  CHECK(after.array("corrections")->at(1).object("before")->strings("cases")->front() == "<b>RG 26/1</b>");
}

TEST_CASE("a mark comes with its note and the proof of its entry; a revoked station is told") {
  SampleSite site;
  const SampleHearing hearing = file_hearing(site);
  add_account(site, "anne", greffe::accounts::Role::clerk, "court-1");
  Browser browser(site);
  browser.log_in("anne");
  const std::map<std::string, std::string> id{{"id", hearing.id.text()}};
  REQUIRE(browser.call("POST", "/v1/hearings/{id}/marks", id, R"({"at":"2026-11-22T09:00:05.000Z","text":"objection"})").status == 201);
  const Json timeline = browser.json(browser.call("GET", "/v1/hearings/{id}/timeline", id));
  REQUIRE(timeline.array("marks")->size() == 1);
  const Json mark = timeline.array("marks")->front();
  CHECK(*greffe::parse_note(*mark.string("document")) == "objection");

  Json proof = browser.json(browser.call("GET", "/v1/hearings/{id}/proof", id));
  CHECK_FALSE(proof.has("revocation_entry"));
  REQUIRE(proof.array("mark_entries")->size() == 1);
  const Json proven = proof.array("mark_entries")->front();
  CHECK(*proven.size("index") == *mark.size("index"));
  const Json entry = *greffe::parse_json(*proven.string("entry"));
  CHECK(*entry.string("note_sha256") == greffe::sha256(greffe::as_bytes(*mark.string("document"))).hex());

  greffe::KeyEntry revoked;
  revoked.role = "station";
  revoked.action = "added";
  revoked.name = "station-1";
  revoked.key = hearing.key.public_key();
  revoked.court = "court-1";
  revoked.room = "room-3";
  revoked.since = revoked.utc = greffe::UtcTime{1'700'000'000'000};
  REQUIRE(site.archive.main_log->append(revoked));
  revoked.action = "revoked";
  revoked.why = "retired";
  revoked.since = revoked.utc = greffe::UtcTime{1'800'000'000'000};
  const auto logged = site.archive.main_log->append(revoked);
  REQUIRE(logged);
  proof = browser.json(browser.call("GET", "/v1/hearings/{id}/proof", id));
  REQUIRE(proof.has("revocation_entry"));
  CHECK(*proof.object("revocation_entry")->size("index") == *logged);
}

TEST_CASE("the proof leads from the station's signature to the main log's") {
  SampleSite site;
  const SampleHearing hearing = file_hearing(site);
  add_account(site, "anne", greffe::accounts::Role::clerk, "court-1");
  Browser browser(site);
  browser.log_in("anne");
  const Json proof = browser.json(browser.call("GET", "/v1/hearings/{id}/proof", {{"id", hearing.id.text()}}));
  CHECK_FALSE(proof.has("epochs"));  // with more than one: tests/system/test_promotion.py
  CHECK(browser.json(browser.call("GET", "/v1/log/main/epochs")).array("epochs")->empty());
  const auto main = greffe::parse_signed_checkpoint(*proof.string("main_checkpoint"));
  REQUIRE(main);
  CHECK(greffe::verify_note(main->note, greffe::archive::log_verifier(site.archive.name, site.archive.keys->log.public_key())));
  const Json commit = *proof.object("checkpoint_entry");
  std::vector<greffe::Digest> hashes;
  const std::vector<std::string> inclusion = *commit.strings("inclusion");
  for (const std::string& hex : inclusion) hashes.push_back(*greffe::digest_from_hex(hex));
  CHECK(greffe::verify_inclusion(*commit.size("index"), main->checkpoint.size, greffe::leaf_hash(greffe::as_bytes(*commit.string("entry"))),
                                 hashes, main->checkpoint.root));
  const auto station = greffe::parse_signed_checkpoint(*proof.string("hearing_checkpoint"));
  REQUIRE(station);
  CHECK(greffe::verify_note(station->note, {station->checkpoint.origin, greffe::KeyType::ed25519, hearing.key.public_key()}));
  CHECK(greffe::verify_cosignature(station->note, site.archive.holder()));
}

TEST_CASE("the timeline tells what was filed about a gap, and the account of the time") {
  SampleSite site;
  SampleHearing hearing(site.archive.name);
  hearing.add_segment();
  hearing.add_gap(60'000, "recess");
  const std::uint64_t power = hearing.add_gap(4'000, "power");
  hearing.add_segment();
  hearing.add_gap(5'000, "unknown");
  hearing.explain(power, "The plug was pulled.");
  hearing.close();
  deposit_all_objects(site.archive, hearing);
  REQUIRE(append_range(site.archive, hearing, 0, hearing.entries.size()));
  add_account(site, "anne", greffe::accounts::Role::clerk, "court-1");
  Browser browser(site);
  browser.log_in("anne");
  const Json timeline = browser.json(browser.call("GET", "/v1/hearings/{id}/timeline", {{"id", hearing.id.text()}}));
  const Json::Array gaps = *timeline.array("gaps");
  REQUIRE(gaps.size() == 3);
  CHECK_FALSE(gaps[0].has("explanations"));
  const Json::Array explanations = *gaps[1].array("explanations");
  REQUIRE(explanations.size() == 1);
  CHECK(*explanations[0].string("text") == "The plug was pulled.");
  CHECK((*explanations[0].string("person") == "u-17" && *explanations[0].string("reason") == "power"));
  const std::string document = *explanations[0].string("document");
  CHECK(hearing.objects.back().second == document);
  CHECK(*explanations[0].integer("index") == 6);
  CHECK_FALSE(*gaps[1].boolean("excused"));

  const Json account = *timeline.object("account");
  CHECK(*account.integer("declared_ms") == 89'000);
  CHECK(*account.integer("recorded_ms") == 20'000);
  CHECK(*account.integer("excused_ms") == 60'000);
  CHECK(*account.integer("unexcused_ms") == 9'000);
  CHECK(*account.integer("unexplained_ms") == 5'000);
  CHECK(*account.array("streams")->front().string("stream") == "mic-judge");
}

TEST_CASE("a hearing comes with the other sittings; one of another court tells nothing but that it is there") {
  SampleSite site;
  const SampleHearing first = file_hearing(site);
  SampleHearing second(site.archive.name, greffe::UtcTime{1'796'000'000'000}, first.id);
  second.close();
  deposit_all_objects(site.archive, second);
  REQUIRE(append_range(site.archive, second, 0, second.entries.size()));
  SampleHearing third(site.archive.name, greffe::UtcTime{1'797'000'000'000}, greffe::make_hearing_id(greffe::UtcTime{1'794'000'000'000}));
  third.close();
  deposit_all_objects(site.archive, third);
  REQUIRE(append_range(site.archive, third, 0, third.entries.size()));
  add_account(site, "anne", greffe::accounts::Role::clerk, "court-1");
  Browser browser(site);
  browser.log_in("anne");
  const auto sittings = [&](const SampleHearing& hearing) {
    return *browser.json(browser.call("GET", "/v1/hearings/{id}", {{"id", hearing.id.text()}})).array("sittings");
  };
  for (const SampleHearing* hearing : {&first, static_cast<const SampleHearing*>(&second)}) {
    const Json::Array chain = sittings(*hearing);
    REQUIRE(chain.size() == 2);
    CHECK((*chain[0].string("id") == first.id.text() && *chain[1].string("id") == second.id.text()));
    CHECK((*chain[1].string("continues") == first.id.text() && *chain[0].integer("duration_ms") == 30'000));
  }
  const Json::Array hidden = sittings(third);
  REQUIRE(hidden.size() == 2);
  CHECK(greffe::write_json(hidden[0]) == R"({"hidden":true})");
}
