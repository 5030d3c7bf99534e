#include "replicate/timetable.h"

#include <fmt/format.h>

#include <algorithm>

namespace greffe::replicate {
namespace {

constexpr std::int64_t kDayMinutes = 24 * 60;
constexpr std::int64_t kWeekMinutes = 7 * kDayMinutes;
constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kThursday = 3;  // 1 January 1970, counted from Monday
constexpr std::size_t kMostWindows = 100;
constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

std::optional<int> two_digits(std::string_view text) {
  if (text.size() != 2 || text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9') return std::nullopt;
  return (text[0] - '0') * 10 + (text[1] - '0');
}

// "mon 08:00"
Result<int> minute_of_week(std::string_view text) {
  const auto day = std::find(kDays.begin(), kDays.end(), text.substr(0, 3));
  const bool shaped = text.size() == 9 && text[3] == ' ' && text[6] == ':' && day != kDays.end();
  const auto hour = shaped ? two_digits(text.substr(4, 2)) : std::nullopt;
  const auto minute = shaped ? two_digits(text.substr(7, 2)) : std::nullopt;
  if (!hour || !minute || *hour > 23 || *minute > 59) {
    return fail(Errc::invalid, fmt::format("\"{}\" is not a time of the week; write it like \"mon 08:00\" (mon, tue, wed, thu, fri, sat, sun; "
                                           "00:00 to 23:59)", text));
  }
  return static_cast<int>((day - kDays.begin()) * kDayMinutes) + *hour * 60 + *minute;
}

}  // namespace

Status Timetable::add(std::string_view media, std::string_view from, std::string_view to, std::uint64_t bytes_per_second) {
  const auto which = parse_media_class(media);
  if (!which || *which == MediaClass::log) {
    return fail(Errc::invalid, fmt::format("class \"{}\": limits are for \"sound\" or \"picture\"; the log always goes", media));
  }
  if (bytes_per_second > kMostBytesPerSecond || (bytes_per_second != 0 && bytes_per_second < kLeastBytesPerSecond)) {
    return fail(Errc::invalid, fmt::format("bytes_per_second is 0 (nothing goes) or from {} to {}", kLeastBytesPerSecond, kMostBytesPerSecond));
  }
  if (windows_.size() == kMostWindows) return fail(Errc::invalid, fmt::format("a target has at most {} limits", kMostWindows));
  if (from.empty() != to.empty()) return fail(Errc::invalid, "from and to belong together; leave both out for a limit that always holds");
  Window window{*which, 0, 0, bytes_per_second};
  if (!from.empty()) {
    window.from = GREFFE_TRY(minute_of_week(from));
    window.to = GREFFE_TRY(minute_of_week(to));
    if (window.from == window.to) return fail(Errc::invalid, fmt::format("the limit from \"{}\" ends when it begins", from));
  }
  windows_.push_back(window);
  return ok();
}

RateLimit Timetable::at(MediaClass media, UtcTime time) const {
  if (windows_.empty()) return std::nullopt;
  const std::int64_t minutes = time.ms / kMinuteMs + (zone_ ? zone_->offset_minutes(time) : 0);
  const std::int64_t now = (minutes + kThursday * kDayMinutes) % kWeekMinutes;
  RateLimit out;
  for (const Window& window : windows_) {
    const bool always = window.from == window.to;
    const bool wraps = window.to < window.from;
    const bool within = wraps ? now >= window.from || now < window.to : now >= window.from && now < window.to;
    if (window.media == media && (always || within)) out = std::min(out.value_or(window.bytes_per_second), window.bytes_per_second);
  }
  return out;
}

}  // namespace greffe::replicate
