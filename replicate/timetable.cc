#include "replicate/timetable.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/base/week.h"

namespace greffe::replicate {
namespace {

constexpr std::size_t kMostWindows = 100;

// "mon 08:00"
Result<int> parse_minute_of_week(std::string_view text) {
  const bool shaped = text.size() == 9 && text[3] == ' ';
  const auto day = parse_day_of_week(text.substr(0, 3));
  const auto minute = shaped ? parse_minute_of_day(text.substr(4)) : std::nullopt;
  if (!day || !minute || *minute == kDayMinutes) {
    return fail(Errc::invalid, fmt::format("\"{}\" is not a time of the week; write it like \"mon 08:00\" (mon, tue, wed, thu, fri, sat, sun; "
                                           "00:00 to 23:59)", text));
  }
  return *day * kDayMinutes + *minute;
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
    window.from = GREFFE_TRY(parse_minute_of_week(from));
    window.to = GREFFE_TRY(parse_minute_of_week(to));
    if (window.from == window.to) return fail(Errc::invalid, fmt::format("the limit from \"{}\" ends when it begins", from));
  }
  windows_.push_back(window);
  return ok();
}

RateLimit Timetable::at(MediaClass media, UtcTime time) const {
  if (windows_.empty()) return std::nullopt;
  const int now = minute_of_week(time, zone_ ? zone_->offset_minutes(time) : 0);
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
