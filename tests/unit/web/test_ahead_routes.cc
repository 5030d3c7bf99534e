// What a replica answers to entries ahead of their objects: sizes and a root, which nobody can take for a receipt.
#include <catch2/catch.hpp>

#include "tests/unit/web/sample_site.h"

using greffe::Json;
using greffe::PublicKey;
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

// Status and body.
std::pair<int, Json> ask(SampleSite& site, const PublicKey& key, const std::string& method, const SampleHearing& hearing, const std::string& body = "") {
  http::Request request;
  request.method = method;
  request.parameters = {{"id", hearing.id.text()}};
  request.headers = {{"greffe-epoch", "1"}};
  request.peer_key = key.bytes;
  request.body = body;
  for (const http::Route& route : site.machine.routes()) {
    if (route.method != method || route.pattern != "/v1/hearings/{id}/ahead") continue;
    const http::Response answer = std::get<http::Handler>(route.handler)(request);
    return {answer.status, greffe::parse_json(std::get<std::string>(answer.body)).value()};
  }
  FAIL("no route");
  return {};
}

std::string body_of(const SampleHearing& hearing, std::size_t first, std::size_t last) {
  Json::Array entries(hearing.entries.begin() + static_cast<std::ptrdiff_t>(first), hearing.entries.begin() + static_cast<std::ptrdiff_t>(last));
  Json out;
  out.set("checkpoint", hearing.checkpoint(last)).set("entries", std::move(entries)).set("first", std::uint64_t{first});
  return greffe::write_json(out);
}

}  // namespace

TEST_CASE("entries ahead are answered with what is known, never with a signature") {
  SampleSite site;
  SampleHearing hearing(site.archive.name);
  for (int i = 0; i < 3; ++i) hearing.add_segment();
  const PublicKey replicator = enrolled(site, {"replicator", site.archive.name, "", ""});
  const auto [status, taken] = ask(site, replicator, "POST", hearing, body_of(hearing, 0, 3));
  CHECK(status == 200);
  CHECK(*taken.size("held_size") == 0);
  CHECK(*taken.size("known_size") == 3);
  CHECK(taken.as_object()->size() == 3);
  CHECK(greffe::write_json(taken).find("holder") == std::string::npos);
  const auto [again, known] = ask(site, replicator, "GET", hearing);
  CHECK(again == 200);
  CHECK(known == taken);

  const auto [early, refused] = ask(site, replicator, "POST", hearing, body_of(hearing, 0, 1));
  CHECK(early == 200);  // known already
  CHECK(*refused.size("known_size") == 3);
  SampleHearing longer = SampleHearing(site.archive.name);
  const auto [beyond, elsewhere] = ask(site, replicator, "POST", longer, body_of(hearing, 3, 4));
  CHECK(beyond == 409);
  CHECK(*elsewhere.size("known_size") == 0);
  CHECK(ask(site, replicator, "POST", hearing, "{}").first == 400);
  CHECK(ask(site, replicator, "POST", hearing, "not json").first == 400);
}

TEST_CASE("stations, readers and other archives let nothing be known ahead, and are not told what is") {
  SampleSite site;
  SampleHearing hearing(site.archive.name);
  hearing.add_segment();
  const PublicKey owner = enrolled(site, {"replicator", site.archive.name, "", ""});
  REQUIRE(ask(site, owner, "POST", hearing, body_of(hearing, 0, 2)).first == 200);
  const PublicKey other = enrolled(site, {"replicator", "another.court.example", "", ""});
  const PublicKey station = enrolled(site, {"station", "station-9", "court-a", "room-9"});
  for (const PublicKey& key : {other, station}) {
    CHECK(ask(site, key, "POST", hearing, body_of(hearing, 0, 2)).first == 403);
    CHECK(ask(site, key, "GET", hearing).first == 403);
  }
}
