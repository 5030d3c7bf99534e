#include <catch2/catch.hpp>

#include "archive/base/zone.h"

using greffe::UtcTime;
using greffe::WallTime;
using greffe::Zone;

namespace {

Zone zone(const char* name) {
  auto out = Zone::named(name);
  REQUIRE(out);
  return *out;
}
UtcTime utc(const char* text) {
  auto out = greffe::parse_utc(text);
  REQUIRE(out);
  return *out;
}

}  // namespace

TEST_CASE("a wall clock shows the time of its zone, in summer and in winter") {
  const Zone paris = zone("Europe/Paris");
  CHECK(paris.at(utc("2026-11-22T09:00:00.250Z")) == WallTime{2026, 11, 22, 10, 0, 0, 250});
  CHECK(paris.at(utc("2026-06-30T22:30:00.000Z")) == WallTime{2026, 7, 1, 0, 30, 0, 0});
  CHECK(paris.offset_minutes(utc("2026-11-22T09:00:00.000Z")) == 60);
  CHECK(paris.offset_minutes(utc("2026-06-30T22:30:00.000Z")) == 120);
  CHECK(zone("Asia/Shanghai").at(utc("2026-11-22T16:00:00.000Z")) == WallTime{2026, 11, 23, 0, 0, 0, 0});
  CHECK(zone("America/St_Johns").offset_minutes(utc("2026-11-22T09:00:00.000Z")) == -210);
  CHECK(zone("Asia/Shanghai").name() == "Asia/Shanghai");
}

TEST_CASE("a wall time is a moment, unless the clocks skip it or show it twice") {
  const Zone paris = zone("Europe/Paris");
  CHECK(*paris.utc_of({2026, 11, 22, 10, 0, 0, 250}) == utc("2026-11-22T09:00:00.250Z"));
  CHECK(*paris.utc_of({2026, 7, 1, 0, 30, 0, 0}) == utc("2026-06-30T22:30:00.000Z"));
  CHECK(paris.utc_of({2026, 3, 29, 2, 30, 0, 0}).error().message == "the clocks of Europe/Paris skip 2026-03-29 02:30");
  CHECK(paris.utc_of({2026, 10, 25, 2, 30, 0, 0}).error().message == "the clocks of Europe/Paris show 2026-10-25 02:30 twice; write it in UTC");
  for (const WallTime& wrong : {WallTime{2026, 2, 29, 9, 0, 0, 0}, WallTime{2026, 13, 1, 9, 0, 0, 0}, WallTime{2026, 0, 1, 9, 0, 0, 0},
                                WallTime{1969, 1, 1, 9, 0, 0, 0}, WallTime{2026, 1, 1, 24, 0, 0, 0}, WallTime{2026, 1, 1, 9, 60, 0, 0},
                                WallTime{2026, 1, -1, 9, 0, 0, 0}}) {
    CHECK_FALSE(paris.utc_of(wrong));
  }
}

TEST_CASE("a zone that does not exist is refused with an example") {
  for (const char* name : {"", "Europe/Montclair", "../../etc/passwd", "europe/paris"}) {
    const auto refused = Zone::named(name);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == greffe::Errc::invalid);
    CHECK_THAT(refused.error().message, Catch::Contains("names look like Europe/Paris"));
  }
}
