#include "archive/origin_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>

#include "archive/base/progress.h"
#include "archive/tlog/copied_main_log.h"

namespace greffe::archive {
namespace {

// After a start nobody had the time to be heard, and a log that did not grow was not cosigned for long.
constexpr std::int64_t kGraceMs = 15'000;
constexpr std::chrono::milliseconds kLookEvery(1000);

}  // namespace

OriginWatch::OriginWatch(Clock& clock, Log& log, store::HeadStore& heads, const MainLog& main_log, VerifierKey holder, std::int64_t alarm_after_ms)
    : clock_(clock), log_(log), heads_(heads), main_log_(main_log), holder_(std::move(holder)), alarm_after_ms_(alarm_after_ms),
      began_ms_(clock.monotonic_ms()) {}

OriginWatch::~OriginWatch() { stop(); }

void OriginWatch::heard(const std::string& origin) {
  const std::lock_guard lock(mutex_);
  heard_ms_[origin] = clock_.monotonic_ms();
}

// What is known of it from before the start: in its newest epoch of which anything is held.
UtcTime OriginWatch::last_sign(const catalogue::KnownKey& origin) const {
  UtcTime out = origin.since;
  for (std::uint64_t epoch = 1; epoch <= kEpochMax; ++epoch) {
    const std::string log = epoch_origin({origin.name, epoch});
    const auto path = epoch == 1 ? tlog::copied_log_path(heads_, log) : Result<std::string>(foreign_log_path(log));
    const auto head = path ? heads_.read_head(checkpoint_path(*path)) : Result<std::string>(path.error());
    if (!head) break;
    const auto note = parse_signed_checkpoint(*head);
    const auto time = note ? verify_cosignature(note->note, holder_) : Result<UtcTime>(note.error());
    if (time) out = std::max(out, *time);
  }
  return out;
}

Result<std::vector<OriginFacts>> OriginWatch::origins() const {
  const std::vector<catalogue::KnownKey> keys = GREFFE_TRY(main_log_.catalogue().keys("origin"));
  std::vector<OriginFacts> out;
  for (const catalogue::KnownKey& key : keys) {
    if (key.revoked_since) continue;
    std::optional<std::int64_t> heard_ms;
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = heard_ms_.find(key.name); found != heard_ms_.end()) heard_ms = found->second;
    }
    const std::int64_t now_ms = clock_.monotonic_ms();
    if (!heard_ms) {
      // From here on it is the monotonic clock that counts, whatever becomes of the other one.
      const std::int64_t ago_ms = std::max<std::int64_t>(0, clock_.utc_now().ms - last_sign(key).ms);
      const std::lock_guard lock(mutex_);
      heard_ms = heard_ms_.try_emplace(key.name, now_ms - ago_ms).first->second;
    }
    OriginFacts facts;
    facts.name = key.name;
    facts.silent_ms = std::max<std::int64_t>(0, now_ms - *heard_ms);
    facts.heard = UtcTime{clock_.utc_now().ms - facts.silent_ms};
    facts.alarm = facts.silent_ms >= alarm_after_ms_ && now_ms - began_ms_ >= std::min(kGraceMs, alarm_after_ms_);
    out.push_back(std::move(facts));
  }
  return out;
}

void OriginWatch::look() {
  const auto all = origins();
  if (!all) return;
  for (const OriginFacts& one : *all) {
    const std::lock_guard lock(mutex_);
    if (one.alarm && told_.insert(one.name).second) {
      log_.error(fmt::format("nothing was heard of {} for {}: what it records now is not copied here. Look at the line, at greffe-replicate there, "
                             "and whether {} is still there at all",
                             one.name, human_duration(one.silent_ms / 1000), one.name));
    } else if (!one.alarm && told_.erase(one.name) > 0) {
      log_.info(one.name + " is heard of again");
    }
  }
}

void OriginWatch::start() {
  thread_ = std::jthread([this](std::stop_token stop) {
    name_thread("gr-origins");
    std::mutex mutex;
    std::condition_variable_any wakes;
    while (!stop.stop_requested()) {
      look();
      std::unique_lock lock(mutex);
      wakes.wait_for(lock, stop, kLookEvery, [] { return false; });
    }
  });
}

void OriginWatch::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

}  // namespace greffe::archive
