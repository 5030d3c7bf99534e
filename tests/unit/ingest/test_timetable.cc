// The timetable of uploads: what is refused and how, the week's wrap, and the two nights on which the clocks change.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>

#include "ingest/settings.h"
#include "ingest/timetable.h"
#include "tests/unit/support/forgetful_file_system.h"

using namespace greffe;
using namespace greffe::ingest;

namespace {

// Local time of a station in Lyon, without the machine's time zone files.
struct InLyon {
  InLyon() {
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
  }
  ~InLyon() {
    unsetenv("TZ");
    tzset();
  }
};

UtcTime utc(const char* text) { return *parse_utc(text); }

Timetable table(RateLimit otherwise, std::initializer_list<const char*> windows) {
  Timetable out(otherwise);
  for (const char* window : windows) REQUIRE(out.add(window));
  return out;
}

}  // namespace

TEST_CASE("a window counts on its days and in its hours, the default outside") {
  const InLyon lyon;
  const Timetable hours = table(std::nullopt, {"mon-fri 08:00-18:00 2000", "sat 09:00-12:00 0"});
  CHECK(hours.at(utc("2026-11-23T06:59:59.999Z")) == std::nullopt);  // Monday, 07:59:59
  CHECK(hours.at(utc("2026-11-23T07:00:00.000Z")) == RateLimit(2000));
  CHECK(hours.at(utc("2026-11-27T16:59:59.000Z")) == RateLimit(2000));
  CHECK(hours.at(utc("2026-11-27T17:00:00.000Z")) == std::nullopt);
  CHECK(hours.at(utc("2026-11-28T08:30:00.000Z")) == RateLimit(0));
  CHECK(hours.at(utc("2026-11-29T08:30:00.000Z")) == std::nullopt);
  CHECK(Timetable(500).at(utc("2026-11-29T08:30:00.000Z")) == RateLimit(500));
}

TEST_CASE("a window may end on the next day, and the week has no end") {
  const InLyon lyon;
  const Timetable nights = table(0, {"mon-sun 22:00-06:00 unlimited"});
  CHECK(nights.at(utc("2026-11-29T21:30:00.000Z")) == std::nullopt);  // Sunday, 22:30
  CHECK(nights.at(utc("2026-11-30T04:59:00.000Z")) == std::nullopt);  // Monday, 05:59
  CHECK(nights.at(utc("2026-11-30T05:00:00.000Z")) == RateLimit(0));
  const Timetable weekend = table(std::nullopt, {"fri-mon 20:00-08:00 100"});
  CHECK(weekend.at(utc("2026-11-27T20:00:00.000Z")) == RateLimit(100));
  CHECK(weekend.at(utc("2026-12-01T06:59:00.000Z")) == RateLimit(100));  // Tuesday morning, begun on Monday
  CHECK(weekend.at(utc("2026-12-01T20:00:00.000Z")) == std::nullopt);
  const Timetable sunday = table(std::nullopt, {"sun 00:00-24:00 300"});
  CHECK(sunday.at(utc("2026-11-28T23:00:00.000Z")) == RateLimit(300));
  CHECK(sunday.at(utc("2026-11-29T22:59:59.000Z")) == RateLimit(300));
  CHECK(sunday.at(utc("2026-11-29T23:00:00.000Z")) == std::nullopt);
}

TEST_CASE("when the clocks change, the local clock decides") {
  const InLyon lyon;
  const Timetable early = table(std::nullopt, {"sun 02:00-03:00 700", "sun 08:00-09:00 900"});
  // 2026-10-25: 02:00 to 03:00 comes twice.
  CHECK(early.at(utc("2026-10-25T00:30:00.000Z")) == RateLimit(700));
  CHECK(early.at(utc("2026-10-25T01:30:00.000Z")) == RateLimit(700));
  CHECK(early.at(utc("2026-10-25T02:00:00.000Z")) == std::nullopt);
  CHECK(early.at(utc("2026-10-25T07:30:00.000Z")) == RateLimit(900));
  // 2026-03-29: there is no 02:30; 08:00 is an hour earlier in UTC than on the Sunday before.
  CHECK(early.at(utc("2026-03-29T00:59:59.000Z")) == std::nullopt);
  CHECK(early.at(utc("2026-03-29T01:00:00.000Z")) == std::nullopt);
  CHECK(early.at(utc("2026-03-29T06:30:00.000Z")) == RateLimit(900));
  CHECK(early.at(utc("2026-03-22T07:30:00.000Z")) == RateLimit(900));
}

TEST_CASE("what is not a window is refused with what is wrong") {
  const std::pair<const char*, const char*> wrong[] = {
      {"", "three words"}, {"mon 08:00-18:00", "three words"}, {"mon  08:00-18:00 1", "three words"}, {"mon 08:00-18:00 2000 x", "three words"},
      {"Mon 08:00-18:00 2000", "days are mon"}, {"mon-tue-wed 08:00-18:00 2000", "days are mon"}, {"- 08:00-18:00 2000", "days are mon"},
      {"mon 8:00-18:00 2000", "times are"}, {"mon 08:00-25:00 2000", "times are"}, {"mon 08:60-18:00 2000", "times are"},
      {"mon 24:00-08:00 2000", "times are"}, {"mon 08:00 2000", "times are"}, {"mon 08:00-08:00 2000", "ends when it begins"},
      {"mon +8:00-18:00 2000", "times are"}, {"mon -1:00-18:00 2000", "times are"},
      {"mon 08:00-18:00 -1", "whole number"}, {"mon 08:00-18:00 2M", "whole number"}, {"mon 08:00-18:00 99999999999999999999", "whole number"},
      {"mon 08:00-18:00 15", "at least 16"}};
  for (const auto& [window, words] : wrong) {
    Timetable out;
    const Status added = out.add(window);
    CAPTURE(window);
    REQUIRE_FALSE(added);
    CHECK(added.error().code == Errc::invalid);
    CHECK_THAT(added.error().message, Catch::Contains(words));
  }
  Timetable out;
  REQUIRE(out.add("mon-fri 08:00-18:00 2000"));
  const Status overlaps = out.add("fri 17:00-20:00 100");
  REQUIRE_FALSE(overlaps);
  CHECK_THAT(overlaps.error().message, Catch::Contains("mon-fri 08:00-18:00 2000"));
  const InLyon lyon;
  CHECK(out.at(utc("2026-11-27T17:30:00.000Z")) == std::nullopt);  // Friday, 18:30: what was refused left nothing behind
  CHECK(out.add("fri 18:00-20:00 100"));
  Timetable whole;
  CHECK(whole.add("mon-sun 08:00-07:59 100"));
  CHECK(whole.add("mon-sun 07:59-08:00 100"));
}

TEST_CASE("the configuration of uploads") {
  greffe::testing::ForgetfulFileSystem files;
  const auto load = [&](const std::string& text) {
    REQUIRE(files.make_directories("/s"));
    REQUIRE(files.replace("/s/station.toml", as_bytes(text), 0640));
    return load_settings(files, "/s/station.toml", "");
  };
  const auto good = load("[upload]\nlimit_kbit_s = 3000\ntimetable = [\"sun 00:00-24:00 unlimited\"]\nconnections = 2\n");
  REQUIRE(good);
  CHECK(good->upload.connections == 2);
  CHECK(good->upload.timetable.at(utc("2026-11-25T12:00:00.000Z")) == RateLimit(3000));
  CHECK(good->upload.timetable.at(utc("2026-11-29T12:00:00.000Z")) == std::nullopt);
  const auto none = load("");
  REQUIRE(none);
  CHECK(none->upload.connections == 4);
  CHECK(none->upload.timetable.at(utc("2026-11-25T12:00:00.000Z")) == std::nullopt);
  const std::pair<const char*, const char*> wrong[] = {{"limit_kbit_s = 5", "at least 16"}, {"limit_kbit_s = -1", "limit_kbit_s"},
                                                       {"connections = 0", "connections"}, {"timetable = [\"x\"]", "three words"},
                                                       {"speed = 1", "speed"}};
  for (const auto& [line, words] : wrong) {
    const auto bad = load(std::string("[upload]\n") + line + "\n");
    CAPTURE(line);
    REQUIRE_FALSE(bad);
    CHECK_THAT(bad.error().message, Catch::Contains(words));
    CHECK_THAT(bad.error().message, Catch::Contains("station.toml"));
  }
}
