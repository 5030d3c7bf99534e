#include "archive/recall.h"

#include <chrono>

namespace greffe::archive {
namespace {

constexpr std::chrono::seconds kTurnWait{5};      // for one of the fetches under way to end
constexpr std::size_t kOutcomesMost = 10'000;

// It is about that object; the site itself is well.
bool concerns_object(Errc code) { return code == Errc::not_found || code == Errc::corrupt; }

}  // namespace

Recall::Recall(Clock& clock, LostObjects& lost, AskableSites sites) : clock_(clock), lost_(lost), sites_(std::move(sites)) {}

bool Recall::has_sites() const { return sites_ && !sites_().empty(); }

std::shared_ptr<Recall::Try> Recall::known(const Digest& digest) {
  const std::int64_t now_ms = clock_.monotonic_ms();
  const auto found = tries_.find(digest);
  if (found != tries_.end() && (!found->second->outcome || now_ms < found->second->good_for_until_ms)) return found->second;
  std::erase_if(tries_, [&](const auto& one) { return one.second->outcome && one.second->good_for_until_ms <= now_ms; });
  return nullptr;
}

Status Recall::bring_back(const std::optional<HearingId>& hearing, const Digest& digest) {
  if (!has_sites()) return fail(Errc::not_found, "there is no other site to ask for " + object_key(digest));
  std::unique_lock lock(mutex_);
  if (const std::shared_ptr<Try> same = known(digest)) {
    changed_.wait(lock, [&] { return same->outcome.has_value(); });
    return *same->outcome;
  }
  const auto one = std::make_shared<Try>();
  if (tries_.size() < kOutcomesMost) tries_[digest] = one;  // beyond it somebody else may ask for the same: it is stored once all the same
  const bool turn = changed_.wait_for(lock, kTurnWait, [this] { return under_way_ < kRecallsAtOnce; });
  Status done = fail(Errc::unavailable, "other sites are being asked for much else; try again in a moment");
  if (turn) {
    ++under_way_;
    lock.unlock();
    done = fetch_and_store(hearing, digest);
    lock.lock();
    --under_way_;
  }
  one->outcome = done;
  // Whoever found it damaged before it was stored asks in a moment: that one is not fetched again either.
  one->good_for_until_ms = clock_.monotonic_ms() + (turn ? kRecallRestMs : 0);
  changed_.notify_all();
  return done;
}

bool Recall::is_resting(const OtherSite& site) const {
  const std::lock_guard lock(mutex_);
  const auto found = silent_until_ms_.find(site.name());
  return found != silent_until_ms_.end() && clock_.monotonic_ms() < found->second;
}

// What a main log says about a hearing, a correction or a mark, is held with the main log there.
Result<Bytes> Recall::ask(OtherSite& site, const std::optional<HearingId>& hearing, const Digest& digest) {
  auto bytes = site.get_object(hearing, digest);
  if (!bytes && bytes.error().code == Errc::not_found && hearing) bytes = site.get_object(std::nullopt, digest);
  if (bytes && sha256(*bytes) != digest) return fail(Errc::corrupt, site.name() + " sent other bytes than those of " + object_key(digest));
  if (!bytes && !concerns_object(bytes.error().code)) {
    const std::lock_guard lock(mutex_);
    silent_until_ms_[site.name()] = clock_.monotonic_ms() + kRecallRestMs;
  }
  return bytes;
}

Status Recall::fetch_and_store(const std::optional<HearingId>& hearing, const Digest& digest) {
  if (lost_.is_declared(hearing, digest)) return fail(Errc::not_found, object_key(digest) + " was declared lost");
  std::string said;
  bool not_now = false;
  for (const std::shared_ptr<OtherSite>& site : sites_()) {
    if (is_resting(*site)) {
      said += "; " + site->name() + " did not answer a moment ago";
      not_now = true;
      continue;
    }
    const auto bytes = ask(*site, hearing, digest);
    if (bytes) return lost_.restore(digest, *bytes, site->name());
    said += "; " + site->name() + ": " + bytes.error().message;
    not_now = not_now || !concerns_object(bytes.error().code);
  }
  return fail(not_now ? Errc::unavailable : Errc::not_found, "no other site gave " + object_key(digest) + said);
}

}  // namespace greffe::archive
