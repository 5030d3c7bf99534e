// Another site that has what a test gives it, and counts what it is asked. Thread-safe.
#ifndef GREFFE_TESTS_UNIT_SUPPORT_PRETENDED_SITE_H
#define GREFFE_TESTS_UNIT_SUPPORT_PRETENDED_SITE_H

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>

#include "archive/other_sites.h"

namespace greffe::testing {

class PretendedSite : public archive::OtherSite {
 public:
  explicit PretendedSite(std::string name = "dr.court.example") : name_(std::move(name)) {}
  const std::string& name() const override { return name_; }

  Result<Bytes> get_object(const std::optional<HearingId>& hearing, const Digest& digest) override {
    std::unique_lock lock(mutex_);
    ++asked_;
    most_at_once_ = std::max(most_at_once_, ++at_once_);
    changed_.notify_all();
    changed_.wait(lock, [this] { return !held_up_; });
    --at_once_;
    if (!reachable_) return fail(Errc::unavailable, name_ + " cannot be reached");
    const auto found = kept_.find({hearing, digest});
    if (found == kept_.end()) return fail(Errc::not_found, "it is not here");
    return found->second;
  }

  Result<SharesTold> shares(const LookedAt& looked_at) override {
    const std::lock_guard lock(mutex_);
    if (!reachable_) return fail(Errc::unavailable, name_ + " cannot be reached");
    return tell_ ? tell_(looked_at) : Result<SharesTold>(fail(Errc::not_found, "it is too old to say"));
  }

  // What it says of shares.
  void tell_shares(std::function<Result<SharesTold>(const LookedAt&)> tell) {
    const std::lock_guard lock(mutex_);
    tell_ = std::move(tell);
  }
  // `bytes` may be others than those of the digest.
  void keep(const std::optional<HearingId>& hearing, const Digest& digest, std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    kept_[{hearing, digest}] = to_bytes(bytes);
  }
  void set_reachable(bool reachable) {
    const std::lock_guard lock(mutex_);
    reachable_ = reachable;
  }
  // Nothing is answered while it is held up.
  void hold_up(bool held_up) {
    const std::lock_guard lock(mutex_);
    held_up_ = held_up;
    changed_.notify_all();
  }
  void await_asked(unsigned count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return asked_ >= count; });
  }
  unsigned asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  unsigned most_at_once() const {
    const std::lock_guard lock(mutex_);
    return most_at_once_;
  }

 private:
  const std::string name_;
  mutable std::mutex mutex_;  // guards those below
  std::condition_variable changed_;
  std::map<std::pair<std::optional<HearingId>, Digest>, Bytes> kept_;
  std::function<Result<SharesTold>(const LookedAt&)> tell_;
  bool reachable_ = true;
  bool held_up_ = false;
  unsigned asked_ = 0;
  unsigned at_once_ = 0;
  unsigned most_at_once_ = 0;
};

}  // namespace greffe::testing

#endif
