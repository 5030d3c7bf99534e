#include "archive/store/kept_lease.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "archive/base/log.h"

namespace greffe::store {
namespace {

constexpr int kRenewalsPerLease = 3;

}  // namespace

Status KeptLease::check() const {
  if (lost_) return fail(Errc::denied, fmt::format("another archive has taken over {}; this one must be stopped", pool_));
  if (clock_.monotonic_ms() < valid_until_ms_) return ok();
  return fail(Errc::unavailable, fmt::format("the writer's lease of {} could not be renewed in time; it is tried again", pool_));
}

void KeptLease::start_keeping() {
  keeper_ = std::jthread([this](std::stop_token stop) { keep(std::move(stop)); });
}

void KeptLease::keep(std::stop_token stop) {
  name_thread("gr-lease");
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  const std::chrono::milliseconds pause(lease_ms_ / kRenewalsPerLease);
  while (!wake.wait_for(lock, stop, pause, [&] { return stop.stop_requested(); })) {
    renew();
    if (!lost_) continue;
    if (on_lost_) on_lost_();
    return;
  }
}

}  // namespace greffe::store
