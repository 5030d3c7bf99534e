#include "archive/format/finished_hearing.h"

#include <catch2/catch.hpp>

using greffe::CloseEntry;
using greffe::FinishedHearing;
using greffe::HearingEntry;
using greffe::OpenEntry;
using greffe::SegmentEntry;
using greffe::StreamTotal;
using Indices = std::vector<std::uint64_t>;

namespace {

SegmentEntry segment(const std::string& stream, std::uint64_t bytes, std::int64_t duration_90k) {
  SegmentEntry out;
  out.stream = stream;
  out.bytes = bytes;
  out.duration_90k = duration_90k;
  return out;
}

OpenEntry opening() {
  OpenEntry out;
  out.streams = {{"cam-bench", "video", "room"}, {"mic-judge", "audio", "room"}};
  return out;
}

CloseEntry closing(std::vector<StreamTotal> totals) {
  CloseEntry out;
  out.totals = std::move(totals);
  return out;
}

Indices beside(const std::vector<HearingEntry>& entries) {
  FinishedHearing hearing;
  for (std::size_t i = 0; i < entries.size(); ++i) hearing.take(i, entries[i]);
  return hearing.beside();
}

}  // namespace

TEST_CASE("what a finished hearing's totals do not say") {
  const greffe::PeaksEntry peaks{"cam-bench", {}, 6000, {}};
  const greffe::ExplanationEntry explanation{3, {}, {}, {}};
  const HearingEntry late = greffe::StreamEntry{{"screen", "video", "screen"}};
  CHECK(beside({opening(), segment("cam-bench", 10, 5), segment("cam-bench", 20, 6), greffe::GapEntry{}, peaks, greffe::MarkEntry{}, late,
                segment("screen", 7, 8), explanation, greffe::CorrectionEntry{}, greffe::LostEntry{},
                closing({{"screen", 1, 7, 8}, {"cam-bench", 2, 30, 11}})}) == Indices{0, 3, 5, 6, 9, 10, 11});
  // A stream of which nothing was recorded may be stated, or not.
  CHECK(beside({opening(), segment("cam-bench", 10, 5), closing({{"cam-bench", 1, 10, 5}, {"mic-judge", 0, 0, 0}})}) == Indices{0, 2});
  CHECK(beside({opening(), closing({})}) == Indices{0, 1});
}

TEST_CASE("a hearing whose totals do not stand for its segments is read whole") {
  const std::vector<HearingEntry> begun = {opening(), segment("cam-bench", 10, 5)};
  const auto closed_with = [&](std::vector<StreamTotal> totals) {
    std::vector<HearingEntry> entries = begun;
    entries.push_back(closing(std::move(totals)));
    return beside(entries);
  };
  REQUIRE_FALSE(closed_with({{"cam-bench", 1, 10, 5}}).empty());
  CHECK(beside(begun).empty());
  CHECK(closed_with({}).empty());
  CHECK(closed_with({{"cam-bench", 2, 10, 5}}).empty());
  CHECK(closed_with({{"cam-bench", 1, 11, 5}}).empty());
  CHECK(closed_with({{"cam-bench", 1, 10, 6}}).empty());
  CHECK(closed_with({{"cam-bench", 1, 10, 5}, {"mic-judge", 1, 0, 0}}).empty());
  CHECK(closed_with({{"cam-bench", 1, 10, 5}, {"screen", 0, 0, 0}}).empty());  // never heard of
  // A stream that is declared after its first segment, or never.
  const HearingEntry late = greffe::StreamEntry{{"screen", "video", "screen"}};
  CHECK(beside({opening(), segment("screen", 7, 8), late, closing({{"screen", 1, 7, 8}})}).empty());
  CHECK(beside({opening(), segment("screen", 7, 8), closing({{"screen", 1, 7, 8}})}).empty());
  std::vector<HearingEntry> many = {opening()};
  while (many.size() < greffe::kMaxBeside - 1) many.push_back(greffe::MarkEntry{});
  many.push_back(closing({}));
  REQUIRE(beside(many).size() == greffe::kMaxBeside);
  many.insert(many.begin() + 1, greffe::MarkEntry{});
  CHECK(beside(many).empty());
}

TEST_CASE("a checkpoint entry with what stands beside the totals") {
  greffe::HearingCheckpointEntry entry;
  entry.hearing = greffe::make_hearing_id({1'780'000'000'000});
  const greffe::Checkpoint about{greffe::hearing_origin("archive.court.example", entry.hearing), 1600, greffe::sha256({})};
  entry.note = greffe::SignedNote{about.text(), {sign_checkpoint(about, greffe::PrivateKey::generate())}}.write();
  entry.closed = true;
  const auto beside_of = [](const std::string& text) { return std::get<greffe::HearingCheckpointEntry>(*greffe::parse_main_entry(text)).beside; };
  const std::string plain = greffe::write_main_entry(entry);
  CHECK(beside_of(plain).empty());
  entry.beside = {0, 17, 1599};
  const std::string text = greffe::write_main_entry(entry);
  CHECK(text.starts_with("{\"beside\":[0,17,1599],\"closed\":true,"));
  CHECK(beside_of(text) == Indices{0, 17, 1599});
  const auto with = [&](const std::string& list) { return greffe::parse_main_entry("{\"beside\":" + list + "," + plain.substr(1)); };
  REQUIRE(with("[0,5]"));
  for (const char* list : {"[]", "[1]", "[0,0]", "[0,2,1]", "[0,-1]", "[0,true]", "{}", "7", "[\"0\"]"}) CHECK_FALSE(with(list));
}
