#include "replicate/restore.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "archive/base/log.h"
#include "archive/base/progress.h"

namespace greffe::replicate {
namespace {

constexpr std::size_t kMissingListed = 1000;
constexpr std::int64_t kDayMs = 86'400'000;

Error cancelled() { return fail(Errc::cancelled, "stopped on request; run it again to go on"); }

// Errors that are not about one object or one hearing of the second site, but about the way there.
bool stops_everything(Errc code) { return code == Errc::unavailable || code == Errc::denied || code == Errc::cancelled; }

// Runs work(0) … work(count - 1) on this thread and further ones; the first error ends it.
template <class Work>
Status in_parallel(unsigned threads, std::size_t count, const std::stop_token& stop, const Work& work) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;  // guards `failed`
  std::optional<Error> failed;
  const auto run = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      const Status done = stop.stop_requested() ? Status(cancelled()) : work(i);
      if (done) continue;
      const std::lock_guard lock(mutex);
      if (!failed) failed = done.error();
      next = count;
    }
  };
  {
    std::vector<std::jthread> others;
    for (unsigned n = 1; n < threads && n < count; ++n) {
      others.emplace_back([&run, n] {
        name_thread(fmt::format("gr-restore.{}", n).c_str());
        run();
      });
    }
    run();
  }
  return failed ? Status(*failed) : ok();
}

std::string what_it_is(const NotRestored& one) {
  const std::string of = one.hearing ? "hearing " + one.hearing->text() : std::string("the main log");
  if (one.object) return fmt::format("object {} of {}", one.object->hex(), of);
  return one.hearing ? "the log of " + of : of;
}

}  // namespace

Json RestoreReport::json() const {
  Json::Array list;
  for (const NotRestored& one : missing) {
    Json item;
    if (one.hearing) item.set("hearing", one.hearing->text());
    if (one.object) item.set("object", *one.object);
    list.push_back(std::move(item.set("why", one.why)));
  }
  Json out;
  out.set("bytes", bytes).set("complete", complete()).set("entries", entries).set("hearings", hearings).set("main_size", main_size);
  out.set("missing", std::move(list)).set("missing_count", missing_count).set("objects", objects).set("objects_here", objects_here);
  return out.set("seconds", seconds);
}

std::string RestoreReport::words() const {
  std::string out;
  for (const NotRestored& one : missing) out += fmt::format("MISSING: {}: {}\n", what_it_is(one), one.why);
  if (missing_count > missing.size()) out += fmt::format("… and {} more\n", missing_count - missing.size());
  out += fmt::format("{} hearings; {} objects ({}) fetched, {} were here; main log of {} entries; {}\n", hearings, objects, human_bytes(bytes),
                     objects_here, main_size, human_duration(seconds));
  out += complete() ? "everything that was asked for is in the pool\n" : "NOT everything could be brought back: see above\n";
  return out;
}

Restore::Restore(tlog::LogStores pool, RestoreSite& site, RestoreKeys keys, Limits limits, Clock& clock, OnProgress progress, IsWhole whole)
    : pool_(pool), site_(site), keys_(std::move(keys)), limits_(limits), clock_(clock), progress_(std::move(progress)), whole_(std::move(whole)), main_(site, pool, keys_) {}

void Restore::missing(NotRestored one) {
  const std::lock_guard lock(mutex_);
  ++report_.missing_count;
  if (report_.missing.size() < kMissingListed) report_.missing.push_back(std::move(one));
}

void Restore::count(std::uint64_t bytes) {
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  {
    const std::lock_guard lock(mutex_);
    done_bytes_ += bytes;
    total_bytes_ = std::max(total_bytes_, done_bytes_);
    done = done_bytes_;
    total = total_bytes_;
  }
  progress_(done, total);
}

// What the site has and its copy of the main log does not name yet: begun, or finished while the main log waited for something.
Status Restore::add_uncommitted(std::set<HearingId>& ids, std::stop_token stop) {
  UtcTime last = clock_.utc_now();
  if (!ids.empty()) last = std::max(last, ids.rbegin()->time());
  std::vector<std::string> days;
  for (std::int64_t day = main_.began().ms / kDayMs - 1; day <= last.ms / kDayMs + 1; ++day) days.push_back(to_text(UtcTime{day * kDayMs}).substr(0, 10));
  std::mutex mutex;  // guards `ids`
  return in_parallel(limits_.connections, days.size(), stop, [&](std::size_t i) -> Status {
    const std::vector<HearingId> there = GREFFE_TRY(site_.hearings_of_day(keys_.name.archive, days[i]));
    const std::lock_guard lock(mutex);
    ids.insert(there.begin(), there.end());
    return ok();
  });
}

Result<std::set<HearingId>> Restore::chosen(const RestoreChoice& choice, std::stop_token stop) {
  std::set<HearingId> ids;
  if (choice.hearing) {
    ids.insert(*choice.hearing);
    return ids;
  }
  for (const auto& [id, committed] : main_.hearings()) ids.insert(id);
  GREFFE_TRY(add_uncommitted(ids, stop));
  if (!choice.court) return ids;
  const std::vector<HearingId> all(ids.begin(), ids.end());
  std::set<HearingId> of_court;
  std::mutex mutex;  // guards `of_court`
  GREFFE_TRY(in_parallel(limits_.connections, all.size(), stop, [&](std::size_t i) -> Status {
    const auto court = court_of(site_, pool_, all[i]);
    if (!court && stops_everything(court.error().code)) return court.error();
    if (!court) missing({all[i], std::nullopt, "its court is not known: " + court.error().message});
    const std::lock_guard lock(mutex);
    if (court && *court == *choice.court) of_court.insert(all[i]);
    return ok();
  }));
  return of_court;
}

Status Restore::fetch_one(const Wanted& wanted) {
  const NamedObject& object = wanted.object;
  const std::optional<HearingId> id = wanted.hearing != nullptr ? std::optional(wanted.hearing->id()) : std::nullopt;
  // Of fewer replicas than there should be (a call that was killed) the others are written with the object, which is fetched again.
  const bool proved = GREFFE_TRY(pool_.objects.prove_object(object.digest));
  if (proved && (!whole_ || whole_(object.digest))) {
    count(object.bytes);
    const std::lock_guard lock(mutex_);
    ++report_.objects_here;
    return ok();
  }
  const client::LogTarget log = id ? client::LogTarget{*id} : client::LogTarget{epoch_origin({keys_.name.archive, object.epoch})};
  const auto bytes = site_.get_object(log, object.digest, object.entry);
  if (!bytes && stops_everything(bytes.error().code)) return bytes.error();
  if (!bytes) {
    const bool excused = wanted.hearing != nullptr ? wanted.hearing->is_lost(object.digest) : main_.declared().covers(object.about, object.digest);
    if (!excused) missing({id, object.digest, bytes.error().message});
    return ok();
  }
  const auto writer = GREFFE_TRY(pool_.objects.begin_object(bytes->size()));
  GREFFE_TRY(writer->write(*bytes));
  const Status stored = writer->commit(object.digest);
  if (!stored && stored.error().code == Errc::conflict) {
    missing({id, object.digest, "the second site sent other bytes than this digest names"});
    return ok();
  }
  GREFFE_TRY(stored);
  count(bytes->size());
  const std::lock_guard lock(mutex_);
  ++report_.objects;
  report_.bytes += bytes->size();
  return ok();
}

Status Restore::fetch(const std::vector<Wanted>& wanted, std::stop_token stop) {
  return in_parallel(limits_.connections, wanted.size(), stop, [&](std::size_t i) { return fetch_one(wanted[i]); });
}

Status Restore::restore_group(std::vector<HearingId> ids, const RestoreChoice& choice, std::stop_token stop) {
  std::vector<std::unique_ptr<RestoredHearing>> hearings(ids.size());
  GREFFE_TRY(in_parallel(limits_.connections, ids.size(), stop, [&](std::size_t i) -> Status {
    auto hearing = std::make_unique<RestoredHearing>(site_, pool_, keys_, main_, ids[i]);
    const Status read = hearing->read();
    if (!read && stops_everything(read.error().code)) return read.error();
    if (!read) missing({ids[i], std::nullopt, read.error().message});
    if (read && (!choice.court || hearing->court() == *choice.court)) hearings[i] = std::move(hearing);
    return ok();
  }));
  std::vector<Wanted> wanted;
  std::set<Digest> seen;
  std::uint64_t bytes = 0;
  for (const auto& hearing : hearings) {
    for (const NamedObject& object : hearing ? hearing->objects() : std::vector<NamedObject>()) {
      if (!seen.insert(object.digest).second) continue;
      wanted.push_back({hearing.get(), object});
      bytes += object.bytes;
    }
  }
  {
    const std::lock_guard lock(mutex_);
    total_bytes_ = std::max(total_bytes_, done_bytes_ + bytes);
  }
  GREFFE_TRY(fetch(wanted, stop));
  return in_parallel(limits_.connections, hearings.size(), stop, [&](std::size_t i) -> Status {
    if (!hearings[i]) return ok();
    const Status stored = hearings[i]->store();
    const bool refused = !stored && (stored.error().code == Errc::conflict || stored.error().code == Errc::corrupt);
    if (!stored && !refused) return stored;
    if (refused) missing({ids[i], std::nullopt, stored.error().message});
    const std::lock_guard lock(mutex_);
    report_.hearings += refused ? 0 : 1;
    report_.entries += hearings[i]->fetched();
    return ok();
  });
}

// The whole is guessed from what has been read of it so far.
Status Restore::restore_hearings(const std::set<HearingId>& ids, const RestoreChoice& choice, std::stop_token stop) {
  std::vector<HearingId> group;
  std::size_t begun = 0;
  for (auto next = ids.begin(); next != ids.end();) {
    group.push_back(*next++);
    if (group.size() < limits_.hearings_at_once && next != ids.end()) continue;
    begun += group.size();
    GREFFE_TRY(restore_group(std::move(group), choice, stop));
    group.clear();
    const std::lock_guard lock(mutex_);
    total_bytes_ = static_cast<std::uint64_t>(static_cast<double>(done_bytes_) / static_cast<double>(begun) * static_cast<double>(ids.size()));
  }
  return ok();
}

Status Restore::restore_documents(const std::set<HearingId>* about, std::stop_token stop) {
  std::vector<Wanted> wanted;
  std::set<Digest> seen;
  for (const NamedObject& document : main_.documents()) {
    const bool concerned = about == nullptr || (document.about && about->contains(*document.about));
    if (concerned && seen.insert(document.digest).second) wanted.push_back({nullptr, document});
  }
  return fetch(wanted, stop);
}

Status Restore::store_main() {
  GREFFE_TRY(main_.store());
  for (const std::string& what : main_.lacking()) missing({std::nullopt, std::nullopt, what});
  return ok();
}

Result<RestoreReport> Restore::run(const RestoreChoice& choice, std::stop_token stop) {
  const std::int64_t begun_ms = clock_.monotonic_ms();
  GREFFE_TRY(main_.read());
  if (choice.hearing && !main_.hearings().contains(*choice.hearing)) {
    const auto known = court_of(site_, pool_, *choice.hearing);
    if (!known) return known.error().within("hearing " + choice.hearing->text() + " is not in the main log, and not at the second site either");
  }
  const std::set<HearingId> ids = GREFFE_TRY(chosen(choice, stop));
  if (choice.is_whole()) {
    // The main log last: an archive whose pool has none does not start.
    GREFFE_TRY(restore_hearings(ids, choice, stop));
    GREFFE_TRY(restore_documents(nullptr, stop));
    GREFFE_TRY(store_main());
  } else {
    // A part of a pool that is at work: its main log is there, or comes first.
    GREFFE_TRY(restore_documents(main_.is_here() ? &ids : nullptr, stop));
    GREFFE_TRY(store_main());
    GREFFE_TRY(restore_hearings(ids, choice, stop));
  }
  report_.entries += main_.fetched();
  report_.main_size = main_.size();
  report_.seconds = (clock_.monotonic_ms() - begun_ms) / 1000;
  return report_;
}

}  // namespace greffe::replicate
