#include "archive/scrub.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

namespace greffe::archive {
namespace {

constexpr std::int64_t kLookEveryMs = 5'000;   // at the volumes: whether one came or went
constexpr std::int64_t kSaveEveryMs = 5'000;   // so much is read twice after a crash
constexpr std::int64_t kTroubleRestMs = 10'000;
constexpr std::int64_t kClockBackMs = 60'000;  // less is a clock that is kept right
constexpr std::size_t kUnrepairedMost = 1000;  // told to who asked
constexpr std::size_t kStraysMost = 1000;      // of a volume, in a pass
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

}  // namespace

Scrub::Scrub(Clock& clock, Log& log, FileSystem& files, store::WholePool& pool, MainLog& main_log, ScrubSettings settings)
    : clock_(clock), log_(log), files_(files), pool_(pool), main_log_(main_log), settings_(std::move(settings)),
      replicas_(pool.replicas()), lost_(clock, log, pool, main_log, settings_.on_damage),
      recall_(clock, lost_, settings_.sites) {}
Scrub::~Scrub() { stop(); }

void Scrub::start() {
  auto state = load_scrub_state(files_, settings_.state_path);
  if (!state && state.error().code != Errc::not_found) {
    log_.warn(state.error().message + "; the scrub begins anew with every volume");
  }
  const std::lock_guard lock(mutex_);
  logs_.began = clock_.utc_now();
  if (state && state->pool == pool_.pool_id()) {
    for (VolumePass& pass : state->volumes) lanes_.emplace_back().pass = std::move(pass);
    logs_ = std::move(state->logs);
    seen_ = state->saved;
  }
  running_ = true;
  thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
}

void Scrub::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

Result<Json> Scrub::read_all_now() {
  std::unique_lock lock(mutex_);
  if (!running_) return fail(Errc::cancelled, "the archive is stopping; ask again when it runs");
  const auto request = requests_.emplace(requests_.end());
  woken_ = true;
  changed_.notify_all();
  changed_.wait(lock, [&] { return request->done.has_value(); });
  Result<Json> out = *request->done ? Result<Json>(answer(*request)) : Result<Json>(request->done->error());
  requests_.erase(request);
  return out;
}

Json Scrub::answer(const Request& request) const {
  Json::Array unrepaired;
  const std::map<Digest, LostObject> lost = lost_.all();
  for (const auto& [key, problem] : request.unrepaired) {
    Json one;
    one.set("key", key).set("problem", problem);
    const auto digest = parse_object_key(key);
    const auto found = digest ? lost.find(*digest) : lost.end();
    unrepaired.push_back(found == lost.end() ? one : json_of(found->first, found->second));
  }
  Json::Array not_read;
  for (const Lane& lane : lanes_) {
    if (!lane.there) not_read.push_back(lane.path);
  }
  Json out;
  out.set("bytes", request.bytes).set("failures", request.failures).set("logs", request.logs).set("not_read", std::move(not_read));
  out.set("objects", request.objects).set("repaired", request.repaired).set("unrepaired", std::move(unrepaired));
  return out;
}

ScrubReport Scrub::report() const {
  ScrubReport out;
  out.by_service = replicas_ == nullptr;
  const UtcTime now = clock_.utc_now();
  const std::lock_guard lock(mutex_);
  out.asked = !requests_.empty();
  if (out.asked && requests_.front().begun) {
    const Request& request = requests_.front();
    out.asked_bytes = request.read_bytes;
    out.asked_share = request.work > 0 ? std::clamp(1 - passes_left(request) / request.work, 0.0, 1.0) : 1;
  }
  out.logs = logs_;
  for (const Lane& lane : lanes_) {
    const VolumePass& pass = lane.pass;
    ScrubProgress one;
    one.volume = pass.volume;
    one.path = lane.path;
    one.there = lane.there;
    one.share = static_cast<double>(reached(lane)) / kAllNames;
    one.began = pass.began;
    one.left_ms = left_ms(lane);
    one.objects = pass.objects;
    one.bytes = pass.bytes;
    one.failures = pass.failures;
    one.passes = pass.passes;
    one.oldest = pass.oldest();
    one.late = !out.by_service && pass.late(settings_.period_ms, now);
    one.problem = lane.problem;
    out.volumes.push_back(std::move(one));
  }
  return out;
}

// ---- the thread ----

void Scrub::run(std::stop_token stop) {
  name_thread("gr-scrub");
  give_way();
  lost_.settle(stop);
  while (!stop.stop_requested()) {
    const std::int64_t rest_ms = step(stop);
    save(false);
    if (rest_ms <= 0) continue;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, std::chrono::milliseconds(std::min(rest_ms, kLookEveryMs)), [this] { return woken_; });
    woken_ = false;
  }
  save(true);
  const std::lock_guard lock(mutex_);
  running_ = false;
  for (Request& request : requests_) {
    if (!request.done) request.done = fail(Errc::cancelled, "the archive is stopping; the scrub goes on where it was when it runs again");
  }
  changed_.notify_all();
}

std::int64_t Scrub::step(const std::stop_token& stop) {
  check_clock();
  const std::int64_t now_ms = clock_.monotonic_ms();
  if (looked_ms_ == 0 || now_ms - looked_ms_ >= look_every_ms()) look_at_volumes();
  Lane* lane = nullptr;
  bool logs = false;
  std::int64_t rest_ms = kLookEveryMs;
  {
    const std::lock_guard lock(mutex_);
    begin_requests();
    end_requests();
    lane = next_lane(rest_ms);
    const std::int64_t logs_ms = time_to_logs();
    rest_ms = std::min(rest_ms, std::max<std::int64_t>(logs_ms, 0));
    logs = logs_ms <= 0 && (lane == nullptr || (!in_haste(*lane) && logs_ms <= time_to(*lane)));
    if (logs) lane = nullptr;
    const bool haste = lane != nullptr ? in_haste(*lane) : logs_in_haste();
    if (!haste && now_ms < paced_until_ms_) return paced_until_ms_ - now_ms;
  }
  if (recall_next()) return 0;
  if (lane == nullptr && !logs && lost_.any_to_locate() && now_ms >= locate_not_before_ms_) {
    lost_.locate(stop);
    // Where much is lost, piece by piece, most of the time is left for other work.
    locate_not_before_ms_ = clock_.monotonic_ms() + 1000 + 10 * (clock_.monotonic_ms() - now_ms);
    return 0;
  }
  if (lane != nullptr) return advance(*lane, stop);
  return logs ? read_logs(stop) : rest_ms;
}

void Scrub::check_clock() {
  const UtcTime now = clock_.utc_now();
  if (now.ms < seen_.ms - kClockBackMs) {
    log_.warn("the clock was set back; the scrub goes on by the new time");
    const std::lock_guard lock(mutex_);
    for (Lane& lane : lanes_) lane.pass.clock_went_back(now, settings_.period_ms);
    logs_.began = std::min(logs_.began, now);
    unsaved_ = true;
    seen_ = now;
  }
  seen_ = std::max(seen_, now);
}

void Scrub::look_at_volumes() {
  std::vector<store::VolumeReport> seen;
  for (store::VolumeReport& volume : pool_.volumes()) {
    if (volume.id.empty() || volume.state == store::VolumeState::retired) continue;
    const auto same = std::find_if(seen.begin(), seen.end(), [&](const store::VolumeReport& one) { return one.id == volume.id; });
    if (same == seen.end()) {
      seen.push_back(std::move(volume));
    } else if (same->state == store::VolumeState::missing) {  // the other one of a duplicate
      *same = std::move(volume);
    }
  }
  const UtcTime now = clock_.utc_now();
  const std::int64_t now_ms = clock_.monotonic_ms();
  looked_ms_ = now_ms;
  const std::lock_guard lock(mutex_);
  const auto left_the_pool = [&](const Lane& lane) {
    return std::none_of(seen.begin(), seen.end(), [&](const store::VolumeReport& volume) { return volume.id == lane.pass.volume; });
  };
  if (std::erase_if(lanes_, left_the_pool) > 0) unsaved_ = true;
  for (const store::VolumeReport& volume : seen) {
    auto lane = std::find_if(lanes_.begin(), lanes_.end(), [&](const Lane& one) { return one.pass.volume == volume.id; });
    if (lane == lanes_.end()) {
      lane = lanes_.emplace(lanes_.end());
      lane->pass = VolumePass::begin(volume.id, now);
      unsaved_ = true;
    }
    const bool there = volume.state != store::VolumeState::missing;
    if (lane->measured_ms == 0 || (there && !lane->there)) {
      lane->measured_ms = now_ms;
      lane->measured_from = lane->pass.position();
    }
    if (!there) {  // what is on it when it comes back is looked at anew
      lane->listed = false;
      lane->names.clear();
    }
    lane->path = volume.path;
    lane->there = there;
  }
}

// A service is asked only when somebody waits.
std::int64_t Scrub::look_every_ms() const {
  const std::lock_guard lock(mutex_);
  if (std::any_of(requests_.begin(), requests_.end(), [](const Request& request) { return !request.begun; })) return 0;
  return replicas_ != nullptr ? kLookEveryMs : kNever;
}

// ---- who waits ----

void Scrub::begin_requests() {
  const std::int64_t now_ms = clock_.monotonic_ms();
  for (Request& request : requests_) {
    if (request.begun) continue;
    request.begun = true;
    for (Lane& lane : lanes_) {
      if (!lane.there) continue;
      request.until[lane.pass.volume] = lane.pass.passes + (lane.pass.after ? 2 : 1);
      lane.measured_ms = now_ms;
      lane.measured_from = lane.pass.position();
      lane.listed = false;
      lane.names.clear();
    }
    request.logs_until = logs_.passes + (logs_.after.empty() ? 1 : 2);
    request.work = passes_left(request);
  }
}

double Scrub::passes_left(const Request& request) const {
  double left = 0;
  for (const Lane& lane : lanes_) {
    const auto until = request.until.find(lane.pass.volume);
    if (!lane.there || until == request.until.end() || lane.pass.passes >= until->second) continue;
    left += static_cast<double>(until->second - lane.pass.passes) - static_cast<double>(reached(lane)) / kAllNames;
  }
  return left;
}

void Scrub::note_read(std::uint64_t bytes) {
  for (Request& request : requests_) request.read_bytes += request.begun ? bytes : 0;
}

void Scrub::end_requests() {
  for (Request& request : requests_) {
    const bool volumes_done = std::none_of(lanes_.begin(), lanes_.end(), [&](const Lane& lane) {
      const auto until = request.until.find(lane.pass.volume);
      return lane.there && until != request.until.end() && lane.pass.passes < until->second;
    });
    if (request.done || !request.begun || !volumes_done || logs_.passes < request.logs_until) continue;
    request.done = ok();
    changed_.notify_all();
  }
}

bool Scrub::in_haste(const Lane& lane) const {
  return std::any_of(requests_.begin(), requests_.end(), [&](const Request& request) {
    const auto until = request.until.find(lane.pass.volume);
    return !request.done && until != request.until.end() && lane.pass.passes < until->second;
  });
}

bool Scrub::logs_in_haste() const {
  return std::any_of(requests_.begin(), requests_.end(),
                     [&](const Request& request) { return !request.done && request.begun && logs_.passes < request.logs_until; });
}

void Scrub::count(Lane& lane, const std::vector<store::Damage>& damage, std::uint64_t repaired) {
  for (const store::Damage& one : damage) {
    const auto of = std::find_if(lanes_.begin(), lanes_.end(), [&](const Lane& other) { return other.pass.volume == one.volume; });
    ++(of == lanes_.end() ? lane : *of).pass.failures;
  }
  for (Request& request : requests_) {
    request.failures += damage.size();
    request.repaired += repaired;
  }
}

void Scrub::note_unrepaired(const std::string& key, const std::string& problem) {
  for (Request& request : requests_) {
    if (request.unrepaired.size() < kUnrepairedMost) request.unrepaired[key] = problem;
  }
}

// ---- volumes ----

// Milliseconds until the lane has something to do; 0 or less: it is due, and by how much.
std::int64_t Scrub::time_to(const Lane& lane) const {
  const bool haste = in_haste(lane);
  if (!lane.there || (replicas_ == nullptr && !haste)) return kNever;
  const std::int64_t rest_ms = lane.not_before_ms - clock_.monotonic_ms();
  if (rest_ms > 0) return rest_ms;
  if (haste) return 0;
  const std::int64_t due_ms = lane.pass.due(reached(lane), settings_.period_ms).ms - clock_.utc_now().ms;
  return lane.listed && !is_stale(lane) ? due_ms : std::min<std::int64_t>(due_ms, 0);  // names are looked at without delay
}

// What came since belongs to this pass: where there is little, the next name is long after the last one.
bool Scrub::is_stale(const Lane& lane) const {
  const std::int64_t good_for_ms = std::clamp<std::int64_t>(pass_length_ms(settings_.period_ms) / 1000, 1000, 3'600'000);
  return !in_haste(lane) && clock_.monotonic_ms() - lane.listed_ms > good_for_ms;
}

// Everything before this name was read in this pass.
NamePosition Scrub::reached(const Lane& lane) const {
  if (!lane.listed) return lane.pass.position();
  return lane.names.empty() ? kAllNames : position_of(lane.names.back());
}

// Those that somebody waits for first, side by side; then whichever is most overdue.
Scrub::Lane* Scrub::next_lane(std::int64_t& rest_ms) {
  Lane* best = nullptr;
  std::pair<bool, std::int64_t> best_rank;
  for (Lane& lane : lanes_) {
    const std::int64_t time_ms = time_to(lane);
    if (time_ms > 0) {
      rest_ms = std::min(rest_ms, time_ms);
      continue;
    }
    const bool haste = in_haste(lane);
    const std::pair<bool, std::int64_t> rank(!haste, haste ? static_cast<std::int64_t>(lane.pass.position()) : time_ms);
    if (best != nullptr && best_rank <= rank) continue;
    best = &lane;
    best_rank = rank;
  }
  return best;
}

std::int64_t Scrub::advance(Lane& lane, const std::stop_token& stop) {
  if (replicas_ == nullptr) return read_service(lane, stop);
  bool stale = false;
  {
    const std::lock_guard lock(mutex_);
    stale = is_stale(lane);
  }
  if (!lane.listed || stale) return list_names(lane);
  if (lane.names.empty()) return finish_pass(lane, stop);
  return read_replica(lane, lane.names.back());
}

std::int64_t Scrub::list_names(Lane& lane) {
  auto found = replicas_->names_behind(lane.pass.volume, lane.pass.after);
  if (!found) return hinder(lane, found.error());
  std::reverse(found->objects.begin(), found->objects.end());
  const std::lock_guard lock(mutex_);
  for (const store::ReplicaNames::Stray& stray : found->strays) {
    if (lane.strays.size() >= kStraysMost || !lane.strays.insert(stray.key).second) continue;
    log_.warn("volume " + lane.path + ": " + stray.problem);
    ++lane.pass.failures;
    for (Request& request : requests_) ++request.failures;
    note_unrepaired(stray.key, stray.problem);
  }
  lane.names = std::move(found->objects);
  lane.listed = true;
  lane.listed_ms = clock_.monotonic_ms();
  lane.problem.clear();
  return 0;
}

std::int64_t Scrub::read_replica(Lane& lane, const Digest& digest) {
  const auto found = replicas_->read_replica(lane.pass.volume, digest);
  if (!found) return hinder(lane, found.error());
  const bool good = found->state == store::ReplicaReading::State::good;
  const bool gone = found->state == store::ReplicaReading::State::gone;
  // Only when everything about it is said and done does the pass move on: a crash before that reads it again.
  if (!gone && (!good || found->lacking) && !mend(lane, digest, good)) return hinder(lane, fail(Errc::unavailable, "a volume went away during a repair"));
  const std::lock_guard lock(mutex_);
  note_read(found->bytes);
  if (!gone) lane.pass.take(digest, found->bytes, good, clock_.utc_now());
  if (!lane.names.empty()) lane.names.pop_back();
  if (lane.names.empty()) lane.listed = false;
  lane.problem.clear();
  unsaved_ = true;
  paced_until_ms_ = clock_.monotonic_ms() + rest_after(found->bytes);
  return 0;
}

// What lacks because a volume came or went is the keeper's to write; who waits for the scrub does not wait for the keeper.
void Scrub::fill(const Digest& digest, bool waited_for) {
  if (!waited_for) return;
  const auto health = replicas_->fill_object(digest);
  const std::lock_guard lock(mutex_);
  for (Request& request : requests_) request.repaired += health ? health->repaired : 0;
}

// false: it could not be judged now.
bool Scrub::mend(Lane& lane, const Digest& digest, bool good) {
  const std::string key = object_key(digest);
  bool haste = false;
  {
    const std::lock_guard lock(mutex_);
    haste = in_haste(lane);
  }
  if (good && settings_.volumes_settled && !settings_.volumes_settled()) {
    fill(digest, haste);
    return true;
  }
  if (!good && lost_.give_up(digest)) return true;
  // What is known to be lost was reported.
  const bool lost = !good && lost_.contains(digest) && pool_.read_back(digest).good == 0;
  const auto health = lost ? Result<store::ObjectHealth>(fail(Errc::corrupt, "no good replica is left of " + key))
                           : pool_.repair_object(digest, store::ReadFrom::medium);
  if (!health && health.error().code == Errc::not_found) return true;  // gone meanwhile
  if (!health && health.error().code != Errc::corrupt) return false;
  if (!health) {
    lost_.add(digest, health.error().message);
    const std::lock_guard lock(mutex_);
    ++lane.pass.failures;
    for (Request& request : requests_) ++request.failures;
    note_unrepaired(key, health.error().message);
    return true;
  }
  // What was written is read from the medium once more; what is found there is reported as any damage.
  if (health->repaired > 0) {
    const auto again = pool_.repair_object(digest, store::ReadFrom::medium);
    if (!again || !again->damage.empty()) log_.error("volume " + lane.path + ": " + key + " was rewritten and is damaged again; look at the disks");
  }
  const std::lock_guard lock(mutex_);
  count(lane, health->damage, health->repaired);
  if (!good && health->damage.empty()) ++lane.pass.failures;  // somebody else mended it meanwhile
  return true;
}

std::int64_t Scrub::finish_pass(Lane& lane, const std::stop_token& stop) {
  lost_.settle(stop);
  save(true);  // a crash between here and the next save writes the summary once more, and reads nothing twice
  const UtcTime now = clock_.utc_now();
  const VolumePass& pass = lane.pass;
  const auto written = main_log_.append(summary_of(pass, now));
  if (!written) return hinder(lane, written.error().within("the summary of a scrub is not in the main log"));
  VolumePass finished = pass;
  finished.finish(now);
  {
    const std::lock_guard lock(mutex_);
    for (Request& request : requests_) {
      const auto until = request.until.find(pass.volume);
      if (request.done || until == request.until.end() || until->second != pass.passes + 1) continue;
      request.objects += pass.objects;
      request.bytes += pass.bytes;
    }
    lane.pass = std::move(finished);
    lane.listed = false;
    lane.strays.clear();
    lane.measured_ms = clock_.monotonic_ms();
    lane.measured_from = 0;
    unsaved_ = true;
  }
  save(true);
  return 0;
}

// All objects in the order that the service has them, in one go. It begins again when it was broken off.
std::int64_t Scrub::read_service(Lane& lane, const std::stop_token& stop) {
  {
    const std::lock_guard lock(mutex_);
    VolumePass fresh = VolumePass::begin(lane.pass.volume, clock_.utc_now());
    fresh.since = lane.pass.since;
    fresh.passes = lane.pass.passes;
    fresh.read = lane.pass.read;
    lane.pass = std::move(fresh);
  }
  const auto totals = pool_.scrub({}, [&](const store::ScrubbedObject& object) {
    const auto digest = parse_object_key(object.key);
    if (digest && !object.problem.empty() && lost_.give_up(*digest)) return true;
    if (digest && !object.problem.empty()) lost_.add(*digest, object.problem);
    const bool good = object.problem.empty() && object.health.damage.empty();
    const std::lock_guard lock(mutex_);
    ++lane.pass.objects;
    lane.pass.bytes += object.health.bytes;
    note_read(object.health.bytes);
    lane.pass.results.append(leaf_hash(as_bytes(object.key + (good ? " good" : " damaged"))));
    count(lane, object.health.damage, object.health.repaired);
    if (object.problem.empty()) return true;
    ++lane.pass.failures;
    for (Request& request : requests_) ++request.failures;
    note_unrepaired(object.key, object.problem);
    return true;
  }, stop);
  if (totals && totals->finished) return finish_pass(lane, stop);
  if (totals) return 0;
  const std::lock_guard lock(mutex_);
  for (Request& request : requests_) request.done = totals.error();
  changed_.notify_all();
  return kTroubleRestMs;
}

std::int64_t Scrub::hinder(Lane& lane, const Error& error) {
  looked_ms_ = 0;  // perhaps the volume went away
  const std::lock_guard lock(mutex_);
  if (lane.problem != error.message) log_.warn("the scrub of volume " + lane.path + " waits: " + error.message);
  lane.problem = error.message;
  lane.listed = false;
  lane.names.clear();
  lane.not_before_ms = clock_.monotonic_ms() + kTroubleRestMs;
  return 0;
}

std::optional<std::int64_t> Scrub::left_ms(const Lane& lane) const {
  if (!lane.there || (replicas_ == nullptr && !in_haste(lane))) return std::nullopt;
  const UtcTime now = clock_.utc_now();
  const std::int64_t planned_ms = std::max<std::int64_t>(0, lane.pass.due(kAllNames, settings_.period_ms).ms - now.ms);
  const bool haste = in_haste(lane);
  const bool behind = lane.listed && lane.pass.due(reached(lane), settings_.period_ms) < now;
  if (!haste && !behind) return planned_ms;
  const std::int64_t gained = static_cast<std::int64_t>(lane.pass.position()) - lane.measured_from;
  if (gained < static_cast<std::int64_t>(kAllNames / 1000)) return std::nullopt;
  const double each_ms = static_cast<double>(clock_.monotonic_ms() - lane.measured_ms) / static_cast<double>(gained);
  const auto measured_ms = static_cast<std::int64_t>(each_ms * static_cast<double>(kAllNames - lane.pass.position()));
  return haste ? measured_ms : std::max(planned_ms, measured_ms);
}

std::int64_t Scrub::rest_after(std::uint64_t bytes) const {
  return settings_.bytes_per_second == 0 ? 0 : static_cast<std::int64_t>(bytes * 1000 / settings_.bytes_per_second);
}

// ---- what survives ----

void Scrub::save(bool at_once) {
  const std::int64_t now_ms = clock_.monotonic_ms();
  if (!unsaved_ || (!at_once && now_ms - saved_ms_ < kSaveEveryMs)) return;
  ScrubState state;
  state.pool = pool_.pool_id();
  state.saved = clock_.utc_now();
  {
    const std::lock_guard lock(mutex_);
    for (const Lane& lane : lanes_) state.volumes.push_back(lane.pass);
    state.logs = logs_;
  }
  saved_ms_ = now_ms;
  const Status saved = save_scrub_state(files_, settings_.state_path, state);
  unsaved_ = !saved;
  if (!saved) log_.warn(saved.error().within("after a crash the scrub would read again what it has read").message);
}

}  // namespace greffe::archive
