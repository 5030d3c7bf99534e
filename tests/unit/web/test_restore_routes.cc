// What a site that holds copies gives to the archive that lost them, and to nobody else.
#include <catch2/catch.hpp>
#include <map>

#include "tests/unit/web/sample_site.h"

using greffe::Json;
using greffe::PublicKey;
using greffe::testing::deposit_object;
using greffe::testing::SampleHearing;
using greffe::testing::SampleSite;
namespace http = greffe::http;

namespace {

PublicKey enrolled(SampleSite& site, const greffe::archive::Invitation& invitation) {
  const PublicKey key = greffe::PrivateKey::generate().public_key();
  const auto code = greffe::client::parse_enrolment_code(*site.peers.invite(invitation));
  REQUIRE(code);
  REQUIRE(site.peers.enrol(key, code->secret, invitation.name, invitation.role));
  return key;
}

using Words = std::multimap<std::string, std::string>;

http::Response ask(SampleSite& site, const PublicKey& key, const std::string& pattern, const std::map<std::string, std::string>& parameters, const Words& query) {
  http::Request request;
  request.method = "GET";
  request.parameters = {parameters.begin(), parameters.end()};
  request.query = query;
  request.headers = {{"greffe-epoch", "1"}};
  request.peer_key = key.bytes;
  for (const http::Route& route : site.machine.routes()) {
    if (route.method == "GET" && route.pattern == pattern) return std::get<http::Handler>(route.handler)(request);
  }
  FAIL("no route " << pattern);
  return {};
}

Json body_of(const http::Response& answer) {
  INFO(std::get<std::string>(answer.body));
  REQUIRE(answer.status == 200);
  return *greffe::parse_json(std::get<std::string>(answer.body));
}

}  // namespace

TEST_CASE("the replicator of an archive reads its hearings' entries and objects; others are refused") {
  SampleSite site;
  SampleHearing hearing(site.archive.name);
  for (int i = 0; i < 3; ++i) hearing.add_segment();
  for (const auto& [digest, bytes] : hearing.objects) REQUIRE(deposit_object(site.archive, hearing, digest, bytes));
  REQUIRE(append_range(site.archive, hearing, 0, 4));
  const PublicKey owner = enrolled(site, {"replicator", site.archive.name, "", ""});
  const std::string entries = "/v1/hearings/{id}/entries";
  const std::string object = "/v1/hearings/{id}/objects/{sha256}";
  const std::map<std::string, std::string> this_one = {{"id", hearing.id.text()}};
  const std::map<std::string, std::string> its_object = {{"id", hearing.id.text()}, {"sha256", hearing.objects.front().first.hex()}};

  const Json all = body_of(ask(site, owner, entries, this_one, {{"first", "0"}}));
  CHECK(*all.strings("entries") == hearing.entries);
  const auto note = greffe::parse_signed_checkpoint(*all.string("checkpoint"));
  REQUIRE(note);
  CHECK(greffe::verify_cosignature(note->note, site.archive.holder()));
  const Json some = body_of(ask(site, owner, entries, this_one, {{"first", "1"}, {"last", "3"}}));
  CHECK(*some.strings("entries") == std::vector<std::string>(hearing.entries.begin() + 1, hearing.entries.begin() + 3));
  for (const char* end : {"4", "900"}) CHECK(body_of(ask(site, owner, entries, this_one, {{"first", end}})).strings("entries")->empty());
  CHECK(ask(site, owner, object, its_object, {}).status == 200);

  CHECK(ask(site, owner, entries, this_one, {}).status == 400);
  CHECK(ask(site, owner, entries, this_one, {{"first", "-1"}}).status == 400);
  CHECK(ask(site, owner, entries, {{"id", greffe::make_hearing_id(greffe::UtcTime{1'790'000'000'000}).text()}}, {{"first", "0"}}).status == 404);
  const PublicKey other = enrolled(site, {"replicator", "another.court.example", "", ""});
  const PublicKey station = enrolled(site, {"station", "station-9", "court-a", "room-9"});
  for (const PublicKey& key : {other, station}) {
    CHECK(ask(site, key, entries, this_one, {{"first", "0"}}).status == 403);
    CHECK(ask(site, key, object, its_object, {}).status == 403);
  }
}
