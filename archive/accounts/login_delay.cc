#include "archive/accounts/login_delay.h"

#include <algorithm>

namespace greffe::accounts {

namespace {

constexpr int kFreePerAccount = 3;
constexpr int kFreePerRemote = 20;  // a court may stand behind one address
// Short, so that nobody can lock a clerk out by failing in her name; 1,440 guesses a day are nothing against 10
// characters. An address that goes on may wait longer.
constexpr std::int64_t kLongestPerAccountMs = 60'000;
constexpr std::int64_t kLongestPerRemoteMs = 15 * 60'000;
constexpr std::int64_t kForgetAfterMs = 3'600'000;
constexpr std::size_t kMaxRecords = 10'000;

template <class Records>
std::int64_t wait_of(const Records& records, const std::string& key, std::int64_t now_ms) {
  const auto found = records.find(key);
  return found == records.end() ? 0 : std::max<std::int64_t>(0, found->second.open_at_ms - now_ms);
}

}  // namespace

std::int64_t LoginDelay::begin(const std::string& account, const std::string& remote, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  const std::int64_t wait = std::max(wait_of(accounts_, account, now_ms), wait_of(remotes_, remote, now_ms));
  if (wait > 0) return wait;
  count(accounts_, account, kFreePerAccount, kLongestPerAccountMs, now_ms);
  count(remotes_, remote, kFreePerRemote, kLongestPerRemoteMs, now_ms);
  return 0;
}

void LoginDelay::count(Records& records, const std::string& key, int free, std::int64_t longest_ms,
                       std::int64_t now_ms) {
  std::erase_if(records, [now_ms](const auto& one) { return now_ms - one.second.last_ms > kForgetAfterMs; });
  if (records.size() >= kMaxRecords && !records.contains(key)) {
    // Somebody tries names without end; the oldest record goes, and the delay of the address holds them.
    records.erase(std::min_element(records.begin(), records.end(),
                                   [](const auto& a, const auto& b) { return a.second.last_ms < b.second.last_ms; }));
  }
  Record& record = records[key];
  ++record.failures;
  record.last_ms = now_ms;
  const int doublings = record.failures - free - 1;
  if (doublings < 0) return;
  record.open_at_ms = now_ms + std::min(longest_ms, std::int64_t{1000} << std::min(doublings, 20));
}

void LoginDelay::take_back(Records& records, const std::string& key) {
  const auto found = records.find(key);
  if (found == records.end()) return;
  found->second.open_at_ms = 0;
  if (--found->second.failures <= 0) records.erase(found);
}

void LoginDelay::succeeded(const std::string& account, const std::string& remote) {
  const std::lock_guard lock(mutex_);
  accounts_.erase(account);
  take_back(remotes_, remote);
}

void LoginDelay::withdrawn(const std::string& account, const std::string& remote) {
  const std::lock_guard lock(mutex_);
  take_back(accounts_, account);
  take_back(remotes_, remote);
}

}  // namespace greffe::accounts
