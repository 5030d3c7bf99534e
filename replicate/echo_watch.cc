#include "replicate/echo_watch.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <condition_variable>

#include "archive/base/bytes.h"
#include "archive/base/progress.h"

namespace greffe::replicate {

EchoWatch::EchoWatch(CopySite& site, Clock& clock, Log& log, std::string target)
    : site_(site), clock_(clock), log_(log), target_(std::move(target)), heard_ms_(clock.monotonic_ms()) {}

void EchoWatch::ask() {
  std::array<std::uint8_t, 16> random{};
  fill_random(random);
  const std::int64_t asked_ms = clock_.monotonic_ms();
  const auto answer = site_.echo(to_hex(random));
  const std::int64_t now_ms = clock_.monotonic_ms();
  if (!answer && answer.error().code == Errc::cancelled) return;
  const std::lock_guard lock(mutex_);
  if (answer) {
    if (told_) log_.info(fmt::format("{} answers again, after {}", target_, human_duration((now_ms - heard_ms_) / 1000)));
    told_ = false;
    heard_ms_ = now_ms;
    round_trip_ms_ = now_ms - asked_ms;
    problem_.clear();
    return;
  }
  problem_ = answer.error().message;
  if (told_ || now_ms - heard_ms_ < kEchoLateMs) return;
  told_ = true;
  log_.error(fmt::format("no echo from {} for {} s: {}. Look at the line, and whether greffe-archive serves there", target_,
                         (now_ms - heard_ms_) / 1000, problem_));
}

void EchoWatch::run(std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any wakes;
  while (!stop.stop_requested()) {
    ask();
    std::unique_lock lock(mutex);
    wakes.wait_for(lock, stop, std::chrono::milliseconds(kEchoEveryMs), [] { return false; });
  }
}

EchoWatch::Facts EchoWatch::facts() const {
  const std::lock_guard lock(mutex_);
  const std::int64_t silent = clock_.monotonic_ms() - heard_ms_;
  return {round_trip_ms_, silent, silent >= kEchoLateMs, problem_};
}

}  // namespace greffe::replicate
