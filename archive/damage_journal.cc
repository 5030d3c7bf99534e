#include "archive/damage_journal.h"

#include <vector>

namespace greffe::archive {
namespace {

constexpr std::size_t kQueueMost = 100'000;  // beyond it findings are counted by the scrub's summary only

}  // namespace

DamageJournal::DamageJournal(Clock& clock, Log& log) : clock_(clock), log_(log) {}
DamageJournal::~DamageJournal() { stop(); }

void DamageJournal::report(const store::Damage& damage) {
  log_.warn("volume " + damage.volume + ", " + damage.key + ": " + damage.what + (damage.repaired ? " (repaired)" : ""));
  const std::lock_guard lock(mutex_);
  if (queue_.size() < kQueueMost) queue_.push_back(damage);
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

void DamageJournal::run(std::stop_token stop) {
  name_thread("gr-damage");
  for (;;) {
    std::vector<MainEntry> entries;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, stop, [&] { return !queue_.empty(); });
      if (queue_.empty()) return;  // asked to stop
      for (; !queue_.empty() && entries.size() < 1000; queue_.pop_front()) {
        const store::Damage& damage = queue_.front();
        ScrubEntry entry;
        entry.finding = damage.missing ? "missing" : "damaged";
        entry.volume = damage.volume;
        entry.key = damage.key;
        entry.action = damage.repaired ? "repaired" : "not-repaired";
        entry.failures = 1;
        entry.utc = clock_.utc_now();
        entries.push_back(std::move(entry));
      }
    }
    const auto written = main_log_->append(entries);
    if (!written) log_.error(written.error().within("a finding of damage is not in the main log").message);
  }
}

}  // namespace greffe::archive
