#include <catch2/catch.hpp>

#include "archive/base/week.h"

TEST_CASE("days and times of a week are read as they are written, and nothing else is") {
  CHECK(greffe::parse_day_of_week("mon") == 0);
  CHECK(greffe::parse_day_of_week("sun") == 6);
  for (const char* wrong : {"", "Mon", "mo", "mond", "lun"}) CHECK_FALSE(greffe::parse_day_of_week(wrong));
  CHECK(greffe::parse_minute_of_day("00:00") == 0);
  CHECK(greffe::parse_minute_of_day("08:05") == 485);
  CHECK(greffe::parse_minute_of_day("24:00") == greffe::kDayMinutes);
  for (const char* wrong : {"", "8:00", "08:60", "24:01", "25:00", "+8:00", "-1:00", "08-00", "08:0", "08:000", " 8:00"}) {
    INFO(wrong);
    CHECK_FALSE(greffe::parse_minute_of_day(wrong));
  }
}

TEST_CASE("a time falls on its minute of the week, on either side of UTC and of the week's end") {
  const auto at = [](const char* utc, int offset) { return greffe::minute_of_week(greffe::parse_utc(utc).value(), offset); };
  CHECK(at("2026-11-23T00:00:00.000Z", 0) == 0);  // a Monday
  CHECK(at("2026-11-23T07:59:59.999Z", 60) == 8 * 60 + 59);
  CHECK(at("2026-11-22T23:30:00.000Z", 60) == 30);
  CHECK(at("2026-11-23T00:30:00.000Z", -60) == greffe::kWeekMinutes - 30);
  CHECK(greffe::minute_of_week(greffe::UtcTime{0}, 0) == 3 * greffe::kDayMinutes);
  CHECK(greffe::minute_of_week(greffe::UtcTime{0}, -4 * greffe::kDayMinutes) == 6 * greffe::kDayMinutes);
}
