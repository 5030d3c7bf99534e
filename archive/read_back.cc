#include "archive/read_back.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "archive/format/names.h"

namespace greffe::archive {
namespace {

constexpr std::size_t kPlacesMost = 50'000;       // some days of a province's hearings
constexpr std::size_t kCosignedMost = 64;         // per place; beyond it the age is told too old, never too young
constexpr std::uint64_t kLittleEntries = 64;      // a recording in progress posts fewer
constexpr std::uint64_t kTurnBytes = 16 * 1024 * 1024;  // read from all volumes together
constexpr std::size_t kThreadsMost = 8;
constexpr std::int64_t kFirstRestMs = 250;
constexpr std::int64_t kLongestRestMs = 5 * 60'000;

}  // namespace

// One turn at one hearing.
class ReadBack::Reading {
 public:
  Reading(store::WholePool& pool, const tlog::LogReader& log, DeclaredLost& declared, Turn& turn)
      : pool_(pool), log_(log), declared_(declared), turn_(turn) {}

  std::uint64_t bytes() const { return bytes_; }

  Status entry(std::string_view text) {
    const HearingEntry parsed = GREFFE_TRY(parse_hearing_entry(text));
    if (std::holds_alternative<LostEntry>(parsed)) return ok();
    const Json json = GREFFE_TRY(parse_json(text));
    for (const Digest& digest : named_objects(json)) GREFFE_TRY(object(digest));
    return ok();
  }

 private:
  Status object(const Digest& digest) {
    store::ReadBackCount found = read(digest);
    if (found.enough() && !found.damaged) return ok();
    if (!found.enough() && GREFFE_TRY(is_lost(digest))) return ok();
    if (is_known(digest, found)) return fail(Errc::unavailable, turn_.obstacle->why);
    // What was found, and whether it was mended, goes to the damage journal; reading it again judges it.
    const auto mended = pool_.repair_object(digest, store::ReadFrom::medium);
    found = read(digest);
    if (found.enough()) return ok();
    std::string why = mended ? fmt::format("of {}, {} good copies can be read from the disks and {} are needed", object_key(digest),
                                           found.good, found.wanted)
                             : mended.error().message;
    turn_.obstacle = Obstacle{digest, found.good, found.asked, why};
    return fail(Errc::unavailable, std::move(why));
  }

  store::ReadBackCount read(const Digest& digest) {
    const store::ReadBackCount found = pool_.read_back(digest);
    bytes_ += found.bytes;
    return found;
  }

  bool is_known(const Digest& digest, const store::ReadBackCount& found) const {
    const auto& known = turn_.obstacle;
    return !found.enough() && known && known->digest == digest && known->good == found.good && known->asked == found.asked;
  }

  Result<bool> is_lost(const Digest& digest) {
    if (!lost_) {
      std::set<Digest> all;
      GREFFE_TRY(log_.entries(0, turn_.held, [&](std::uint64_t, std::string_view text) {
        const auto parsed = parse_hearing_entry(text);
        if (const auto* lost = parsed ? std::get_if<LostEntry>(&*parsed) : nullptr) all.insert(lost->objects.begin(), lost->objects.end());
        return true;
      }));
      lost_ = std::move(all);
    }
    if (lost_->contains(digest)) return true;
    return declared_.covers(turn_.id, digest);
  }

  store::WholePool& pool_;
  const tlog::LogReader& log_;
  DeclaredLost& declared_;
  Turn& turn_;
  std::uint64_t bytes_ = 0;              // read
  std::optional<std::set<Digest>> lost_;  // what the hearing's `lost` entries name, once it was asked for
};

ReadBack::ReadBack(Clock& clock, Log& log, store::WholePool& pool, HearingLogs& hearings, DeclaredLost& declared)
    : clock_(clock), log_(log), pool_(pool), hearings_(hearings), declared_(declared) {}
ReadBack::~ReadBack() { stop(); }

// Each object is read from two volumes one after the other: as many threads as volumes keep all disks at work. At least
// one of them is always free of backlogs.
void ReadBack::start() {
  const std::size_t count = std::clamp<std::size_t>(pool_.volumes().size(), 2, kThreadsMost);
  for (std::size_t number = 0; number < count; ++number) {
    const Takes takes = number < (count + 1) / 2 ? Takes::any : Takes::little;
    threads_.emplace_back([this, number, takes](std::stop_token stop) { run(stop, number, takes); });
  }
}

void ReadBack::stop() {
  for (std::jthread& thread : threads_) thread.request_stop();
  threads_.clear();
}

// ---- what is asked from outside ----

void ReadBack::follow(const HearingId& id, std::uint64_t size) {
  const std::int64_t now = clock_.monotonic_ms();
  const std::lock_guard lock(mutex_);
  auto found = places_.find(id);
  if (found == places_.end()) {
    if (!make_room()) return;
    found = places_.emplace(id, Place{}).first;
  }
  Place& place = found->second;
  place.followed_ms = now;
  if (size <= place.held) return;
  place.held = size;
  place.not_before_ms = now;  // among the new ones may be what excuses an object
  if (place.cosigned.size() < kCosignedMost) {
    place.cosigned.push_back({size, now});
  } else {
    place.cosigned.back().size = size;
  }
  if (!place.active) waiting_.push_back(id);
  place.active = true;
  ++changes_;
  changed_.notify_all();
}

// The place of the hearing that has nothing to read and was followed least lately is given up. false: all have something
// to read; the new one stays at 0 until it is asked for again.
bool ReadBack::make_room() {
  if (places_.size() < kPlacesMost) return true;
  auto oldest = places_.end();
  for (auto at = places_.begin(); at != places_.end(); ++at) {
    if (at->second.active) continue;
    if (oldest == places_.end() || at->second.followed_ms < oldest->second.followed_ms) oldest = at;
  }
  if (oldest == places_.end()) return false;
  places_.erase(oldest);
  return true;
}

std::uint64_t ReadBack::size(const HearingId& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(id);
  return found == places_.end() ? 0 : found->second.size;
}

ReadBackFacts ReadBack::facts() const {
  const std::int64_t now = clock_.monotonic_ms();
  ReadBackFacts out;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, place] : places_) {
    if (place.size == place.held) continue;
    ++out.lagging;
    out.oldest_age_ms = std::max(out.oldest_age_ms, now - place.cosigned.front().since_ms);
    if (place.problem.empty()) continue;
    ++out.held_back;
    if (out.problem.empty()) out.problem = place.problem;
  }
  return out;
}

// ---- the threads ----

void ReadBack::run(std::stop_token stop, std::size_t number, Takes takes) {
  name_thread(fmt::format("gr-readback.{}", number).c_str());
  while (std::optional<Turn> turn = next_turn(stop, takes)) {
    take(*turn, stop);
    finish(*turn);
  }
}

std::optional<ReadBack::Turn> ReadBack::next_turn(std::stop_token stop, Takes takes) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const std::int64_t now = clock_.monotonic_ms();
    std::int64_t rest_ms = kLongestRestMs;  // until the first of those that rest is due
    for (auto at = waiting_.begin(); at != waiting_.end(); ++at) {
      const Place& place = places_.at(*at);
      if (takes == Takes::little && place.held - place.size > kLittleEntries) continue;
      if (place.not_before_ms > now) {
        rest_ms = std::min(rest_ms, place.not_before_ms - now);
        continue;
      }
      Turn turn{*at, place.size, place.held, place.obstacle, ok()};
      waiting_.erase(at);
      return turn;
    }
    changed_.wait_for(lock, stop, std::chrono::milliseconds(rest_ms), [&, seen = changes_] { return changes_ != seen; });
  }
  return std::nullopt;
}

// Reads entry by entry, until the hearing's share is used up; another hearing may come between two turns.
void ReadBack::take(Turn& turn, const std::stop_token& stop) {
  const tlog::LogReader log = hearings_.reader(turn.id);
  Reading reading(pool_, log, declared_, turn);
  const Status read = log.entries(turn.first, turn.held, [&](std::uint64_t index, std::string_view text) {
    turn.outcome = reading.entry(text);
    if (!turn.outcome) return false;
    advance(turn.id, index + 1);
    return reading.bytes() < kTurnBytes && !stop.stop_requested();
  });
  if (!read) turn.outcome = read;
}

void ReadBack::advance(const HearingId& id, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  Place& place = places_.at(id);
  place.size = size;
  std::erase_if(place.cosigned, [&](const Cosigned& one) { return one.size <= size; });
}

void ReadBack::finish(const Turn& turn) {
  const std::int64_t now = clock_.monotonic_ms();
  bool is_news = false;
  {
    const std::lock_guard lock(mutex_);
    Place& place = places_.at(turn.id);
    is_news = !turn.outcome && place.problem.empty();
    place.problem = turn.outcome ? std::string() : turn.outcome.error().message;
    place.obstacle = turn.outcome ? std::nullopt : turn.obstacle;
    place.rest_ms = turn.outcome ? 0 : std::clamp(place.rest_ms * 2, kFirstRestMs, kLongestRestMs);
    if (place.held == turn.held) place.not_before_ms = now + place.rest_ms;
    place.active = place.size < place.held;
    if (place.active) waiting_.push_back(turn.id);
    ++changes_;
    changed_.notify_all();
  }
  if (!is_news) return;
  log_.error(turn.outcome.error().within("hearing " + turn.id.text() + " cannot be read back from the disks; it is tried again").message);
}

}  // namespace greffe::archive
