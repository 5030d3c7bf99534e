// A progress bar with rate and time left, for work that lasts longer than a second on a terminal. Silent elsewhere.
#ifndef GREFFE_ARCHIVE_BASE_PROGRESS_H
#define GREFFE_ARCHIVE_BASE_PROGRESS_H

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "archive/base/clock.h"

namespace greffe {

enum class ProgressUnit { bytes, items };

// add() may be called from any thread.
class Progress {
 public:
  // `total` 0: not known. Draws on standard error when that is a terminal.
  Progress(Clock& clock, std::string label, std::uint64_t total, ProgressUnit unit);
  ~Progress();  // clears the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void add(std::uint64_t amount);
  // Where the work is and how much there is, as far as is known now: of work that somebody else does.
  void show(std::uint64_t done, std::uint64_t total);
  bool draws() const { return draws_; }  // there is a terminal
  std::string line() const;  // what the bar shows now

 private:
  void draw();

  Clock& clock_;
  const std::string label_;
  std::atomic<std::uint64_t> total_;
  const ProgressUnit unit_;
  const std::int64_t begun_ms_;
  const bool draws_;
  std::atomic<std::uint64_t> done_{0};
  std::mutex mutex_;               // guards the terminal and drawn_ms_
  std::int64_t drawn_ms_ = 0;      // monotonic; 0: never
};

std::string human_bytes(std::uint64_t bytes);         // "2.5 MB" (powers of 1000, as disks are sold)
std::string human_duration(std::int64_t seconds);     // "4 h 12 min", "35 s"

}  // namespace greffe

#endif
