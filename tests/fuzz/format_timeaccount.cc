// Accounts of time: whatever a log says, the sums add up.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "archive/base/result.h"
#include "archive/format/time_account.h"

namespace {

void check(const greffe::TimeSums& sums) {
  GREFFE_CHECK(sums.recorded_ms >= 0 && sums.excused_ms >= 0 && sums.unexplained_ms >= 0);
  GREFFE_CHECK(sums.recorded_ms + sums.excused_ms + sums.unexcused_ms == sums.declared_ms);
  GREFFE_CHECK(sums.unexplained_ms <= sums.unexcused_ms);
}

}  // namespace

// One entry a line; lines that are none are left out.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(bytes), size);
  greffe::TimeAccounting accounting;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (const auto entry = greffe::parse_hearing_entry(rest.substr(0, end))) accounting.add(*entry);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const greffe::TimeAccount account = accounting.account();
  check(account.total);
  for (const greffe::StreamTime& stream : account.streams) {
    check(stream.sums);
    GREFFE_CHECK(stream.sums.declared_ms <= account.total.declared_ms);
    GREFFE_CHECK(stream.sums.recorded_ms <= account.total.recorded_ms);
  }
  return 0;
}
