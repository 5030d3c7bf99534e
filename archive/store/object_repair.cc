#include "archive/store/object_repair.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "archive/format/names.h"

namespace greffe::store {
namespace {

// Volumes that could take another replica: those of domains that have none yet first.
std::vector<Volume*> spare_volumes(const Pool& pool, const Digest& digest, const std::vector<Volume*>& holders) {
  std::set<std::string> taken;
  for (const Volume* holder : holders) taken.insert(holder->label().domain);
  std::vector<Volume*> out;
  for (Volume* volume : pool.ranked(object_key(digest))) {
    const bool holds = std::find(holders.begin(), holders.end(), volume) != holders.end();
    if (!holds && volume->trusted()) out.push_back(volume);
  }
  std::stable_partition(out.begin(), out.end(), [&](const Volume* v) { return !taken.contains(v->label().domain); });
  return out;
}

}  // namespace

unsigned ObjectRepair::add_replicas(const Digest& digest, Volume& source, std::vector<Volume*> holders,
                                    unsigned wanted) {
  unsigned written = 0;
  for (Volume* volume : spare_volumes(pool_, digest, holders)) {
    if (holders.size() >= wanted) break;
    Status copied = copy_replica(pool_, source, *volume, digest);
    if (!copied && copied.error().code == Errc::already_exists) {
      const CopyCheck found = check_copy(pool_, *volume, digest);
      if (found.state == CopyState::good) copied = make_copy_durable(pool_, *volume, digest);
    }
    if (!copied) continue;  // the volume's state says why; the next one is tried
    holders.push_back(volume);
    ++written;
  }
  return written;
}

Result<ObjectHealth> ObjectRepair::check(const Digest& digest, ReadFrom from) { return examine(digest, from, Missing::reported); }
Result<ObjectHealth> ObjectRepair::fill(const Digest& digest) { return examine(digest, ReadFrom::cache, Missing::expected); }

Result<ObjectHealth> ObjectRepair::examine(const Digest& digest, ReadFrom from, Missing missing) {
  const std::lock_guard lock(mutex_);
  const std::string key = object_key(digest);
  ObjectHealth health;
  health.wanted = pool_.settings.replicas;
  std::vector<Volume*> holders;
  Volume* source = nullptr;  // a good replica, also on a volume that is being emptied
  std::vector<std::pair<Volume*, std::string>> bad;
  std::vector<Volume*> without;
  unsigned leaving = 0;      // good replicas that do not count any more: that others lack so many is no damage
  for (Volume* volume : pool_.ranked(key)) {
    const CopyCheck found = check_copy(pool_, *volume, digest, from);
    health.bytes += found.bytes;
    const bool good = found.state == CopyState::good;
    if (good && source == nullptr) source = volume;
    if (good && volume->keeps()) holders.push_back(volume);
    if (good && !volume->keeps()) ++leaving;
    if (found.state == CopyState::damaged) bad.emplace_back(volume, found.problem);
    if (found.state == CopyState::absent && volume->duty() == VolumeDuty::active) without.push_back(volume);
  }
  if (source == nullptr && bad.empty()) return fail(Errc::not_found, "no volume has " + key);
  unsigned lacking = 0;
  if (holders.size() + bad.size() < health.wanted) {
    lacking = health.wanted - static_cast<unsigned>(holders.size() + bad.size());
  }
  if (pool_.may_write() && source != nullptr) {
    for (const auto& [volume, problem] : bad) {
      const Status moved = volume->quarantine(key);
      if (!moved) static_cast<void>(volume->note_failure(moved.error()));  // the state says it; others get the replica
    }
    health.repaired = add_replicas(digest, *source, holders, health.wanted);
  }
  health.good = static_cast<unsigned>(holders.size()) + health.repaired;
  unsigned healed = health.repaired;
  const auto note = [&](std::string volume, std::string what, bool absent) {
    const bool repaired = healed > 0;
    if (repaired) --healed;
    health.damage.push_back({key, std::move(volume), std::move(what), absent, repaired});
  };
  for (const auto& [volume, problem] : bad) note(volume->label().id, problem, false);
  for (unsigned i = 0; missing == Missing::reported && i + leaving < lacking; ++i) {
    // Where it ought to be; a volume that this process never saw has no id.
    note(i < without.size() ? without[i]->label().id : "never-seen",
         fmt::format("{} has {} replicas instead of {}", key, holders.size() + bad.size(), health.wanted), true);
  }
  for (const Damage& damage : health.damage) pool_.report(damage);
  if (source == nullptr) return fail(Errc::corrupt, "no good replica is left of " + key + "; restore it from the other site");
  return health;
}

}  // namespace greffe::store
