// Time as a parameter: whoever needs the time is given a Clock, so that tests can jump it.
#ifndef GREFFE_ARCHIVE_BASE_CLOCK_H
#define GREFFE_ARCHIVE_BASE_CLOCK_H

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "archive/base/result.h"

namespace greffe {

// Milliseconds since 1970-01-01T00:00:00Z (POSIX: no leap seconds). Wall clock: may jump.
struct UtcTime {
  std::int64_t ms = 0;
  auto operator<=>(const UtcTime&) const = default;
};

// "2026-11-22T09:00:00.000Z", always with milliseconds. Years 1970 to 9999.
std::string to_text(UtcTime time);
Result<UtcTime> parse_utc(std::string_view text);  // exactly that form; invalid otherwise
std::string to_date(UtcTime time);                 // "2026-11-22"

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual UtcTime utc_now() = 0;
  virtual std::int64_t monotonic_ms() = 0;  // CLOCK_BOOTTIME: never goes back within a boot, counts suspend
  virtual std::string boot_id() = 0;        // changes at every boot; names the monotonic clock
};

class SystemClock : public Clock {
 public:
  UtcTime utc_now() override;
  std::int64_t monotonic_ms() override;
  std::string boot_id() override;
};

}  // namespace greffe

#endif
