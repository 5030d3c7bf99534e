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

ObjectRepair::Found ObjectRepair::look(const Digest& digest, ReadFrom from) {
  Found out;
  for (Volume* volume : pool_.ranked(object_key(digest))) {
    const CopyCheck found = check_copy(pool_, *volume, digest, from);
    out.bytes += found.bytes;
    const bool good = found.state == CopyState::good;
    if (good && out.source == nullptr) out.source = volume;
    if (good && volume->keeps()) out.holders.push_back(volume);
    if (good && !volume->keeps()) ++out.leaving;
    if (found.state == CopyState::damaged) out.bad.emplace_back(volume, found.problem);
    if (found.state == CopyState::unknown && volume->keeps()) ++out.unknown;
    if (found.state == CopyState::absent && volume->duty() == VolumeDuty::active) out.without.push_back(volume);
  }
  return out;
}

Result<ObjectHealth> ObjectRepair::examine(const Digest& digest, ReadFrom from, Missing missing) {
  const std::lock_guard lock(mutex_);
  const std::string key = object_key(digest);
  ObjectHealth health;
  health.wanted = pool_.settings.replicas;
  Found found = look(digest, from);
  // Beside a writer that moves a replica just then, both of its places may have looked empty.
  if (!pool_.may_write() && found.holders.size() + found.bad.size() < health.wanted) found = look(digest, from);
  auto& [holders, source, bad, without, unknown, leaving, bytes] = found;
  health.bytes = bytes;
  if (source == nullptr && bad.empty() && unknown == 0) return fail(Errc::not_found, "no volume has " + key);
  const unsigned there = static_cast<unsigned>(holders.size() + bad.size()) + unknown;
  const unsigned lacking = there < health.wanted ? health.wanted - there : 0;
  if (pool_.may_write() && source != nullptr) {
    for (const auto& [volume, problem] : bad) {
      const Status moved = volume->quarantine(key);
      if (!moved) static_cast<void>(volume->note_failure(moved.error()));  // the state says it; others get the replica
    }
    health.repaired = add_replicas(digest, *source, holders, health.wanted - std::min(health.wanted, unknown));
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
         fmt::format("{} has {} replicas instead of {}", key, there, health.wanted), true);
  }
  for (const Damage& damage : health.damage) pool_.report(damage);
  if (source == nullptr && unknown > 0) return fail(Errc::unavailable, key + " cannot be read now; try again in a moment");
  if (source == nullptr) return fail(Errc::corrupt, "no good replica is left of " + key + "; restore it from the other site");
  return health;
}

Status ObjectRepair::set_aside(const Digest& digest) {
  if (!pool_.may_write()) return read_only_pool("cannot move a replica aside");
  const std::lock_guard lock(mutex_);
  const std::string key = object_key(digest);
  const Found found = look(digest, ReadFrom::medium);
  if (found.source != nullptr) return fail(Errc::conflict, "a replica of " + key + " is good");
  for (const auto& [volume, problem] : found.bad) {
    const Status moved = volume->quarantine(key);
    if (!moved && moved.error().code != Errc::not_found) return volume->note_failure(moved.error());
  }
  return ok();
}

Status ObjectRepair::move(const Digest& digest, Volume& from, Volume* to) {
  if (!pool_.may_write()) return read_only_pool("cannot move a replica");
  const std::lock_guard lock(mutex_);
  const std::string key = object_key(digest);
  std::vector<Volume*> staying;
  for (Volume* volume : pool_.ranked(key)) {
    if (volume == &from || volume == to || !volume->trusted()) continue;
    const CopyCheck found = check_copy(pool_, *volume, digest);
    if (found.state == CopyState::damaged) return fail(Errc::corrupt, found.problem);
    // Of a process that was killed before it synced, perhaps.
    if (found.state == CopyState::good && make_copy_durable(pool_, *volume, digest)) staying.push_back(volume);
  }
  if (to != nullptr) staying.push_back(to);
  if (staying.size() < pool_.settings.replicas) return fail(Errc::conflict, key + " has too few good replicas to lose one");
  if (to != nullptr) GREFFE_TRY(write_moved(digest, from, *to));
  // One of them may have broken meanwhile, or have begun to be emptied.
  const bool all_stay = std::all_of(staying.begin(), staying.end(), [](const Volume* volume) { return volume->trusted(); });
  if (!all_stay) return fail(Errc::conflict, key + " would be on too few volumes that stay");
  pool_.verified.forget(&from, digest);
  const Status removed = pool_.files.remove(from.file(key));
  // The directory is not synced: a name that comes back after a power cut is that of a good replica.
  if (!removed && removed.error().code != Errc::not_found) return from.note_failure(removed.error());
  return ok();
}

Status ObjectRepair::write_moved(const Digest& digest, Volume& from, Volume& to) {
  const Status copied = copy_replica(pool_, from, to, digest);
  if (!copied && copied.error().code != Errc::already_exists) return copied;
  const CopyCheck kept = check_copy(pool_, to, digest, ReadFrom::medium);
  if (kept.state == CopyState::good) return make_copy_durable(pool_, to, digest);
  // A disk that said it had written and had not. Nothing lacks: the replica that was to go stays.
  const std::string key = object_key(digest);
  const Status aside = to.quarantine(key);
  pool_.report({key, to.label().id, kept.problem, false, aside.has_value()});
  return to.note_failure(fail(Errc::io_error, kept.problem.empty() ? to.file(key) + " is not there after it was written" : kept.problem));
}

}  // namespace greffe::store
