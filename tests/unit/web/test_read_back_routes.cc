// How far a hearing is read back from the disks, as a station, an operator and a monitor are told.
#include <catch2/catch.hpp>

#include <thread>

#include "tests/unit/web/sample_site.h"

using greffe::Json;
using greffe::testing::deposit_object;
using greffe::testing::SampleHearing;
using greffe::testing::SampleSite;

namespace {

// One enrolled key at the machine listener.
class Machine {
 public:
  Machine(SampleSite& site, const greffe::PublicKey& key, const greffe::archive::Invitation& invitation)
      : routes_(site.machine.routes()), key_(key) {
    const auto code = greffe::client::parse_enrolment_code(*site.peers.invite(invitation));
    REQUIRE(code);
    REQUIRE(site.peers.enrol(key, code->secret, invitation.name, invitation.role));
  }

  Json call(const std::string& method, const SampleHearing& hearing, const std::string& what, const std::string& body = "") {
    greffe::http::Request request;
    request.method = method;
    request.parameters = {{"id", hearing.id.text()}};
    request.headers = {{"greffe-epoch", "1"}};
    request.peer_key = key_.bytes;
    request.body = body;
    for (const greffe::http::Route& route : routes_) {
      if (route.method != method || route.pattern != "/v1/hearings/{id}/" + what) continue;
      const greffe::http::Response answer = std::get<greffe::http::Handler>(route.handler)(request);
      INFO(std::get<std::string>(answer.body));
      REQUIRE(answer.status == 200);
      return *greffe::parse_json(std::get<std::string>(answer.body));
    }
    FAIL("no route " << method << " " << what);
    return Json();
  }
  // size and read_back_size
  std::pair<std::uint64_t, std::uint64_t> checkpoint(const SampleHearing& hearing) {
    const Json held = call("GET", hearing, "checkpoint");
    return {*held.size("size"), *held.size("read_back_size")};
  }

 private:
  const std::vector<greffe::http::Route> routes_;
  const greffe::PublicKey key_;
};

void post(SampleSite& site, Machine& station, const SampleHearing& hearing) {
  for (const auto& [digest, bytes] : hearing.objects) REQUIRE(deposit_object(site.archive, hearing, digest, bytes));
  Json::Array entries;
  for (const std::string& entry : hearing.entries) entries.push_back(entry);
  Json body;
  body.set("checkpoint", hearing.checkpoint(hearing.entries.size())).set("entries", std::move(entries)).set("first", std::uint64_t{0});
  station.call("POST", hearing, "entries", greffe::write_json(body));
}

template <class Condition>
void await(const Condition& condition) {
  for (int i = 0; i < 6000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  REQUIRE(condition());
}

}  // namespace

TEST_CASE("what a station files is read back without being asked for, and everybody is told how far") {
  SampleSite site;
  SampleHearing hearing(site.archive.name);
  for (int i = 0; i < 3; ++i) hearing.add_segment();
  Machine station(site, hearing.key.public_key(), {"station", "station-1", "court-1", "room-3"});
  post(site, station, hearing);
  // Not started yet: it is stored, nothing is read.
  using Sizes = std::pair<std::uint64_t, std::uint64_t>;
  CHECK(station.checkpoint(hearing) == Sizes{4, 0});
  const Json waiting = *site.status.status()->object("read_back");
  CHECK(*waiting.size("lagging") == 1);
  CHECK(*waiting.size("held_back") == 0);
  CHECK(site.metrics().find("greffe_read_back_lagging_hearings 1\n") != std::string::npos);

  site.read_back.start();
  await([&] { return site.read_back.size(hearing.id) == 4; });
  CHECK(station.checkpoint(hearing) == Sizes{4, 4});
  const Json done = *site.status.status()->object("read_back");
  CHECK(*done.size("lagging") == 0);
  CHECK(*done.size("oldest_age_ms") == 0);
  CHECK(site.metrics().find("greffe_read_back_lagging_hearings 0\n") != std::string::npos);
  CHECK(site.metrics().find("greffe_read_back_oldest_seconds 0\n") != std::string::npos);
}

TEST_CASE("an object that cannot be read back is a reason for an operator to look, with its name") {
  SampleSite site;
  SampleHearing hearing(site.archive.name);
  hearing.add_segment();
  Machine station(site, hearing.key.public_key(), {"station", "station-1", "court-1", "room-3"});
  post(site, station, hearing);
  const std::string key = greffe::object_key(hearing.objects.back().first);
  for (const char* volume : {"/v0/", "/v1/", "/v2/"}) REQUIRE(site.archive.files.remove(site.archive.folder.path + volume + key));
  site.read_back.start();
  await([&] { return site.read_back.facts().held_back == 1; });
  CHECK(station.checkpoint(hearing) == std::pair<std::uint64_t, std::uint64_t>{2, 1});
  const Json status = *site.status.status();
  CHECK(*status.string("state") == "attention");
  bool told = false;
  const Json::Array reasons = *status.array("reasons");
  for (const Json& reason : reasons) {
    told = told || (*reason.string("code") == "read-back-late" && reason.string("what")->find(key) != std::string::npos);
  }
  CHECK(told);
  CHECK(site.metrics().find("greffe_read_back_held_back_hearings 1\n") != std::string::npos);
}

TEST_CASE("after a start a station's question sets it to work; a replicator's does not") {
  SampleSite site;
  SampleHearing hearing(site.archive.name);
  hearing.add_segment();
  for (const auto& [digest, bytes] : hearing.objects) REQUIRE(deposit_object(site.archive, hearing, digest, bytes));
  REQUIRE(greffe::testing::append_range(site.archive, hearing, 0, 2));  // filed as if by an earlier process
  Machine replicator(site, greffe::PrivateKey::generate().public_key(), {"replicator", "dr.court.example", "", ""});
  Machine station(site, hearing.key.public_key(), {"station", "station-1", "court-1", "room-3"});
  site.read_back.start();
  CHECK(replicator.checkpoint(hearing).second == 0);
  CHECK(site.read_back.facts().lagging == 0);
  static_cast<void>(station.checkpoint(hearing));
  await([&] { return station.checkpoint(hearing).second == 2; });
  CHECK(replicator.checkpoint(hearing).second == 2);
}
