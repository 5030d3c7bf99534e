// This archive as a witness over HTTP: the answers of C2SP tlog-witness, and the files that are carried by hand.
#include <catch2/catch.hpp>

#include "tests/unit/web/sample_site.h"

using greffe::Checkpoint;
using greffe::Json;
using greffe::PrivateKey;
using greffe::VerifierKey;
using greffe::http::Request;
using greffe::http::Response;
using greffe::testing::SampleSite;

namespace {

constexpr const char* kOrigin = "other.court.example";

struct Asking {
  Response ask(const std::string& method, const std::string& pattern, Request request) {
    for (const greffe::http::Route& route : site.all_routes()) {
      if (route.method == method && route.pattern == pattern) return std::get<greffe::http::Handler>(route.handler)(request);
    }
    FAIL("no route " << pattern);
    return {};
  }
  Response submit(const std::string& body) {
    Request request;
    request.body = body;
    return ask("POST", "/v1/witness/add-checkpoint", request);
  }
  Response newest(const std::string& origin) {
    Request request;
    request.parameters = {{"origin", origin}};
    return ask("GET", "/v1/witness/{origin}/checkpoint", request);
  }
  Response control(const std::string& verb, const Json& arguments) {
    Request request;
    request.peer_uid = 0;
    request.body = greffe::write_json(arguments);
    return ask("POST", "/control/" + verb, request);
  }
  Json answer_of(const Response& response) const {
    INFO(std::get<std::string>(response.body));
    REQUIRE(response.status == 200);
    return *greffe::parse_json(std::get<std::string>(response.body));
  }
  std::string request(std::uint64_t old_size, std::uint64_t size, const PrivateKey& key) const {
    greffe::TreeEdge edge;
    for (std::uint64_t i = 0; i < size; ++i) edge.append(greffe::leaf_hash(greffe::as_bytes(std::to_string(i))));
    const Checkpoint tree{kOrigin, size, edge.root()};
    return greffe::write_add_checkpoint({old_size, {}, {tree, {tree.text(), {greffe::sign_checkpoint(tree, key)}}}});
  }

  SampleSite site;
  PrivateKey log = PrivateKey::generate();
  VerifierKey log_key{kOrigin, greffe::KeyType::ed25519, log.public_key()};
  std::string hash = greffe::sha256(greffe::as_bytes(kOrigin)).hex();
};

std::string header(const Response& response, const std::string& name) {
  for (const auto& [one, value] : response.headers) {
    if (one == name) return value;
  }
  return {};
}

}  // namespace

TEST_CASE("a witness answers over HTTP as C2SP says") {
  Asking w;
  CHECK(w.submit(w.request(0, 2, w.log)).status == 404);
  CHECK(w.newest(w.hash).status == 404);
  w.answer_of(w.control("witness-add-log", Json().set("vkey", w.log_key.text())));
  CHECK(w.submit("old").status == 400);
  CHECK(w.submit(w.request(3, 2, w.log)).status == 400);
  CHECK(w.submit(w.request(0, 2, PrivateKey::generate())).status == 403);

  const Response good = w.submit(w.request(0, 2, w.log));
  REQUIRE(good.status == 200);
  const std::string line = std::get<std::string>(good.body);
  CHECK(line.starts_with("\xE2\x80\x94 archive.court.example/witness "));
  CHECK(line.ends_with("\n"));

  const Response other = w.submit(w.request(0, 3, w.log));
  CHECK(other.status == 409);
  CHECK(std::get<std::string>(other.body) == "2\n");
  CHECK(header(other, "Content-Type") == "text/x.tlog.size");
  CHECK(w.submit(w.request(2, 3, w.log)).status == 422);  // without a proof

  const Response held = w.newest(w.hash);
  REQUIRE(held.status == 200);
  CHECK(header(held, "Cache-Control") == "no-store");
  const auto note = greffe::parse_signed_checkpoint(std::get<std::string>(held.body));
  REQUIRE(note);
  CHECK(greffe::verify_note(note->note, w.log_key));
  const std::string vkey = *w.answer_of(w.control("witness-key", Json())).string("vkey");
  CHECK(greffe::verify_cosignature(note->note, *greffe::parse_verifier_key(vkey)));
  CHECK(w.newest("x").status == 400);
}

TEST_CASE("what is brought on a stick is judged as over the network, and answered with what is carried back") {
  Asking w;
  w.answer_of(w.control("witness-add-log", Json().set("vkey", w.log_key.text())));
  const Json cosigned = w.answer_of(w.control("witness-sign", Json().set("request", w.request(0, 2, w.log))));
  CHECK(*cosigned.string("outcome") == "cosigned");
  CHECK(greffe::parse_signed_checkpoint(*cosigned.string("checkpoint"))->checkpoint.size == 2);
  const Json other = w.answer_of(w.control("witness-sign", Json().set("request", w.request(0, 3, w.log))));
  CHECK(*other.string("outcome") == "other-size");
  CHECK(*other.string("checkpoint") == *cosigned.string("checkpoint"));
  const Json none = w.answer_of(w.control("witness-sign", Json().set("request", "nonsense")));
  CHECK(*none.string("outcome") == "malformed");
  CHECK_FALSE(none.has("checkpoint"));
  const Json logs = w.answer_of(w.control("witness-logs", Json()));
  REQUIRE(logs.array("logs")->size() == 1);
  CHECK(*logs.array("logs")->front().string("size") == "2");
  w.answer_of(w.control("witness-remove-log", Json().set("origin", kOrigin)));
  CHECK(w.submit(w.request(2, 2, w.log)).status == 404);
}

TEST_CASE("the witnesses of the archive's own log are in its status, and are removed with their keys") {
  Asking w;
  const VerifierKey key = greffe::archive::witness_verifier("city.court.example", PrivateKey::generate().public_key());
  CHECK(w.control("witness-add", Json().set("vkey", w.log_key.text())).status == 400);
  w.answer_of(w.control("witness-add", Json().set("vkey", key.text())));
  const Json status = *w.site.status.status();
  const Json log = *status.object("log");
  CHECK(*log.boolean("signed"));
  REQUIRE(log.array("witnesses")->size() == 1);
  CHECK(*log.array("witnesses")->front().string("name") == key.name);
  CHECK(log.array("cosigners")->empty());  // it holds nothing
  CHECK(w.site.peers.main_log_cosigners()->size() == 1);
  CHECK(w.site.peers.cosigners()->empty());
  const Json request = w.answer_of(w.control("witness-request", Json().set("name", key.name)));
  CHECK(greffe::parse_add_checkpoint(*request.string("request")));

  w.answer_of(w.control("witness-remove", Json().set("name", key.name)));
  CHECK(w.site.peers.main_log_cosigners()->empty());
  CHECK(w.control("witness-remove", Json().set("name", key.name)).status == 404);

  w.site.archive.main_log->hold("because of a test");
  CHECK_FALSE(*w.site.status.status()->object("log")->boolean("signed"));
  const Response refused = w.control("witness-add", Json().set("vkey", key.text()));
  CHECK(refused.status == 503);
  CHECK_THAT(std::get<std::string>(refused.body), Catch::Contains("because of a test"));
}
