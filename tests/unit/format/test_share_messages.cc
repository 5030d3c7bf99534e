// What is said between sites of hearings that are shared: what the readers refuse.
#include <catch2/catch.hpp>

#include "archive/format/canonical_json.h"
#include "archive/format/documents.h"
#include "archive/format/share_messages.h"

using greffe::Errc;
using greffe::Json;
using greffe::LookedAt;

namespace {

greffe::ToldShare sample_share(const std::string& words) {
  greffe::ToldShare out;
  out.reason = greffe::write_note("reason", words);
  out.share.action = "granted";
  out.share.archive = "archive.lyon.example";
  out.share.hearing = greffe::make_hearing_id(greffe::UtcTime{1'795'338'000'000});
  out.share.court = "archive.wuhan.example/civil";
  out.share.reason = greffe::sha256(greffe::as_bytes(out.reason));
  out.share.account = "u-1";
  out.share.utc = greffe::UtcTime{1'795'338'000'000};
  return out;
}

Errc refusal(const std::string& told) {
  const auto read = greffe::parse_shares_told(told);
  REQUIRE_FALSE(read);
  return read.error().code;
}

std::string with_share(const std::string& entry, const std::string& reason) {
  Json one;
  one.set("entry", entry).set("reason", reason);
  return greffe::write_json(Json().set("looked_at", Json()).set("shares", Json::Array{one}));
}

}  // namespace

TEST_CASE("what is told of shares is read as it was written") {
  const greffe::SharesTold told{{sample_share("the appeal"), sample_share("同一当事人")}, {{"archive.lyon.example", 12}, {"province.example", 0}}};
  const auto again = greffe::parse_shares_told(greffe::write_shares_told(told));
  REQUIRE(again);
  CHECK(again->looked_at == told.looked_at);
  REQUIRE(again->shares.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(again->shares[i].reason == told.shares[i].reason);
    CHECK(greffe::write_main_entry(again->shares[i].share) == greffe::write_main_entry(told.shares[i].share));
  }
  const auto question = greffe::parse_shares_question(greffe::write_shares_question(told.looked_at));
  REQUIRE(question);
  CHECK(*question == told.looked_at);
}

TEST_CASE("the longest answer fits into what a client takes") {
  greffe::SharesTold told;
  for (std::size_t i = 0; i < greffe::kToldSharesMax; ++i) told.shares.push_back(sample_share(std::string(2000, '\x01')));
  const std::string text = greffe::write_shares_told(told);
  CHECK(text.size() < 1024 * 1024);
  CHECK(greffe::parse_shares_told(text));
}

TEST_CASE("an answer about shares with anything else in it is refused") {
  const greffe::ToldShare good = sample_share("the appeal");
  const std::string entry = greffe::write_main_entry(good.share);
  CHECK(greffe::parse_shares_told(with_share(entry, good.reason)));
  CHECK(refusal(with_share(entry, greffe::write_note("reason", "another"))) == Errc::invalid);
  CHECK(refusal(with_share(" " + entry, good.reason)) == Errc::invalid);
  greffe::PlaceEntry place;
  place.court = "civil";
  CHECK(refusal(with_share(greffe::write_main_entry(place), good.reason)) == Errc::invalid);
  greffe::ToldShare bare = good;
  bare.reason = "{}";
  bare.share.reason = greffe::sha256(greffe::as_bytes(bare.reason));
  CHECK(refusal(with_share(greffe::write_main_entry(bare.share), bare.reason)) == Errc::invalid);
  greffe::SharesTold many;
  many.shares.assign(greffe::kToldSharesMax + 1, good);
  CHECK(refusal(greffe::write_shares_told(many)) == Errc::invalid);
}

TEST_CASE("a question about shares names archives and numbers, not too many") {
  for (const std::string& text : {std::string("{}"), std::string(R"({"looked_at":[]})"), std::string(R"({"looked_at":{"Not A Name":1}})"),
                                  std::string(R"({"looked_at":{"archive.lyon.example":-1}})"), std::string(R"({"looked_at":{"archive.lyon.example":"1"}})")}) {
    INFO(text);
    CHECK_FALSE(greffe::parse_shares_question(text));
  }
  LookedAt many;
  for (std::size_t i = 0; i <= greffe::kLookedAtArchivesMax; ++i) many["a" + std::to_string(i)] = i;
  CHECK_FALSE(greffe::parse_shares_question(greffe::write_shares_question(many)));
}
