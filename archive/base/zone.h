// Time zones by their IANA names, from the system's tzdata: what a clock on the wall of a courtroom shows. Values.
#ifndef GREFFE_ARCHIVE_BASE_ZONE_H
#define GREFFE_ARCHIVE_BASE_ZONE_H

#include <string>
#include <string_view>

#include "archive/base/clock.h"
#include "archive/base/result.h"

namespace greffe {

struct WallTime {
  int year = 0;
  int month = 0;  // 1 to 12
  int day = 0;    // 1 to 31
  int hour = 0;
  int minute = 0;
  int second = 0;
  int ms = 0;
  auto operator<=>(const WallTime&) const = default;
};

class Zone {
 public:
  // invalid: the system's tzdata has no such name.
  static Result<Zone> named(std::string_view name);
  const std::string& name() const { return name_; }
  WallTime at(UtcTime time) const;
  int offset_minutes(UtcTime time) const;  // ahead of UTC
  // invalid: no such date, or the clocks skip this time (spring) or show it twice (autumn).
  Result<UtcTime> utc_of(const WallTime& wall) const;

 private:
  Zone(std::string name, const void* zone) : name_(std::move(name)), zone_(zone) {}
  std::string name_;
  const void* zone_;  // in the library's table, which stays for the life of the process
};

}  // namespace greffe

#endif
