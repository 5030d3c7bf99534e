#include "ingest/timetable.h"

#include <fmt/format.h>

#include <charconv>
#include <ctime>

#include "archive/base/week.h"

namespace greffe::ingest {
namespace {

constexpr std::size_t kMostWindows = 1000;

struct Span {
  int first_day;
  int days;
  int from;  // minutes of the day
  int to;    // may reach into the next day
  RateLimit limit;
};

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || text.empty() || text[0] == '-') return std::nullopt;
  return out;
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> out;
  for (;;) {
    const auto end = text.find(at);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

Result<Span> parse_span(std::string_view window) {
  const auto wrong = [&](std::string_view why) {
    return fail(Errc::invalid, fmt::format("\"{}\": {}; a window looks like \"mon-fri 08:00-18:00 2000\" (days, local time, kbit/s)", window, why));
  };
  const auto words = split(window, ' ');
  if (words.size() != 3) return wrong("it needs three words with one space between them");
  const auto days = split(words[0], '-');
  const auto first = parse_day_of_week(days.front());
  const auto last = parse_day_of_week(days.back());
  if (!first || !last || days.size() > 2) return wrong("days are mon, tue, wed, thu, fri, sat, sun");
  const auto times = split(words[1], '-');
  const auto from = times.size() == 2 ? parse_minute_of_day(times[0]) : std::nullopt;
  const auto to = times.size() == 2 ? parse_minute_of_day(times[1]) : std::nullopt;
  if (!from || !to || *from == kDayMinutes) return wrong("times are 00:00 to 24:00");
  if (*from == *to) return wrong("it ends when it begins");
  Span out{*first, (*last - *first + 7) % 7 + 1, *from, *to > *from ? *to : *to + kDayMinutes, std::nullopt};
  if (words[2] == "unlimited") return out;
  const auto limit = number_of(words[2]);
  if (!limit || *limit > kMostLimitKbit) return wrong("the limit is a whole number of kbit/s, or unlimited");
  if (*limit != 0 && *limit < kLeastLimitKbit) return wrong(fmt::format("the limit is 0 or at least {} kbit/s", kLeastLimitKbit));
  out.limit = *limit;
  return out;
}

}  // namespace

Status Timetable::add(std::string_view window) {
  const Span span = GREFFE_TRY(parse_span(window));
  if (windows_.size() == kMostWindows) return fail(Errc::invalid, fmt::format("a timetable has at most {} windows", kMostWindows));
  std::vector<std::uint16_t> minutes = minutes_;
  minutes.resize(kWeekMinutes);
  const auto number = static_cast<std::uint16_t>(windows_.size() + 1);
  for (int day = 0; day < span.days; ++day) {
    for (int minute = span.from; minute < span.to; ++minute) {
      std::uint16_t& there = minutes[static_cast<std::size_t>(((span.first_day + day) * kDayMinutes + minute) % kWeekMinutes)];
      if (there != 0) return fail(Errc::invalid, fmt::format("\"{}\" overlaps with \"{}\"", window, windows_[there - 1u].text));
      there = number;
    }
  }
  minutes_ = std::move(minutes);
  windows_.push_back({std::string(window), span.limit});
  return ok();
}

RateLimit Timetable::at(UtcTime time) const {
  if (windows_.empty()) return otherwise_;
  const auto seconds = static_cast<std::time_t>(time.ms / 1000);
  std::tm local{};
  if (localtime_r(&seconds, &local) == nullptr) return otherwise_;
  const std::uint16_t number = minutes_[static_cast<std::size_t>(minute_of_week(time, static_cast<int>(local.tm_gmtoff / 60)))];
  return number == 0 ? otherwise_ : windows_[number - 1u].limit;
}

}  // namespace greffe::ingest
