#include "archive/pool_keeper.h"

#include <fmt/format.h>

#include <chrono>

#include "archive/ahead_check.h"
#include "archive/all_logs.h"
#include "archive/base/progress.h"
#include "archive/tlog/log_check.h"

namespace greffe::archive {
namespace {

constexpr std::chrono::seconds kLookEvery{5};          // whether a volume is back
constexpr std::int64_t kSaveEveryMs = 5'000;           // so many names are looked at twice after a crash
constexpr std::int64_t kAgainMs = 10 * 60'000;         // while something lacks replicas
constexpr std::int64_t kAnywayMs = 24LL * 3'600'000;
constexpr std::int64_t kRoomAgainMs = 60 * 60'000;     // while nothing can be moved: it looks through all names of a volume

bool is_head(std::string_view key) { return key.ends_with("/checkpoint") || key.find("/cosigned/") != std::string_view::npos; }

std::vector<std::pair<std::string, std::string>> named_states(const std::vector<std::pair<std::string, store::VolumeState>>& volumes) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [id, state] : volumes) out.emplace_back(id, std::string(store::name_of(state)));
  return out;
}

// A pass that was gone on with.
store::CensusTotals together(const store::CensusTotals& before, store::CensusTotals now) {
  now.objects += before.objects;
  now.lacking += before.lacking;
  now.written += before.written;
  now.bytes_read += before.bytes_read;
  return now;
}

// Tiles, bundles and stages are for tlog::check_log, which knows what they should hold.
bool is_of_the_tree(std::string_view key) { return key.find("/tile/") != std::string_view::npos || key.find("/stage/") != std::string_view::npos; }

}  // namespace

PoolKeeper::PoolKeeper(Clock& clock, Log& log, FileSystem& files, store::WholePool& pool, KeeperSettings settings)
    : clock_(clock), log_(log), files_(files), pool_(pool), settings_(std::move(settings)), members_(pool.members()) {}
PoolKeeper::~PoolKeeper() { stop(); }

void PoolKeeper::start() {
  if (members_ == nullptr) return;
  take_up();
  thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
}

void PoolKeeper::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void PoolKeeper::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_one();
}

KeepingFacts PoolKeeper::facts() const {
  const std::lock_guard lock(mutex_);
  return facts_;
}

RoomFacts PoolKeeper::room() const {
  const std::lock_guard lock(mutex_);
  return room_;
}

PoolKeeper::Seen PoolKeeper::look() {
  Seen out;
  for (const store::VolumeReport& volume : pool_.volumes()) {
    // Full or not, what is there counts.
    const bool full = volume.state == store::VolumeState::full;
    out.volumes.emplace_back(volume.id, full ? store::VolumeState::active : volume.state);
  }
  out.changes = members_->volume_changes();
  return out;
}

// ---- what survives ----

// Before anything is stored with the volumes as they are now: a state that does not fit them must never be found again.
void PoolKeeper::take_up() {
  auto state = load_keeper_state(files_, settings_.state_path);
  if (!state && state.error().code == Errc::not_found) return;
  const Seen now = look();
  std::uint64_t draining = 0;
  for (const store::VolumeReport& volume : pool_.volumes()) draining += volume.draining ? 1 : 0;
  // More changes than those: a volume lacks what came while it was away.
  if (state && state->pool == pool_.pool_id() && state->volumes == named_states(now.volumes) && now.changes == draining) {
    broken_off_ = std::move(*state);
    return;
  }
  if (!state) log_.warn(state.error().message + "; the pass of the keeper begins anew");
  forget();
}

// Only while the volumes are as the pass found them.
void PoolKeeper::save(const Seen& seen, bool volumes_changed, const store::CensusTotals& totals) {
  saved_ms_ = clock_.monotonic_ms();
  if (look() != seen) return forget();
  if (totals.after.empty()) return;
  const Status saved = save_keeper_state(files_, settings_.state_path, {pool_.pool_id(), named_states(seen.volumes), volumes_changed, totals});
  if (!saved) log_.warn(saved.error().within("after a stop the keeper would look again at what it has seen").message);
}

void PoolKeeper::forget() {
  const Status removed = files_.remove(settings_.state_path);
  if (!removed && removed.error().code != Errc::not_found) log_.warn(removed.error().within("how far the keeper was cannot be removed").message);
}

bool PoolKeeper::due(const Seen& now) {
  const std::int64_t since_ms = clock_.monotonic_ms() - last_ms_;
  return woken_ || last_ != now || since_ms >= (whole_ ? kAnywayMs : kAgainMs);
}

void PoolKeeper::run(std::stop_token stop) {
  name_thread("gr-keep");
  give_way();
  {
    Seen all_well = look();
    all_well.changes = 0;
    const std::lock_guard lock(mutex_);
    last_ms_ = clock_.monotonic_ms();
    last_ = std::move(all_well);
    woken_ = woken_ || broken_off_;
  }
  while (!stop.stop_requested()) {
    see_to_room(look(), stop);  // first: until there is room, nothing new can be kept
    const Seen seen = look();
    bool now = false;
    bool volumes_changed = false;
    {
      const std::lock_guard lock(mutex_);
      now = due(seen);
      volumes_changed = !whole_ || last_ != seen;
      woken_ = false;
    }
    if (now) pass(seen, volumes_changed, stop);
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, kLookEvery, [this] { return woken_; });
  }
}

// What was stored while there was no room for R replicas has fewer: the pass after it writes them.
void PoolKeeper::see_to_room(const Seen& seen, std::stop_token stop) {
  const bool lacks = members_->lacks_room();
  {
    const std::lock_guard lock(mutex_);
    if (!lacks) room_.problem.clear();
    const bool tried = !room_.problem.empty() && room_seen_ == seen && clock_.monotonic_ms() - room_ms_ < kRoomAgainMs;
    if (!lacks || tried) return;
    room_.running = true;
    room_.totals = store::RoomTotals();
  }
  store::RoomSettings settings;
  settings.bytes_per_second = settings_.bytes_per_second;
  const auto done = members_->make_room(settings, [this, &seen](const store::RoomTotals& totals) {
    const std::lock_guard lock(mutex_);
    room_.totals = totals;
    return members_->volume_changes() == seen.changes;  // else what lacks replicas now comes before the rest of this
  }, stop);
  const std::string problem = done ? done->problem : done.error().message;
  if (done && done->moved + done->removed > 0) {
    log_.info(fmt::format("room for new recordings: {} copies ({}) were moved to other volumes, {} that were too many removed", done->moved,
                          human_bytes(done->moved_bytes), done->removed));
  }
  const std::lock_guard lock(mutex_);
  room_.running = false;
  room_seen_ = seen;
  room_ms_ = clock_.monotonic_ms();
  if (done) room_.totals = *done;
  if (!problem.empty() && room_.problem != problem) log_.warn(problem);
  room_.problem = problem;
  room_.finished = clock_.utc_now();
  if (done && done->reached) {
    woken_ = true;
    whole_ = false;
  }
}

void PoolKeeper::pass(const Seen& seen, bool volumes_changed, std::stop_token stop) {
  {
    const std::lock_guard lock(mutex_);
    facts_.running = true;
    facts_.objects = store::CensusTotals();
    facts_.logs = 0;
  }
  const KeeperState before = broken_off_ && broken_off_->volumes == named_states(seen.volumes) ? *broken_off_ : KeeperState{{}, {}, volumes_changed, {}};
  broken_off_.reset();
  store::CensusSettings settings;
  settings.volumes_changed = before.volumes_changed;
  settings.after = before.objects.after;
  auto objects = members_->fill_up(settings, [&](const store::CensusTotals& totals) {
    const store::CensusTotals all = together(before.objects, totals);
    if (clock_.monotonic_ms() - saved_ms_ >= kSaveEveryMs) save(seen, settings.volumes_changed, all);
    const std::lock_guard lock(mutex_);
    facts_.objects = all;
    return true;
  }, stop);
  if (objects) *objects = together(before.objects, *objects);
  if (objects) save(seen, settings.volumes_changed, *objects);
  Status done = objects ? complete_logs(stop) : Status(objects.error());
  if (done && objects->stuck > 0) done = fail(Errc::unavailable, fmt::format("{} objects have too few replicas: {}", objects->stuck, objects->problem));
  if (objects && stop.stop_requested()) done = fail(Errc::cancelled, "stopped");
  if (done || done.error().code != Errc::cancelled) forget();
  if (done) retire_emptied(seen);
  if (objects && objects->lacking > 0) {
    log_.info(fmt::format("{} of {} objects lacked replicas; {} were written", objects->lacking, objects->objects, objects->written));
  }
  const std::lock_guard lock(mutex_);
  facts_.running = false;
  last_ms_ = clock_.monotonic_ms();
  last_ = seen;
  whole_ = done.has_value();
  if (objects && objects->written > 0) room_seen_ = Seen();  // what had too few may be moved now
  if (!done && done.error().code == Errc::cancelled) return;
  if (objects) facts_.objects = *objects;
  if (!done && facts_.problem != done.error().message) log_.warn(done.error().message);
  facts_.problem = done ? std::string() : done.error().message;
  facts_.finished = clock_.utc_now();
}

// Every log: tiles and stages as its head commits to them, the head itself and what else lies beside it.
Status PoolKeeper::complete_logs(std::stop_token stop) {
  std::string trouble;
  const auto note = [&trouble](const Error& error) { trouble = error.message; };
  GREFFE_TRY(pool_.list("log/", [&](const store::ObjectInfo& info) {
    if (is_head(info.key)) {
      const auto head = pool_.read_head(info.key);  // completes it on the volumes where it belongs
      if (!head) note(head.error());
    } else if (!is_of_the_tree(info.key)) {
      const auto bytes = pool_.get(info.key);
      const auto restored = bytes ? pool_.restore(info.key, *bytes) : Result<store::ReplicaReport>(bytes.error());
      if (!restored && restored.error().code != Errc::not_found) note(restored.error());  // a marker may go meanwhile
    }
    return !stop.stop_requested();
  }));
  const std::vector<std::string> paths = GREFFE_TRY(all_logs(pool_));
  for (const std::string& path : paths) {
    if (stop.stop_requested()) return ok();
    const auto checked = tlog::check_log(pool_, pool_, pool_, path, tlog::CheckMode::repair, stop);
    if (!checked && checked.error().code != Errc::not_found) note(checked.error());
    for (const tlog::LogFinding& one : checked ? checked->findings : std::vector<tlog::LogFinding>()) {
      if (one.lost) trouble = one.key + " has no good replica";
    }
    const std::lock_guard lock(mutex_);
    ++facts_.logs;
  }
  const auto ahead = check_ahead(pool_, pool_, nullptr, tlog::CheckMode::repair, stop);
  if (!ahead) note(ahead.error());
  for (const tlog::LogFinding& one : ahead ? ahead->findings : std::vector<tlog::LogFinding>()) {
    if (one.lost) trouble = one.key + " has no good replica";
  }
  return trouble.empty() ? ok() : Status(fail(Errc::unavailable, trouble));
}

// A drain that was asked for during the pass waits for its own.
void PoolKeeper::retire_emptied(const Seen& seen) {
  if (members_->volume_changes() != seen.changes) return;
  for (const store::VolumeReport& volume : pool_.volumes()) {
    if (!volume.draining) continue;
    const Status retired = members_->retire_volume(volume.id);
    if (retired) log_.info(fmt::format("volume {} ({}) is empty of what counts and has left the pool; the disk may be taken out", volume.id, volume.path));
    if (!retired) log_.warn(retired.error().message);
  }
}

}  // namespace greffe::archive
