#include "ingest/uploader.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "archive/base/back_off.h"
#include "archive/base/log.h"
#include "ingest/import_begin.h"
#include "ingest/spool_space.h"
#include "ingest/succession.h"

namespace greffe::ingest {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLongestLivePauseMs = 3'000;
constexpr std::int64_t kScanEveryMs = 10'000;       // another process may have recorded something
constexpr std::int64_t kFreeEveryMs = 600'000;
constexpr std::int64_t kMainLogEveryMs = 600'000;
constexpr std::int64_t kLongestLiveLookMs = 5'000;  // the lamp waits for it

// A hearing of the spool, as this thread sees it.
struct Tracked {
  UploadedHearing shown;
  FileStat checkpoint;          // of the file that it was read from
  bool grown = false;           // the recorder says that there is more than `shown` knows
  bool confirmed = false;       // the archive has said what it holds since it was reached again
  std::int64_t due_ms = 0;      // when there is something to do for it
  std::int64_t retry_ms = 0;    // not before
  BackOff pause;
  BackOff looks;

  const HearingId& id() const { return shown.id; }
  const Delivered& delivered() const { return shown.delivered; }
  bool wants_delivery() const { return grown || !covered() || delivered().continued; }
  bool covered() const { return delivered().receipt.archive_size == delivered().entries; }
  bool is_due(std::int64_t now) const { return std::max(due_ms, retry_ms) <= now; }
};

}  // namespace

struct Uploader::State {
  State(FileSystem& f, Clock& c, Log& l, const IngestSettings& s, const Enrolment& e, const PrivateKey& k)
      : files(f), clock(c), log(l), settings(s), key(k), enrolment(e), delivery(make_delivery()) {
    next.address = enrolment.address;
    next.epoch = enrolment.keys_epoch();
    next.since = enrolment.since;
    status = next;
  }
  std::shared_ptr<Delivery> make_delivery() { return std::make_shared<Delivery>(files, clock, settings, enrolment, key, stop.get_token()); }

  void run();
  bool act(std::int64_t now);
  void wait_until(std::int64_t ms);
  std::int64_t next_ms() const;

  void scan();
  void read_unseen();
  bool is_done_with(const HearingId& id) const;
  bool has_line_of_holder(const SpoolPaths& paths) const;
  void see_main_log();
  void free_what_may_go();
  void plan_search();
  void search_later();
  void search();
  void follow(const Enrolment& after);

  bool gives_way() const;
  Tracked* next_due(std::int64_t now);
  void work_for(Tracked& tracked);
  void succeeded(Tracked& tracked, const Delivered& delivered);
  void reached();
  std::int64_t unreachable(const Error& error);
  void failed(Tracked& tracked, const Error& error);
  void plan(Tracked& tracked);
  bool is_live(const Tracked& tracked) const { return live_now && tracked.id() == *live_now; }
  bool records() const;
  void take_wake();
  void publish();

  FileSystem& files;
  Clock& clock;
  Log& log;
  const IngestSettings& settings;
  const PrivateKey& key;
  std::stop_source stop;

  // Of the thread alone.
  Enrolment enrolment;                // another one once the archive was followed elsewhere
  std::map<HearingId, Tracked> hearings;
  std::vector<HearingId> unseen;      // to be read, the newest last
  std::set<HearingId> done_with;      // nothing will ever be done for these again
  std::optional<HearingId> live_now;
  std::int64_t scan_ms = 0;           // when each of these is due
  std::int64_t free_ms = 0;
  std::int64_t main_log_ms = 0;
  std::int64_t not_before_ms = 0;     // nobody answers
  std::int64_t search_ms = kNever;    // for a successor of the archive
  std::int64_t next_search_ms = 0;    // not before
  BackOff archive_pause;
  bool answers = false;
  bool may_free = false;              // the main log was seen and is no older than before
  std::string main_log_problem;
  std::string successors_problem;
  std::string succession_problem;
  std::set<std::string> refused;      // certificates of which the log has a line
  std::string room_problem;
  std::vector<std::string> kept_notices;  // that no delivery says any more
  UploadStatus next;                  // what publish() will show

  std::atomic<bool> woken{false};
  std::atomic<std::int64_t> live_due_ms{kNever};

  mutable std::mutex mutex;           // guards what follows
  std::condition_variable_any changed;
  std::shared_ptr<Delivery> delivery;  // changed by the thread alone, which reads it without the mutex
  std::optional<HearingId> live;
  UploadStatus status;

  std::thread thread;  // "gr-upload"
};

// ---- the loop ----

void Uploader::State::run() {
  name_thread("gr-upload");
  while (!stop.stop_requested()) {
    take_wake();
    const std::int64_t now = clock.monotonic_ms();
    if (act(now)) {
      publish();
    } else {
      wait_until(next_ms());
    }
  }
}

// One thing; false: there is nothing to do now.
bool Uploader::State::act(std::int64_t now) {
  if (scan_ms <= now) {
    scan();
    return true;
  }
  if (search_ms <= now) {
    search();
    return true;
  }
  Tracked* const next_one = not_before_ms <= now ? next_due(now) : nullptr;
  if (next_one != nullptr && is_live(*next_one)) {
    work_for(*next_one);
  } else if (!unseen.empty()) {
    read_unseen();
  } else if (next_one != nullptr) {
    work_for(*next_one);
  } else if (main_log_ms <= now && not_before_ms <= now) {
    see_main_log();
  } else if (free_ms <= now) {
    free_what_may_go();
  } else {
    return false;
  }
  return true;
}

std::int64_t Uploader::State::next_ms() const {
  std::int64_t first = main_log_ms;
  for (const auto& [id, tracked] : hearings) first = std::min(first, std::max(tracked.due_ms, tracked.retry_ms));
  return std::min({std::max(first, not_before_ms), scan_ms, free_ms, search_ms});
}

void Uploader::State::wait_until(std::int64_t ms) {
  std::unique_lock lock(mutex);
  const auto wait = std::chrono::milliseconds(std::clamp<std::int64_t>(ms - clock.monotonic_ms(), 1, kScanEveryMs));
  changed.wait_for(lock, stop.get_token(), wait, [this] { return woken.load(); });
}

// The flag goes down before the log is read: what is committed after that raises it again.
void Uploader::State::take_wake() {
  if (!woken.exchange(false)) return;
  {
    const std::lock_guard lock(mutex);
    live_now = live;
  }
  Tracked& tracked = hearings[*live_now];
  tracked.shown.id = *live_now;
  tracked.grown = true;
  tracked.due_ms = clock.monotonic_ms();
  tracked.looks.succeeded();
}

// ---- what is in the spool ----

void Uploader::State::scan() {
  scan_ms = clock.monotonic_ms() + kScanEveryMs;
  const auto ids = list_hearings(files, settings.directory);
  if (!ids) {
    next.problem = ids.error().message;
    return;
  }
  unseen.clear();
  for (const HearingId& id : *ids) {
    if (done_with.contains(id)) continue;
    const auto facts = files.stat(spool_of(settings.directory, id).checkpoint());
    if (!facts) continue;  // nothing is signed yet
    const auto known = hearings.find(id);
    const bool same = known != hearings.end() && known->second.checkpoint.inode == facts->inode && known->second.checkpoint.modified_ms == facts->modified_ms;
    if (!same && !(known != hearings.end() && is_live(known->second))) unseen.push_back(id);
  }
}

bool Uploader::State::is_done_with(const HearingId& id) const {
  const SpoolPaths paths = spool_of(settings.directory, id);
  const auto objects = files.list(paths.objects());
  if (!files.stat(paths.freed()) || !objects || !objects->empty()) return false;
  // Whoever holds the archive now is asked once whether it has what went because another holder confirmed it.
  return enrolment.keys_epoch() == 1 || has_line_of_holder(paths);
}

bool Uploader::State::has_line_of_holder(const SpoolPaths& paths) const {
  const auto bytes = files.read_file(paths.receipt(), kMaxNoteBytes);
  const auto receipt = bytes ? parse_signed_note(as_text(*bytes)) : Result<SignedNote>(bytes.error());
  const auto holder = enrolment.holder();
  if (!receipt || !holder) return false;
  const auto& lines = receipt->signatures;
  return std::any_of(lines.begin(), lines.end(), [&](const NoteSignature& one) { return one.name == holder->name; });
}

void Uploader::State::read_unseen() {
  const HearingId id = unseen.back();
  unseen.pop_back();
  if (is_done_with(id)) {
    done_with.insert(id);
    hearings.erase(id);
    return;
  }
  Tracked& tracked = hearings[id];
  tracked.shown.id = id;
  if (const auto facts = files.stat(spool_of(settings.directory, id).checkpoint())) tracked.checkpoint = *facts;
  tracked.shown.freed = static_cast<bool>(files.stat(spool_of(settings.directory, id).freed()));
  const auto here = delivery->here(id);
  if (!here) {
    failed(tracked, here.error());
    tracked.due_ms = kNever;  // until it is another one
    return;
  }
  const std::uint64_t read_back = tracked.delivered().read_back_size;
  tracked.shown.delivered = *here;
  tracked.shown.delivered.read_back_size = read_back;
  tracked.shown.problem.clear();
  plan(tracked);
}

// ---- a hearing ----

bool Uploader::State::records() const {
  const auto now = live_now ? hearings.find(*live_now) : hearings.end();
  return now != hearings.end() && !(now->second.delivered().closed && now->second.covered());
}

bool Uploader::State::gives_way() const {
  return stop.stop_requested() || woken.load() || live_due_ms.load() <= clock.monotonic_ms();
}

// The live one; else what is to be delivered; else what is only to be looked at; of those the newest.
Tracked* Uploader::State::next_due(std::int64_t now) {
  if (live_now) {
    Tracked& first = hearings[*live_now];
    if (first.is_due(now)) return &first;
  }
  Tracked* out = nullptr;
  for (auto& [id, tracked] : hearings) {
    if (tracked.is_due(now) && (out == nullptr || tracked.wants_delivery() || !out->wants_delivery())) out = &tracked;
  }
  return out;
}

void Uploader::State::work_for(Tracked& tracked) {
  const auto give_way = [this, first = is_live(tracked)] { return first ? stop.stop_requested() : gives_way(); };
  const auto done = tracked.wants_delivery() ? delivery->advance(tracked.id(), give_way) : delivery->look(tracked.id());
  if (stop.stop_requested()) return;
  plan_search();
  if (done) return succeeded(tracked, *done);
  if (done.error().code == Errc::denied) search_later();  // somebody else may answer at its address
  if (done.error().code != Errc::corrupt) return failed(tracked, done.error());
  // What can no longer be read here is said in the log, and the rest is delivered.
  const auto settled = delivery->settle(tracked.id());
  if (settled && settled->deliver_again) kept_notices.push_back(settled->words);
  if (!settled || !settled->deliver_again) return failed(tracked, settled ? done.error() : settled.error());
  tracked.grown = true;
  scan_ms = 0;
}

void Uploader::State::succeeded(Tracked& tracked, const Delivered& delivered) {
  const bool was_covered = tracked.covered() && tracked.delivered().closed;
  const std::uint64_t read_back = std::max(delivered.read_back_size, tracked.delivered().read_back_size);
  tracked.shown.delivered = delivered;
  // A step that asked for nothing says nothing about it.
  tracked.shown.delivered.read_back_size = std::min(read_back, delivered.receipt.archive_size);
  tracked.grown = false;
  tracked.shown.problem.clear();
  tracked.pause.succeeded();
  if (delivered.answered) reached();
  tracked.confirmed = tracked.confirmed || delivered.answered;
  if (!was_covered && delivered.closed && tracked.covered()) main_log_ms = 0;
  if (delivered.continued) scan_ms = 0;  // the new hearing is in the spool now
  plan(tracked);
}

void Uploader::State::reached() {
  archive_pause.succeeded();
  search_ms = kNever;
  plan_search();
  next.last_success = clock.utc_now();
  next.problem.clear();
  (void)delivery->remember_archive();  // kept with the next answer, if it cannot be kept now
  if (answers) return;
  answers = true;
  main_log_ms = 0;
  // It was away: it may have come back with less than it had.
  for (auto& [id, tracked] : hearings) {
    tracked.confirmed = false;
    plan(tracked);
  }
}

// How long nobody will be asked anything.
std::int64_t Uploader::State::unreachable(const Error& error) {
  const std::int64_t pause = archive_pause.next_ms(records() ? kLongestLivePauseMs : kLongestPauseMs);
  not_before_ms = clock.monotonic_ms() + pause;
  if (next.problem.empty()) next.problem_since = clock.utc_now();
  next.problem = error.message;
  answers = false;
  search_later();
  return pause;
}

void Uploader::State::failed(Tracked& tracked, const Error& error) {
  if (error.code == Errc::unavailable) {
    const std::int64_t pause = unreachable(error);
    tracked.retry_ms = not_before_ms + pause / 2;  // if it is only this hearing, another one gets its turn
    return;
  }
  if (may_be_elsewhere(error.code)) search_later();
  tracked.retry_ms = clock.monotonic_ms() + tracked.pause.next_ms(is_live(tracked) ? kLongestLivePauseMs : kLongestPauseMs);
  if (tracked.shown.problem.empty()) tracked.shown.problem_since = clock.utc_now();
  tracked.shown.problem = error.message;
}

void Uploader::State::plan(Tracked& tracked) {
  const std::int64_t now = clock.monotonic_ms();
  const Delivered& d = tracked.delivered();
  if (tracked.grown) {
    tracked.due_ms = now;
  } else if (d.continued) {
    const bool made = static_cast<bool>(files.stat(spool_of(settings.directory, *d.continued).directory));
    tracked.due_ms = made ? kNever : now;
  } else if (d.entries == 0 || (tracked.shown.freed && tracked.covered())) {
    tracked.due_ms = kNever;
  } else if (!tracked.covered() || !tracked.confirmed) {
    tracked.due_ms = now;
  } else if (d.read_back_size < d.entries || (settings.second_site && d.receipt.second_site_size < d.entries)) {
    tracked.due_ms = now + tracked.looks.next_ms(is_live(tracked) ? kLongestLiveLookMs : kLongestPauseMs);
  } else {
    tracked.due_ms = kNever;
  }
}

// ---- the archive's main log, and room on the disk ----

void Uploader::State::see_main_log() {
  const Status seen = delivery->see_main_log();
  if (!seen && seen.error().code == Errc::unavailable) {
    (void)unreachable(seen.error());
    main_log_ms = not_before_ms;
    return;
  }
  may_free = static_cast<bool>(seen);
  if (!seen && may_be_elsewhere(seen.error().code)) {  // as where the archive was, and what is there now holds its copies
    main_log_problem = seen.error().message;
    main_log_ms = clock.monotonic_ms() + kMainLogEveryMs;
    return search_later();
  }
  main_log_problem = seen ? std::string() : seen.error().message;
  const Status learnt = delivery->learn_successors();
  successors_problem = learnt ? std::string() : learnt.error().message;
  reached();
  main_log_ms = clock.monotonic_ms() + kMainLogEveryMs;
}

// An archive that shows an older main log than before may have forgotten what it confirmed: nothing goes then.
void Uploader::State::free_what_may_go() {
  free_ms = clock.monotonic_ms() + kFreeEveryMs;
  if (!may_free) return;
  std::vector<SpooledHearing> safe;
  for (const auto& [id, tracked] : hearings) {
    if (!tracked.delivered().closed || !tracked.covered() || !(tracked.confirmed || tracked.shown.freed)) continue;
    const auto spooled = look_at(files, settings, enrolment, key.public_key(), id);
    if (spooled) safe.push_back(*spooled);
  }
  const auto made = make_room(files, clock.utc_now(), settings, safe);
  room_problem = made ? std::string() : made.error().message;
  for (const SpooledHearing& one : safe) hearings[one.id].shown.freed = one.freed;
}

// ---- where the archive goes on ----

// The archive itself says that a later epoch has begun: then at once.
void Uploader::State::plan_search() {
  if (delivery->has_heard_of_later_epoch()) search_ms = std::min(search_ms, next_search_ms);
}

void Uploader::State::search_later() {
  search_ms = std::min(search_ms, std::max(clock.monotonic_ms() + settings.upload.ask_successors_after_ms, next_search_ms));
}

void Uploader::State::search() {
  const auto searched = find_successor(files, clock, settings.directory, enrolment, key, stop.get_token());
  next_search_ms = clock.monotonic_ms() + settings.upload.ask_successors_after_ms;
  search_ms = answers ? kNever : next_search_ms;
  plan_search();
  if (stop.stop_requested()) return;
  succession_problem = searched ? std::string() : searched.error().message;
  if (!searched) return;
  for (const std::string& why : searched->refused) {
    if (refused.insert(why).second) log.warn(why);
    succession_problem = why;
  }
  if (searched->found) follow(*searched->found);
}

// Receipts of the old holder do not verify under the new one's key: everything that is still here is offered again.
void Uploader::State::follow(const Enrolment& after) {
  log.info(succession_words(after));
  for (const std::string& notice : delivery->notices()) kept_notices.push_back(notice);
  kept_notices.push_back(succession_words(after));
  enrolment = after;
  auto fresh = make_delivery();
  {
    const std::lock_guard lock(mutex);
    delivery.swap(fresh);
  }
  next.address = enrolment.address;
  next.epoch = enrolment.keys_epoch();
  next.since = enrolment.since;
  next.problem.clear();
  for (auto& [id, tracked] : hearings) {
    tracked.checkpoint = {};  // so that it is read again
    tracked.shown.delivered.receipt = {};
    tracked.confirmed = false;
    tracked.retry_ms = 0;
    tracked.pause.succeeded();
    tracked.shown.problem.clear();
    plan(tracked);
  }
  done_with.clear();
  answers = false;
  may_free = false;
  archive_pause.succeeded();
  not_before_ms = 0;
  search_ms = kNever;
  scan_ms = 0;
  main_log_ms = 0;
}

// ---- what others see ----

void Uploader::State::publish() {
  const bool live_known = live_now.has_value();
  const auto first = live_known ? hearings.find(*live_now) : hearings.end();
  const bool live_waits = first != hearings.end() && not_before_ms <= clock.monotonic_ms();
  live_due_ms = live_waits ? std::max(first->second.due_ms, first->second.retry_ms) : kNever;
  next.hearings.clear();
  next.waiting_objects = 0;
  next.waiting_bytes = 0;
  std::vector<std::string> problems;
  for (auto at = hearings.rbegin(); at != hearings.rend(); ++at) {
    const Tracked& tracked = at->second;
    if ((tracked.shown.freed && tracked.shown.problem.empty()) || tracked.delivered().continued) continue;
    next.hearings.push_back(tracked.shown);
    next.hearings.back().live = is_live(tracked);
    if (!tracked.shown.problem.empty()) problems.push_back(fmt::format("hearing {}: {}", tracked.id().text(), tracked.shown.problem));
    next.waiting_objects += tracked.delivered().waiting_objects;
    next.waiting_bytes += tracked.delivered().waiting_bytes;
  }
  next.notices = delivery->notices();
  next.notices.insert(next.notices.end(), kept_notices.begin(), kept_notices.end());
  next.notices.insert(next.notices.end(), problems.begin(), problems.end());
  for (const std::string& problem : {main_log_problem, successors_problem, succession_problem, room_problem}) {
    if (!problem.empty()) next.notices.push_back(problem);
  }
  const std::lock_guard lock(mutex);
  status = next;
}

// ---- the interface ----

Uploader::Uploader(FileSystem& files, Clock& clock, Log& log, const IngestSettings& settings, const Enrolment& enrolment, const PrivateKey& key)
    : state_(std::make_unique<State>(files, clock, log, settings, enrolment, key)) {
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

Uploader::~Uploader() { stop(); }

void Uploader::wake(const HearingId& live) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->live = live;
    state_->woken = true;
  }
  state_->changed.notify_one();
}

UploadStatus Uploader::status() const {
  UploadStatus out;
  std::shared_ptr<Delivery> delivery;
  {
    const std::lock_guard lock(state_->mutex);
    out = state_->status;
    delivery = state_->delivery;
  }
  out.rate_bytes_s = delivery->bandwidth().rate_bytes_s();
  if (out.waiting_bytes == 0) {
    out.drained_in_s = 0;
  } else if (out.rate_bytes_s > 0) {
    out.drained_in_s = static_cast<std::int64_t>(out.waiting_bytes / out.rate_bytes_s);
  }
  return out;
}

void Uploader::stop() {
  state_->stop.request_stop();
  if (state_->thread.joinable()) state_->thread.join();
}

}  // namespace greffe::ingest
