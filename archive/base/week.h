// The week as timetables state it: days by name, times of a clock on the wall, minutes from Monday 00:00. Pure.
#ifndef GREFFE_ARCHIVE_BASE_WEEK_H
#define GREFFE_ARCHIVE_BASE_WEEK_H

#include <optional>
#include <string_view>

#include "archive/base/clock.h"

namespace greffe {

constexpr int kDayMinutes = 24 * 60;
constexpr int kWeekMinutes = 7 * kDayMinutes;

std::optional<int> parse_day_of_week(std::string_view text);    // "mon" to "sun": 0 to 6
std::optional<int> parse_minute_of_day(std::string_view text);  // "00:00" to "24:00"
// What a clock shows that is so far ahead of UTC.
int minute_of_week(UtcTime time, int offset_minutes);

}  // namespace greffe

#endif
