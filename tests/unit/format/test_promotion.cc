// The certificate of a promotion: what it says, what officers sign of it, and what is refused.
#include "archive/format/promotion.h"

#include "archive/format/canonical_json.h"
#include "archive/format/officers.h"
#include "tests/unit/format/vectors.h"

using greffe::Checkpoint;
using greffe::Digest;
using greffe::EpochName;
using greffe::Errc;
using greffe::Json;
using greffe::KeyEntry;
using greffe::KeyType;
using greffe::Officers;
using greffe::parse_epoch_origin;
using greffe::parse_promotion;
using greffe::PrivateKey;
using greffe::PromotionEntry;
using greffe::promotion_statement;
using greffe::testing::need;

namespace {

PrivateKey key_of(std::string_view label) { return need(PrivateKey::from_seed(greffe::sha256(greffe::as_bytes(label)).bytes)); }

PromotionEntry sample() {
  PromotionEntry out;
  out.name = {"archive.court.example", 2};
  out.previous = {"archive.court.example", 4711, greffe::sha256(greffe::as_bytes("root"))};
  out.log_key = key_of("log").public_key();
  out.holder = {"archive.court.example/epoch/2/holder", KeyType::cosignature_v1, key_of("holder").public_key()};
  out.machine_url = "https://second.court.example:8444";
  out.machine_key = key_of("server").public_key();
  out.officers = {"officer-1", "officer-2"};
  const std::string text = promotion_statement(out);
  out.signatures = {key_of("one").sign(greffe::as_bytes(text)), key_of("two").sign(greffe::as_bytes(text))};
  out.utc = greffe::UtcTime{1'795'683'600'000};
  return out;
}

KeyEntry officer(const std::string& name, const PrivateKey& key, const std::string& action = "added") {
  KeyEntry out;
  out.action = action;
  out.role = "officer";
  out.name = name;
  out.key = key.public_key();
  return out;
}

Officers two_officers() {
  Officers out;
  out.take(officer("officer-1", key_of("one")));
  out.take(officer("officer-2", key_of("two")));
  return out;
}

greffe::Status signed_by_officers(const PromotionEntry& entry, const Officers& officers = two_officers()) {
  return officers.check(promotion_statement(entry), entry.officers, entry.signatures, "this promotion");
}

// The sample with one member changed; null: taken away.
greffe::Error refused(const std::string& key, const Json* value) {
  Json json = need(greffe::parse_json(greffe::write_promotion(sample())));
  if (value != nullptr) json.set(key, *value);
  else json.as_object()->erase(key);
  const auto entry = parse_promotion(greffe::write_json(json));
  REQUIRE_FALSE(entry);
  return entry.error();
}
greffe::Error refused(const std::string& key, const Json& value) { return refused(key, &value); }

}  // namespace

TEST_CASE("the main log of an epoch is named after its archive") {
  CHECK(greffe::epoch_origin({"a.example", 1}) == "a.example");
  CHECK(greffe::epoch_origin({"a.example", 12}) == "a.example/epoch/12");
  CHECK(need(parse_epoch_origin("a.example")) == EpochName{"a.example", 1});
  CHECK(need(parse_epoch_origin("a.example/epoch/12")) == EpochName{"a.example", 12});
  for (const char* bad : {"", "/epoch/2", "a.example/epoch/", "a.example/epoch/1", "a.example/epoch/0", "a.example/epoch/02", "a.example/epoch/-2",
                          "a.example/epoch/2/", "a.example/epoch/2/epoch/3", "a.example/epoch/1000001", "a.example/epoch/18446744073709551618",
                          "A.example/epoch/2", "a.example/hearing/019d0a3c-7c00-7abc-8def-0123456789ab"}) {
    INFO(bad);
    CHECK(parse_epoch_origin(bad).error().code == Errc::invalid);
  }
}

TEST_CASE("a promotion is read as it was written") {
  const PromotionEntry entry = sample();
  const std::string text = greffe::write_promotion(entry);
  const PromotionEntry again = need(parse_promotion(text));
  CHECK(greffe::write_promotion(again) == text);
  CHECK(again.name == entry.name);
  CHECK(again.previous == entry.previous);
  CHECK(again.log_verifier().name == "archive.court.example/epoch/2");
  CHECK(again.holder == entry.holder);
  CHECK(again.signatures == entry.signatures);
  CHECK(signed_by_officers(again));
}

TEST_CASE("officers sign these lines") {
  const PromotionEntry entry = sample();
  CHECK(promotion_statement(entry) == "greffe promotes v1\narchive.court.example\n2\narchive.court.example\n4711\n" + entry.previous.root.hex() + "\n" +
                                          entry.log_verifier().text() + "\n" + entry.holder.text() + "\nhttps://second.court.example:8444\n" +
                                          entry.machine_key.hex() + "\n");
}

TEST_CASE("a promotion that says anything else than what officers signed is not theirs") {
  const auto changed = [](auto change) {
    PromotionEntry entry = sample();
    change(entry);
    return signed_by_officers(entry).error().code == Errc::denied;
  };
  CHECK(changed([](PromotionEntry& e) { e.name.archive = "other.court.example"; }));
  CHECK(changed([](PromotionEntry& e) { e.name.epoch = 3; }));
  CHECK(changed([](PromotionEntry& e) { e.previous.size = 4710; }));
  CHECK(changed([](PromotionEntry& e) { e.previous.root = Digest(); }));
  CHECK(changed([](PromotionEntry& e) { e.previous.origin = "other.court.example"; }));
  CHECK(changed([](PromotionEntry& e) { e.log_key = key_of("x").public_key(); }));
  CHECK(changed([](PromotionEntry& e) { e.holder.key = key_of("x").public_key(); }));
  CHECK(changed([](PromotionEntry& e) { e.machine_url = "https://thief.example:8444"; }));
  CHECK(changed([](PromotionEntry& e) { e.machine_key = key_of("x").public_key(); }));
  CHECK(changed([](PromotionEntry& e) { std::swap(e.officers[0], e.officers[1]); }));
  CHECK(changed([](PromotionEntry& e) { e.officers.pop_back(), e.signatures.pop_back(); }));
}

TEST_CASE("an officer counts until revoked, and one key is one officer") {
  Officers officers = two_officers();
  officers.take(officer("officer-2", key_of("another"), "revoked"));  // not the key that is held
  CHECK(signed_by_officers(sample(), officers));
  officers.take(officer("officer-2", key_of("two"), "revoked"));
  CHECK(signed_by_officers(sample(), officers).error().code == Errc::denied);
  Officers same;
  same.take(officer("officer-1", key_of("one")));
  same.take(officer("officer-2", key_of("one")));
  PromotionEntry entry = sample();
  entry.signatures[1] = entry.signatures[0];
  CHECK(signed_by_officers(entry, same).error().code == Errc::denied);
  KeyEntry station = officer("officer-3", key_of("three"));
  station.role = "station";
  officers.take(station);
  CHECK_FALSE(officers.all().contains("officer-3"));
}

TEST_CASE("a promotion that is not exactly one is refused with the member") {
  for (const char* key : {"archive", "epoch", "holder", "kind", "log_key", "machine_key", "machine_url", "officers", "previous", "signatures", "utc", "v"}) {
    INFO(key);
    CHECK(refused(key, nullptr).message.find(key) != std::string::npos);
  }
  CHECK(refused("epoch", Json(1)).message.find("epoch") != std::string::npos);
  CHECK(refused("epoch", Json(3)).message.find("previous") != std::string::npos);  // of epoch 1
  CHECK(refused("v", Json(2)).code == Errc::invalid);
  CHECK(refused("kind", Json("genesis")).code == Errc::invalid);
  CHECK(refused("machine_url", Json("http://second.court.example:8444")).message.find("machine_url") != std::string::npos);
  CHECK(refused("machine_url", Json("https://second.court.example:8444/path")).message.find("machine_url") != std::string::npos);
  CHECK(refused("holder", Json(sample().log_verifier().text())).message.find("holder") != std::string::npos);  // of the other type
  CHECK(refused("signatures", Json(Json::Array{})).message.find("signatures") != std::string::npos);
  Json previous;
  previous.set("origin", "archive.court.example").set("root", Digest()).set("size", 0);
  CHECK(refused("previous", previous).message.find("previous") != std::string::npos);
  const std::string text = greffe::write_promotion(sample());
  CHECK_FALSE(parse_promotion(" " + text));
  CHECK_FALSE(parse_promotion(text.substr(0, text.size() - 1)));
}
