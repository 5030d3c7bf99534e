#include "archive/store/rebalance.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/base/progress.h"
#include "archive/format/names.h"
#include "archive/store/pace.h"
#include "archive/store/reservation.h"

namespace greffe::store {
namespace {

constexpr unsigned kDirectories = 65'536;  // "sha256/00/00" to "sha256/ff/ff"

std::string directory_name(unsigned number) {
  Digest digest;
  digest.bytes[0] = static_cast<std::uint8_t>(number >> 8);
  digest.bytes[1] = static_cast<std::uint8_t>(number & 0xff);
  return parent_of(object_key(digest));
}

// Every volume is begun at another directory, and after a start at the same one again: what left it left a gap there, which
// is passed quickly.
unsigned first_directory(std::string_view volume_id) {
  const Digest digest = sha256(as_bytes(volume_id));
  return static_cast<unsigned>(digest.bytes[0]) << 8 | digest.bytes[1];
}

std::size_t domains_of(const std::vector<Volume*>& volumes) {
  std::set<std::string> out;
  for (const Volume* volume : volumes) out.insert(volume->label().domain);
  return out.size();
}

std::vector<Volume*> without(std::vector<Volume*> volumes, const Volume* one) {
  std::erase(volumes, one);
  return volumes;
}

// A full volume is shown as one until somebody asks it for room.
void ask_for_room(Volume& volume) {
  if (volume.report().state == VolumeState::full) static_cast<void>(Reservation::make(volume, 1).has_value());
}

}  // namespace

struct Rebalance::Run {
  RoomTotals totals;
  Pace pace;
  const std::function<bool(const RoomTotals&)>& visit;
  const std::stop_token stop;
  bool stopped = false;
  bool somebody_had_room = false;                    // for some object that could not go there
  bool some_lack = false;                            // objects with fewer than R replicas were met
  std::set<std::string> given_up;                    // volumes from which nothing more can be moved
  std::set<const Volume*> no_targets;                // volumes that could not take what was to go there
  std::map<std::string, unsigned> directories_left;  // by volume
  Survey now;                                        // as of the last move, or of the directory that is gone through

  bool may_go_on() {
    stopped = stopped || stop.stop_requested();
    return !stopped;
  }
};

std::size_t Rebalance::Survey::index_of(const Volume& volume) const {
  return static_cast<std::size_t>(std::find(volumes.begin(), volumes.end(), &volume) - volumes.begin());
}

Rebalance::Survey Rebalance::survey(const std::set<std::string>& given_up) const {
  Survey out;
  for (const auto& volume : pool_.volumes) {
    if (!volume->trusted()) continue;
    const VolumeReport report = volume->report();
    const std::uint64_t kept = pool_.settings.min_free_bytes + report.reserved_bytes;
    out.volumes.push_back(volume.get());
    const std::int64_t room = static_cast<std::int64_t>(report.free_bytes) - static_cast<std::int64_t>(kept);
    out.rooms.push_back({report.id, report.domain, room, report.total_bytes});
  }
  out.goal = room_goal(out.rooms);
  out.choice = choose_roomiest(out.rooms, pool_.settings.replicas, out.goal, given_up);
  return out;
}

bool Rebalance::lacks_room() const {
  const Survey now = survey({});
  return !now.rooms.empty() && !has_room(now.rooms, now.choice, now.goal / 2);
}

Result<RoomTotals> Rebalance::run(const RoomSettings& settings, const std::function<bool(const RoomTotals&)>& visit, std::stop_token stop) {
  if (!pool_.may_write()) return read_only_pool("cannot move replicas").error();
  Run run{{}, Pace(pool_.clock, settings.bytes_per_second, stop), visit, stop, false, false, false, {}, {}, {}, {}};
  while (run.may_go_on()) {
    const Survey now = survey(run.given_up);
    run.totals.lacking_bytes = lacking_room(now.rooms, now.choice, now.goal);
    run.totals.reached = has_room(now.rooms, now.choice, now.goal);
    if (run.totals.reached || !now.choice.complete || now.choice.volumes.empty()) break;
    Volume& poorest = *now.volumes[poorest_of(now.rooms, now.choice)];
    const bool more = move_off(run, poorest);
    ask_for_room(poorest);
    if (!more) run.given_up.insert(poorest.label().id);
  }
  if (run.totals.reached || run.stopped) return std::move(run.totals);
  const Survey now = survey({});
  run.totals.lacking_bytes = lacking_room(now.rooms, now.choice, now.goal);
  std::string_view remedy = "no volume has so much to spare: add one";
  if (run.some_lack) remedy = "what has too few copies is not moved before it has them";
  if (run.somebody_had_room) remedy = "nothing more can be moved there without two copies in one failure domain: add a volume of another domain";
  run.totals.problem = fmt::format("new recordings need {} more room to find {} volumes of different failure domains with room; {}",
                                   human_bytes(run.totals.lacking_bytes), pool_.settings.replicas, remedy);
  return std::move(run.totals);
}

// None where they cannot be listed; the volume's state says why.
std::vector<std::string> Rebalance::names_in(Volume& volume, const std::string& directory) const {
  auto names = pool_.files.list(volume.file(directory));
  if (names) return *std::move(names);
  if (names.error().code != Errc::not_found) static_cast<void>(volume.note_failure(names.error()));
  return {};
}

// Until others need it more, or it has what it needs. false: nothing more on it can be moved.
bool Rebalance::move_off(Run& run, Volume& from) {
  const std::string id = from.label().id;
  unsigned& place = places_.try_emplace(id, first_directory(id)).first->second;
  unsigned& left = run.directories_left.try_emplace(id, kDirectories).first->second;
  std::vector<std::string> inner;  // the directories of the outer one, which are all there: few of them may be
  for (unsigned outer = kDirectories; left > 0; --left, place = (place + 1) % kDirectories) {
    const std::string directory = directory_name(place);
    if (outer != place / 256) inner = names_in(from, parent_of(directory));
    outer = place / 256;
    if (!std::binary_search(inner.begin(), inner.end(), directory.substr(directory.size() - 2))) continue;
    const std::vector<std::string> names = names_in(from, directory);
    if (names.empty()) continue;
    run.now = survey(run.given_up);
    if (run.now.index_of(from) == run.now.rooms.size()) return true;  // it takes no part any more
    for (const std::string& name : names) {
      if (!run.may_go_on()) return true;
      const auto digest = parse_object_key(directory + "/" + name);
      if (!digest || !try_object(run, from, *digest)) continue;  // what is no object is reported by scrub
      if (!needs_more(run, from)) return true;
    }
  }
  return false;
}

// After a move: tells whoever watches, and judges anew.
bool Rebalance::needs_more(Run& run, const Volume& from) const {
  run.now = survey(run.given_up);
  const Survey& now = run.now;
  run.totals.lacking_bytes = lacking_room(now.rooms, now.choice, now.goal);
  if (!run.visit(run.totals)) run.stopped = true;
  const std::size_t self = now.index_of(from);
  const bool chosen = std::find(now.choice.volumes.begin(), now.choice.volumes.end(), self) != now.choice.volumes.end();
  if (run.stopped || !chosen) return false;
  const auto goal = static_cast<std::int64_t>(now.goal);
  const std::size_t poorest = poorest_of(now.rooms, now.choice);
  // Some at a time, so that the volumes rise together and what is reached so far can be used.
  const bool turn = poorest == self || now.rooms[self].room_bytes < now.rooms[poorest].room_bytes + goal / 8;
  return turn && now.rooms[self].room_bytes < goal;
}

// Of those with room to spare the one with most that has no replica yet, and with which the replicas are in as many
// domains as before.
Volume* Rebalance::target_of(Run& run, const Volume& source, const std::vector<Volume*>& holders, std::uint64_t bytes) const {
  const Survey& now = run.now;
  const std::size_t from = now.index_of(source);
  Volume* best = nullptr;
  std::int64_t best_room = 0;
  for (std::size_t i = 0; i < now.volumes.size(); ++i) {
    Volume* const one = now.volumes[i];
    if (i == from || run.no_targets.contains(one) || !may_give(now.rooms[from], now.rooms[i], bytes, now.goal)) continue;
    run.somebody_had_room = true;
    if (std::find(holders.begin(), holders.end(), one) != holders.end()) continue;
    std::vector<Volume*> then = without(holders, now.volumes[from]);
    then.push_back(one);
    if (domains_of(then) < domains_of(holders) || (best != nullptr && now.rooms[i].room_bytes <= best_room)) continue;
    best = one;
    best_room = now.rooms[i].room_bytes;
  }
  return best;
}

bool Rebalance::try_object(Run& run, Volume& from, const Digest& digest) {
  const std::string key = object_key(digest);
  const auto stat = pool_.files.stat(from.file(key));
  if (!stat) return false;
  std::vector<Volume*> holders;
  for (Volume* volume : run.now.volumes) {
    if (pool_.files.stat(volume->file(key))) holders.push_back(volume);
  }
  // What has too few is for the keeper; until then it is not touched.
  run.some_lack = run.some_lack || holders.size() < pool_.settings.replicas;
  if (holders.size() < pool_.settings.replicas) return false;
  const bool one_too_many = holders.size() > pool_.settings.replicas &&
                            domains_of(without(holders, &from)) >= std::min<std::size_t>(domains_of(holders), pool_.settings.replicas);
  Volume* const to = one_too_many ? nullptr : target_of(run, from, holders, stat->size);
  if (!one_too_many && to == nullptr) return false;
  const Status moved = repair_.move(digest, from, to);
  if (!moved) {
    if (moved.error().code == Errc::corrupt) {
      static_cast<void>(repair_.check(digest).has_value());  // what it finds is reported, and mended if it can be
    } else if (to != nullptr && (moved.error().code == Errc::no_space || !to->trusted())) {
      run.no_targets.insert(to);
    }
    return false;
  }
  ++(to == nullptr ? run.totals.removed : run.totals.moved);
  if (to != nullptr) run.totals.moved_bytes += stat->size;
  run.pace.after(stat->size);
  return true;
}

}  // namespace greffe::store
