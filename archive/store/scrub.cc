#include "archive/store/scrub.h"

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "archive/format/names.h"

namespace greffe::store {
namespace {

// Keeps the average rate since the start at or below the limit.
class Pace {
 public:
  Pace(Clock& clock, std::uint64_t bytes_per_second, std::stop_token stop)
      : clock_(clock), bytes_per_second_(bytes_per_second), stop_(std::move(stop)), start_ms_(clock.monotonic_ms()) {}

  void after(std::uint64_t bytes) {
    if (bytes_per_second_ == 0) return;
    bytes_ += bytes;
    const auto due_ms = static_cast<std::int64_t>(bytes_ * 1000 / bytes_per_second_);
    const std::int64_t wait_ms = start_ms_ + due_ms - clock_.monotonic_ms();
    if (wait_ms <= 0) return;
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop_, std::chrono::milliseconds(wait_ms), [] { return false; });
  }

 private:
  Clock& clock_;
  const std::uint64_t bytes_per_second_;
  const std::stop_token stop_;
  const std::int64_t start_ms_;  // monotonic
  std::uint64_t bytes_ = 0;
  std::mutex mutex_;
  std::condition_variable_any wake_;
};

ScrubbedObject scrub_one(const ScrubSource& source, const std::string& key) {
  ScrubbedObject out;
  out.key = key;
  const auto digest = parse_object_key(key);
  if (!digest) {
    out.problem = key + " is not an object: nothing of Greffe's has such a name";
    return out;
  }
  auto health = source.check(*digest);
  if (health) {
    out.health = *std::move(health);
  } else {
    out.problem = health.error().message;
  }
  return out;
}

}  // namespace

Result<ScrubTotals> scrub_objects(Clock& clock, const ScrubSource& source, const ScrubSettings& settings,
                                  const std::function<bool(const ScrubbedObject&)>& visit, std::stop_token stop) {
  ScrubTotals totals;
  totals.finished = true;
  Pace pace(clock, settings.bytes_per_second, stop);
  GREFFE_TRY(source.walk([&](const std::string& key) {
    if (stop.stop_requested()) return totals.finished = false;
    if (!settings.after.empty() && key <= settings.after) return true;
    const ScrubbedObject object = scrub_one(source, key);
    ++totals.objects;
    totals.bytes += object.health.bytes;
    totals.failures += object.health.damage.size() + (object.problem.empty() ? 0 : 1);
    totals.repaired += object.health.repaired;
    if (!visit(object)) return totals.finished = false;
    pace.after(object.health.bytes);
    return true;
  }));
  return totals;
}

}  // namespace greffe::store
