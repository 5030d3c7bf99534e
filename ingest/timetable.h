// How fast a station may upload, by day of the week and local time: `[upload]` of station.toml.
#ifndef GREFFE_INGEST_TIMETABLE_H
#define GREFFE_INGEST_TIMETABLE_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/base/clock.h"

namespace greffe::ingest {

// Kilobits (1,000 bits) of recordings a second. Nothing: as fast as the line is. 0: nothing but the log goes.
using RateLimit = std::optional<std::int64_t>;
constexpr std::int64_t kLeastLimitKbit = 16;  // below it the archive would take the station for one that hangs
constexpr std::int64_t kMostLimitKbit = 100'000'000;

class Timetable {
 public:
  // Outside of every window `otherwise` counts.
  explicit Timetable(RateLimit otherwise = std::nullopt) : otherwise_(otherwise) {}
  // A window: "mon-fri 08:00-18:00 2000", "sun 00:00-24:00 unlimited". Days may wrap ("sat-mon"); a window whose end is not
  // after its beginning ends on the next day, also from Sunday to Monday. invalid: what is wrong with it, or that it overlaps
  // with one that was added before.
  Status add(std::string_view window);
  // By the machine's time zone (TZ, /etc/localtime). In the hour that a clock change repeats a window counts twice; in the
  // hour that it skips, not at all.
  RateLimit at(UtcTime time) const;

 private:
  struct Window {
    std::string text;
    RateLimit limit;
  };
  RateLimit otherwise_;
  std::vector<Window> windows_;
  std::vector<std::uint16_t> minutes_;  // of the week, from Monday 00:00: 1 + the index of its window; 0: none. Empty: no windows.
};

}  // namespace greffe::ingest

#endif
