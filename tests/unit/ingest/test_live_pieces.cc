// The parts of live recording that are pure: addresses, names of open segments, the two clocks, when media was captured.
#include <catch2/catch.hpp>

#include "archive/base/clock.h"
#include "ingest/backlog.h"
#include "ingest/capture_clock.h"
#include "ingest/live_hearing.h"
#include "ingest/source_address.h"
#include "ingest/spool.h"
#include "ingest/station_clock.h"

namespace {

using namespace greffe;
using namespace greffe::ingest;

class HandClock : public Clock {
 public:
  UtcTime utc_now() override { return utc; }
  std::int64_t monotonic_ms() override { return mono_ms; }
  std::string boot_id() override { return "boot-1"; }
  void pass(std::int64_t ms) {
    mono_ms += ms;
    utc.ms += ms;
  }
  UtcTime utc{1'800'000'000'000};
  std::int64_t mono_ms = 5'000;
};

bool g_synchronised = false;  // what the kernel would say
StationClock::Judgement judge() { return {g_synchronised, 3}; }

FinishedSegment segment(std::uint64_t run, std::int64_t media_us, std::int64_t seconds) {
  FinishedSegment out;
  out.start = {run, 0, media_us};
  out.duration_90k = seconds * 90'000;
  return out;
}

}  // namespace

TEST_CASE("a source's address is read strictly and shown without its password") {
  const auto camera = parse_source_address("rtsp://clerk:s%40cret@cam.example:8554/live/1");
  REQUIRE(camera);
  CHECK(camera->user == "clerk");
  CHECK(camera->password == "s@cret");
  CHECK(camera->text() == "rtsp://cam.example:8554/live/1");
  const auto again = parse_source_message(write_source_address(*camera));
  REQUIRE(again);
  CHECK(again->password == "s@cret");

  const auto device = parse_source_address("v4l2:/dev/video0?size=1280x720&rate=25");
  REQUIRE(device);
  CHECK(device->place == "/dev/video0");
  CHECK(device->options.at("rate") == "25");
  CHECK(device->text() == "v4l2:/dev/video0?rate=25&size=1280x720");
  CHECK(parse_source_address("file:/a recording.mp4")->place == "/a recording.mp4");

  for (const char* bad : {"", "http://x/y", "rtsp://", "rtsp:///path", "rtsp://u:%zz@h/p", "rtsp://h/a b", "v4l2:video0", "v4l2:/dev/video0?shell=1",
                          "v4l2:/dev/video0?size=1;2", "test:anything", "test:bars?size=", "alsa:", "file:"}) {
    INFO(bad);
    const auto refused = parse_source_address(bad);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::invalid);
  }
  CHECK(parse_source_address("rtsp://me:hidden@h/a b").error().message.find("hidden") == std::string::npos);
}

TEST_CASE("the name of an open segment says whose it is and when it began") {
  const OpenSegmentName name{"mic-2-left", 7, UtcTime{1'800'000'000'123}, 4567};
  const auto read = parse_open_name(name.text());
  REQUIRE(read);
  CHECK(read->stream == "mic-2-left");
  CHECK(read->run == 7);
  CHECK(read->utc.ms == 1'800'000'000'123);
  CHECK(read->mono_ms == 4567);
  CHECK_FALSE(read->transcoded);
  const OpenSegmentName encoded{"mic-2-left", 7, UtcTime{1'800'000'000'123}, 4567, true};
  CHECK(encoded.text() == "mic-2-left-7-1800000000123-4567-t.mp4");
  REQUIRE(parse_open_name(encoded.text()));
  CHECK(parse_open_name(encoded.text())->transcoded);
  CHECK(parse_open_name(encoded.text())->mono_ms == 4567);
  for (const char* bad : {"mic-1-2.mp4", "mic-1-2-3.mov", "-1-2-3.mp4", "mic-1-2--3.mp4", "mic-1-2-t.mp4", "mic-1-2-3-t-t.mp4", "Mic-1-2-3.mp4", ".mp4"}) {
    INFO(bad);
    CHECK_FALSE(parse_open_name(bad));
  }
}

TEST_CASE("a wall clock that jumps changes no time of before") {
  HandClock hand;
  g_synchronised = true;
  StationClock clock(hand, judge);
  const Moment before = clock.now();
  hand.pass(1000);
  CHECK_FALSE(clock.look());
  hand.pass(1000);
  hand.utc.ms += 3 * 3'600'000;
  REQUIRE(clock.look());
  CHECK(clock.last_jump_ms() == 3 * 3'600'000);
  CHECK(clock.at(before.mono_ms).utc == before.utc);
  CHECK(clock.at(before.mono_ms + 1000).utc.ms == before.utc.ms + 1000);
  CHECK(clock.at(before.mono_ms + 1001).utc.ms == before.utc.ms + 1001 + clock.last_jump_ms());
  CHECK(clock.now().utc == hand.utc);
  g_synchronised = false;
  CHECK_FALSE(clock.look());
  CHECK(clock.state_at(hand.mono_ms).state == "holdover");
  CHECK(clock.state_at(before.mono_ms).state == "locked");  // as it was before the jump
  hand.pass(500);
  hand.utc.ms -= 900;  // less than a second is a correction, not a jump
  CHECK_FALSE(clock.look());
  CHECK(clock.now().utc == hand.utc);
}

TEST_CASE("a clock is locked only as long as it is") {
  HandClock hand;
  g_synchronised = false;
  StationClock clock(hand, judge);
  CHECK(clock.state().state == "free");
  g_synchronised = true;
  clock.look();
  CHECK(clock.state().state == "locked");
  CHECK(clock.state().error_ms == 3);
  g_synchronised = false;
  hand.pass(10'000);
  clock.look();
  CHECK(clock.state().state == "holdover");
  const std::int64_t soon = clock.state().error_ms;
  hand.pass(10'000'000);
  clock.look();
  CHECK(clock.state().error_ms >= soon + 900);  // 100 parts in a million
}

TEST_CASE("media was captured when the least delay says") {
  CaptureClock clock;
  // Sent every 40 ms, read with 30 to 200 ms of delay.
  const std::int64_t began_us = 70'000'000;
  for (int i = 0; i < 250; ++i) clock.note(i * 40'000, began_us + i * 40'000 + 30'000 + (i * 7919 % 170) * 1000);
  const std::int64_t first = clock.start_us(segment(0, 0, 10));
  CHECK(first >= began_us + 30'000);
  CHECK(first <= began_us + 32'000);

  SECTION("a slower network for a while moves nothing by more than a quartz may be off") {
    for (int i = 250; i < 500; ++i) clock.note(i * 40'000, began_us + i * 40'000 + 900'000);
    const std::int64_t second = clock.start_us(segment(0, 10'000'000, 10));
    CHECK(second - first <= 10'005'000);
  }
  SECTION("a new run is measured anew: its own clock may have jumped") {
    for (int i = 0; i < 250; ++i) clock.note(500'000'000 + i * 40'000, began_us + 10'000'000 + i * 40'000 + 20'000);
    const std::int64_t second = clock.start_us(segment(1, 500'000'000, 10));
    CHECK(second == began_us + 10'020'000);
  }
}

TEST_CASE("what is kept beside a live hearing comes back as it was") {
  LiveRecord record;
  record.boot = "boot-1";
  record.clock = {"holdover", 12};
  record.pause = OpenPause{{UtcTime{1'800'000'000'000}, 77}, "boot-1", "recess", sha256({}), "u-17"};
  record.muted["mic-1"] = OpenPause{{UtcTime{1'800'000'000'001}, 78}, "boot-0", "operator", std::nullopt, ""};
  record.after = "power";
  record.taken_up_mono_ms = 90;
  const auto read = parse_live_record(write_live_record(record));
  REQUIRE(read);
  CHECK(read->after == "power");
  CHECK(read->taken_up_mono_ms == 90);
  CHECK(read->boot == "boot-1");
  CHECK(read->clock.error_ms == 12);
  REQUIRE(read->pause);
  CHECK(read->pause->at.mono_ms == 77);
  CHECK(read->pause->note == record.pause->note);
  CHECK(read->muted.at("mic-1").boot == "boot-0");
  CHECK_FALSE(parse_live_record("{}"));
}

TEST_CASE("a stream is accounted for until its last segment or gap") {
  HearingState state;
  OpenEntry open;
  open.start = UtcTime{1'800'000'000'000};
  open.streams = {{"cam", "video", "room"}};
  state.apply(HearingEntry(open));
  const Accounted start{{open.start, 1000}, "a"};
  CHECK(accounted_so_far(state, "cam", start).at.mono_ms == 1000);
  SegmentEntry entry;
  entry.stream = "cam";
  entry.utc = UtcTime{1'800'000'001'000};
  entry.mono_ms = 2000;
  entry.boot = "a";
  entry.duration_90k = 10 * 90'000;
  state.apply(HearingEntry(entry));
  CHECK(accounted_so_far(state, "cam", start).at.mono_ms == 12'000);
  GapEntry gap;
  gap.streams = {"*"};
  gap.boot = "a";
  gap.to_boot = "b";
  gap.from = UtcTime{1'800'000'011'000};
  gap.to = UtcTime{1'800'000'100'000};
  gap.mono_ms = {12'000, 300};  // over a restart
  state.apply(HearingEntry(gap));
  const Accounted after = accounted_so_far(state, "cam", start);
  CHECK(after.boot == "b");
  CHECK(after.at.mono_ms == 300);
  CHECK(after.at.utc == gap.to);

  // The clock of the next boot may stand higher: then only the name tells.
  gap.mono_ms = {12'000, 90'000};
  gap.to = UtcTime{1'800'000'200'000};
  gap.to_boot = "b";
  state.apply(HearingEntry(gap));
  CHECK(accounted_so_far(state, "cam", start).boot == "b");
  CHECK(accounted_so_far(state, "cam", start).at.mono_ms == 90'000);
}

TEST_CASE("what came at once is dated by the first packet that had to be waited for") {
  const AVRational milliseconds{1, 1000};
  const auto packet = [](std::int64_t dts) {
    PacketPtr out(av_packet_alloc());
    out->dts = dts;
    return out;
  };
  Backlog backlog;
  CHECK(backlog.add(packet(100), milliseconds, 9'000'000, 9'000'010).empty());
  CHECK(backlog.add(packet(140), milliseconds, 9'000'010, 9'000'020).empty());
  CHECK(backlog.add(packet(900), milliseconds, 9'000'020, 9'000'030).empty());
  const auto first = backlog.add(packet(940), milliseconds, 9'000'030, 9'025'000);
  REQUIRE(first.size() == 4);
  CHECK(first[0].packet->dts == 100);
  CHECK(first[0].mono_us == 9'025'000 - 840'000);
  CHECK(first[2].mono_us == 9'025'000 - 40'000);
  CHECK(first[3].mono_us == 9'025'000);
  const auto next = backlog.add(packet(980), milliseconds, 9'025'000, 9'025'100);  // they come two at a time
  REQUIRE(next.size() == 1);
  CHECK(next[0].mono_us == 9'025'100);

  Backlog ended;
  CHECK(ended.add(packet(500'000), milliseconds, 1'000'000, 1'000'000).empty());
  CHECK(ended.add(packet(100), milliseconds, 1'000'000, 1'000'000).empty());  // its clock was set in between
  const auto rest = ended.rest(milliseconds, 1'000'000);
  REQUIRE(rest.size() == 2);
  CHECK(rest[0].mono_us == 1'000'000);
  CHECK(ended.rest(milliseconds, 1'000'000).empty());
}

TEST_CASE("a source that never lets itself be waited for is read all the same") {
  Backlog backlog;
  std::size_t given = 0;
  for (std::int64_t i = 0; i < 100 && given == 0; ++i) {
    PacketPtr packet(av_packet_alloc());
    REQUIRE(av_new_packet(packet.get(), 1024 * 1024) == 0);
    packet->dts = i;
    given = backlog.add(std::move(packet), AVRational{1, 1000}, i, i).size();
  }
  CHECK(given == 8);
}
