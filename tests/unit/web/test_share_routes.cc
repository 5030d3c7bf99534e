// Sharing a hearing with another court, through the handlers: who may, what the other court's people get, and how it ends.
#include <catch2/catch.hpp>

#include <unistd.h>

#include "archive/store_document.h"
#include "tests/unit/web/sample_browser.h"

using greffe::Json;
using greffe::testing::add_account;
using greffe::testing::Browser;
using greffe::testing::SampleHearing;
using greffe::testing::SampleSite;

namespace {

using Role = greffe::accounts::Role;

struct Court {
  SampleSite site;
  SampleHearing hearing{site.archive.name};
  std::map<std::string, std::string> id{{"id", hearing.id.text()}};

  Court() {
    for (const char* court : {"court-1", "appeal"}) name(court);
    for (int i = 0; i < 3; ++i) hearing.add_segment();
    hearing.close();
    deposit_all_objects(site.archive, hearing);
    REQUIRE(append_range(site.archive, hearing, 0, hearing.entries.size()));
    add_account(site, "anne", Role::clerk, "court-1");
    add_account(site, "jean", Role::judge, "court-1");
    add_account(site, "zoe", Role::clerk, "appeal");
  }
  void name(const std::string& court) {
    greffe::PlaceEntry place;
    place.court = court;
    place.names = *greffe::archive::store_document(site.archive.stores().objects, greffe::write_place_names({{"en", "The " + court}}));
    place.utc = site.archive.clock.utc_now();
    REQUIRE(site.archive.main_log->append(place));
  }
  std::unique_ptr<Browser> log_in(const std::string& account) {
    auto out = std::make_unique<Browser>(site);
    out->log_in(account);
    return out;
  }
  greffe::http::Response share(Browser& browser, const std::string& more = {}, const std::string& court = "appeal") const {
    return browser.call("POST", "/v1/hearings/{id}/shares", id, R"({"court":")" + court + R"(","reason":"the appeal")" + more + "}");
  }
  greffe::http::Response revoke(Browser& browser, const std::string& court = "appeal") const {
    return browser.call("POST", "/v1/hearings/{id}/shares/revoke", id, R"({"court":")" + court + R"(","reason":"decided"})");
  }
  std::string object_name() const { return hearing.objects[1].first.hex() + ".mp4"; }
  std::vector<greffe::ShareEntry> logged() {
    greffe::catalogue::EntryQuery query;
    query.kind = "share";
    std::vector<greffe::ShareEntry> out;
    const auto indices = site.archive.main_log->catalogue().entries(query);
    for (const std::uint64_t index : *indices) {
      const auto bytes = site.archive.main_log->chain().entries(index, index + 1);
      out.push_back(std::get<greffe::ShareEntry>(*greffe::parse_main_entry(bytes->front())));
    }
    return out;
  }
  std::size_t accesses() {
    greffe::catalogue::EntryQuery query;
    query.kind = "access";
    return site.archive.main_log->catalogue().entries(query)->size();
  }
};

}  // namespace

TEST_CASE("the clerk of the hearing's court shares it, and it is in the log; nobody else may") {
  Court c;
  const auto anne = c.log_in("anne");
  const auto jean = c.log_in("jean");
  const auto zoe = c.log_in("zoe");
  CHECK(c.share(*zoe).status == 404);
  CHECK(c.share(*jean).status == 403);
  CHECK(c.logged().empty());
  const Json before = anne->json(anne->call("GET", "/v1/hearings/{id}", c.id));
  CHECK(*before.object("rights")->boolean("share"));
  CHECK_FALSE(*jean->json(jean->call("GET", "/v1/hearings/{id}", c.id)).object("rights")->boolean("share"));

  const auto shared = c.share(*anne);
  REQUIRE(shared.status == 201);
  const Json one = anne->json(shared).array("shares")->front();
  CHECK(*one.string("court") == "appeal");
  CHECK(*one.object("court_names")->string("en") == "The appeal");
  CHECK(*one.string("state") == "active");
  CHECK(*one.string("account_name") == "Person anne");
  CHECK(*one.string("reason") == "the appeal");
  CHECK(*one.string("counterpart") == "same-log");
  REQUIRE(c.logged().size() == 1);
  const greffe::ShareEntry entry = c.logged().front();
  CHECK((entry.action == "granted" && entry.court == "appeal" && entry.hearing == c.hearing.id && entry.archive == c.site.archive.name));
  CHECK(entry.account == c.site.accounts.find("anne")->pseudonym);
  CHECK(*greffe::parse_note(greffe::as_text(*c.site.archive.stores().objects.read_object(entry.reason))) == "the appeal");
  CHECK(jean->json(jean->call("GET", "/v1/hearings/{id}/shares", c.id)).array("shares")->size() == 1);
  CHECK(zoe->call("GET", "/v1/hearings/{id}/shares", c.id).status == 403);
  CHECK(c.share(*zoe, "", "court-1").status == 403);  // a guest shares nothing on
}

TEST_CASE("what is asked wrongly is refused with the reason, and nothing is logged") {
  Court c;
  const auto anne = c.log_in("anne");
  CHECK(c.share(*anne, "", "court-1").status == 400);
  CHECK(c.share(*anne, "", "nowhere").status == 404);
  CHECK(c.share(*anne, "", "../x").status == 400);
  CHECK(c.share(*anne, "", "archive.wuhan.example/*").status == 400);
  CHECK(c.share(*anne, R"(,"until":"2020-01-01T00:00:00.000Z")").status == 400);
  CHECK(anne->call("POST", "/v1/hearings/{id}/shares", c.id, R"({"court":"appeal","reason":""})").status == 400);
  CHECK(c.revoke(*anne).status == 404);
  anne->origin = "https://evil.example";
  CHECK(c.share(*anne).status == 403);
  CHECK(c.logged().empty());
}

TEST_CASE("the other court finds, opens, plays and checks the hearing, adds nothing to it, and each play is logged") {
  Court c;
  const auto anne = c.log_in("anne");
  const auto zoe = c.log_in("zoe");
  CHECK(zoe->json(zoe->call("GET", "/v1/hearings")).integer("count").value() == 0);
  REQUIRE(c.share(*anne, R"(,"until":"2099-01-01T00:00:00.000Z")").status == 201);
  const Json page = zoe->json(zoe->call("GET", "/v1/hearings", {}, "", {{"q", "1234"}}));
  REQUIRE(page.integer("count").value() == 1);
  const Json row = page.array("hearings")->front();
  CHECK(*row.string("court") == "court-1");
  CHECK(*row.object("shared")->string("until") == "2099-01-01T00:00:00.000Z");
  CHECK_FALSE(anne->json(anne->call("GET", "/v1/hearings")).array("hearings")->front().has("shared"));

  const Json hearing = zoe->json(zoe->call("GET", "/v1/hearings/{id}", c.id));
  CHECK(*hearing.object("details")->string("title") == "Hearing");
  const Json rights = *hearing.object("rights");
  CHECK((*rights.boolean("play") && !*rights.boolean("mark") && !*rights.boolean("correct") && !*rights.boolean("export") && !*rights.boolean("share")));
  CHECK(zoe->call("GET", "/v1/hearings/{id}/timeline", c.id).status == 200);
  CHECK(zoe->call("GET", "/v1/hearings/{id}/proof", c.id).status == 200);
  CHECK(zoe->call("GET", "/v1/log/hearing/{id}/checkpoint", c.id).status == 200);
  CHECK(zoe->call("POST", "/v1/hearings/{id}/marks", c.id, R"({"at":"2026-11-22T09:00:05.000Z","text":"x"})").status == 403);
  CHECK(zoe->call("POST", "/v1/hearings/{id}/details", c.id, R"({"details":{"cases":["1"]},"reason":"x"})").status == 403);
  CHECK(c.accesses() == 0);
  CHECK(zoe->call("GET", "/v1/hearings/{id}/master.m3u8", c.id).status == 200);
  CHECK(zoe->object(c.hearing.id.text(), c.object_name()).status == 200);
  CHECK(c.accesses() == 1);
}

TEST_CASE("an end is an end: pages, open objects and addresses for players stop at once, and a new grant is a new session") {
  Court c;
  const auto anne = c.log_in("anne");
  const auto zoe = c.log_in("zoe");
  REQUIRE(c.share(*anne).status == 201);
  const std::string path = "/v1/hearings/" + c.hearing.id.text() + "/objects/" + c.object_name();
  CHECK(zoe->object(c.hearing.id.text(), c.object_name()).status == 200);
  CHECK(zoe->at_once("/v1/hearings/{id}/objects/{name}", path, "bytes=1-3"));
  const std::string ticket = *zoe->json(zoe->call("POST", "/v1/hearings/{id}/play", c.id)).string("ticket");
  Browser player(c.site);
  const auto play = [&] { return player.call("GET", "/v1/play/{ticket}/{path*}", {{"ticket", ticket}, {"path", "master.m3u8"}}).status; };
  CHECK(play() == 200);

  const auto ended = c.revoke(*anne);
  REQUIRE(ended.status == 200);
  const Json one = anne->json(ended).array("shares")->front();
  CHECK(*one.string("state") == "revoked");
  CHECK(*one.object("revoked")->string("reason") == "decided");
  CHECK(c.logged().front().action == "revoked");
  CHECK_FALSE(zoe->at_once("/v1/hearings/{id}/objects/{name}", path, "bytes=1-3"));
  CHECK(zoe->object(c.hearing.id.text(), c.object_name()).status == 404);
  CHECK(zoe->call("GET", "/v1/hearings/{id}", c.id).status == 404);
  CHECK(zoe->json(zoe->call("GET", "/v1/hearings")).integer("count").value() == 0);
  CHECK(play() == 404);
  CHECK(anne->call("GET", "/v1/hearings/{id}/master.m3u8", c.id).status == 200);

  const std::size_t before = c.accesses();
  REQUIRE(c.share(*anne).status == 201);
  CHECK(zoe->call("GET", "/v1/hearings/{id}/master.m3u8", c.id).status == 200);
  CHECK(c.accesses() == before + 1);
}

TEST_CASE("a court of an archive that is not held here: its people see the hearing, and it is said that its log is not seen") {
  Court c;
  const auto anne = c.log_in("anne");
  add_account(c.site, "wei", Role::judge, "archive.wuhan.example/civil");
  const auto wei = c.log_in("wei");
  CHECK(wei->call("GET", "/v1/hearings/{id}", c.id).status == 404);
  const auto shared = c.share(*anne, "", "archive.wuhan.example/civil");
  REQUIRE(shared.status == 201);
  CHECK(*anne->json(shared).array("shares")->front().string("counterpart") == "unknown");
  CHECK(wei->call("GET", "/v1/hearings/{id}", c.id).status == 200);
  CHECK(wei->call("GET", "/v1/hearings/{id}/master.m3u8", c.id).status == 200);
  // Written out, this archive's own court is the same as its code.
  REQUIRE(c.share(*anne, "", c.site.archive.name + "/appeal").status == 201);
  CHECK(c.logged().front().court == "appeal");
}

TEST_CASE("the command line shares, ends and lists, in the name of the operator's socket") {
  Court c;
  const auto said = [&](const std::string& verb, const std::string& arguments) {
    for (const greffe::http::Route& route : c.site.share_routes.control_routes()) {
      if (route.pattern != "/control/" + verb) continue;
      greffe::http::Request request;
      request.body = arguments;
      request.peer_uid = ::geteuid();
      return std::get<greffe::http::Handler>(route.handler)(request);
    }
    FAIL("no verb " << verb);
    return greffe::http::Response();
  };
  const std::string order = R"({"court":"appeal","hearing":")" + c.hearing.id.text() + R"(","reason":"the appeal"})";
  CHECK(said("share", order).status == 200);
  CHECK(c.logged().front().account == "operator-socket");
  const auto zoe = c.log_in("zoe");
  CHECK(zoe->call("GET", "/v1/hearings/{id}", c.id).status == 200);
  const auto all = zoe->json(said("share-list", "{}"));
  REQUIRE(all.array("shares")->size() == 1);
  CHECK(*all.array("shares")->front().string("account_name") == "operator-socket");
  CHECK(said("share-revoke", order).status == 200);
  CHECK(zoe->call("GET", "/v1/hearings/{id}", c.id).status == 404);
  CHECK(said("share-revoke", order).status == 404);
}
