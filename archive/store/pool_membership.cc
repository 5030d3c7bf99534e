#include "archive/store/pool_membership.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace greffe::store {
namespace {

constexpr unsigned kRosterMode = 0640;

}  // namespace

Status LocalLease::take(FileSystem& files, const Volume& volume) {
  const std::string id = volume.label().id;
  if (!volume.readable() || held_.contains(id)) return ok();
  auto lock = files.lock(volume.file(kLockFile));
  if (!lock) return lock.error();
  locks_.push_back(*std::move(lock));
  held_.insert(id);
  return ok();
}

Status PoolMembership::open() {
  const std::lock_guard lock(mutex_);
  GREFFE_TRY(recognise());
  const unsigned volumes = pool_.active_volumes();
  PoolSettings& settings = pool_.settings;
  settings.replicas = std::min(settings.replicas, volumes);
  if (settings.write_quorum == 0 || settings.write_quorum > settings.replicas) {
    return fail(Errc::invalid, fmt::format("a write quorum of {} with {} replicas on {} volumes: it must be between 1 "
                                           "and the number of replicas",
                                           settings.write_quorum, settings.replicas, volumes));
  }
  if (!pool_.may_write()) return ok();
  for (const RosterVolume& one : roster_.volumes) {
    const Volume* volume = by_id(one.id);
    const auto held = held_.find(one.id);
    const bool behind = volume == nullptr || !volume->readable() || (held != held_.end() && held->second < roster_.generation);
    if (one.duty == VolumeDuty::draining || (one.duty == VolumeDuty::active && behind)) ++changes_;
  }
  GREFFE_TRY(take_lease());
  // Fewer than W volumes are no reason not to open: what is here can be read.
  static_cast<void>(publish(0));
  return ok();
}

Status PoolMembership::recognise() {
  const PoolSettings& settings = pool_.settings;
  for (const std::string& path : settings.volumes) slot(std::filesystem::absolute(path).lexically_normal()).refresh(settings.pool_id);
  std::set<std::string> pools;
  std::string reasons;
  for (const auto& volume : pool_.volumes) {
    if (volume->readable()) pools.insert(volume->label().pool);
    reasons += volume->report().reason + "; ";
  }
  if (pools.empty()) return fail(Errc::not_found, "no volume of the pool was recognised: " + reasons);
  if (pools.size() > 1) {
    return fail(Errc::invalid, "the volumes belong to different pools: " + *pools.begin() + " and " + *pools.rbegin());
  }
  pool_.settings.pool_id = *pools.begin();
  refuse_duplicates();
  load_roster();
  find_listed();
  for (const auto& volume : pool_.volumes) judge(*volume);
  refuse_duplicates();
  return ok();
}

// The newest list that any volume holds. A pool that has none yet is the volumes that are here.
void PoolMembership::load_roster() {
  std::vector<PoolRoster> found;
  for (const auto& volume : pool_.volumes) {
    if (!volume->readable()) continue;
    auto read = read_pool_roster(pool_.files, volume->path());
    const bool none = !read && read.error().code == Errc::not_found;
    if (none) held_[volume->label().id] = 0;
    if (!read || read->pool != pool_.settings.pool_id) continue;
    held_[volume->label().id] = read->generation;
    found.push_back(*std::move(read));
  }
  // Of two newest ones that differ, one has rotted: what more volumes say.
  const auto holders = [&](const PoolRoster& one) {
    return std::count_if(found.begin(), found.end(), [&](const PoolRoster& other) { return write_pool_roster(other) == write_pool_roster(one); });
  };
  const PoolRoster* best = nullptr;
  for (const PoolRoster& one : found) {
    if (one.generation < roster_.generation) continue;
    if (best == nullptr || one.generation > best->generation || (one.generation == best->generation && holders(one) > holders(*best))) best = &one;
  }
  if (best != nullptr) roster_ = *best;
  if (!roster_.volumes.empty()) return;
  roster_.pool = pool_.settings.pool_id;
  for (const auto& volume : pool_.volumes) {
    const VolumeLabel label = volume->label();
    if (volume->readable()) roster_.volumes.push_back({label.id, label.domain, volume->path(), VolumeDuty::active, pool_.clock.utc_now(), 0});
  }
}

// Every volume of the list has a place in the pool, also one that is not there: it keeps what belongs to it. One that has
// left has none, unless the configuration still names its path.
void PoolMembership::find_listed() {
  for (const RosterVolume& one : roster_.volumes) {
    Volume* volume = by_id(one.id);
    if (volume == nullptr) {
      volume = unrecognised(one.path);
      if (volume == nullptr && one.duty == VolumeDuty::retired) continue;
      if (volume == nullptr) {
        volume = &pool_.volumes.add(std::make_unique<Volume>(pool_.files, pool_.clock, one.path, pool_.settings.min_free_bytes));
      }
      volume->expect({one.id, one.domain, roster_.pool});
      volume->refresh(roster_.pool);
    }
    volume->set_duty(one.duty, one.since);
  }
}

// A label alone lets no volume in.
void PoolMembership::judge(Volume& volume) {
  if (!volume.readable()) return;
  const std::string id = volume.label().id;
  RosterVolume* const listed = roster_.find(id);
  if (listed == nullptr) {
    return volume.refuse(fmt::format("{} has this pool's label and is not in its list of volumes; take it in with: greffe-archive volume add", volume.path()));
  }
  volume.set_duty(listed->duty, listed->since);
  if (listed->duty == VolumeDuty::retired) {
    return volume.refuse(fmt::format("{} left this pool on {}; to use the disk again, empty it first", volume.path(), to_date(listed->since)));
  }
  const auto held = held_.find(id);
  // A list that cannot be read says nothing; it is written anew.
  if (held == held_.end() || held->second >= listed->seen) return;
  volume.refuse(fmt::format("{} is a copy of volume {} from before: it holds list {} of the pool, and the volume was seen with {}. Nobody knows what it "
                            "lacks. Bring the volume itself, or drain it, and add this disk as a new one once it is emptied",
                            volume.path(), id, held->second, listed->seen));
}

// Two paths with one id are one disk mounted twice, or a copy of a disk: counted once.
void PoolMembership::refuse_duplicates() {
  std::set<std::string> seen;
  for (const auto& volume : pool_.volumes) {
    if (!volume->readable() || seen.insert(volume->label().id).second) continue;
    volume->refuse(fmt::format("{} has the id {} of another volume of this pool: the same disk twice, or a copy of it", volume->path(),
                               volume->label().id));
  }
}

Status PoolMembership::take_lease() {
  for (const auto& volume : pool_.volumes) {
    const Status locked = lease_.take(pool_.files, *volume);
    if (locked) continue;
    if (locked.error().code == Errc::unavailable) {
      return fail(Errc::unavailable, "another process is writing to this pool: " + locked.error().message);
    }
    static_cast<void>(volume->note_failure(locked.error()));  // a broken volume does not keep the others from work
  }
  return ok();
}

void PoolMembership::look() {
  const std::lock_guard lock(mutex_);
  const bool changed = look_once();
  if (changed && pool_.may_write()) static_cast<void>(publish(0));
}

bool PoolMembership::look_once() {
  if (!pool_.may_write()) {
    load_roster();
    find_listed();
  }
  bool changed = false;
  for (const auto& volume : pool_.volumes) {
    if (volume->readable()) continue;
    volume->refresh(pool_.settings.pool_id);
    if (!volume->readable()) continue;
    const auto read = read_pool_roster(pool_.files, volume->path());
    if (read) held_[volume->label().id] = read->generation;
    judge(*volume);
    const Status locked = pool_.may_write() ? lease_.take(pool_.files, *volume) : ok();
    if (!locked) volume->refuse("its lock cannot be taken: " + locked.error().message);
    changed = changed || volume->readable();
  }
  refuse_duplicates();
  if (changed) ++changes_;
  return changed;
}

std::uint64_t PoolMembership::changes() const {
  const std::lock_guard lock(mutex_);
  return changes_;
}

Volume* PoolMembership::by_id(std::string_view id) const {
  for (const auto& volume : pool_.volumes) {
    if (volume->label().id == id) return volume.get();
  }
  return nullptr;
}

Volume* PoolMembership::unrecognised(const std::string& path) const {
  for (const auto& volume : pool_.volumes) {
    if (volume->path() == path && volume->label().id.empty()) return volume.get();
  }
  return nullptr;
}

Volume& PoolMembership::slot(const std::string& path) {
  for (const auto& volume : pool_.volumes) {
    if (volume->path() == path) return *volume;
  }
  return pool_.volumes.add(std::make_unique<Volume>(pool_.files, pool_.clock, path, pool_.settings.min_free_bytes));
}

// A crash in it leaves some volumes with the older list: the newest one counts, and it is written to all at the next start.
Status PoolMembership::publish(unsigned least) {
  PoolRoster next = roster_;
  ++next.generation;
  for (RosterVolume& one : next.volumes) {
    const auto held = held_.find(one.id);
    if (held != held_.end()) one.seen = std::max(one.seen, held->second);
    const Volume* volume = by_id(one.id);
    if (volume != nullptr && volume->readable()) one.path = volume->path();
  }
  const std::string text = write_pool_roster(next);
  unsigned written = 0;
  std::string trouble;
  for (const auto& volume : pool_.volumes) {
    const std::string id = volume->label().id;
    if (!volume->readable() || next.find(id) == nullptr) continue;
    const Status done = pool_.files.replace(volume->file(kRosterFile), as_bytes(text), kRosterMode);
    if (!done) trouble += volume->note_failure(done.error()).message + "; ";
    if (done) held_[id] = next.generation;
    if (done && volume->trusted()) ++written;
  }
  roster_ = std::move(next);
  if (written >= least) return ok();
  return fail(Errc::unavailable, fmt::format("the list of volumes is on {} of them and needs {}: {}. Mend those volumes, then do this again", written,
                                             least, trouble));
}

Result<VolumeLabel> PoolMembership::add(const std::string& path, const std::string& domain) {
  const std::lock_guard lock(mutex_);
  if (!pool_.may_write()) return read_only_pool("cannot add a volume").error();
  if (!path.starts_with('/')) return fail(Errc::invalid, fmt::format("\"{}\": give the whole path of the new volume", path));
  if (roster_.volumes.size() >= kVolumesMax) return fail(Errc::invalid, fmt::format("a pool has at most {} volumes, the retired ones counted", kVolumesMax));
  auto label = read_volume_label(pool_.files, path);
  if (!label && label.error().code == Errc::not_found) label = init_volume(pool_.files, path, roster_.pool, domain);
  if (!label) return label.error();
  if (label->pool != roster_.pool) return fail(Errc::invalid, fmt::format("{} belongs to another pool ({}); nothing was touched", path, label->pool));
  if (label->domain != domain) return fail(Errc::invalid, fmt::format("{} is a volume of the failure domain {} already", path, label->domain));
  const RosterVolume* const listed = roster_.find(label->id);
  if (listed != nullptr && listed->duty == VolumeDuty::retired) {
    return fail(Errc::invalid, fmt::format("{} left this pool on {}; to use the disk again, empty it first", path, to_date(listed->since)));
  }
  if (listed != nullptr) return fail(Errc::already_exists, fmt::format("{} is a volume of this pool already", path));
  Volume& volume = slot(path);
  volume.admit();
  volume.refresh(roster_.pool);
  if (!volume.readable()) return fail(Errc::unavailable, volume.report().reason);
  GREFFE_TRY(lease_.take(pool_.files, volume));
  roster_.volumes.push_back({label->id, label->domain, path, VolumeDuty::active, pool_.clock.utc_now(), 0});
  ++changes_;
  GREFFE_TRY(publish(pool_.settings.write_quorum));
  return *label;
}

Status PoolMembership::drain(const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (!pool_.may_write()) return read_only_pool("cannot drain a volume");
  RosterVolume* const listed = roster_.find(id);
  if (listed == nullptr) return fail(Errc::not_found, fmt::format("this pool has no volume {}", id));
  if (listed->duty == VolumeDuty::retired) return fail(Errc::conflict, fmt::format("volume {} has left this pool already", id));
  if (listed->duty == VolumeDuty::draining) return publish(pool_.settings.write_quorum);  // perhaps it could not be written down before
  const unsigned left = pool_.active_volumes() - 1;
  if (left < pool_.settings.replicas) {
    return fail(Errc::invalid, fmt::format("only {} volumes would be left for {} replicas; add one first: greffe-archive volume add", left,
                                           pool_.settings.replicas));
  }
  listed->duty = VolumeDuty::draining;
  ++changes_;
  listed->since = pool_.clock.utc_now();
  Volume* const volume = by_id(id);
  if (volume != nullptr) volume->set_duty(listed->duty, listed->since);
  return publish(pool_.settings.write_quorum);
}

Status PoolMembership::retire(const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (!pool_.may_write()) return read_only_pool("cannot retire a volume");
  RosterVolume* const listed = roster_.find(id);
  if (listed == nullptr) return fail(Errc::not_found, fmt::format("this pool has no volume {}", id));
  if (listed->duty == VolumeDuty::active) return fail(Errc::conflict, fmt::format("volume {} is not being drained", id));
  if (listed->duty == VolumeDuty::draining) listed->since = pool_.clock.utc_now();
  listed->duty = VolumeDuty::retired;
  const UtcTime since = listed->since;
  GREFFE_TRY(publish(pool_.settings.write_quorum));
  Volume* const volume = by_id(id);
  if (volume == nullptr) return ok();
  volume->set_duty(VolumeDuty::retired, since);
  volume->refuse(fmt::format("{} has left this pool; the disk may be taken out", volume->path()));
  return ok();
}

}  // namespace greffe::store
