// The site that was an archive before another one was promoted, at the promoted one: how it is enrolled, and what it may ask for.
#include <catch2/catch.hpp>

#include "tests/unit/archive/promoted_archive.h"
#include "tests/unit/web/sample_site.h"

using greffe::Json;
using greffe::PrivateKey;
using greffe::PublicKey;
using greffe::testing::OldLog;
using greffe::testing::SampleSite;
namespace http = greffe::http;
namespace web = greffe::web;

namespace {

const std::string& body_of(const http::Response& response) { return std::get<std::string>(response.body); }

struct Promoted {
  static std::map<std::string, PrivateKey> two_officers() {
    std::map<std::string, PrivateKey> out;
    for (const char* name : {"officer-1", "officer-2"}) out.emplace(name, PrivateKey::generate());
    return out;
  }
  void begin(greffe::testing::SampleArchive& archive) {
    old.add(greffe::testing::genesis_of(old));
    for (const auto& [name, key] : officers) old.add(greffe::testing::key_entry("officer", name, key.public_key()));
    pin = old.entries.size();
    begin_second_epoch(archive, old, officers);
  }
  // Before a body is taken: 100.
  http::Response ask(const std::string& method, const std::string& pattern, const PublicKey& key, const std::string& body = {}) {
    http::Request request;
    request.method = method;
    request.headers = {{"greffe-epoch", "2"}};
    request.peer_key = key.bytes;
    request.parameters = {{"archive", site.archive.name}, {"sha256", std::string(64, 'a')}};
    if (pattern.find("{id}") != std::string::npos) request.parameters.emplace("id", greffe::make_hearing_id(site.archive.clock.utc_now()).text());
    if (pattern.find("{origin}") != std::string::npos) request.parameters.emplace("origin", greffe::sha256(greffe::as_bytes(old.origin)).hex());
    request.body = body;
    request.content_length = body.size();
    for (const http::Route& route : machine.routes()) {
      if (route.method != method || route.pattern != pattern) continue;
      if (const auto* handler = std::get_if<http::Handler>(&route.handler)) return (*handler)(request);
      auto begun = std::get<http::StreamHandler>(route.handler)(request);
      auto* refused = std::get_if<http::Response>(&begun);
      return refused != nullptr ? std::move(*refused) : http::json_response(100, "{}");
    }
    return http::json_response(404, "{}");
  }
  http::Response control(const std::string& verb, const Json& arguments) {
    http::Request request;
    request.peer_uid = 0;
    request.body = write_json(arguments);
    for (const http::Route& route : site.control.routes()) {
      if (route.pattern == "/control/" + verb) return std::get<http::Handler>(route.handler)(request);
    }
    FAIL("no such verb");
    return {};
  }
  PublicKey enrolled() {
    const auto answer = control("returning-add", Json());
    INFO(body_of(answer));
    REQUIRE(answer.status == 200);
    const auto code = greffe::client::parse_enrolment_code(*greffe::parse_json(body_of(answer))->string("code"));
    REQUIRE(code);
    CHECK((code->role == "returning" && code->name == old.origin && code->cosigners.front().name == old.origin + "/epoch/2/holder"));
    const PublicKey key = PrivateKey::generate().public_key();
    const auto made = ask("POST", "/v1/enrol", key, write_json(Json().set("name", code->name).set("role", code->role).set("secret", code->secret)));
    INFO(body_of(made));
    REQUIRE(made.status == 200);
    return key;
  }
  std::string post_of(std::size_t from) const {
    greffe::Json::Array entries(old.entries.begin() + static_cast<std::ptrdiff_t>(from), old.entries.end());
    return write_json(Json().set("checkpoint", old.note(old.entries.size())).set("entries", std::move(entries)).set("first", from));
  }

  const std::map<std::string, PrivateKey> officers = two_officers();
  OldLog old{"archive.court.example"};
  std::size_t pin = 0;
  SampleSite site{[this](greffe::testing::SampleArchive& archive) { begin(archive); }};
  web::MachineRoutes machine{2, *site.archive.epochs, *site.archive.main_log, *site.archive.deposit, site.peers, site.retrieval, site.read_back, site.scrub.lost(), site.origins,
                             site.successors, std::nullopt, web::MachineRoutes::Promoted{site.foreign, site.grafts}};
};

constexpr const char* kOld = "/v1/log/from/{origin}";
constexpr const char* kHearing = "/v1/hearings/{id}";

}  // namespace

TEST_CASE("a returning site may bring back the log of its epoch and nothing else") {
  Promoted promoted;
  const PublicKey key = promoted.enrolled();
  const std::string old = kOld;
  const std::string hearing = kHearing;
  const auto held = promoted.ask("GET", old + "/checkpoint", key);
  REQUIRE(held.status == 200);
  CHECK(*greffe::parse_json(body_of(held))->size("size") == promoted.pin);
  const std::string nothing = R"({"digests":[]})";
  CHECK(promoted.ask("POST", old + "/have", key, nothing).status == 200);
  CHECK(promoted.ask("POST", hearing + "/have", key, nothing).status == 200);
  CHECK(promoted.ask("PUT", old + "/objects/{sha256}", key, "x").status == 100);
  CHECK(promoted.ask("PUT", hearing + "/objects/{sha256}", key, "x").status == 100);
  // What only a replicator, or the site that holds copies, is asked for.
  CHECK(promoted.ask("GET", old + "/objects/{sha256}", key).status == 403);
  CHECK(promoted.ask("GET", hearing + "/objects/{sha256}", key).status == 403);
  CHECK(promoted.ask("GET", old + "/entries", key).status == 403);
  CHECK(promoted.ask("GET", hearing + "/entries", key).status == 403);
  CHECK(promoted.ask("GET", "/v1/lost-objects", key).status == 403);
  CHECK(promoted.ask("POST", "/v1/lost-objects", key, "{}").status == 403);
  CHECK(promoted.ask("GET", old + "/ahead", key).status == 404);
  CHECK(promoted.ask("POST", old + "/comparison", key, "{}").status == 404);
  CHECK(promoted.ask("GET", old + "/hearings", key).status == 404);

  greffe::KeyEntry station = greffe::testing::key_entry("station", "station-9", PrivateKey::generate().public_key());
  promoted.old.add(station);
  const std::string end = write_json(Json().set("checkpoint", promoted.old.note(promoted.old.entries.size())));
  const auto early = promoted.ask("POST", old + "/graft", key, end);
  CHECK(early.status == 409);
  CHECK(*greffe::parse_json(body_of(early))->size("held_size") == promoted.pin);
  CHECK(promoted.ask("POST", old + "/entries", key, promoted.post_of(promoted.pin)).status == 200);
  CHECK(promoted.ask("POST", old + "/graft", key, "{}").status == 400);
  const auto made = promoted.ask("POST", old + "/graft", key, end);
  INFO(body_of(made));
  REQUIRE(made.status == 200);
  CHECK(*greffe::parse_json(body_of(made))->size("entries") == 1);
  CHECK(*greffe::parse_json(body_of(made))->size("size") == promoted.old.entries.size());
  CHECK(promoted.site.peers.identify(station.key)->kind == greffe::archive::Peer::Kind::station);
  CHECK(promoted.ask("POST", old + "/have", station.key, nothing).status == 403);
  CHECK(promoted.ask("POST", old + "/graft", station.key, end).status == 403);

  CHECK(promoted.control("returning-revoke", Json().set("why", "stolen")).status == 200);
  CHECK(promoted.ask("POST", old + "/graft", key, end).status == 403);
  CHECK(promoted.control("returning-revoke", Json().set("why", "stolen")).status == 404);
}

TEST_CASE("only an archive that was promoted takes anything back, of an epoch before its own") {
  Promoted promoted;
  promoted.enrolled();
  CHECK(promoted.control("returning-add", Json().set("epoch", 2)).status == 400);
  CHECK(promoted.control("returning-add", Json().set("epoch", 0)).status == 400);
  CHECK(promoted.control("returning-add", Json().set("epoch", 1)).status == 409);  // enrolled already
  CHECK(promoted.control("returning-add", Json().set("epoch", 1).set("renew", true)).status == 200);
  SampleSite first;
  CHECK(first.peers.returning(std::nullopt).error().code == greffe::Errc::invalid);
}
