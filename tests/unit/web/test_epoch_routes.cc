// An archive that was promoted elsewhere: how it learns it, and that it takes nothing any more.
#include <catch2/catch.hpp>

#include "archive/format/promotion.h"
#include "tests/unit/web/sample_site.h"

using greffe::Errc;
using greffe::Json;
using greffe::KeyEntry;
using greffe::PrivateKey;
using greffe::PromotionEntry;
using greffe::PublicKey;
using greffe::testing::SampleSite;

namespace {

PrivateKey key_of(std::string_view label) { return *PrivateKey::from_seed(greffe::sha256(greffe::as_bytes(label)).bytes); }

std::string certificate(const std::string& archive, const std::string& first_officer = "officer-1") {
  PromotionEntry out;
  out.name = {archive, 2};
  out.previous = {archive, 10, greffe::sha256(greffe::as_bytes("root"))};
  out.log_key = key_of("log").public_key();
  out.holder = {"second.court.example/holder", greffe::KeyType::cosignature_v1, key_of("holder").public_key()};
  out.machine_url = "https://second.court.example:8444";
  out.machine_key = key_of("server").public_key();
  out.officers = {"officer-1", "officer-2"};
  const std::string text = promotion_statement(out);
  out.signatures = {key_of(first_officer).sign(greffe::as_bytes(text)), key_of("officer-2").sign(greffe::as_bytes(text))};
  out.utc = greffe::UtcTime{1'795'683'600'000};
  return greffe::write_promotion(out);
}

struct Site : SampleSite {
  std::string copies_epoch;  // that a replicator says its copies are of
  Site() {
    for (const char* name : {"officer-1", "officer-2"}) {
      KeyEntry officer;
      officer.action = "added";
      officer.role = "officer";
      officer.name = name;
      officer.key = key_of(name).public_key();
      REQUIRE(archive.main_log->append(officer));
    }
  }
  PublicKey enrolled(const std::string& role, const std::string& name) {
    const PublicKey key = PrivateKey::generate().public_key();
    const bool station = role == "station";
    const auto code = greffe::client::parse_enrolment_code(*peers.invite({role, name, station ? "court-a" : "", station ? "room-1" : ""}));
    REQUIRE(code);
    REQUIRE(peers.enrol(key, code->secret, name, role));
    return key;
  }
  greffe::http::Response ask(const std::string& method, const std::string& pattern, const PublicKey& key, const std::string& about = {},
                             const std::string& body = {}, const std::string& epoch = "1") {
    greffe::http::Request request;
    request.method = method;
    request.headers = {{"greffe-epoch", epoch}};
    if (!copies_epoch.empty()) request.headers.emplace("greffe-copies-epoch", copies_epoch);
    request.peer_key = key.bytes;
    request.parameters = {{"archive", about}, {"id", greffe::make_hearing_id(archive.clock.utc_now()).text()}, {"sha256", std::string(64, 'a')}};
    request.body = body;
    request.content_length = body.size();
    for (const greffe::http::Route& route : machine.routes()) {
      if (route.method != method || route.pattern != pattern) continue;
      if (const auto* handler = std::get_if<greffe::http::Handler>(&route.handler)) return (*handler)(request);
      auto begun = std::get<greffe::http::StreamHandler>(route.handler)(request);
      auto* refused = std::get_if<greffe::http::Response>(&begun);
      return refused != nullptr ? std::move(*refused) : greffe::http::json_response(100, "{}");
    }
    FAIL("no such route");
    return {};
  }
};

const std::string& body_of(const greffe::http::Response& response) { return std::get<std::string>(response.body); }

std::string epoch_of(const greffe::http::Response& response) {
  for (const auto& [name, value] : response.headers) {
    if (name == "Greffe-Epoch") return value;
  }
  return {};
}

constexpr const char* kEpochs = "/v1/epochs/{archive}";
constexpr const char* kObject = "/v1/hearings/{id}/objects/{sha256}";
constexpr const char* kHave = "/v1/hearings/{id}/have";
constexpr const char* kNothing = R"({"digests":[]})";

}  // namespace

TEST_CASE("an archive that was promoted elsewhere is fenced by the officers' certificate, whoever brings it") {
  Site site;
  const std::string& name = site.archive.name;
  const PublicKey station = site.enrolled("station", "s9");
  CHECK(site.ask("GET", kEpochs, station, name).status == 404);
  CHECK(site.ask("POST", kHave, station, {}, kNothing).status == 200);
  CHECK(site.ask("PUT", kObject, station, {}, "x").status == 100);
  const auto taken = site.ask("POST", kEpochs, station, name, certificate(name));
  REQUIRE(taken.status == 200);
  CHECK(body_of(taken) == R"({"epoch":2})");
  CHECK(epoch_of(taken) == "2");
  CHECK(body_of(site.ask("GET", kEpochs, station, name)) == certificate(name));
  for (const bool object : {false, true}) {
    const auto refused = object ? site.ask("PUT", kObject, station, {}, "x") : site.ask("POST", kHave, station, {}, kNothing);
    CHECK(refused.status == 403);
    const auto problem = greffe::parse_json(body_of(refused));
    REQUIRE(problem);
    CHECK(*problem->string("code") == "fenced");
    CHECK(*problem->string("certificate") == certificate(name));
    CHECK_THAT(*problem->string("detail"), Catch::Contains("second.court.example"));
  }
  // Nobody else writes to the log any more either; reading goes on.
  KeyEntry entry;
  entry.action = "added";
  entry.role = "officer";
  entry.name = "officer-3";
  const auto appended = site.archive.main_log->append(entry);
  REQUIRE_FALSE(appended);
  CHECK_THAT(appended.error().message, Catch::Contains("epoch 2"));
  // Who plays here from now on is known here only, which the status says.
  greffe::AccessEntry played;
  played.hearing = greffe::make_hearing_id(site.archive.clock.utc_now());
  played.account = "u-1";
  played.purpose = "play";
  played.session = "s-1";
  played.utc = site.archive.clock.utc_now();
  REQUIRE(site.accesses.record(played));
  REQUIRE_FALSE(site.accesses.settle());
  const std::string status = write_json(*site.status.status());
  CHECK_THAT(status, Catch::Contains("\"code\":\"accesses-stay\"") && Catch::Contains("goes on at another site") && Catch::Contains("state/accesses"));
  CHECK(status.find("accesses-waiting") == std::string::npos);
  CHECK(site.ask("GET", "/v1/log/main/checkpoint", station).status == 200);
  CHECK(site.ask("POST", kEpochs, station, name, certificate(name)).status == 200);
}

TEST_CASE("a certificate that officers did not sign fences nothing") {
  Site site;
  const std::string& name = site.archive.name;
  const PublicKey station = site.enrolled("station", "s9");
  CHECK(site.ask("POST", kEpochs, station, name, certificate(name, "somebody")).status == 403);
  CHECK(site.ask("POST", kEpochs, station, name, certificate("other.court.example")).status == 400);
  CHECK(site.ask("POST", kEpochs, station, name, "{}").status == 400);
  // Of an archive of which nothing is held here nobody's signature can be judged.
  CHECK(site.ask("POST", kEpochs, station, "other.court.example", certificate("other.court.example")).status == 403);
  CHECK(site.ask("POST", kHave, station, {}, kNothing).status == 200);
  CHECK(site.archive.epochs->highest(name) == 1);
}

TEST_CASE("a second site takes copies of the newest epoch that it knows, and of none before") {
  Site site;
  const std::string first = "first.court.example";
  const PublicKey replicator = site.enrolled("replicator", first);
  CHECK(site.ask("POST", kHave, replicator, {}, kNothing).status == 200);
  greffe::Officers officers;
  for (const char* name : {"officer-1", "officer-2"}) {
    KeyEntry officer;
    officer.action = "added";
    officer.role = "officer";
    officer.name = name;
    officer.key = key_of(name).public_key();
    officers.take(officer);
  }
  REQUIRE(site.archive.epochs->take(certificate(first), officers));
  for (const char* stated : {"", "1", "two"}) {
    site.copies_epoch = stated;
    const auto refused = site.ask("POST", kHave, replicator, {}, kNothing);
    CHECK(refused.status == 403);
    CHECK_THAT(body_of(refused), Catch::Contains("fenced") && Catch::Contains("second.court.example"));
    CHECK(site.ask("PUT", kObject, replicator, {}, "x").status == 403);
  }
  site.copies_epoch = "2";
  CHECK(site.ask("POST", kHave, replicator, {}, kNothing).status == 200);
  CHECK(site.ask("POST", kHave, site.enrolled("replicator", "other.court.example"), {}, kNothing).status == 200);
}

TEST_CASE("whoever asks is told where an archive goes on, with any key and of any epoch") {
  Site site;
  const std::string& name = site.archive.name;
  const PublicKey stranger = PrivateKey::generate().public_key();
  CHECK(site.ask("GET", kEpochs, stranger, name).status == 404);
  CHECK(site.ask("GET", kEpochs, stranger, "no name").status == 400);
  REQUIRE(site.ask("POST", kEpochs, site.enrolled("station", "s9"), name, certificate(name)).status == 200);
  const auto told = site.ask("GET", kEpochs, stranger, name, {}, "0");
  CHECK(told.status == 200);
  CHECK(body_of(told) == certificate(name));
  CHECK(epoch_of(told) == "2");
  CHECK(site.ask("POST", kEpochs, stranger, name, certificate(name)).status == 403);
}

TEST_CASE("stations are told who the officers are, proved by the main log, and where copies are held") {
  Site site;
  const PublicKey station = site.enrolled("station", "s9");
  const greffe::VerifierKey log = greffe::archive::log_verifier(site.archive.name, site.archive.keys->log.public_key());
  const auto told = [&] {
    const auto answer = site.ask("GET", "/v1/successors", station);
    REQUIRE(answer.status == 200);
    const auto out = greffe::parse_successors(body_of(answer));
    REQUIRE(out);
    CHECK(greffe::check_successors(*out, log));
    return *out;
  };
  CHECK(told().entries.size() == 2);
  CHECK(told().sites.empty());
  CHECK(site.ask("GET", "/v1/successors", PrivateKey::generate().public_key()).status == 403);

  const std::string folder = site.archive.folder.path + "/state/sites";
  const auto server = greffe::sha256(greffe::as_bytes("server"));
  const Json stored = Json().set("address", "https://10.0.0.7:8444").set("epoch", std::uint64_t{1}).set("name", "dr.court.example").set("server_key", server);
  REQUIRE(site.archive.files.make_directories(folder));
  REQUIRE(site.archive.files.replace(folder + "/dr.court.example.json", greffe::as_bytes(greffe::write_json(stored)), 0600));
  REQUIRE(site.sites.load().empty());
  KeyEntry gone;
  gone.action = "revoked";
  gone.role = "officer";
  gone.name = "officer-2";
  gone.key = key_of("officer-2").public_key();
  gone.why = "stolen";
  REQUIRE(site.archive.main_log->append(gone));
  site.enrolled("station", "s10");
  const greffe::Successors now = told();
  REQUIRE(now.entries.size() == 3);
  CHECK(now.entries.back().entry == greffe::write_main_entry(gone));
  REQUIRE(now.sites.size() == 1);
  CHECK(now.sites.front() == greffe::SuccessorSite{"https://10.0.0.7:8444", server});
}
