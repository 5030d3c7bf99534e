#include "archive/base/clock.h"

#include <fmt/format.h>
#include <time.h>

#include <chrono>
#include <fstream>

namespace greffe {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

Result<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return fail(Errc::invalid, "a time must look like 2026-11-22T09:00:00.000Z");
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

}  // namespace

std::string to_date(UtcTime time) {
  const auto point = std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(time.ms));
  const std::chrono::year_month_day day{std::chrono::floor<days>(point)};
  return fmt::format("{:04d}-{:02d}-{:02d}", static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                     static_cast<unsigned>(day.day()));
}

std::string to_text(UtcTime time) {
  const auto point = std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(time.ms));
  const std::int64_t in_day = (point - std::chrono::floor<days>(point)).count();
  return fmt::format("{}T{:02d}:{:02d}:{:02d}.{:03d}Z", to_date(time), in_day / 3'600'000, in_day / 60'000 % 60,
                     in_day / 1000 % 60, in_day % 1000);
}

Result<UtcTime> parse_utc(std::string_view text) {
  const Error wrong = fail(Errc::invalid, "a time must look like 2026-11-22T09:00:00.000Z");
  if (text.size() != 24 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':' ||
      text[19] != '.' || text[23] != 'Z') {
    return wrong;
  }
  const int year = GREFFE_TRY(digits(text, 0, 4));
  const int month = GREFFE_TRY(digits(text, 5, 2));
  const int day = GREFFE_TRY(digits(text, 8, 2));
  const int hour = GREFFE_TRY(digits(text, 11, 2));
  const int minute = GREFFE_TRY(digits(text, 14, 2));
  const int second = GREFFE_TRY(digits(text, 17, 2));
  const int ms = GREFFE_TRY(digits(text, 20, 3));
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (year < 1970 || !date.ok() || hour > 23 || minute > 59 || second > 59) return wrong;
  const std::int64_t day_ms = std::int64_t{sys_days(date).time_since_epoch().count()} * 86'400'000;
  return UtcTime{day_ms + ((hour * 60 + minute) * 60 + second) * std::int64_t{1000} + ms};
}

UtcTime SystemClock::utc_now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return UtcTime{std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000};
}

std::int64_t SystemClock::monotonic_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

std::string SystemClock::boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id.empty() ? "unknown" : id;
}

}  // namespace greffe
