#include "archive/base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace greffe {
namespace {

constexpr std::int64_t kQuietMs = 1000;   // shorter work needs no bar
constexpr std::int64_t kRedrawMs = 200;
constexpr std::size_t kBarWidth = 24;

}  // namespace

std::string human_bytes(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < std::size(kUnits)) {
    value /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.{}f} {}", value, value < 99.95 ? 1 : 0, kUnits[unit]);
}

std::string human_duration(std::int64_t seconds) {
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
}

Progress::Progress(Clock& clock, std::string label, std::uint64_t total, ProgressUnit unit)
    : clock_(clock), label_(std::move(label)), total_(total), unit_(unit), begun_ms_(clock.monotonic_ms()),
      draws_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (drawn_ms_ != 0) fmt::print(stderr, "\r\033[K");
}

std::string Progress::line() const {
  const std::uint64_t done = done_.load();
  const std::uint64_t total = total_.load();
  const std::int64_t elapsed_ms = std::max<std::int64_t>(clock_.monotonic_ms() - begun_ms_, 1);
  const std::uint64_t per_second = done * 1000 / static_cast<std::uint64_t>(elapsed_ms);
  const auto amount = [&](std::uint64_t n) { return unit_ == ProgressUnit::bytes ? human_bytes(n) : std::to_string(n); };
  if (total == 0) return fmt::format("{} {}  {}/s", label_, amount(done), amount(per_second));
  const std::size_t filled = std::min<std::size_t>(kBarWidth, done * kBarWidth / total);
  const std::string left =
      per_second == 0 ? "" : "  " + human_duration(static_cast<std::int64_t>((total - std::min(done, total)) / per_second)) + " left";
  return fmt::format("{} [{}{}] {} of {}  {}/s{}", label_, std::string(filled, '='),
                     std::string(kBarWidth - filled, ' '), amount(done), amount(total), amount(per_second), left);
}

void Progress::add(std::uint64_t amount) {
  done_ += amount;
  draw();
}

void Progress::show(std::uint64_t done, std::uint64_t total) {
  done_ = done;
  total_ = total;
  draw();
}

void Progress::draw() {
  if (!draws_) return;
  const std::unique_lock lock(mutex_, std::try_to_lock);
  const std::int64_t now = clock_.monotonic_ms();
  if (!lock || now - begun_ms_ < kQuietMs || now - drawn_ms_ < kRedrawMs) return;
  drawn_ms_ = now;
  fmt::print(stderr, "\r\033[K{}", line());
  std::fflush(stderr);
}

}  // namespace greffe
