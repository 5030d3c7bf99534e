// The part of the scrub that asks other sites for what no volume has any more.
#include "archive/scrub.h"

namespace greffe::archive {
namespace {

constexpr std::int64_t kRoundEveryMs = 10'000;      // what was found since is asked for
constexpr std::int64_t kSilentSiteMs = 30'000;      // after one in which a site did not answer
constexpr std::int64_t kAskAgainMs = 10 * 60'000;   // for what no site had

}  // namespace

// false: nothing is to be asked for now. One object at a time, and as long as it took something else is done.
bool Scrub::recall_next() {
  const std::int64_t now_ms = clock_.monotonic_ms();
  if (now_ms < recall_not_before_ms_) return false;
  if (to_recall_.empty()) {
    recall_not_before_ms_ = now_ms + kRoundEveryMs;
    if (lost_.count() == 0 || !recall_.has_sites()) return false;
    std::erase_if(not_recalled_until_ms_, [now_ms](const auto& one) { return one.second <= now_ms; });
    for (auto& [digest, lost] : lost_.all()) {
      if (lost.place && !not_recalled_until_ms_.contains(digest)) to_recall_.emplace_back(digest, lost);
    }
    if (to_recall_.empty()) return false;
  }
  const auto [digest, lost] = std::move(to_recall_.back());
  to_recall_.pop_back();
  const Status done = recall(digest, lost);
  const std::int64_t after_ms = clock_.monotonic_ms();
  recall_not_before_ms_ = after_ms + (to_recall_.empty() ? kRoundEveryMs : after_ms - now_ms);
  if (done || done.error().code == Errc::not_found) return true;
  to_recall_.clear();
  recall_not_before_ms_ = after_ms + kSilentSiteMs;
  return true;
}

void Scrub::recall_all(const std::stop_token& stop) {
  if (!recall_.has_sites()) return;
  for (const auto& [digest, lost] : lost_.all()) {
    if (stop.stop_requested()) return;
    if (lost.place) static_cast<void>(recall(digest, lost).has_value());  // what did not come back stays in the list
  }
}

Status Scrub::recall(const Digest& digest, const LostObject& lost) {
  if (!lost_.contains(digest)) return ok();  // it came back some other way
  const Status done = recall_.bring_back(lost.place->hearing, digest);
  if (!done && done.error().code == Errc::not_found) not_recalled_until_ms_[digest] = clock_.monotonic_ms() + kAskAgainMs;
  if (!done) return done;
  const std::lock_guard lock(mutex_);
  for (Request& request : requests_) {
    if (request.unrepaired.erase(object_key(digest)) > 0) request.repaired += pool_.traits().replicas;
  }
  return done;
}

}  // namespace greffe::archive
