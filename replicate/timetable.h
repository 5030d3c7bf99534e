// How fast sound and picture may go to one target, by day of the week and time on the wall: `[[target.limit]]`. The log is
// exempt. A value.
#ifndef GREFFE_REPLICATE_TIMETABLE_H
#define GREFFE_REPLICATE_TIMETABLE_H

#include <optional>
#include <string_view>
#include <vector>

#include "archive/base/zone.h"
#include "replicate/media_class.h"

namespace greffe::replicate {

// Bytes a second. Nothing: as fast as the line is. 0: nothing goes.
using RateLimit = std::optional<std::uint64_t>;
constexpr std::uint64_t kLeastBytesPerSecond = 4'000;  // below it the target would take a sender for one that hangs
constexpr std::uint64_t kMostBytesPerSecond = 100'000'000'000;

class Timetable {
 public:
  explicit Timetable(std::optional<Zone> zone = std::nullopt) : zone_(std::move(zone)) {}  // none: UTC
  // From "mon 08:00" to "fri 18:00", over the end of the week too; both empty: always. invalid: what is wrong with it.
  Status add(std::string_view media, std::string_view from, std::string_view to, std::uint64_t bytes_per_second);
  // The smallest of the limits that hold at that time.
  RateLimit at(MediaClass media, UtcTime time) const;

 private:
  struct Window {
    MediaClass media;
    int from;  // minutes of the week, from Monday 00:00
    int to;    // the same as from: always
    std::uint64_t bytes_per_second;
  };
  std::optional<Zone> zone_;
  std::vector<Window> windows_;
};

}  // namespace greffe::replicate

#endif
