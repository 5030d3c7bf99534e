// How far the scrub is: what a pass says of itself, and what of it survives.
#include <catch2/catch.hpp>

#include "archive/scrub_state.h"
#include "tests/unit/support/forgetful_file_system.h"

using greffe::Digest;
using greffe::Errc;
using greffe::UtcTime;
using greffe::archive::kAllNames;
using greffe::archive::ScrubState;
using greffe::archive::VolumePass;

namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kPeriodMs = 100 * kDayMs;
constexpr UtcTime kStart{1'795'600'000'000};

UtcTime day(std::int64_t n) { return UtcTime{kStart.ms + n * kDayMs}; }

// A name at this part of 256 of all names.
Digest name_at(unsigned part, std::uint8_t rest = 1) {
  Digest out;
  out.bytes[0] = static_cast<std::uint8_t>(part);
  out.bytes[31] = rest;
  return out;
}

// A whole pass that reads a name in each of 16 shares, evenly over `days`.
void one_pass(VolumePass& pass, std::int64_t first_day, std::int64_t days) {
  for (unsigned share = 0; share < 16; ++share) {
    pass.take(name_at(share * 16), 10, true, UtcTime{day(first_day).ms + days * kDayMs * share / 16});
  }
  pass.finish(day(first_day + days));
}

}  // namespace

TEST_CASE("every name has its time within four fifths of the period") {
  const VolumePass pass = VolumePass::begin("v", kStart);
  REQUIRE(pass.due(0, kPeriodMs) == kStart);
  REQUIRE(pass.due(kAllNames / 2, kPeriodMs) == day(40));
  REQUIRE(pass.due(kAllNames, kPeriodMs) == day(80));
  const std::int64_t longest_ms = 366 * kDayMs;
  REQUIRE(pass.due(kAllNames, longest_ms).ms == kStart.ms + longest_ms / 5 * 4);
}

TEST_CASE("what was read is told no younger than it is") {
  VolumePass pass = VolumePass::begin("v", kStart);
  REQUIRE_FALSE(pass.oldest());
  REQUIRE_FALSE(pass.late(kPeriodMs, day(100)));
  REQUIRE(pass.late(kPeriodMs, day(101)));  // it was there all the time, and nobody read it
  one_pass(pass, 0, 80);
  REQUIRE(pass.passes == 1);
  REQUIRE(pass.oldest() == kStart);
  // The second pass: its first name was read 80 days before, its last one too.
  for (unsigned share = 0; share < 15; ++share) pass.take(name_at(share * 16), 10, true, day(80 + share * 5));
  REQUIRE(pass.oldest() == day(70));  // share 14 is under way; of it the first pass counts, as of share 15
  REQUIRE_FALSE(pass.late(kPeriodMs, day(160)));
  REQUIRE(pass.late(kPeriodMs, day(171)));
  const auto longest = pass.longest_at_end(day(160));
  REQUIRE(longest.has_value());
  REQUIRE(*longest >= 80 * kDayMs);
  REQUIRE(*longest <= 90 * kDayMs);  // a share more than it was
  pass.finish(day(160));
  REQUIRE(pass.oldest() == day(80));
  REQUIRE(pass.objects == 0);
  REQUIRE_FALSE(pass.after);
}

TEST_CASE("a first pass has nothing to compare with") {
  VolumePass pass = VolumePass::begin("v", kStart);
  pass.take(name_at(3), 10, true, day(1));
  REQUIRE_FALSE(pass.longest_at_end(day(80)));
}

TEST_CASE("shares without a single name count as read when the pass went over them") {
  VolumePass pass = VolumePass::begin("v", kStart);
  pass.finish(day(80));
  REQUIRE(pass.oldest() == kStart);
  pass.finish(day(160));
  REQUIRE(pass.oldest() == day(80));
}

TEST_CASE("a clock that is set back makes nothing read that was not, and stops nothing") {
  VolumePass pass = VolumePass::begin("v", kStart);
  one_pass(pass, 0, 80);
  pass.take(name_at(128), 10, true, day(120));
  const UtcTime now = day(-3650);
  pass.clock_went_back(now, kPeriodMs);
  REQUIRE(pass.due(pass.position(), kPeriodMs) == now);
  REQUIRE_FALSE(pass.oldest());
  REQUIRE_FALSE(pass.late(kPeriodMs, now));
  REQUIRE(pass.late(kPeriodMs, UtcTime{now.ms + kPeriodMs + 1}));
}

TEST_CASE("the results of a pass make one tree, also when it was gone on with") {
  VolumePass whole = VolumePass::begin("v", kStart);
  VolumePass parts = whole;
  greffe::TreeEdge edge;
  for (unsigned i = 0; i < 100; ++i) {
    whole.take(name_at(i), 1, i != 7, day(1));
    parts.take(name_at(i), 1, i != 7, day(1));
    edge.append(greffe::leaf_hash(greffe::as_bytes(name_at(i).hex() + (i == 7 ? " damaged" : " good"))));
    ScrubState state;
    state.volumes.push_back(parts);
    parts = greffe::archive::parse_scrub_state(greffe::archive::write_scrub_state(state))->volumes[0];
  }
  REQUIRE(whole.results.root() == edge.root());
  REQUIRE(parts.results.root() == edge.root());
  REQUIRE(parts.after == whole.after);
  REQUIRE(parts.objects == 100);
}

TEST_CASE("the state is read as it was written, or not at all") {
  ScrubState state;
  state.pool = "00112233445566778899aabbccddeeff";
  state.saved = day(3);
  state.volumes.push_back(VolumePass::begin("v1", kStart));
  one_pass(state.volumes[0], 0, 80);
  state.volumes[0].take(name_at(9), 77, false, day(81));
  state.volumes[0].failures = 1;
  state.logs.began = day(2);
  state.logs.after = "log/main";
  state.logs.results.append(name_at(1));

  greffe::testing::ForgetfulFileSystem files;
  REQUIRE(files.make_directories("/state"));
  REQUIRE(greffe::archive::load_scrub_state(files, "/state/scrub.json").error().code == Errc::not_found);
  REQUIRE(save_scrub_state(files, "/state/scrub.json", state));
  files.crash();
  const auto again = greffe::archive::load_scrub_state(files, "/state/scrub.json");
  REQUIRE(again);
  REQUIRE(write_scrub_state(*again) == write_scrub_state(state));
  REQUIRE(again->volumes[0].oldest() == state.volumes[0].oldest());
  REQUIRE(again->logs.after == "log/main");

  const std::string text = write_scrub_state(state);
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"v\":1", "\"v\":2"}, {"\"objects\":1", "\"objects\":2"}, {"\"read_ms\":[", "\"read_ms\":[1,"}, {"\"after\":\"09", "\"after\":\"x9"}}) {
    INFO(to);
    std::string bad = text;
    REQUIRE(bad.find(from) != std::string::npos);
    bad.replace(bad.find(from), from.size(), to);
    REQUIRE_FALSE(greffe::archive::parse_scrub_state(bad));
  }
  REQUIRE_FALSE(greffe::archive::parse_scrub_state(text.substr(0, text.size() / 2)));
}
