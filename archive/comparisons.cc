#include "archive/comparisons.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "archive/tlog/copied_main_log.h"
#include "archive/tlog/named_items.h"

namespace greffe::archive {
namespace {

constexpr std::int64_t kKeptMs = 600'000;
constexpr std::int64_t kUndisturbedMs = 60'000;  // since the last question, before another origin may take its place
constexpr auto kLookEvery = std::chrono::seconds(10);

Status is_replicator_of(const Peer& peer, const std::string& origin) {
  const EpochName log = GREFFE_TRY(parse_epoch_origin(origin));
  if (peer.kind == Peer::Kind::replicator && peer.key.name == log.archive) return ok();
  return fail(Errc::denied, "only the replicator of " + log.archive + " may compare what is held of it");
}

}  // namespace

struct Comparisons::Current {
  Current(std::string the_origin, ComparisonBegin the_begin) : origin(std::move(the_origin)), begin(std::move(the_begin)) {}
  const std::string origin;
  const ComparisonBegin begin;
  store::ComparedProgress progress;
  std::stop_source stop;         // somebody began another one
  bool taken_up = false;         // by the thread
  Side side;                     // when it is ready
  std::optional<Error> failed;   // when it will never be
  std::int64_t used_ms = 0;      // monotonic; of the last question
};

Comparisons::Comparisons(Clock& clock, Log& log, FileSystem& files, store::WholePool& pool, HearingLogs& hearings, LostObjects& lost,
                         std::string directory)
    : clock_(clock), log_(log), files_(files), pool_(pool), hearings_(hearings), lost_(lost), directory_(std::move(directory)) {}

Comparisons::~Comparisons() { stop(); }

void Comparisons::start() {
  thread_ = std::jthread([this](std::stop_token stop) {
    name_thread("gr-compare");
    give_way();
    run(stop);
  });
}

void Comparisons::stop() {
  thread_.request_stop();
  {
    const std::lock_guard lock(mutex_);
    if (current_) current_->stop.request_stop();
  }
  if (thread_.joinable()) thread_.join();
}

Status Comparisons::may_begin(const std::string& origin) const {
  if (!current_ || current_->origin == origin || current_->failed) return ok();
  if (current_->side && clock_.monotonic_ms() - current_->used_ms > kUndisturbedMs) return ok();
  return fail(Errc::unavailable, "this site is being compared with another one; try again in a few minutes");
}

Result<ComparisonState> Comparisons::ask(const Peer& peer, const std::string& origin, const ComparisonBegin& begin) {
  GREFFE_TRY(is_replicator_of(peer, origin));
  const std::lock_guard lock(mutex_);
  if (!current_ || current_->origin != origin || current_->begin.name != begin.name) {
    GREFFE_TRY(may_begin(origin));
    if (current_) current_->stop.request_stop();
    current_ = std::make_shared<Current>(origin, begin);
    changed_.notify_all();
  }
  current_->used_ms = clock_.monotonic_ms();
  if (current_->failed) {
    const Error why = *current_->failed;
    current_.reset();
    return why;
  }
  ComparisonState out;
  out.ready = current_->side != nullptr;
  out.done = current_->progress.done;
  out.total = store::ComparedProgress::kTotal;
  if (!out.ready) return out;
  out.items = current_->side->tree().size();
  out.absent = current_->side->absent_count();
  out.root = current_->side->tree().root();
  return out;
}

Result<Comparisons::Side> Comparisons::ready(const Peer& peer, const std::string& origin, const std::string& name) {
  GREFFE_TRY(is_replicator_of(peer, origin));
  const std::lock_guard lock(mutex_);
  if (!current_ || current_->origin != origin || current_->begin.name != name || !current_->side) {
    return fail(Errc::not_found, "this comparison is over, or not ready; begin it again");
  }
  current_->used_ms = clock_.monotonic_ms();
  return current_->side;
}

Result<std::vector<Digest>> Comparisons::answer(const Peer& peer, const std::string& origin, const NodesQuestion& question) {
  const Side side = GREFFE_TRY(ready(peer, origin, question.name));
  return side->answer(question);
}

Result<IdsAnswer> Comparisons::answer(const Peer& peer, const std::string& origin, const IdsQuestion& question) {
  const Side side = GREFFE_TRY(ready(peer, origin, question.name));
  return side->answer(question);
}

Result<ChallengeAnswer> Comparisons::answer(const Peer& peer, const std::string& origin, const ChallengeQuestion& question) {
  const Side side = GREFFE_TRY(ready(peer, origin, question.name));
  const Bytes prefix = challenge_prefix(question.nonce);
  ChallengeAnswer out;
  std::vector<ComparedItem> bad;
  for (const Digest& digest : question.objects) {
    const std::optional<ComparedItem> item = GREFFE_TRY(side->find(digest));
    // What is not of this origin is not told about.
    const auto hash = item && item->kind == ComparedKind::object ? pool_.hash_behind(prefix, digest) : Result<Digest>(fail(Errc::not_found, ""));
    if (!hash && hash.error().code == Errc::unavailable) return hash.error();
    out.push_back(hash ? std::optional(*hash) : std::nullopt);
    if (item && !hash) bad.push_back(*item);
  }
  list_as_lost(origin, bad);
  return out;
}

// ---- the thread ----

void Comparisons::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto to_do = [this] { return current_ && !current_->taken_up; };
    changed_.wait_for(lock, stop, kLookEvery, to_do);
    if (current_ && current_->side && clock_.monotonic_ms() - current_->used_ms > kKeptMs) current_.reset();
    if (!to_do() || stop.stop_requested()) continue;
    const std::shared_ptr<Current> mine = current_;
    mine->taken_up = true;
    lock.unlock();
    auto built = build(*mine, mine->stop.get_token());
    if (!built && built.error().code != Errc::cancelled) log_.warn(built.error().within("comparison with " + mine->origin).message);
    lock.lock();
    if (built) {
      mine->side = *std::move(built);
    } else {
      mine->failed = built.error();
    }
    mine->used_ms = clock_.monotonic_ms();
  }
}

Result<Comparisons::Side> Comparisons::build(Current& current, const std::stop_token& stop) {
  GREFFE_TRY(files_.make_directories(directory_));
  const EpochName log = GREFFE_TRY(parse_epoch_origin(current.origin));
  const tlog::MainLogPlace place{log, {}, GREFFE_TRY(tlog::copied_log_path(pool_, log.archive))};
  const tlog::LogChain main = GREFFE_TRY(tlog::LogChain::open(pool_, pool_, place));
  tlog::NamedItems named(files_, pool_, pool_, {log.archive, main, current.begin.size, current.begin.root}, directory_);
  store::ComparedSources sources;
  sources.name_all = [&](const store::ComparedSources::Take& take) { return named.walk(take, current.progress.done, stop); };
  sources.walk_stored = [this](const std::function<bool(const Digest&)>& visit) { return pool_.walk_objects(visit); };
  sources.is_stored = [this](const Digest& digest) { return pool_.holds_object(digest); };
  std::unique_ptr<store::ComparedObjects> side = GREFFE_TRY(store::ComparedObjects::build(files_, directory_, sources, current.progress, stop));
  Status looked = ok();
  side->excuse([&](const ComparedItem& item) {
    const auto excused = named.is_excused_by_now(item);
    if (!excused) looked = excused.error();
    return excused && *excused;
  });
  GREFFE_TRY(std::move(looked));
  for (const ComparedItem& item : side->absent()) {
    if (item.kind != ComparedKind::hearing_log) continue;
    log_.error("hearing " + item.hearing->text() + ": its log is not here as the main log of " + current.origin + " states it");
    hearings_.forget(*item.hearing);  // what is in memory of it is not what is stored: the next one who sends it is told so
  }
  list_as_lost(main.newest().path, side->absent());
  return Side(std::move(side));
}

void Comparisons::list_as_lost(const std::string& log_path, const std::vector<ComparedItem>& absent) {
  std::map<std::optional<HearingId>, LostOrder> by_hearing;
  for (const ComparedItem& item : absent) {
    if (item.kind != ComparedKind::object) continue;
    LostOrder& order = by_hearing[item.hearing];
    order.hearing = item.hearing;
    order.objects.push_back(item.id);
  }
  for (const auto& [hearing, order] : by_hearing) {
    const auto found = lost_.look_for(order, log_path);
    if (!found) log_.warn(found.error().within("objects that a comparison missed are not listed as lost").message);
  }
}

}  // namespace greffe::archive
