#include <catch2/catch.hpp>

#include "archive/verify/timeline.h"

using greffe::HearingEntry;
using greffe::UtcTime;
using greffe::verify::Finding;
using greffe::verify::Timeline;

namespace {

constexpr std::int64_t kStart = 1'790'000'000'000;

greffe::OpenEntry open_entry(std::vector<std::string> streams) {
  greffe::OpenEntry out;
  out.start = UtcTime{kStart};
  for (std::string& name : streams) out.streams.push_back({std::move(name), "video", "room"});
  return out;
}

greffe::SegmentEntry segment(std::uint64_t seq, std::int64_t at_s, std::uint64_t run = 0, std::int64_t start_90k = -1) {
  greffe::SegmentEntry out;
  out.stream = "cam";
  out.seq = seq;
  out.run = run;
  out.bytes = 100;
  out.start_90k = start_90k >= 0 ? start_90k : 90'000 + at_s * 90'000;
  out.duration_90k = 900'000;
  out.utc = UtcTime{kStart + at_s * 1000};
  return out;
}

greffe::GapEntry gap(std::int64_t from_s, std::int64_t to_s, std::vector<std::string> streams = {"*"}) {
  greffe::GapEntry out;
  out.streams = std::move(streams);
  out.from = UtcTime{kStart + from_s * 1000};
  out.to = UtcTime{kStart + to_s * 1000};
  out.reason = "recess";
  return out;
}

greffe::CloseEntry close_entry(std::int64_t at_s, std::uint64_t segments) {
  greffe::CloseEntry out;
  out.end = UtcTime{kStart + at_s * 1000};
  out.totals.push_back({"cam", segments, segments * 100, static_cast<std::int64_t>(segments) * 900'000});
  return out;
}

std::vector<Finding> run(const std::vector<HearingEntry>& entries) {
  std::vector<Finding> out;
  Timeline timeline([&](Finding f) { out.push_back(std::move(f)); });
  for (std::size_t i = 0; i < entries.size(); ++i) timeline.add(i, entries[i]);
  timeline.finish();
  return out;
}

}  // namespace

TEST_CASE("a recording without holes is in order") {
  CHECK(run({open_entry({"cam"}), segment(0, 0), segment(1, 10), close_entry(20, 2)}).empty());
}

TEST_CASE("a hole needs a gap that covers it") {
  const auto findings = run({open_entry({"cam"}), segment(0, 0), segment(1, 60, 1, 1'080'000), close_entry(70, 2)});
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].code == "gap-undeclared");
  CHECK(findings[0].from->ms == kStart + 10'000);
  CHECK(findings[0].to->ms == kStart + 60'000);
  CHECK(findings[0].entry == 2);

  CHECK(run({open_entry({"cam"}), segment(0, 0), gap(10, 60), segment(1, 60, 1, 1'080'000), close_entry(70, 2)}).empty());
  const auto partly = run({open_entry({"cam"}), segment(0, 0), gap(10, 40), segment(1, 60, 1, 1'080'000), close_entry(70, 2)});
  REQUIRE(partly.size() == 1);
  CHECK(partly[0].from->ms == kStart + 40'000);
  const auto other = run({open_entry({"cam"}), segment(0, 0), gap(10, 60, {"mic"}), segment(1, 60, 1, 1'080'000), close_entry(70, 2)});
  CHECK(other.size() == 1);
}

TEST_CASE("two seconds may pass undeclared, three may not") {
  CHECK(run({open_entry({"cam"}), segment(0, 2), close_entry(14, 1)}).size() == 1);  // 2 s early, 2 s late; but tfdt is off
  CHECK(run({open_entry({"cam"}), segment(0, 2, 0, 90'000), close_entry(14, 1)}).empty());
  CHECK(run({open_entry({"cam"}), segment(0, 3, 0, 90'000), close_entry(13, 1)}).size() == 1);
  CHECK(run({open_entry({"cam"}), segment(0, 0), close_entry(13, 1)}).size() == 1);
}

TEST_CASE("sequence, runs and media time must follow each other") {
  CHECK(run({open_entry({"cam"}), segment(0, 0), segment(2, 10), close_entry(20, 2)}).front().code == "segment-seq");
  CHECK(run({open_entry({"cam"}), segment(0, 0), segment(1, 10, 2, 1'080'000), close_entry(20, 2)}).front().code == "segment-seq");
  CHECK(run({open_entry({"cam"}), segment(0, 0), segment(1, 10, 0, 1'100'000), close_entry(20, 2)}).front().code == "timeline");
  CHECK(run({open_entry({"cam"}), segment(0, 0), segment(1, 5, 0, 990'000), close_entry(15, 2)}).front().code == "timeline");
  // A later run may not go back in media time: players would drop what does.
  CHECK(run({open_entry({"cam"}), segment(0, 0), gap(10, 60), segment(1, 60, 1, 90'000), close_entry(70, 2)}).front().code == "timeline");
}

TEST_CASE("a hearing that continues another may begin in the middle of a run, and only there") {
  auto continues = open_entry({"cam"});
  continues.continues = greffe::make_hearing_id(continues.start);
  CHECK(run({continues, segment(0, 0, 0, 990'000), segment(1, 10, 0, 1'890'000)}).empty());
  CHECK(run({continues, segment(0, 0, 0, 990'000), segment(1, 10, 0, 990'000)}).size() == 1);
  CHECK(run({open_entry({"cam"}), segment(0, 0, 0, 990'000), segment(1, 10, 0, 1'890'000)}).size() == 1);
}

TEST_CASE("every expected stream is there or its absence is declared") {
  const auto findings = run({open_entry({"cam", "mic"}), segment(0, 0), close_entry(10, 1)});
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].code == "stream-missing");
  CHECK(findings[0].stream == "mic");
  CHECK(run({open_entry({"cam", "mic"}), segment(0, 0), gap(0, 10, {"mic"}), close_entry(10, 1)}).empty());
}

TEST_CASE("the totals of the close are those of the log") {
  CHECK(run({open_entry({"cam"}), segment(0, 0), close_entry(10, 2)}).front().code == "totals");
}

namespace {

greffe::SegmentEntry live(std::uint64_t seq, std::uint64_t run, const std::string& boot, std::int64_t mono_s, std::int64_t utc_s) {
  greffe::SegmentEntry out = segment(seq, utc_s, run, 90'000 * static_cast<std::int64_t>(run + 1) + 900'000 * static_cast<std::int64_t>(seq));
  out.boot = boot;
  out.mono_ms = mono_s * 1000;
  return out;
}

greffe::OpenEntry live_open(const std::string& boot, std::int64_t mono_s) {
  greffe::OpenEntry out = open_entry({"cam"});
  out.boot = boot;
  out.mono_ms = mono_s * 1000;
  return out;
}

greffe::CloseEntry live_close(const std::string& boot, std::int64_t mono_s, std::int64_t utc_s, std::uint64_t segments) {
  greffe::CloseEntry out = close_entry(utc_s, segments);
  out.boot = boot;
  out.mono_ms = mono_s * 1000;
  return out;
}

}  // namespace

TEST_CASE("a wall clock that is set makes no hole and hides none") {
  for (const std::int64_t step : {10'800, -10'800}) {
    CHECK(run({live_open("b", 500), live(0, 0, "b", 500, 0), live(1, 1, "b", 510, 10 + step), live_close("b", 520, 20 + step, 2)}).empty());
    // A minute is missing, and the wall clock was set by just so much that it seems not to be.
    const auto hidden = run({live_open("b", 500), live(0, 0, "b", 500, 0), live(1, 1, "b", 570, 10), live_close("b", 580, 20, 2)});
    REQUIRE(hidden.size() == 1);
    CHECK(hidden[0].code == "gap-undeclared");
    CHECK(hidden[0].entry == 2);
  }
}

TEST_CASE("a gap over a restart covers the hole up to the next boot") {
  greffe::GapEntry power = gap(10, 60);
  power.boot = "b";
  power.to_boot = "c";
  power.mono_ms = {510'000, 900'000};
  CHECK(run({live_open("b", 500), live(0, 0, "b", 500, 0), power, live(1, 1, "c", 900, 60), live_close("c", 910, 70, 2)}).empty());
  const auto undeclared = run({live_open("b", 500), live(0, 0, "b", 500, 0), live(1, 1, "c", 900, 60), live_close("c", 910, 70, 2)});
  REQUIRE(undeclared.size() == 1);
  CHECK(undeclared[0].code == "gap-undeclared");
}

TEST_CASE("an explanation is of a gap that stands before it, and is told beside the gap") {
  std::vector<Finding> findings;
  Timeline timeline([&](Finding f) { findings.push_back(std::move(f)); });
  const std::vector<HearingEntry> entries{open_entry({"cam"}), segment(0, 0), gap(10, 60),
                                          greffe::ExplanationEntry{2, {}, "u-17", "power"}, segment(1, 60, 1, 1'080'000),
                                          greffe::ExplanationEntry{1, {}, "", ""}, greffe::ExplanationEntry{6, {}, "", ""}};
  for (std::size_t i = 0; i < entries.size(); ++i) timeline.add(i, entries[i]);
  timeline.finish();
  REQUIRE(findings.size() == 2);
  for (const Finding& f : findings) CHECK(f.code == "explanation");
  CHECK((findings[0].entry == 5 && findings[1].entry == 6));
  REQUIRE(timeline.gaps().size() == 1);
  REQUIRE(timeline.gaps()[0].explanations.size() == 1);
  CHECK((timeline.gaps()[0].explanations[0].person == "u-17" && timeline.gaps()[0].explanations[0].reason == "power"));
}
