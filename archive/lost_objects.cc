#include "archive/lost_objects.h"

#include <algorithm>

#include "archive/all_logs.h"
#include "archive/format/lost_declarations.h"

namespace greffe::archive {
namespace {

constexpr std::size_t kKeptMost = 10'000;     // beyond it they are counted; more is two dead disks, not bad sectors
constexpr std::size_t kFindingsMost = 10'000;

}  // namespace

LostObjects::LostObjects(Clock& clock, Log& log, store::WholePool& pool, MainLog& main_log, store::DamageListener on_damage)
    : clock_(clock), log_(log), pool_(pool), main_log_(main_log), on_damage_(std::move(on_damage)) {}

bool LostObjects::contains(const Digest& digest) const {
  const std::lock_guard lock(mutex_);
  return lost_.contains(digest);
}

void LostObjects::add(const Digest& digest, const std::string& problem) {
  const std::lock_guard lock(mutex_);
  if (lost_.contains(digest)) return;
  if (lost_.size() >= kKeptMost) {
    ++beyond_;
    return;
  }
  lost_[digest] = LostObject{clock_.utc_now(), problem, std::nullopt, false};
}

void LostObjects::add_absent(const Digest& digest, const NamedPlace& place) {
  if (contains(digest)) return;
  const std::string key = object_key(digest);
  add(digest, "no volume has " + key + "; restore it from the other site");
  report_absent(key, key + " is named by a log and on no volume", false);
  this->place({{digest, place}});
}

void LostObjects::place(const std::map<Digest, NamedPlace>& found) {
  for (const auto& [digest, place] : found) {
    std::string problem;
    {
      const std::lock_guard lock(mutex_);
      const auto at = lost_.find(digest);
      if (at == lost_.end() || at->second.place) continue;
      at->second.place = place;
      at->second.looked_for = true;
      problem = at->second.problem;
    }
    log_.error(place.words() + ": " + problem);
  }
}

Result<std::unique_ptr<store::ObjectWriter>> LostObjects::begin_return(const Digest& digest, std::uint64_t size) {
  if (!contains(digest)) return fail(Errc::not_found, object_key(digest) + " is not lost here");
  return pool_.begin_object(size);
}

void LostObjects::returned(const Digest& digest) {
  auto open = open_findings();
  settle_one(digest, open ? (*open)[digest] : std::vector<std::string>(), true);
  log_.info(object_key(digest) + " was brought back from the other site");
}

Status LostObjects::restore(const Digest& digest, ByteView bytes, const std::string& from) {
  const std::string key = object_key(digest);
  const auto held = pool_.holds_object(digest);
  const auto writer = GREFFE_TRY(pool_.begin_object(bytes.size()));
  GREFFE_TRY(writer->write(bytes));
  GREFFE_TRY(writer->commit(digest));
  auto open = open_findings();
  const std::vector<std::string> volumes = open ? (*open)[digest] : std::vector<std::string>();
  // What was damaged is reported where it is moved aside; of what was nowhere nobody says it but here.
  if (held && !*held && volumes.empty()) report_absent(key, key + " was on no volume and was brought back from " + from, true);
  settle_one(digest, volumes, true);
  log_.info(key + " was brought back from " + from);
  return ok();
}

// One of the volumes stands for all: none has it.
void LostObjects::report_absent(const std::string& key, const std::string& what, bool repaired) const {
  for (const store::VolumeReport& volume : pool_.volumes()) {
    if (volume.id.empty() || !on_damage_) continue;
    on_damage_({key, volume.id, what, true, repaired});
    return;
  }
}

// With the volumes that they name.
Result<std::map<Digest, std::vector<std::string>>> LostObjects::open_findings() const {
  std::map<Digest, std::vector<std::string>> out;
  const std::vector<catalogue::OpenFinding> findings = GREFFE_TRY(main_log_.catalogue().open_findings(kFindingsMost));
  for (const catalogue::OpenFinding& finding : findings) {
    if (const auto digest = parse_object_key(finding.key)) out[*digest].push_back(finding.volume);
  }
  return out;
}

void LostObjects::settle(const std::stop_token& stop) {
  auto open = open_findings();
  if (!open) return log_.warn(open.error().within("findings of the scrub cannot be looked up").message);
  for (const auto& [digest, lost] : all()) (*open)[digest];
  // While a volume is away nobody knows what is on no volume.
  const std::vector<store::VolumeReport> volumes_now = pool_.volumes();
  const bool all_there = std::none_of(volumes_now.begin(), volumes_now.end(),
                                      [](const store::VolumeReport& volume) { return volume.state == store::VolumeState::missing; });
  for (const auto& [digest, volumes] : *open) {
    if (stop.stop_requested()) return;
    settle_one(digest, volumes, all_there);
  }
}

void LostObjects::settle_one(const Digest& digest, const std::vector<std::string>& volumes, bool all_there) {
  const std::string key = object_key(digest);
  if (pool_.read_back(digest).good == 0) {
    if (give_up(digest)) return;
    if (all_there) add(digest, "no good replica is left of " + key + "; restore it from the other site");
    return;
  }
  const auto health = pool_.repair_object(digest, store::ReadFrom::medium);
  if (!health) return;
  forget(digest);
  if (health->good < health->wanted) return;
  std::set<std::string> to_tell(volumes.begin(), volumes.end());
  for (const store::Damage& damage : health->damage) {
    if (damage.repaired) to_tell.erase(damage.volume);
    else to_tell.insert(damage.volume);
  }
  for (const std::string& volume : to_tell) {
    if (on_damage_) on_damage_({key, volume, key + " has all its replicas again", false, true});
  }
}

// ---- what is declared lost ----

bool LostObjects::is_declared(const Digest& digest) const {
  const auto declared = main_log_.declared_lost().names(digest);
  if (!declared) log_.warn(declared.error().within("what was declared lost cannot be read").message);
  return declared && *declared;
}

bool LostObjects::is_declared(const std::optional<HearingId>& hearing, const Digest& digest) const {
  const auto declared = main_log_.declared_lost().covers(hearing, digest);
  if (!declared) log_.warn(declared.error().within("what was declared lost cannot be read").message);
  return declared && *declared;
}

bool LostObjects::give_up(const Digest& digest) {
  if (!is_declared(digest)) return false;
  const std::string key = object_key(digest);
  const Status aside = pool_.set_aside(digest);
  if (!aside && aside.error().code == Errc::conflict) return false;
  if (!aside) log_.warn(aside.error().within("damaged replicas of " + key + ", which was declared lost, cannot be moved aside").message);
  forget(digest);
  auto open = open_findings();
  for (const std::string& volume : open ? (*open)[digest] : std::vector<std::string>()) {
    if (on_damage_) on_damage_({key, volume, key + " was declared lost: it is not missed any more", true, true});
  }
  return true;
}

// Those of them that are named where the order says, for the hearing that it says.
Result<std::map<Digest, NamedPlace>> LostObjects::places_of(const LostOrder& order, const std::string& main_log) {
  std::set<Digest> wanted(order.objects.begin(), order.objects.end());
  std::vector<std::string> logs;
  if (order.hearing) logs.push_back(hearing_log_path(*order.hearing));
  logs.push_back(main_log);
  std::map<Digest, NamedPlace> out;
  for (const std::string& path : logs) {
    if (wanted.empty()) break;
    const auto found = find_named(pool_, path, [&](const Digest& digest) { return wanted.contains(digest); });
    if (!found && found.error().code != Errc::not_found) return found.error();
    for (const auto& [digest, place] : found ? *found : std::map<Digest, NamedPlace>()) {
      if (place.hearing == order.hearing && wanted.erase(digest) > 0) out.emplace(digest, place);
    }
  }
  return out;
}

// Each of them must be named where the officers say that it is.
Status LostObjects::are_named(const LostOrder& order) {
  const std::map<Digest, NamedPlace> found = GREFFE_TRY(places_of(order, main_log_.place().path));
  for (const Digest& digest : order.objects) {
    if (found.contains(digest)) continue;
    return fail(Errc::not_found, (order.hearing ? "hearing " + order.hearing->text() : "the main log, for no hearing,") + " does not name " + digest.hex());
  }
  return ok();
}

Status LostObjects::all_volumes_are_there() const {
  for (const store::VolumeReport& volume : pool_.volumes()) {
    if (volume.state != store::VolumeState::missing) continue;
    return fail(Errc::unavailable, "volume " + volume.path + " is missing and may hold what seems lost: bring it back, or drain it if it is gone for good");
  }
  return ok();
}

Result<std::uint64_t> LostObjects::look_for(const LostOrder& order, const std::string& main_log) {
  GREFFE_TRY(all_volumes_are_there());
  LostOrder gone{order.hearing, {}};
  std::uint64_t lost = 0;
  for (const Digest& digest : order.objects) {
    if (contains(digest)) {
      ++lost;
      continue;
    }
    const auto read = pool_.hash_behind({}, digest);
    if (!read && (read.error().code == Errc::not_found || read.error().code == Errc::corrupt)) gone.objects.push_back(digest);
  }
  if (gone.objects.empty()) return lost;
  const std::map<Digest, NamedPlace> places = GREFFE_TRY(places_of(gone, main_log));
  for (const auto& [digest, where] : places) {
    if (is_declared(where.hearing, digest)) continue;
    const bool any_replica = GREFFE_TRY(pool_.holds_object(digest));
    if (any_replica) {
      static_cast<void>(pool_.repair_object(digest, store::ReadFrom::medium).has_value());  // reports each replica that is damaged
      add(digest, "no good replica is left of " + object_key(digest) + "; restore it from the other site");
      place({{digest, where}});
    } else {
      add_absent(digest, where);
    }
    ++lost;
  }
  return lost;
}

Status LostObjects::may_declare(const LostOrder& order) {
  if (order.objects.empty()) return fail(Errc::invalid, "name at least one object that is lost");
  GREFFE_TRY(all_volumes_are_there());
  bool all_declared = true;
  for (const Digest& digest : order.objects) {
    all_declared = all_declared && GREFFE_TRY(main_log_.declared_lost().covers(order.hearing, digest));
    const store::ReadBackCount found = pool_.read_back(digest);
    if (found.good > 0) return fail(Errc::conflict, "a good copy of " + object_key(digest) + " is here: nothing is lost; `scrub` rewrites the others from it");
  }
  if (all_declared) return fail(Errc::already_exists, "this was declared lost before");
  return are_named(order);
}

Result<std::string> LostObjects::statement(const LostOrder& order) {
  GREFFE_TRY(may_declare(order));
  return lost_statement(main_log_.archive_name(), order.hearing, order.objects);
}

Status LostObjects::declare(const LostOrder& order, const std::vector<Signed>& officers) {
  GREFFE_TRY(may_declare(order));
  MainLostEntry entry;
  entry.hearing = order.hearing;
  entry.objects = order.objects;
  for (const Signed& one : officers) {
    entry.officers.push_back(one.officer);
    entry.signatures.push_back(one.signature);
  }
  entry.utc = clock_.utc_now();
  DeclaredLost::Read log = GREFFE_TRY(main_log_.declared_lost().of(main_log_.archive_name()));
  GREFFE_TRY(log.declarations.take(entry));
  GREFFE_TRY(main_log_.append(entry));
  for (const Digest& digest : order.objects) give_up(digest);
  return ok();
}

void LostObjects::forget(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  lost_.erase(digest);
  if (lost_.empty()) beyond_ = 0;
}

bool LostObjects::any_to_locate() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(lost_.begin(), lost_.end(), [](const auto& one) { return !one.second.looked_for; });
}

void LostObjects::locate(const std::stop_token& stop) {
  std::map<Digest, LostObject> wanted = all();
  std::erase_if(wanted, [](const auto& one) { return one.second.looked_for; });
  const Status walked = walk_logs(pool_, "", [&](const std::string& path) {
    const auto found = look_through_log(pool_, path, LookForAbsent::no, [&](const Digest& digest) { return wanted.contains(digest); });
    if (found) place(found->wanted);
    for (const auto& [digest, named] : found ? found->wanted : std::map<Digest, NamedPlace>()) wanted.erase(digest);
    return !wanted.empty() && !stop.stop_requested();
  });
  if (!walked) return log_.warn(walked.error().within("the logs cannot be searched for what is lost").message);
  if (stop.stop_requested()) return;
  for (const auto& [digest, lost] : wanted) {
    log_.error(lost.problem + "; no log names it");
    const std::lock_guard lock(mutex_);
    if (const auto at = lost_.find(digest); at != lost_.end()) at->second.looked_for = true;
  }
}

std::map<Digest, LostObject> LostObjects::all() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

std::uint64_t LostObjects::count() const {
  const std::lock_guard lock(mutex_);
  return lost_.size() + beyond_;
}

Json json_of(const Digest& digest, const LostObject& lost) {
  Json out;
  out.set("found", lost.found).set("key", object_key(digest)).set("problem", lost.problem);
  if (!lost.place) return out;
  if (lost.place->hearing) out.set("hearing", lost.place->hearing->text());
  if (lost.place->stream.empty()) return out;
  out.set("ms", lost.place->duration_ms).set("stream", lost.place->stream).set("utc", lost.place->utc);
  return out;
}

}  // namespace greffe::archive
