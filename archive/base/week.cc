#include "archive/base/week.h"

#include <algorithm>
#include <array>

namespace greffe {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kThursday = 3;  // 1 January 1970, counted from Monday
constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

std::optional<int> two_digits(std::string_view text) {
  if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9') return std::nullopt;
  return (text[0] - '0') * 10 + (text[1] - '0');
}

}  // namespace

std::optional<int> parse_day_of_week(std::string_view text) {
  const auto day = std::find(kDays.begin(), kDays.end(), text);
  if (day == kDays.end()) return std::nullopt;
  return static_cast<int>(day - kDays.begin());
}

std::optional<int> parse_minute_of_day(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hour = two_digits(text.substr(0, 2));
  const auto minute = two_digits(text.substr(3));
  if (!hour || !minute || *minute > 59 || *hour * 60 + *minute > kDayMinutes) return std::nullopt;
  return *hour * 60 + *minute;
}

int minute_of_week(UtcTime time, int offset_minutes) {
  const std::int64_t minutes = time.ms / kMinuteMs + offset_minutes + kThursday * kDayMinutes;
  return static_cast<int>((minutes % kWeekMinutes + kWeekMinutes) % kWeekMinutes);
}

}  // namespace greffe
