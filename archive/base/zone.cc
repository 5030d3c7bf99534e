#include "archive/base/zone.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <chrono>
#include <exception>

namespace greffe {
namespace {

using std::chrono::milliseconds;
using SysTime = date::sys_time<milliseconds>;

const date::time_zone& zone_of(const void* zone) { return *static_cast<const date::time_zone*>(zone); }

SysTime sys_time(UtcTime time) { return SysTime(milliseconds(time.ms)); }

std::string words(const WallTime& w) {
  return fmt::format("{:04d}-{:02d}-{:02d} {:02d}:{:02d}", w.year, w.month, w.day, w.hour, w.minute);
}

bool is_clock_time(const WallTime& w) {
  return w.hour >= 0 && w.hour < 24 && w.minute >= 0 && w.minute < 60 && w.second >= 0 && w.second < 60 && w.ms >= 0 && w.ms < 1000;
}

}  // namespace

Result<Zone> Zone::named(std::string_view name) {
  // The library throws when a name is unknown, and when the machine has no tzdata.
  try {
    return Zone(std::string(name), date::locate_zone(std::string(name)));
  } catch (const std::exception&) {
    return fail(Errc::invalid, fmt::format("\"{}\" is not the name of a time zone; names look like Europe/Paris or Asia/Shanghai", name));
  }
}

WallTime Zone::at(UtcTime time) const {
  const auto local = zone_of(zone_).to_local(sys_time(time));
  const auto midnight = date::floor<date::days>(local);
  const date::year_month_day day{midnight};
  const auto in_day = static_cast<int>((local - midnight).count());
  return {static_cast<int>(day.year()), static_cast<int>(static_cast<unsigned>(day.month())),
          static_cast<int>(static_cast<unsigned>(day.day())), in_day / 3'600'000, in_day / 60'000 % 60, in_day / 1000 % 60, in_day % 1000};
}

int Zone::offset_minutes(UtcTime time) const {
  const auto offset = zone_of(zone_).get_info(sys_time(time)).offset;
  return static_cast<int>(std::chrono::duration_cast<std::chrono::minutes>(offset).count());
}

Result<UtcTime> Zone::utc_of(const WallTime& w) const {
  const date::year_month_day day{date::year(w.year), date::month(static_cast<unsigned>(w.month)), date::day(static_cast<unsigned>(w.day))};
  if (w.year < 1970 || w.year > 9999 || w.month < 1 || w.day < 1 || !day.ok() || !is_clock_time(w)) {
    return fail(Errc::invalid, fmt::format("{} is not a date and time", words(w)));
  }
  const date::local_time<milliseconds> local = date::local_days(day) + std::chrono::hours(w.hour) + std::chrono::minutes(w.minute) +
                                               std::chrono::seconds(w.second) + milliseconds(w.ms);
  const date::local_info info = zone_of(zone_).get_info(local);
  if (info.result == date::local_info::nonexistent) {
    return fail(Errc::invalid, fmt::format("the clocks of {} skip {}", name_, words(w)));
  }
  if (info.result == date::local_info::ambiguous) {
    return fail(Errc::invalid, fmt::format("the clocks of {} show {} twice; write it in UTC", name_, words(w)));
  }
  return UtcTime{(local.time_since_epoch() - info.first.offset).count()};
}

}  // namespace greffe
