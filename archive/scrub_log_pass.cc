// The part of the scrub that reads logs.
#include <algorithm>
#include <chrono>
#include <limits>
#include <set>

#include "archive/ahead_check.h"
#include "archive/all_logs.h"
#include "archive/format/ahead_piece.h"
#include "archive/scrub.h"
#include "archive/tlog/log_check.h"

namespace greffe::archive {
namespace {

constexpr std::int64_t kTroubleRestMs = 10'000;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

}  // namespace

std::int64_t Scrub::time_to_logs() const {
  const std::int64_t rest_ms = logs_not_before_ms_ - clock_.monotonic_ms();
  if (rest_ms > 0) return rest_ms;
  if (logs_in_haste()) return -kNever;
  if (replicas_ == nullptr) return kNever;
  if (!logs_.after.empty()) return -kNever;  // broken off by a stop
  return logs_.began.ms + pass_length_ms(settings_.period_ms) - clock_.utc_now().ms;
}

std::int64_t Scrub::read_logs(const std::stop_token& stop) {
  {
    const std::lock_guard lock(mutex_);
    if (logs_.after.empty()) logs_.began = clock_.utc_now();
  }
  const Status walked = walk_logs(pool_, logs_.after, [&](const std::string& path) {
    const auto bytes = check_one_log(path, stop);
    if (stop.stop_requested()) return false;
    std::unique_lock lock(mutex_);
    logs_.after = path;
    unsaved_ = true;
    const bool haste = logs_in_haste();
    lock.unlock();
    save(false);
    const std::int64_t rest_ms = bytes ? rest_after(*bytes) : 0;
    lock.lock();
    if (!haste && rest_ms > 0) changed_.wait_for(lock, stop, std::chrono::milliseconds(rest_ms), [this] { return logs_in_haste(); });
    return !stop.stop_requested();
  });
  if (stop.stop_requested()) return 0;
  check_entries_ahead(stop);
  const Status done = walked ? finish_logs(stop) : walked;
  if (done) return 0;
  log_.warn("the scrub of the logs waits: " + done.error().message);
  logs_not_before_ms_ = clock_.monotonic_ms() + kTroubleRestMs;
  return 0;
}

// The bytes that were read.
Result<std::uint64_t> Scrub::check_one_log(const std::string& path, const std::stop_token& stop) {
  const auto checked = tlog::check_log(pool_, pool_, pool_, path, tlog::CheckMode::repair, stop);
  if (!checked && checked.error().code == Errc::not_found) return std::uint64_t{0};  // files of a log that was never published
  if (stop.stop_requested()) return std::uint64_t{0};
  bool all_there = false;
  {
    const std::lock_guard lock(mutex_);
    all_there = std::all_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.there; });
  }
  // While a volume is away nobody knows what is on no volume.
  auto found = look_through_log(pool_, path, all_there ? LookForAbsent::yes : LookForAbsent::no,
                                      [this](const Digest& digest) { return lost_.contains(digest); });
  if (found) {
    lost_.place(found->wanted);
    std::erase_if(found->absent, [this](const auto& one) { return lost_.is_declared(one.second.hearing, one.first); });
  }
  for (const auto& [digest, place] : found ? found->absent : std::map<Digest, NamedPlace>()) lost_.add_absent(digest, place);

  const std::lock_guard lock(mutex_);
  std::uint64_t failures = checked ? 0 : 1;
  std::uint64_t repaired = 0;
  if (!checked) note_unrepaired(path, checked.error().message);
  for (const tlog::LogFinding& one : checked ? checked->findings : std::vector<tlog::LogFinding>()) {
    failures += one.missing.size() + one.different.size();
    repaired += one.repaired;
    if (one.lost) note_unrepaired(one.key, "no volume has bytes that fit the log's head; bring them from the second site");
  }
  for (const auto& [digest, place] : found ? found->absent : std::map<Digest, NamedPlace>()) {
    ++failures;
    note_unrepaired(object_key(digest), "no volume has it");
  }
  ++logs_.logs;
  logs_.bytes += checked ? checked->bytes : 0;
  note_read(checked ? checked->bytes : 0);
  logs_.failures += failures;
  logs_.results.append(leaf_hash(as_bytes(path + (failures == 0 ? " good" : " damaged"))));
  for (Request& request : requests_) {
    request.failures += failures;
    request.repaired += repaired;
  }
  return checked ? checked->bytes : 0;
}

// What is known ahead of logs is no log: it is in the counts, and not in the tree of the pass.
void Scrub::check_entries_ahead(const std::stop_token& stop) {
  const auto checked = check_ahead(pool_, pool_, &pool_, tlog::CheckMode::repair, stop);
  if (!checked) return log_.warn("the scrub cannot look at entries known ahead: " + checked.error().message);
  std::set<std::string> folders;
  {
    const std::lock_guard lock(mutex_);
    logs_.bytes += checked->bytes;
    note_read(checked->bytes);
    for (const tlog::LogFinding& one : checked->findings) {
      const std::uint64_t failures = one.missing.size() + one.different.size() + (one.lost ? 1 : 0);
      logs_.failures += failures;
      for (Request& request : requests_) {
        request.failures += failures;
        request.repaired += one.repaired;
      }
      if (one.lost) note_unrepaired(one.key, "no volume has it as its name says; it was removed, and has to be sent again");
      if (const auto key = parse_ahead_key(one.key)) folders.insert(key->folder);
    }
  }
  if (!settings_.on_ahead_changed) return;
  for (const std::string& folder : folders) settings_.on_ahead_changed(folder);
}

Status Scrub::finish_logs(const std::stop_token& stop) {
  lost_.settle(stop);
  if (lost_.any_to_locate()) lost_.locate(stop);
  bool haste = false;
  {
    const std::lock_guard lock(mutex_);
    haste = logs_in_haste();
  }
  if (haste) recall_all(stop);  // whoever asked for the scrub is told what came of that
  const UtcTime now = clock_.utc_now();
  GREFFE_TRY(main_log_.append(summary_of(logs_, now)));
  {
    const std::lock_guard lock(mutex_);
    for (Request& request : requests_) {
      if (!request.done && request.logs_until == logs_.passes + 1) request.logs = logs_.logs;
    }
    logs_.finish();
    unsaved_ = true;
  }
  save(true);
  return ok();
}

}  // namespace greffe::archive
