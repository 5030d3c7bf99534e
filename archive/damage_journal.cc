#include "archive/damage_journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace greffe::archive {
namespace {

// A disk that dies has more to say than a log should keep: some thousand findings a day are entries of their own. Those that
// wait, wait here; those beyond are in the counts of the scrub's summaries only.
constexpr std::size_t kQueueMost = 10'000;
constexpr std::size_t kAtOnceMost = 1000;
constexpr std::int64_t kOneMoreEveryMs = 10'000;

ScrubEntry entry_of(const store::Damage& damage, UtcTime now) {
  ScrubEntry entry;
  entry.finding = damage.missing ? "missing" : "damaged";
  entry.volume = damage.volume;
  entry.key = damage.key;
  entry.action = damage.repaired ? "repaired" : "not-repaired";
  entry.failures = 1;
  entry.utc = now;
  return entry;
}

}  // namespace

DamageJournal::DamageJournal(Clock& clock, Log& log) : clock_(clock), log_(log), allowed_(kAtOnceMost), counted_ms_(clock.monotonic_ms()) {}
DamageJournal::~DamageJournal() { stop(); }

void DamageJournal::report(const store::Damage& damage) {
  const std::lock_guard lock(mutex_);
  if (queue_.size() >= kQueueMost) {
    if (beyond_++ == 0) log_.error("there is more damage than is written down one by one; look at the disks. From now on it is only counted");
    return;
  }
  if (beyond_ > 0) log_.warn(fmt::format("{} more findings of damage were only counted", std::exchange(beyond_, 0)));
  log_.warn("volume " + damage.volume + ", " + damage.key + ": " + damage.what + (damage.repaired ? " (repaired)" : ""));
  queue_.push_back(damage);
  changed_.notify_one();
}

void DamageJournal::start(MainLog& main_log) {
  main_log_ = &main_log;
  thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
}

void DamageJournal::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

// What may be written now: as many as came in the time, up to kAtOnceMost after a quiet one; all of it at the end.
std::vector<MainEntry> DamageJournal::next(const std::stop_token& stop) {
  std::vector<MainEntry> entries;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, stop, [&] { return !queue_.empty(); });
    if (queue_.empty()) return entries;  // asked to stop
    const std::int64_t now_ms = clock_.monotonic_ms();
    const std::int64_t more = (now_ms - counted_ms_) / kOneMoreEveryMs;
    counted_ms_ += more * kOneMoreEveryMs;
    allowed_ = std::min(kAtOnceMost, allowed_ + static_cast<std::size_t>(more));
    if (allowed_ > 0 || stop.stop_requested()) break;
    changed_.wait_for(lock, stop, std::chrono::milliseconds(kOneMoreEveryMs), [] { return false; });
  }
  const std::size_t count = std::min(queue_.size(), stop.stop_requested() ? kAtOnceMost : allowed_);
  for (; entries.size() < count; queue_.pop_front()) entries.push_back(entry_of(queue_.front(), clock_.utc_now()));
  allowed_ -= std::min(allowed_, count);
  return entries;
}

void DamageJournal::run(std::stop_token stop) {
  name_thread("gr-damage");
  for (;;) {
    const std::vector<MainEntry> entries = next(stop);
    if (entries.empty()) return;
    const auto written = main_log_->append(entries);
    if (!written) log_.error(written.error().within("a finding of damage is not in the main log").message);
  }
}

}  // namespace greffe::archive
