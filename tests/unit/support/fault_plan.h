// Which step of the disk fails, and how. Shared by the file systems of the tests. Thread-safe.
#ifndef GREFFE_TESTS_UNIT_SUPPORT_FAULT_PLAN_H
#define GREFFE_TESTS_UNIT_SUPPORT_FAULT_PLAN_H

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/base/result.h"

namespace greffe::testing {

enum class Fault {
  none,
  fails_before,  // the step fails and did not happen
  fails_after,   // the step fails and did happen
  fails_half,    // a write fails after the first half of its bytes; any other step fails and did not happen
  power_off,     // this step and all later ones, reads too, fail and do not happen
};

// What a step that fails may have done.
inline constexpr Fault kFailures[] = {Fault::fails_before, Fault::fails_after, Fault::fails_half};

class FaultPlan {
 public:
  // The `step`-th change (counted from 1, among those below `below`) fails; `for_ever`: all later ones below it too.
  void arm(Fault fault, std::uint64_t step, bool for_ever = false, Errc code = Errc::io_error, std::string below = {}) {
    const std::lock_guard lock(mutex_);
    fault_ = fault;
    step_ = step;
    for_ever_ = for_ever;
    code_ = code;
    below_ = std::move(below);
    counted_ = 0;
    happened_ = false;
    trace_.clear();
  }
  void disarm() { arm(Fault::none, 0); }

  // From here on every read of a file below `below` fails so; nullopt: none does.
  void fail_reads(std::optional<Errc> code, std::string below = {}) {
    const std::lock_guard lock(mutex_);
    read_code_ = code;
    reads_below_ = std::move(below);
  }

  std::uint64_t counted() const {
    const std::lock_guard lock(mutex_);
    return counted_;
  }
  bool happened() const {
    const std::lock_guard lock(mutex_);
    return happened_;
  }
  std::vector<std::string> trace() const {  // of the counted steps
    const std::lock_guard lock(mutex_);
    return trace_;
  }

  // For the file systems. A change: what becomes of it.
  Fault change(std::string_view what, const std::string& path) {
    const std::lock_guard lock(mutex_);
    if (off_by_power()) return Fault::power_off;
    if (!below_.empty() && !path.starts_with(below_)) return Fault::none;
    ++counted_;
    if (trace_.size() < 10'000) trace_.push_back(std::string(what) + " " + path);
    const bool hit = fault_ != Fault::none && (counted_ == step_ || (for_ever_ && counted_ > step_));
    happened_ = happened_ || hit;
    return hit ? fault_ : Fault::none;
  }
  std::optional<Error> read_failure(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    if (!read_code_ || !path.starts_with(reads_below_)) return {};
    return fail(*read_code_, "injected: cannot read " + path);
  }
  bool is_off() const {
    const std::lock_guard lock(mutex_);
    return off_by_power();
  }
  Error error(std::string_view what, const std::string& path) const {
    const std::lock_guard lock(mutex_);
    return fail(code_, "injected: cannot " + std::string(what) + " " + path);
  }

 private:
  bool off_by_power() const { return fault_ == Fault::power_off && happened_; }

  mutable std::mutex mutex_;
  Fault fault_ = Fault::none;
  std::uint64_t step_ = 0;
  bool for_ever_ = false;
  Errc code_ = Errc::io_error;
  std::string below_;
  std::uint64_t counted_ = 0;
  bool happened_ = false;
  std::vector<std::string> trace_;
  std::optional<Errc> read_code_;
  std::string reads_below_;
};

}  // namespace greffe::testing

#endif
