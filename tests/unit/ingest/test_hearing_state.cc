#include <catch2/catch.hpp>

#include "ingest/hearing_state.h"

using greffe::Digest;
using greffe::SegmentEntry;
using greffe::UtcTime;
using greffe::ingest::HearingState;

namespace {

greffe::OpenEntry open_entry() {
  greffe::OpenEntry e;
  e.archive = "archive.court.example";
  e.hearing = greffe::make_hearing_id(UtcTime{1'795'338'000'000});
  e.station = "station-1";
  e.court = "court-1";
  e.room = "room-3";
  e.streams = {{"mic-judge", "audio", "room"}, {"cam-bench", "video", "room"}};
  e.start = UtcTime{1'795'338'000'000};
  e.boot = "import";
  return e;
}

SegmentEntry segment(const std::string& stream, std::uint64_t seq, std::int64_t start_s) {
  SegmentEntry e;
  e.stream = stream;
  e.seq = seq;
  const std::string name = stream + std::to_string(seq);
  e.sha256 = greffe::sha256(greffe::as_bytes(name));
  e.bytes = 1000;
  e.init_bytes = 100;
  e.duration_90k = 900'000;
  e.utc = UtcTime{1'795'338'000'000 + start_s * 1000};
  return e;
}

}  // namespace

TEST_CASE("totals count what was logged, and every logged segment is known by its digest") {
  HearingState state;
  state.apply(greffe::HearingEntry(open_entry()));
  for (std::uint64_t i = 0; i < 5; ++i) state.apply(greffe::HearingEntry(segment("mic-judge", i, static_cast<std::int64_t>(i) * 10)));
  const auto* stream = state.find("mic-judge");
  REQUIRE(stream != nullptr);
  CHECK(stream->segments == 5);
  for (std::uint64_t i = 0; i < 5; ++i) CHECK(stream->logged.contains(segment("mic-judge", i, 0).sha256));
  CHECK_FALSE(stream->logged.contains(segment("mic-judge", 5, 0).sha256));
  CHECK(state.end() == UtcTime{1'795'338'050'000});
  const greffe::CloseEntry close = state.close_entry();
  for (const greffe::StreamTotal& total : close.totals) {
    if (total.stream == "mic-judge") CHECK((total.segments == 5 && total.bytes == 5000 && total.duration_90k == 4'500'000));
    if (total.stream == "cam-bench") CHECK(total.segments == 0);
  }
}

TEST_CASE("a hearing is about what the last correction says") {
  HearingState state;
  greffe::OpenEntry open = open_entry();
  open.details = greffe::sha256(greffe::as_bytes("wrong"));
  state.apply(greffe::HearingEntry(open));
  CHECK(state.details() == open.details);
  for (const char* words : {"wrong again", "right"}) {
    state.apply(greffe::HearingEntry(greffe::CorrectionEntry{greffe::sha256(greffe::as_bytes(words)), UtcTime{1'795'338'001'000}, "g-07"}));
  }
  CHECK(state.details() == greffe::sha256(greffe::as_bytes("right")));
  CHECK(state.corrections().size() == 2);
  CHECK(state.end() == open.start);  // says nothing about time
}

TEST_CASE("a live hearing to which files were added ends on the clock of its opening") {
  HearingState state;
  greffe::OpenEntry open = open_entry();
  open.boot = "88701a4b-26b6-4a8d-a01a-b116e06f7f92";
  open.mono_ms = 6'898'468;
  state.apply(greffe::HearingEntry(open));
  state.apply(greffe::HearingEntry(segment("mic-judge", 0, 60)));  // of an import, whose clock begins with the hearing
  CHECK(state.close_entry().mono_ms == 6'898'468 + 70'000);
  CHECK(state.close_entry().boot == open.boot);
}

TEST_CASE("time that nothing covers is undeclared until a gap names it") {
  HearingState state;
  const UtcTime start{1'795'338'000'000};
  const UtcTime end{start.ms + 60'000};
  state.apply(greffe::HearingEntry(open_entry()));
  CHECK(state.undeclared("cam-bench", start, end).size() == 1);
  greffe::GapEntry gap;
  gap.streams = {"*"};
  gap.from = start;
  gap.to = UtcTime{start.ms + 30'000};
  gap.reason = "recess";
  state.apply(greffe::HearingEntry(gap));
  const auto left = state.undeclared("cam-bench", start, end);
  REQUIRE(left.size() == 1);
  CHECK(left[0].from.ms == start.ms + 30'000);
  CHECK(left[0].to == end);
}

TEST_CASE("a gap waits for an explanation until its reason, a note or an entry gives one") {
  HearingState state;
  state.apply(greffe::HearingEntry(open_entry()));
  const auto gap = [](const char* reason) {
    greffe::GapEntry e;
    e.streams = {"*"};
    e.reason = reason;
    return e;
  };
  state.apply(greffe::HearingEntry(gap("recess")));
  state.apply(greffe::HearingEntry(segment("mic-judge", 0, 0)));
  state.apply(greffe::HearingEntry(gap("power")));
  greffe::GapEntry noted = gap("fault");
  noted.note = Digest{};
  state.apply(greffe::HearingEntry(noted));
  state.apply(greffe::HearingEntry(gap("unknown")));
  const auto waiting = state.unexplained();
  REQUIRE(waiting.size() == 2);
  CHECK((waiting[0].index == 3 && waiting[0].entry.reason == "power" && waiting[1].index == 5));
  state.apply(greffe::HearingEntry(greffe::ExplanationEntry{3, {}, "u-17", ""}));
  REQUIRE(state.unexplained().size() == 1);
  CHECK(state.unexplained()[0].index == 5);
  CHECK(state.gaps().size() == 4);
}
