// POST /v1/echo, what it tells a replica of its origin, and the status page's lines about sites.
#include <catch2/catch.hpp>

#include "tests/unit/web/sample_site.h"

using greffe::Json;
using greffe::testing::SampleSite;

namespace {

greffe::http::Response post(SampleSite& site, const char* pattern, const greffe::PublicKey& key, const std::string& body) {
  greffe::http::Request request;
  request.method = "POST";
  request.headers = {{"greffe-epoch", "1"}};
  request.peer_key = key.bytes;
  request.body = body;
  for (const greffe::http::Route& route : site.machine.routes()) {
    if (route.pattern == pattern) return std::get<greffe::http::Handler>(route.handler)(request);
  }
  FAIL("no such route");
  return {};
}

greffe::http::Response echo(SampleSite& site, const greffe::PublicKey& key, const std::string& body) { return post(site, "/v1/echo", key, body); }

// Enrols a replicator.
greffe::PublicKey replicator(SampleSite& site, const std::string& name) {
  const greffe::PublicKey key = greffe::PrivateKey::generate().public_key();
  const auto code = greffe::client::parse_enrolment_code(*site.peers.invite({"replicator", name, "", ""}));
  REQUIRE(code);
  REQUIRE(site.peers.enrol(key, code->secret, name, "replicator"));
  return key;
}

greffe::KeyEntry key_entry(const char* role, const std::string& name, greffe::UtcTime since) {
  greffe::KeyEntry entry;
  entry.action = "added";
  entry.role = role;
  entry.name = name;
  entry.key = greffe::PrivateKey::generate().public_key();
  entry.utc = entry.since = since;
  return entry;
}

}  // namespace

TEST_CASE("an echo sends the nonce back, to enrolled keys only, and its replicator is how an origin is heard of") {
  SampleSite site;
  const std::string city = "archive.city.example";
  REQUIRE(site.archive.main_log->append(key_entry("origin", city, greffe::UtcTime{site.archive.clock.utc_now().ms - 10'000'000})));
  const Json before = *site.status.status();
  CHECK(*before.array("origins")->front().size("silent_ms") >= 10'000'000);

  CHECK(echo(site, greffe::PrivateKey::generate().public_key(), R"({"nonce":"abc"})").status == 403);
  const greffe::PublicKey key = replicator(site, city);
  const greffe::http::Response answer = echo(site, key, R"({"nonce":"abc"})");
  CHECK(answer.status == 200);
  CHECK(std::get<std::string>(answer.body) == R"({"epoch":1,"nonce":"abc"})");
  CHECK(echo(site, key, R"({"nonce":""})").status == 400);
  CHECK(echo(site, key, R"({"nonce":")" + std::string(129, 'n') + "\"}").status == 400);
  CHECK(echo(site, key, "{}").status == 400);

  const Json after = *site.status.status();
  CHECK(*after.array("origins")->front().size("silent_ms") < 60'000);
}

TEST_CASE("each site that confirms has its own line, and is late by the first entry that it lacks") {
  SampleSite site;
  const auto old = greffe::UtcTime{site.archive.clock.utc_now().ms - 3'600'000};
  std::vector<greffe::PrivateKey> keys;
  std::vector<greffe::VerifierKey> verifiers;
  for (const char* name : {"one.example/holder", "two.example/holder"}) {
    keys.push_back(greffe::PrivateKey::generate());
    verifiers.push_back({name, greffe::KeyType::cosignature_v1, keys.back().public_key()});
    greffe::KeyEntry entry = key_entry("cosigner", name, old);
    entry.key = keys.back().public_key();
    entry.cosigner = verifiers.back().text();
    REQUIRE(site.archive.main_log->append(entry));
  }
  // The first confirmed everything an hour ago; the second one all but the last entry of then.
  const auto confirm = [&](std::size_t of, const greffe::Checkpoint& what, greffe::UtcTime at) {
    greffe::SignedCheckpoint cosigned = site.archive.main_log->head();
    cosigned.checkpoint = what;
    cosigned.note.text = what.text();
    cosigned.note.signatures = {greffe::cosign_checkpoint(what, verifiers[of].name, keys[of], at)};
    REQUIRE(site.archive.main_log->add_cosignature(cosigned, verifiers[of]));
  };
  const greffe::Checkpoint now = site.archive.main_log->head().checkpoint;
  confirm(0, now, old);
  confirm(1, {now.origin, now.size - 1, site.archive.main_log->reader().root_at(now.size - 1).value()}, old);
  const auto late = [&] {
    std::vector<std::string> names;
    const Json status = *site.status.status();
    const Json::Array reasons = *status.array("reasons");
    for (const Json& reason : reasons) {
      if (*reason.string("code") == "second-site-late") names.push_back(*reason.object("facts")->string("name"));
    }
    return names;
  };
  CHECK(late() == std::vector<std::string>{"two.example/holder"});
  const Json::Array lines = *site.status.status()->array("second_sites");
  REQUIRE(lines.size() == 2);
  CHECK((*lines[0].size("entries_behind") == 0 && *lines[1].size("entries_behind") == 1));

  // A new entry after a quiet hour does not make the first one late.
  REQUIRE(site.archive.main_log->append(key_entry("officer", "o", site.archive.clock.utc_now())));
  CHECK(late() == std::vector<std::string>{"two.example/holder"});
}

TEST_CASE("a note that carries the lines of several cosigners is taken as the word of each of them") {
  SampleSite site;
  const greffe::PublicKey peer = replicator(site, "one.example");
  std::vector<greffe::VerifierKey> verifiers;
  std::vector<greffe::PrivateKey> keys;
  for (const char* name : {"one.example/holder", "two.example/holder"}) {
    keys.push_back(greffe::PrivateKey::generate());
    verifiers.push_back({name, greffe::KeyType::cosignature_v1, keys.back().public_key()});
    greffe::KeyEntry entry = key_entry("cosigner", name, site.archive.clock.utc_now());
    entry.key = keys.back().public_key();
    entry.cosigner = verifiers.back().text();
    REQUIRE(site.archive.main_log->append(entry));
  }
  greffe::SignedCheckpoint head = site.archive.main_log->head();
  for (std::size_t i = 0; i < 2; ++i) {
    greffe::put_signature(head.note, greffe::cosign_checkpoint(head.checkpoint, verifiers[i].name, keys[i], site.archive.clock.utc_now()));
  }
  Json body;
  body.set("checkpoint", head.note.write());
  CHECK(post(site, "/v1/log/main/cosignatures", peer, greffe::write_json(body)).status == 200);
  for (const greffe::VerifierKey& verifier : verifiers) {
    const auto newest = greffe::archive::newest_cosigned(*site.archive.pool, greffe::main_log_path(), verifier);
    REQUIRE(newest);
    CHECK(newest->checkpoint == head.checkpoint);
  }
}
