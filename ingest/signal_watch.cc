#include "ingest/signal_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace greffe::ingest {
namespace {

constexpr std::array<std::pair<Alarm, std::string_view>, 6> kNames{{{Alarm::silence, "silence"},
                                                                    {Alarm::clipping, "clipping"},
                                                                    {Alarm::black, "black"},
                                                                    {Alarm::frozen, "frozen"},
                                                                    {Alarm::no_key_frame, "no-key-frame"},
                                                                    {Alarm::undecodable, "undecodable"}}};

}  // namespace

std::string_view name_of(Alarm alarm) {
  const auto* found = std::find_if(kNames.begin(), kNames.end(), [&](const auto& one) { return one.first == alarm; });
  GREFFE_CHECK(found != kNames.end());
  return found->second;
}

Result<Alarm> parse_alarm(std::string_view name) {
  const auto* found = std::find_if(kNames.begin(), kNames.end(), [&](const auto& one) { return one.second == name; });
  if (found == kNames.end()) return fail(Errc::invalid, fmt::format("there is no alarm named {}", name));
  return found->first;
}

std::optional<AlarmChange> HeldAlarm::look(std::int64_t at_us, Look look, std::int64_t raise_by_us) {
  if (look == Look::unclear) {
    if (raised_) not_good_us_ = at_us;
    return std::nullopt;
  }
  auto change = look == Look::bad ? bad(at_us, raise_by_us) : good(at_us);
  last_look_us_ = at_us;
  return change;
}

std::optional<AlarmChange> HeldAlarm::bad(std::int64_t at_us, std::int64_t raise_by_us) {
  not_good_us_ = at_us;
  if (!last_look_us_) well_us_ = at_us;
  const std::int64_t next = last_look_us_ ? at_us + (at_us - *last_look_us_) : at_us;
  if (raised_ || next <= well_us_ + raise_by_us) return std::nullopt;
  raised_ = true;
  return AlarmChange{alarm_, true, well_us_};
}

std::optional<AlarmChange> HeldAlarm::good(std::int64_t at_us) {
  if (!raised_) {
    well_us_ = at_us;
    return std::nullopt;
  }
  if (!last_look_us_) not_good_us_ = at_us;
  if (at_us - not_good_us_ < end_after_us_) return std::nullopt;
  raised_ = false;
  well_us_ = at_us;
  return AlarmChange{alarm_, false, not_good_us_};
}

void HeldAlarm::forget() { last_look_us_.reset(); }

}  // namespace greffe::ingest
