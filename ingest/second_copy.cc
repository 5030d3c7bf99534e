#include "ingest/second_copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "archive/base/progress.h"
#include "ingest/import_begin.h"
#include "ingest/second_catch_up.h"
#include "ingest/second_directory.h"

namespace greffe::ingest {
namespace {

constexpr std::int64_t kSoonMs = 1'000;                    // for a copy that followed until a moment ago
constexpr std::int64_t kCompareMs = 60'000;               // with what other processes did
constexpr std::int64_t kLateMs = 2'000;                   // then it is said
constexpr std::uint64_t kNearlyBytes = 16ull * 1024 * 1024;  // so little is copied again while the queue is followed already
constexpr int kMostPasses = 50;
constexpr int kMostCompareFailures = 3;
constexpr std::int64_t kStopMs = 5'000;                   // a disk that hangs is not waited for

// The hearing that a path in the spool belongs to.
std::optional<HearingId> hearing_of(const std::string& path) {
  constexpr std::string_view spool = "spool/";
  if (!path.starts_with(spool)) return std::nullopt;
  const std::string_view rest = std::string_view(path).substr(spool.size());
  const auto id = parse_hearing_id(rest.substr(0, rest.find('/')));
  return id ? std::optional(*id) : std::nullopt;
}

}  // namespace

Json to_json(const SecondStatus& status) {
  Json out;
  out.set("state", status.state).set("directory", status.directory).set("since", status.since);
  out.set("waiting_bytes", status.waiting_bytes).set("late_ms", status.late_ms);
  if (status.disk.total_bytes > 0) out.set("free_bytes", status.disk.free_bytes);
  if (!status.problem.empty()) out.set("problem", status.problem);
  return out;
}

struct SecondCopy::State {
  State(FileSystem& f, Clock& c, Log& l, Directories d, SecondLimits limits_given)
      : files(f), clock(c), log(l), where(std::move(d)), limits(limits_given) {
    shown.directory = where.to;
    shown.state = "catching-up";
    shown.since = clock.utc_now();
  }

  void run();
  void follow();
  void bring_up();
  Status copy_all();
  Status pass(bool gives_way);
  Status pass_one(const HearingId& id);
  Status fetch(const HearingId& id);
  Status hold(const HearingId& id);
  Status make(const SecondJob& job, bool again);
  void compare();
  Status become_complete();
  void fall_behind(const Error& why);
  void say(const char* state, const std::string& why);
  void release_locks();
  bool wait(std::int64_t ms);
  bool is_stopping();
  bool has_caught_up();

  FileSystem& files;
  Clock& clock;
  Log& log;
  const Directories where;
  const SecondLimits limits;

  // Of the thread alone.
  std::map<HearingId, std::unique_ptr<FileLock>> locks;
  std::set<HearingId> settled;       // freed here and there: nothing will ever be done for these again
  std::uint64_t skipped = 0;         // hearings, in the last pass: others write them, and copy them too
  std::uint64_t copied_bytes = 0;    // in it
  int compare_failures = 0;          // in a row
  std::string last_problem;          // that was said in the log
  std::string problem;               // of a copy that is not touched
  std::int64_t compare_ms = 0;

  mutable std::mutex mutex;          // guards what follows
  std::condition_variable changed;
  std::deque<SecondJob> queue;
  std::uint64_t queued_bytes = 0;
  std::uint64_t again = 0;           // so many at the front may be done already
  std::int64_t making_ms = 0;        // when the one that is made now was pushed; 0: none
  std::int64_t looking_ms = 0;       // since when it looks for the disk; 0: it does not
  bool accepts = false;
  bool full = false;
  bool caught_up = false;            // but for what other processes write
  bool complete = false;
  bool stopping = false;
  bool ended = false;
  std::set<HearingId> writing;
  SecondStatus shown;
};

// ---- the thread ----

void SecondCopy::State::run() {
  name_thread("gr-second");
  while (!is_stopping()) {
    bring_up();
    const bool followed = has_caught_up();
    follow();
    wait(followed ? std::min(kSoonMs, limits.look_again_ms) : limits.look_again_ms);
  }
  locks.clear();
  const std::lock_guard lock(mutex);
  ended = true;
  changed.notify_all();
}

bool SecondCopy::State::has_caught_up() {
  const std::lock_guard lock(mutex);
  return caught_up;
}

bool SecondCopy::State::is_stopping() {
  const std::lock_guard lock(mutex);
  return stopping;
}

// True: to stop.
bool SecondCopy::State::wait(std::int64_t ms) {
  std::unique_lock lock(mutex);
  return changed.wait_for(lock, std::chrono::milliseconds(ms), [this] { return stopping; });
}

// Until it falls behind.
void SecondCopy::State::follow() {
  for (;;) {
    SecondJob job;
    bool may_be_done = false;
    {
      std::unique_lock lock(mutex);
      changed.wait_for(lock, std::chrono::seconds(1), [this] { return stopping || full || !accepts || !queue.empty(); });
      if (stopping || (!accepts && !full)) return;
      if (full) {
        lock.unlock();
        return fall_behind(fail(Errc::unavailable, fmt::format("{}: its disk is too slow for what is recorded", where.to)));
      }
      if (!queue.empty()) {
        job = std::move(queue.front());
        queue.pop_front();
        queued_bytes -= job.size();
        may_be_done = again > 0;
        again -= may_be_done ? 1 : 0;
        making_ms = std::max<std::int64_t>(1, job.queued_ms);
      }
    }
    if (job.path.empty()) {
      release_locks();
      if (compare_ms <= clock.monotonic_ms()) compare();
      continue;
    }
    const Status made = make(job, may_be_done);
    {
      const std::lock_guard lock(mutex);
      making_ms = 0;
      if (!made) complete = false;  // with the job's end: nobody may take it for done in between
      if (queue.empty()) changed.notify_all();
    }
    if (!made) return fall_behind(made.error());
  }
}

Status SecondCopy::State::make(const SecondJob& job, bool may_be_done) {
  if (const auto id = hearing_of(job.path)) GREFFE_TRY(hold(*id));
  return apply(files, where.to, job, may_be_done);
}

// Who writes a hearing here is the only one that writes it there.
Status SecondCopy::State::hold(const HearingId& id) {
  {
    const std::lock_guard lock(mutex);
    if (!writing.contains(id)) return ok();
  }
  if (locks.contains(id)) return ok();
  auto lock = files.lock(spool_of(where.to, id).lock());
  if (!lock) return lock.error();
  locks[id] = std::move(*lock);
  return ok();
}

void SecondCopy::State::release_locks() {
  const std::lock_guard lock(mutex);
  if (queue.empty()) std::erase_if(locks, [this](const auto& held) { return !writing.contains(held.first); });
}

// ---- making it complete ----

void SecondCopy::State::bring_up() {
  {
    const std::lock_guard lock(mutex);
    looking_ms = std::max<std::int64_t>(1, clock.monotonic_ms());
  }
  const PresenceFound found = look_for(files, where.to, where.from);
  {
    const std::lock_guard lock(mutex);
    looking_ms = 0;
  }
  if (found.presence == Presence::absent) return say("absent", found.why);
  if (found.presence == Presence::foreign) return say("foreign", found.why);
  say("catching-up", last_problem);  // it stays true until everything is there
  const Status copied = copy_all();
  if (!copied) fall_behind(copied.error());
}

Status SecondCopy::State::copy_all() {
  GREFFE_TRY(files.make_directories(spool_path(where.to)));
  GREFFE_TRY(set_paired(files, where.to, true));
  GREFFE_TRY(copy_station(files, where.from, where.to));
  copied_bytes = kNearlyBytes;
  for (int i = 0; i < kMostPasses && copied_bytes >= kNearlyBytes; ++i) GREFFE_TRY(pass(false));
  {
    const std::lock_guard lock(mutex);
    queue.clear();
    queued_bytes = 0;
    full = false;
    accepts = !stopping;
  }
  // What was changed before this moment is found on the disk, what is changed from now on is in the queue, much of it in both.
  GREFFE_TRY(pass(false));
  {
    const std::lock_guard lock(mutex);
    again = queue.size();
  }
  return become_complete();
}

// The mark of the directory that counts is durable before the copy may ever take over.
Status SecondCopy::State::become_complete() {
  compare_ms = clock.monotonic_ms() + (skipped == 0 && problem.empty() ? kCompareMs : limits.look_again_ms);
  if (problem.empty()) GREFFE_TRY(set_paired(files, where.from, true));
  bool first = false;
  {
    const std::lock_guard lock(mutex);
    first = accepts && !complete && problem.empty();
    caught_up = accepts;
    complete = accepts && problem.empty();
    changed.notify_all();
  }
  say(problem.empty() ? "following" : "behind", problem);
  if (first) log.info(fmt::format("the second directory {} holds everything", where.to));
  return ok();
}

Status SecondCopy::State::pass(bool gives_way) {
  skipped = 0;
  copied_bytes = 0;
  problem.clear();
  const std::vector<HearingId> here = GREFFE_TRY(list_hearings(files, where.from));
  const std::vector<HearingId> there = GREFFE_TRY(list_hearings(files, where.to));
  for (const HearingId& id : here) {
    if (is_stopping()) return fail(Errc::cancelled, "stopped");
    if (settled.contains(id)) continue;
    if (gives_way) {
      const std::lock_guard lock(mutex);
      if (writing.contains(id)) continue;
      if (queued_bytes > limits.queue_bytes / 8) {
        ++skipped;
        return ok();
      }
    }
    GREFFE_TRY(pass_one(id));
  }
  for (const HearingId& id : there) {
    if (!std::binary_search(here.begin(), here.end(), id)) GREFFE_TRY(fetch(id));
  }
  return ok();
}

Status SecondCopy::State::pass_one(const HearingId& id) {
  const SpoolPaths from = spool_of(where.from, id);
  const SpoolPaths to = spool_of(where.to, id);
  GREFFE_TRY(HearingSpool::create(files, to));
  GREFFE_TRY(hold(id));
  std::unique_ptr<FileLock> lock;
  if (!locks.contains(id)) {
    auto taken = files.lock(to.lock());
    if (!taken && taken.error().code != Errc::unavailable) return taken.error();
    if (!taken) {
      ++skipped;  // whoever writes it copies it
      return ok();
    }
    lock = std::move(*taken);
  }
  const auto copied = catch_up_hearing(files, from, to, [this] { return is_stopping(); });
  if (!copied && copied.error().code == Errc::conflict) {
    problem = copied.error().message;
    return ok();
  }
  if (!copied) return copied.error();
  copied_bytes += *copied;
  if (files.stat(from.freed()) && files.stat(to.freed())) settled.insert(id);
  return ok();
}

// Recorded while only the other directory was there.
Status SecondCopy::State::fetch(const HearingId& id) {
  const SpoolPaths from = spool_of(where.to, id);
  if (!files.stat(from.checkpoint())) return ok();  // nothing of it was ever signed
  const SpoolPaths to = spool_of(where.from, id);
  GREFFE_TRY(HearingSpool::create(files, to));
  const auto lock = files.lock(to.lock());
  if (!lock && lock.error().code == Errc::unavailable) {
    ++skipped;
    return ok();
  }
  if (!lock) return lock.error();
  const auto copied = catch_up_hearing(files, from, to, [this] { return is_stopping(); });
  return copied ? ok() : Status(copied.error());
}

// What other processes did to the spool: an import, a drain. Where the directory that counts fails just now, what this process writes
// must not be held up by it.
void SecondCopy::State::compare() {
  Status done = pass(true);
  {
    const std::lock_guard lock(mutex);
    again = queue.size();
  }
  if (done) done = become_complete();
  compare_failures = done ? 0 : compare_failures + 1;
  if (!done) compare_ms = clock.monotonic_ms() + limits.look_again_ms;
  if (compare_failures == kMostCompareFailures) fall_behind(done.error());
}

void SecondCopy::State::fall_behind(const Error& why) {
  bool stopped = false;
  {
    const std::lock_guard lock(mutex);
    stopped = stopping;
    accepts = false;
    caught_up = false;
    complete = false;
    full = false;
    queue.clear();
    queued_bytes = 0;
    again = 0;
    making_ms = 0;
    changed.notify_all();
  }
  // The directory that counts knows more than its copy from here on, and may go on alone. Where this cannot be said, the next start is
  // more careful than it need be. Who stops leaves it as it was.
  if (!stopped && where.serves) (void)set_paired(files, where.from, false);
  say("behind", why.message);
  locks.clear();
  compare_failures = 0;
}

void SecondCopy::State::say(const char* state, const std::string& why) {
  const auto space = files.space(where.to);
  {
    const std::lock_guard lock(mutex);
    shown.disk = space ? *space : Space();
    if (shown.state == state && shown.problem == why) return;
    shown.problem = why;
    shown.state = state;
    shown.since = clock.utc_now();
    changed.notify_all();
    if (stopping) return;
  }
  if (std::exchange(last_problem, why) == why || why.empty()) return;
  log.warn(fmt::format("the second directory is {}: {}. What is recorded stands in {} only", state, why, where.from));
}

// ---- the interface ----

SecondCopy::SecondCopy(FileSystem& files, Clock& clock, Log& log, Directories directories, SecondLimits limits)
    : state_(std::make_shared<State>(files, clock, log, std::move(directories), limits)) {
  std::thread([state = state_] { state->run(); }).detach();
}

SecondCopy::~SecondCopy() { stop(); }

void SecondCopy::push(SecondJob job) {
  job.queued_ms = state_->clock.monotonic_ms();
  const std::lock_guard lock(state_->mutex);
  if (!state_->accepts) return;
  if (state_->queued_bytes + job.size() > state_->limits.queue_bytes) {
    state_->accepts = false;
    state_->caught_up = false;
    state_->complete = false;
    state_->full = true;
    state_->queue.clear();
    state_->queued_bytes = 0;
  } else {
    state_->queued_bytes += job.size();
    state_->queue.push_back(std::move(job));
  }
  state_->changed.notify_all();
}

void SecondCopy::writes(const HearingId& id, bool now) {
  const std::lock_guard lock(state_->mutex);
  if (now) state_->writing.insert(id);
  if (!now) state_->writing.erase(id);
}

SecondStatus SecondCopy::status() const {
  const std::lock_guard lock(state_->mutex);
  SecondStatus out = state_->shown;
  out.waiting_bytes = state_->queued_bytes;
  const std::int64_t oldest = state_->making_ms > 0 ? state_->making_ms : state_->queue.empty() ? 0 : state_->queue.front().queued_ms;
  if (oldest > 0) out.late_ms = std::max<std::int64_t>(0, state_->clock.monotonic_ms() - oldest);
  if (state_->looking_ms > 0 && state_->clock.monotonic_ms() - state_->looking_ms > kLateMs) {
    out.state = "absent";
    out.problem = fmt::format("the disk of {} does not answer", out.directory);
  }
  const bool late = out.state == "following" && (state_->full || out.late_ms > kLateMs);
  if (late) out.state = "behind";
  if (late) out.problem = fmt::format("{}: its disk is slow, {} wait for it since {} s", out.directory, human_bytes(out.waiting_bytes), out.late_ms / 1000);
  return out;
}

// From here on the thread leaves the marks as they are: both directories must never say that they may go on alone.
bool SecondCopy::may_take_over(std::int64_t ms) {
  State& s = *state_;
  std::unique_lock lock(s.mutex);
  s.changed.wait_for(lock, std::chrono::milliseconds(ms), [&s] { return !s.complete || (s.queue.empty() && s.making_ms == 0); });
  s.stopping = true;
  s.changed.notify_all();
  return s.complete && s.queue.empty() && s.making_ms == 0;
}

bool SecondCopy::wait_until_caught_up(std::int64_t ms) {
  State& s = *state_;
  std::unique_lock lock(s.mutex);
  const auto holds_all = [&s] { return s.caught_up && s.queue.empty() && s.making_ms == 0; };
  s.changed.wait_for(lock, std::chrono::milliseconds(ms), [&] { return holds_all() || s.shown.state == "absent" || s.shown.state == "foreign"; });
  return holds_all();
}

// The thread keeps what it uses: where it hangs in a disk, it is left to the end of the process.
void SecondCopy::stop() {
  State& s = *state_;
  std::unique_lock lock(s.mutex);
  s.stopping = true;
  s.changed.notify_all();
  s.changed.wait_for(lock, std::chrono::milliseconds(kStopMs), [&s] { return s.ended; });
}

}  // namespace greffe::ingest
