#include "replicate/replicator.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>

namespace greffe::replicate {
namespace {

constexpr std::chrono::milliseconds kLookAgain(200);  // limits change with the time of day
constexpr std::int64_t kTryAgainMs = 60'000;          // of a pass that lasts: what failed is tried again
constexpr std::size_t kFewHeads = 16;                 // not worth a thread
constexpr int kMostPlans = 3;                         // of one step: the target changes its mind for ever
constexpr std::int64_t kClosedMs = 10 * 60'000;       // a walk that only the timetable held up is not tried again before

// Errors that concern the way to the second site, not one hearing.
bool stops_everything(Errc code) { return code == Errc::unavailable || code == Errc::cancelled || code == Errc::denied || code == Errc::no_space; }

// Sound and picture of one object at least go on while log and sound do not wait for it.
unsigned lanes_of(const LogCopier::Limits& limits) { return limits.connections + 2; }

Digest digest_of(const std::string& head) { return sha256(as_bytes(head)); }

// Heads of hearings are read and their signatures checked on as many cores as there are, up to four. Returns when all are done.
template <class Look>
void at_once(std::size_t count, const Look& look) {
  std::atomic<std::size_t> next = 0;
  const auto some = [&] {
    for (std::size_t i = next++; i < count; i = next++) look(i);
  };
  const unsigned cores = std::min(std::thread::hardware_concurrency(), 4u);
  std::vector<std::jthread> others;
  for (unsigned n = 1; n < cores && count > kFewHeads; ++n) {
    others.emplace_back([&] {
      name_thread("gr-look");
      some();
    });
  }
  some();
}

}  // namespace

Replicator::Replicator(Sites sites, Bandwidth& bandwidth, Clock& clock, Options options, Log& log)
    : sites_(std::move(sites)), bandwidth_(bandwidth), clock_(clock), options_(std::move(options)),
      copier_(sites_, bandwidth, options_.limits, log), fresh_(sites_.source), walk_(sites_.source, copier_),
      window_(options_.limits.connections + 1) {}

// ---- threads of a pass ----

unsigned Replicator::allowed(MediaClass media) const {
  const unsigned most = options_.limits.connections + (media == MediaClass::picture ? 0 : 1);
  if (media == MediaClass::log) return lanes_of(options_.limits);
  if (full_) return 0;
  const RateLimit limit = bandwidth_.limit(media);
  if (!limit) return most;
  if (*limit == 0) return 0;
  // So that each of them gets enough not to be taken for one that hangs.
  return std::min(most, static_cast<unsigned>(std::max<std::uint64_t>(1, *limit / kLeastBytesPerSecond)));
}

void Replicator::lane(unsigned number) {
  name_thread(fmt::format("gr-send.{}", number).c_str());
  std::unique_lock lock(mutex_);
  while (!over_ && !stopped_by_) {
    const std::optional<Job> job = window_.take(allowed_);
    if (!job) {
      changed_.wait_for(lock, kLookAgain);
      continue;
    }
    lock.unlock();
    run(*job);
    lock.lock();
    window_.ended(*job);
    changed_.notify_all();
  }
}

void Replicator::run(const Job& job) {
  if (stop_.stop_requested()) return failed(*job.work, fail(Errc::cancelled, "stopped on request"));
  switch (job.kind) {
    case Job::Kind::plan: return plan(*job.work);
    case Job::Kind::object: return send(job);
    case Job::Kind::commit: return commit(*job.work);
  }
}

void Replicator::failed(Work& work, const Error& error) {
  const std::lock_guard lock(mutex_);
  // The archive may refuse one hearing of the old site's, as that of a station whose key was stolen since; the others come back.
  const bool of_one = sites_.comes_back && work.hearing && error.code == Errc::denied;
  if (stops_everything(error.code) && !of_one) {
    if (!stopped_by_) stopped_by_ = error;
  }
  if (!work.error) work.error = error;
}

void Replicator::plan(Work& work) {
  if (!work.hearing) {
    Step step = work.step;
    const Status planned = copier_.plan_documents(step);
    if (!planned) return failed(work, planned.error());
    const std::lock_guard lock(mutex_);
    work.step = std::move(step);
    work.stage = Work::Stage::objects;
    return;
  }
  auto step = copier_.plan_hearing(*work.hearing, work.known_held);
  const std::lock_guard lock(mutex_);
  if (!step && step.error().code == Errc::not_found) {  // the marker is there, the first entries are not
    work.stage = Work::Stage::done;
    return;
  }
  if (!step) {
    if (stops_everything(step.error().code) && !stopped_by_) stopped_by_ = step.error();
    work.error = step.error();
    return;
  }
  ++work.plans;
  work.next = {};
  work.step = std::move(*step);
  work.stage = Work::Stage::objects;
}

void Replicator::send(const Job& job) {
  auto sent = copier_.send(job.work->step, job.media, job.object, stop_);
  if (!sent && sent.error().code != Errc::conflict && !(sent.error().code == Errc::no_space && job.media != MediaClass::log)) {
    return failed(*job.work, sent.error());
  }
  const std::lock_guard lock(mutex_);
  if (!sent) {  // nothing of this class may go, or finds room there; the log goes on
    if (sent.error().code == Errc::no_space && !full_) report_.problem("the second site is full, sound and picture wait: " + sent.error().message);
    full_ = full_ || sent.error().code == Errc::no_space;
    job.work->parted = true;
    return;
  }
  if (const auto* hole = std::get_if<Hole>(&*sent)) {
    job.work->step.holes.push_back(*hole);
    return;
  }
  ++progress_;
  const std::uint64_t bytes = std::get<std::uint64_t>(*sent);
  if (bytes == 0) return;
  report_.copied.objects += 1;
  report_.copied.bytes += bytes;
  if (options_.on_sent) options_.on_sent(job.media, bytes);
}

// After the last object of a step. A hearing has its next step after it, if there is one.
void Replicator::commit(Work& work) {
  const std::uint64_t before = work.step.held;
  bool held = true;
  if (work.step.size > work.step.held) {
    const auto committed = copier_.commit(work.step);
    if (!committed) return failed(work, committed.error());
    if (*committed == Committed::elsewhere) {
      if (work.plans >= kMostPlans || !work.hearing) {
        return failed(work, fail(Errc::unavailable, "the second site holds something else of " + work.step.origin +
                                                        " than it said, or still misses objects after they were sent: another replicator may be at work"));
      }
      const std::lock_guard lock(mutex_);
      work.known_held.reset();
      work.stage = Work::Stage::plan;
      return;
    }
    held = *committed == Committed::held;
  }
  bool delivered = false;
  if (held) {
    const auto brought = copier_.deliver(work.step);
    if (!brought) return failed(work, brought.error());
    delivered = *brought;
  }
  const std::lock_guard lock(mutex_);
  report_.copied.entries += work.step.held - before;
  progress_ += held ? 1 : 0;
  work.delivered = delivered;
  const bool more = held && work.hearing && work.step.held < work.step.source_size;
  if (more) {
    work.known_held = work.step.held;
    work.plans = 0;
  }
  work.stage = more ? Work::Stage::plan : Work::Stage::done;
}

// ---- the thread that called pass() ----

// Nothing has to be asked over the line about a finished hearing when the target cosigned its head, the archive has that, and what the target holds of
// the main log now reaches behind the entry that commits to it: who lost the hearing since, as a site that was put back to an older state,
// holds less of the main log too. What it lost in any other way is for the comparison to find. One in progress is asked about: a site that was
// the archive itself may have more of it. The head of which that is true.
std::optional<Digest> Replicator::done_with(const FreshHearing& fresh) {
  if (!fresh.committed || !fresh.committed->closed || fresh.committed->number >= walk_.held()) return std::nullopt;
  const auto head = sites_.source.heads.read_head(checkpoint_path(hearing_log_path(fresh.id)));
  const auto here = head ? parse_signed_checkpoint(*head) : Result<SignedCheckpoint>(head.error());
  if (!here || here->checkpoint.size < fresh.committed->size) return std::nullopt;
  const Digest digest = digest_of(*head);
  const KnownHearing* known = known_.find(fresh.id);
  if (known != nullptr && known->settled == digest) return digest;
  return has_line_of_target(*here) ? std::optional(digest) : std::nullopt;
}

// The archive takes no confirmation that it has not verified, and its volumes outvote one that rots: the signature is not checked again, because
// that would take longer than all the rest of a pass with nothing to do. What the target holds is never judged by this.
bool Replicator::has_line_of_target(const SignedCheckpoint& head) const {
  return sites_.target_key && std::any_of(head.note.signatures.begin(), head.note.signatures.end(), [this](const NoteSignature& line) {
    return line.name == sites_.target_key->name && line.key_id == sites_.target_key->id();
  });
}

// Not what is settled, nor what could only wait for the line again.
void Replicator::offer(const HearingId& id) {
  const auto head = sites_.source.heads.read_head(checkpoint_path(hearing_log_path(id)));
  if (head) {
    const KnownHearing* known = known_.find(id);
    const Digest digest = digest_of(*head);
    if (known != nullptr && known->settled == digest) return;
    if (known != nullptr && known->parted == digest) {
      const std::lock_guard lock(mutex_);
      if (allowed(known->parted_for) == 0 || window_.waiting(allowed_) >= Window::kKeptWaiting) return;
    }
  }
  waiting_.push_back(id);
}

Status Replicator::look() {
  looked_ms_ = clock_.monotonic_ms();
  if (looked_ms_ - tries_began_ms_ >= kTryAgainMs) {
    tries_began_ms_ = looked_ms_;
    tried_.clear();
  }
  const std::vector<FreshHearing> fresh = GREFFE_TRY(fresh_.look());
  std::vector<std::optional<Digest>> done(fresh.size());
  at_once(fresh.size(), [&](std::size_t i) { done[i] = done_with(fresh[i]); });
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    if (!done[i]) {
      offer(fresh[i].id);
      continue;
    }
    KnownHearing& known = known_.at(fresh[i].id);
    known.settled = done[i];
    known.finished = true;
  }
  return ok();
}

// Whether its confirmation never came to the archive.
bool Replicator::is_owed(const HearingId& id) const {
  if (!sites_.target_key || sites_.comes_back) return false;
  const auto head = sites_.source.heads.read_head(checkpoint_path(hearing_log_path(id)));
  const auto here = head ? parse_signed_checkpoint(*head) : Result<SignedCheckpoint>(head.error());
  return here && !has_line_of_target(*here);
}

// Finished hearings have no marker any more; those whose confirmation was never delivered are found again by their heads, a few
// entries of the main log at a time.
Status Replicator::look_back() {
  {
    const std::lock_guard lock(mutex_);
    if (!waiting_.empty() || window_.has_fresh() || report_.undelivered > 0) return ok();
  }
  if (looking_back_) fresh_.looked_back();
  std::vector<HearingId> owed = GREFFE_TRY(fresh_.look_back());
  looking_back_ = !owed.empty();
  std::erase_if(owed, [this](const HearingId& id) {
    const KnownHearing* known = known_.find(id);
    return known != nullptr && known->finished;
  });
  std::vector<char> lacking(owed.size());
  at_once(owed.size(), [&](std::size_t i) { lacking[i] = is_owed(owed[i]); });
  for (std::size_t i = 0; i < owed.size(); ++i) {
    if (lacking[i]) waiting_.push_back(owed[i]);
  }
  return ok();
}

// Fills the window. What comes first was put first.
Status Replicator::admit() {
  if (waiting_.empty() && clock_.monotonic_ms() - looked_ms_ >= options_.poll_interval_ms) GREFFE_TRY(look());
  GREFFE_TRY(look_back());
  while (!waiting_.empty()) {
    const HearingId id = waiting_.front();
    const std::lock_guard lock(mutex_);
    if (!window_.contains(id) && !tried_.contains(id)) {
      if (!window_.has_room(true)) {
        window_.make_room(allowed_);
        break;
      }
      Work work;
      work.fresh = true;
      work.hearing = id;
      const KnownHearing* known = known_.find(id);
      if (known != nullptr) work.known_held = known->held;
      window_.add(std::move(work));
    }
    waiting_.pop_front();
  }
  if (waiting_.empty()) {
    while (GREFFE_TRY(admit_backlog())) {
    }
  }
  const std::lock_guard lock(mutex_);
  window_.part_with_closed(allowed_);
  changed_.notify_all();
  return ok();
}

// One more log of the walk through the main log. False: not now.
Result<bool> Replicator::admit_backlog() {
  if (walk_over_) return false;
  const bool open = GREFFE_TRY(walk_.open_step());
  if (!open) {
    const std::lock_guard lock(mutex_);
    walk_over_ = !window_.has_backlog();
    return false;
  }
  if (!documents_) {
    documents_ = true;
    Work work;
    work.documents_only = true;
    work.step = walk_.step();
    const std::lock_guard lock(mutex_);
    window_.add(std::move(work));
  }
  {
    const std::lock_guard lock(mutex_);
    if (!window_.has_room(false)) {
      if (ahead_) window_.make_room(allowed_);
      return false;
    }
  }
  const std::optional<Commitment> next = GREFFE_TRY(walk_.next());
  if (!next) return end_step();
  const KnownHearing* known = known_.find(next->hearing);
  if (known != nullptr && known->held >= next->size) return true;
  const std::lock_guard lock(mutex_);
  if (tried_.contains(next->hearing) || window_.contains(next->hearing)) return true;
  Work work;
  work.hearing = next->hearing;
  if (known != nullptr) work.known_held = known->held;
  window_.add(std::move(work));
  return true;
}

// All hearings of the step were offered. True: the walk goes on at once.
Result<bool> Replicator::end_step() {
  bool passed_by = false;
  {
    const std::lock_guard lock(mutex_);
    // Its documents, its hearings, or its entries that were posted. Pictures are not waited for, while there is more behind them.
    if (window_.has_backlog_but_pictures()) return false;
    passed_by = window_.has_backlog();
    if (passed_by && (!ahead_ || walk_.is_last_step())) return false;
  }
  if (!documents_done_) return false;
  bool all = true;
  bool on_the_way = false;
  GREFFE_TRY(walk_.each([&](const Commitment& one) {
    const KnownHearing* known = known_.find(one.hearing);
    if (known != nullptr && known->held >= one.size) return true;
    all = false;
    const std::lock_guard lock(mutex_);
    on_the_way = window_.contains(one.hearing);
    passed_by = passed_by || (on_the_way && ahead_ && !walk_.is_last_step() && !window_.contains_moving(one.hearing, allowed_));
    return !on_the_way;
  }));
  if (on_the_way && !passed_by) return false;
  const bool sent = GREFFE_TRY(copier_.excuse(*documents_done_));
  if (all && sent && !walk_.is_blocked()) {
    Work work;
    work.stage = Work::Stage::commit;
    work.step = std::move(*documents_done_);
    documents_done_.reset();
    const std::lock_guard lock(mutex_);
    window_.add(std::move(work));
    return false;
  }
  const std::lock_guard lock(mutex_);
  parted_ = parted_ || passed_by;
  for (const Hole& hole : documents_done_->holes) report_.hole(hole);
  walk_.blocked();
  documents_ = false;
  documents_done_.reset();
  return true;
}

void Replicator::settle(Work work) {
  if (work.hearing) settle_hearing(work);
  else settle_main(work);
}

void Replicator::settle_main(Work& work) {
  if (work.error) {
    const std::lock_guard lock(mutex_);
    if (!stopped_by_) stopped_by_ = work.error;  // the main log itself: nothing goes on without it
    return;
  }
  if (work.documents_only) {
    documents_done_ = std::move(work.step);
    return;
  }
  documents_ = false;
  walk_.held(work.step);
}

void Replicator::settle_hearing(const Work& work) {
  const HearingId& id = *work.hearing;
  const Step& step = work.step;
  const auto head = sites_.source.heads.read_head(checkpoint_path(hearing_log_path(id)));
  const auto now = head ? parse_signed_checkpoint(*head) : Result<SignedCheckpoint>(head.error());
  KnownHearing& known = known_.at(id);
  known.finished = false;  // there was something to do after all
  if (step.held > 0) known.held = std::max(known.held.value_or(0), step.held);
  const std::lock_guard lock(mutex_);
  const bool whole = !work.error && !work.parted && step.held == step.source_size && step.holes.empty();
  if (whole) {
    report_.hearings_behind.erase(id);
    if (work.delivered && step.held > 0) {
      // The delivery changed the head: what stands there now is what is settled, if nothing came meanwhile.
      if (now && now->checkpoint.size == step.held) known.settled = digest_of(*head);
    } else if (step.held > 0) {
      ++report_.undelivered;
      const std::uint64_t newest = fresh_.newest_looked_at();
      fresh_.owe(work.fresh ? newest - std::min(newest, FreshHearings::kNewestEntries) : walk_.position());
    }
    return;
  }
  if (work.error && stopped_by_) return;
  if (work.parted) {
    parted_ = true;
    if (head) known.parted = digest_of(*head);
    known.parted_for = MediaClass::picture;
    for (const MediaClass media : {MediaClass::picture, MediaClass::sound}) {
      if (!work.lacks(media)) continue;
      if (allowed(media) == 0) {
        report_.waiting.insert(media);
        continue;
      }
      parted_open_ = true;
      known.parted_for = media;
    }
  } else {
    if (tried_.size() < PassReport::kMostNamed) tried_.insert(id);
    if (work.error) report_.problem(work.error->within("hearing " + id.text()).message);
    if (!report_.hearings_behind.contains(id)) {
      for (const Hole& hole : step.holes) report_.hole(hole);
    }
  }
  report_.behind(id);
}

// Until something has happened, or a moment.
Status Replicator::wait() {
  std::list<Work> done;
  {
    std::unique_lock lock(mutex_);
    done = window_.remove_done();
    if (done.empty() && !stopped_by_ && !stop_.stop_requested()) {
      changed_.wait_for(lock, std::min(kLookAgain, std::chrono::milliseconds(options_.poll_interval_ms)));
      done = window_.remove_done();
    }
  }
  for (Work& work : done) settle(std::move(work));
  if (stop_.stop_requested()) return fail(Errc::cancelled, "stopped on request");
  const std::lock_guard lock(mutex_);
  if (stopped_by_) return *stopped_by_;
  return ok();
}

// Whether what this walk passed by is worth another one now: something arrived meanwhile.
bool Replicator::walk_again() {
  const std::int64_t now = clock_.monotonic_ms();
  const std::lock_guard lock(mutex_);
  closed_ = report_.waiting;
  walk_again_ms_ = now + std::max(2 * (now - walk_began_ms_), !closed_.empty() && tried_.empty() ? kClosedMs : 0);
  const bool again = progress_ > 0 && (parted_open_ || (parted_ && closed_.empty()));
  progress_ = 0;
  parted_ = parted_open_ = false;
  return again;
}

Status Replicator::carry_all() {
  const bool opened = std::any_of(closed_.begin(), closed_.end(), [this](MediaClass media) { return bandwidth_.open(media); });
  GREFFE_TRY(walk_.begin(opened || clock_.monotonic_ms() >= walk_again_ms_));  // first: what the target holds now saves questions
  GREFFE_TRY(look());
  for (;;) {
    GREFFE_TRY(admit());
    bool idle = false;
    bool look_further_back = false;
    {
      const std::lock_guard lock(mutex_);
      const bool nothing = window_.empty() && waiting_.empty();
      look_further_back = nothing && looking_back_ && report_.undelivered == 0;
      idle = nothing && !look_further_back;
    }
    if (look_further_back) continue;  // nothing is on its way that could be waited for
    if (idle && walk_over_) {
      if (!walk_again()) return ok();
      ahead_ = false;
      walk_over_ = false;
      tried_.clear();
      walk_began_ms_ = clock_.monotonic_ms();
      GREFFE_TRY(look());
      GREFFE_TRY(walk_.begin(true));
      continue;
    }
    GREFFE_TRY(wait());
  }
}

void Replicator::give_back(RepairableSite& site, const TakeLost& take, const std::stop_token& stop) {
  Returned given = replicate::give_back(site, take, stop);
  report_.returned += given.objects;
  for (std::string& problem : given.problems) report_.problem(std::move(problem));
}

Result<PassReport> Replicator::pass(std::stop_token stop) {
  stop_ = stop;
  window_ = Window(options_.limits.connections + 1);
  report_ = {};
  stopped_by_.reset();
  full_ = over_ = false;
  progress_ = 0;
  waiting_.clear();
  tried_.clear();
  tries_began_ms_ = clock_.monotonic_ms();
  ahead_ = true;
  parted_ = parted_open_ = documents_ = walk_over_ = looking_back_ = false;
  documents_done_.reset();
  walk_began_ms_ = clock_.monotonic_ms();
  Status carried = ok();
  {
    std::vector<std::jthread> lanes;
    for (unsigned n = 1; n <= lanes_of(options_.limits); ++n) lanes.emplace_back([this, n] { lane(n); });
    carried = carry_all();
    const std::lock_guard lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }
  if (!carried) return carried.error();
  report_.main_size = walk_.size();
  report_.main_held = walk_.held();
  const auto delivered = copier_.deliver(walk_.main());
  if (!delivered) return delivered.error();
  if (!*delivered) ++report_.undelivered;
  if (walk_.is_whole()) held_up_ = report_;
  else report_.add_held_up(held_up_);
  give_back(sites_.confirmations, take_from(sites_.target, sites_.source.archive), stop);
  give_back(sites_.target, take_from(sites_.source.objects), stop);
  return std::move(report_);
}

}  // namespace greffe::replicate
