#include <catch2/catch.hpp>

#include "archive/client/archive_client.h"

using greffe::client::EnrolmentCode;
using greffe::client::parse_enrolment_code;
using greffe::client::write_enrolment_code;

namespace {

EnrolmentCode example(const std::string& role) {
  EnrolmentCode code;
  code.address = "https://127.0.0.1:8444";
  code.server_spki = greffe::sha256(greffe::as_bytes("server"));
  code.log = {"archive.court.example", greffe::KeyType::ed25519, greffe::PrivateKey::generate().public_key()};
  code.cosigners.push_back(
      {"archive.court.example/holder", greffe::KeyType::cosignature_v1, greffe::PrivateKey::generate().public_key()});
  code.name = role == "returning" ? "archive.court.example/epoch/2" : "station-3";
  code.role = role;
  if (role == "station") {
    code.court = "tgi-lyon";
    code.room = "salle-3";
  }
  code.secret = greffe::to_base64url(greffe::sha256(greffe::as_bytes("secret")).view());
  return code;
}

greffe::Json json_of(const std::string& code) {
  return *greffe::parse_json(greffe::as_text(*greffe::from_base64url(code)));
}
std::string code_of(const greffe::Json& json) {
  return greffe::to_base64url(greffe::as_bytes(greffe::write_json(json)));
}

}  // namespace

TEST_CASE("an enrolment code says again what was written into it") {
  for (const std::string role : {"station", "replicator", "returning", "reader"}) {
    const EnrolmentCode code = example(role);
    const auto parsed = parse_enrolment_code(write_enrolment_code(code) + "\n");
    REQUIRE(parsed);
    CHECK(parsed->address == code.address);
    CHECK(parsed->server_spki == code.server_spki);
    CHECK(parsed->log == code.log);
    CHECK(parsed->cosigners == code.cosigners);
    CHECK(parsed->name == code.name);
    CHECK(parsed->role == code.role);
    CHECK(parsed->court == code.court);
    CHECK(parsed->room == code.room);
    CHECK(parsed->secret == code.secret);
  }
}

TEST_CASE("a damaged enrolment code is refused with the reason") {
  const std::string good = write_enrolment_code(example("station"));
  CHECK_FALSE(parse_enrolment_code(""));
  CHECK_FALSE(parse_enrolment_code(good.substr(0, good.size() - 4)));
  CHECK_FALSE(parse_enrolment_code("!" + good));
  CHECK_FALSE(parse_enrolment_code(std::string(20000, 'A')));
  const auto with = [&](const std::string& key, greffe::Json value) {
    greffe::Json json = json_of(good);
    json.set(key, std::move(value));
    return parse_enrolment_code(code_of(json));
  };
  REQUIRE(with("room", "salle-4"));
  CHECK(with("address", "http://127.0.0.1:8444").error().message.find("https") != std::string::npos);
  CHECK_FALSE(with("address", "https://user:password@archive"));
  CHECK_FALSE(with("role", "king"));
  greffe::Json no_main_log = json_of(write_enrolment_code(example("returning")));
  no_main_log.set("name", "archive.court.example/epoch/1");
  CHECK_FALSE(parse_enrolment_code(code_of(no_main_log)));
  CHECK_FALSE(with("name", "Station 3"));
  CHECK_FALSE(with("room", "../etc"));
  CHECK_FALSE(with("secret", "c2hvcnQ"));
  CHECK_FALSE(with("server_key", "00"));
  CHECK_FALSE(with("log", "archive.court.example+00000000+AAAA"));
}

TEST_CASE("the pinned digest of a key is that of its SubjectPublicKeyInfo") {
  // RFC 8410 section 10.1: the public key of the example, and its SPKI as OpenSSL writes it.
  const auto key = greffe::public_key_from_hex("19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1");
  REQUIRE(key);
  const auto spki = greffe::from_base64("MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=");
  REQUIRE(spki);
  CHECK(greffe::client::spki_digest(*key) == greffe::sha256(*spki));
}
