// What an archive that only reads may do at the site that holds its copies: fetch single objects of its own hearings and of its own main
// log, and ask what others share with it. Nothing else, at no address.
#include <catch2/catch.hpp>

#include "archive/format/share_messages.h"
#include "archive/store_document.h"
#include "tests/unit/web/sample_site.h"

using greffe::Digest;
using greffe::Json;
using greffe::PublicKey;
using greffe::testing::append_range;
using greffe::testing::deposit_all_objects;
using greffe::testing::SampleHearing;
using greffe::testing::SampleSite;

namespace {

constexpr const char* kOther = "other.court.example";

// A site that holds copies of two archives, this one's own hearings among them; both may read.
struct Copies {
  Copies() {
    hearing.add_segment();
    hearing.close();
    deposit_all_objects(site.archive, hearing);
    REQUIRE(append_range(site.archive, hearing, 0, hearing.entries.size()));
    for (const std::string& name : {site.archive.name, std::string(kOther)}) add_origin(name);
  }

  void add_origin(const std::string& name) {
    greffe::KeyEntry origin;
    origin.action = "added";
    origin.role = "origin";
    origin.name = name;
    origin.key = greffe::PrivateKey::generate().public_key();
    REQUIRE(site.archive.main_log->append(origin));
  }
  PublicKey enrolled(const std::string& role, const std::string& name) {
    const PublicKey key = greffe::PrivateKey::generate().public_key();
    const auto invitation = role == "reader" ? *site.peers.reading(name) : greffe::archive::Invitation{role, name, "", ""};
    const auto code = greffe::client::parse_enrolment_code(*site.peers.invite(invitation));
    REQUIRE(code);
    CHECK(code->role == role);
    REQUIRE(site.peers.enrol(key, code->secret, name, role));
    return key;
  }
  greffe::http::Request request(const std::string& method, const PublicKey& key) const {
    greffe::http::Request out;
    out.method = method;
    out.headers = {{"greffe-epoch", "1"}};
    out.peer_key = key.bytes;
    out.parameters = {{"id", hearing.id.text()}, {"sha256", hearing.objects.back().first.hex()},
                      {"origin", greffe::sha256(greffe::as_bytes(site.archive.name)).hex()}};
    out.body = "{}";
    out.content_length = 2;
    return out;
  }
  // The status that a machine with this key gets at a route.
  int ask(const greffe::http::Route& route, const PublicKey& key) const {
    greffe::http::Request asked = request(route.method, key);
    asked.parameters.erase(route.pattern.starts_with("/v1/log/from/") ? "id" : "origin");
    if (const auto* handler = std::get_if<greffe::http::Handler>(&route.handler)) return (*handler)(asked).status;
    const auto begun = std::get<greffe::http::StreamHandler>(route.handler)(asked);
    const auto* refused = std::get_if<greffe::http::Response>(&begun);
    return refused != nullptr ? refused->status : 100;
  }
  int get_object(const PublicKey& key) const {
    for (const greffe::http::Route& route : routes) {
      if (route.method == "GET" && route.pattern == "/v1/hearings/{id}/objects/{sha256}") return ask(route, key);
    }
    return 0;
  }

  SampleSite site;
  SampleHearing hearing{site.archive.name};
  const std::vector<greffe::http::Route> routes = site.machine.routes();
};

}  // namespace

TEST_CASE("a reader gets the objects of its own hearings") {
  Copies copies;
  CHECK(copies.get_object(copies.enrolled("reader", copies.site.archive.name)) == 200);
  CHECK(copies.get_object(greffe::PrivateKey::generate().public_key()) == 403);
}

TEST_CASE("neither a reader nor a replicator gets an object of another archive's hearing") {
  Copies copies;
  CHECK(copies.get_object(copies.enrolled("reader", kOther)) == 403);
  CHECK(copies.get_object(copies.enrolled("replicator", kOther)) == 403);
  CHECK(copies.get_object(copies.enrolled("replicator", copies.site.archive.name)) == 200);
}

TEST_CASE("a reader is refused at every other address but those that are open to everybody") {
  Copies copies;
  const PublicKey reader = copies.enrolled("reader", copies.site.archive.name);
  unsigned asked = 0;
  for (const greffe::http::Route& route : copies.routes) {
    const bool open = route.pattern == "/v1/enrol" || (route.method == "GET" && route.pattern == "/v1/epochs/{archive}");
    if (open || route.pattern == "/v1/shares" || (route.method == "GET" && route.pattern.ends_with("/objects/{sha256}"))) continue;
    INFO(route.method << " " << route.pattern);
    CHECK(copies.ask(route, reader) == 403);
    ++asked;
  }
  CHECK(asked >= 16);
}

TEST_CASE("a reader of the main log gets what its entries name, if it is its own") {
  Copies copies;
  for (const greffe::http::Route& route : copies.routes) {
    if (route.method != "GET" || route.pattern != "/v1/log/from/{origin}/objects/{sha256}") continue;
    CHECK(copies.ask(route, copies.enrolled("reader", kOther)) == 403);
    CHECK(copies.ask(route, copies.enrolled("reader", copies.site.archive.name)) == 404);  // nothing of it is held
    return;
  }
  FAIL("no such route");
}

TEST_CASE("a reader is told what this site shares with its courts, and nobody else is") {
  Copies copies;
  const PublicKey reader = copies.enrolled("reader", kOther);
  greffe::ShareEntry share;
  share.action = "granted";
  share.archive = copies.site.archive.name;
  share.hearing = copies.hearing.id;
  share.court = std::string(kOther) + "/civil";
  const std::string reason = greffe::write_note("reason", "the appeal");
  share.reason = greffe::archive::store_document(copies.site.archive.stores().objects, reason).value();
  share.account = "u-1";
  share.utc = copies.site.archive.clock.utc_now();
  REQUIRE(copies.site.archive.main_log->append(share));
  for (const greffe::http::Route& route : copies.routes) {
    if (route.pattern != "/v1/shares") continue;
    CHECK(copies.ask(route, copies.enrolled("replicator", kOther)) == 403);
    CHECK(copies.ask(route, reader) == 400);  // it says nothing of what it was told before
    greffe::http::Request request = copies.request(route.method, reader);
    request.body = greffe::write_shares_question({});
    const greffe::http::Response response = std::get<greffe::http::Handler>(route.handler)(request);
    REQUIRE(response.status == 200);
    const auto told = greffe::parse_shares_told(std::get<std::string>(response.body));
    REQUIRE(told);
    REQUIRE(told->shares.size() == 1);
    CHECK(told->shares[0].reason == reason);
    CHECK(told->shares[0].share.hearing == copies.hearing.id);
    return;
  }
  FAIL("no such route");
}

TEST_CASE("a new code for a reader retires the key of before, and a revoked one reads nothing") {
  Copies copies;
  const std::string& name = copies.site.archive.name;
  const PublicKey first = copies.enrolled("reader", name);
  const PublicKey second = copies.enrolled("reader", name);
  CHECK(copies.get_object(first) == 403);
  CHECK(copies.get_object(second) == 200);
  REQUIRE(copies.site.peers.revoke("reader", name, "stolen"));
  CHECK(copies.get_object(second) == 403);
}

TEST_CASE("only an archive of which copies are held here can be invited to read") {
  Copies copies;
  CHECK(copies.site.peers.reading("third.court.example").error().code == greffe::Errc::not_found);
  REQUIRE(copies.site.peers.revoke("origin", kOther, "retired"));
  CHECK(copies.site.peers.reading(kOther).error().code == greffe::Errc::not_found);
}
