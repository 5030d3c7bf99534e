#include "archive/drills.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "archive/held_archives.h"
#include "archive/store_document.h"

namespace greffe::archive {
namespace {

constexpr auto kLookEvery = std::chrono::seconds(5);
constexpr std::int64_t kAgainMs = 3'600'000;   // after one that came to nothing
constexpr std::size_t kPastEntries = 1000;     // of the main log that are looked through at a start
constexpr std::size_t kPageEntries = 200;
constexpr std::size_t kFailuresLogged = 5;
constexpr std::int64_t kLatePeriods = 2;
constexpr const char* kKind = "drill";

std::string words_of(const DrillReport& report) {
  std::string out = fmt::format("drill of {}: {} failures", report.archive, report.failure_count);
  for (std::size_t i = 0; i < std::min(report.failures.size(), kFailuresLogged); ++i) out += "; " + report.failures[i].what;
  if (report.failure_count > kFailuresLogged) out += "; …";
  return out;
}

}  // namespace

struct Drills::Current {
  Current(std::uint64_t the_number, catalogue::KnownKey the_origin, bool by_a_person)
      : number(the_number), origin(std::move(the_origin)), asked(by_a_person) {}
  const std::uint64_t number;
  const catalogue::KnownKey origin;
  const bool asked;
  DrillProgress progress;
  std::stop_source stop;
  bool taken_up = false;                        // by the thread; guarded by mutex_, like the next
  std::optional<Result<DrillOutcome>> outcome;  // when it is over
};

Drills::Drills(DrillParts parts, DrillSettings settings) : parts_(std::move(parts)), settings_(std::move(settings)) {}

Drills::~Drills() { stop(); }

void Drills::start() {
  recall_past();
  {
    const std::lock_guard lock(mutex_);
    running_ = true;
  }
  thread_ = std::jthread([this](std::stop_token stop) {
    name_thread("gr-drill");
    give_way();
    run(stop);
  });
}

void Drills::stop() {
  thread_.request_stop();
  {
    const std::lock_guard lock(mutex_);
    running_ = false;
    if (current_) current_->stop.request_stop();
  }
  if (thread_.joinable()) thread_.join();
}

// ---- what was drilled before ----

// From the newest entry backwards, until of each archive a good one is known.
void Drills::recall_past() {
  const auto held_ones = held();
  if (!held_ones) return;
  std::set<std::string> wanted;
  for (const catalogue::KnownKey& key : *held_ones) wanted.insert(key.name);
  std::optional<std::uint64_t> before;
  for (std::size_t looked = 0; looked < kPastEntries && !wanted.empty(); looked += kPageEntries) {
    const auto page = entries(before, kPageEntries);
    if (!page) parts_.log.warn(page.error().within("what is known of earlier drills").message);
    if (!page || page->empty()) return;
    before = page->back().index;
    const std::lock_guard lock(mutex_);
    for (const Filed& one : *page) {
      Past& past = past_[one.entry.archive];
      if (!past.last) {
        past.last = one.entry.utc;
        past.failures = one.entry.failures;
      }
      if (!past.good && one.entry.failures == 0) past.good = one.entry.utc;
      if (past.good) wanted.erase(one.entry.archive);
    }
  }
}

Result<std::vector<Drills::Filed>> Drills::entries(std::optional<std::uint64_t> before, std::size_t limit) const {
  catalogue::EntryQuery query;
  query.kind = kKind;
  query.before = before;
  query.limit = limit;
  const std::vector<std::uint64_t> indices = GREFFE_TRY(parts_.main_log.catalogue().entries(query));
  const tlog::LogReader reader = parts_.main_log.reader();
  std::vector<Filed> out;
  for (const std::uint64_t index : indices) {
    const std::vector<std::string> text = GREFFE_TRY(reader.entries(index, index + 1));
    const MainEntry entry = GREFFE_TRY(parse_main_entry(text.front()));
    if (const auto* drill = std::get_if<DrillEntry>(&entry)) out.push_back({index, *drill, {}});  // else of a later version
  }
  return out;
}

Result<std::vector<Drills::Filed>> Drills::filed(std::optional<std::uint64_t> before, std::size_t limit) const {
  std::vector<Filed> out = GREFFE_TRY(entries(before, limit));
  for (Filed& one : out) {
    const auto document = parts_.objects.read_object(one.entry.report);
    if (document && parse_drill_report(as_text(*document))) one.report = as_text(*document);
  }
  return out;
}

// ---- which, and when ----

// Each archive once, with its newest key; by name.
Result<std::vector<catalogue::KnownKey>> Drills::held() const {
  const std::vector<catalogue::KnownKey> keys = GREFFE_TRY(parts_.main_log.catalogue().keys("origin"));
  std::map<std::string, catalogue::KnownKey> newest;
  for (const catalogue::KnownKey& key : keys) {
    if (!key.revoked_since) newest[key.name] = key;
  }
  std::vector<catalogue::KnownKey> out;
  for (auto& [name, key] : newest) out.push_back(std::move(key));
  return out;
}

std::optional<UtcTime> Drills::due(const catalogue::KnownKey& origin, const Past& past) const {
  if (settings_.every_ms == 0) return std::nullopt;
  return UtcTime{past.last.value_or(origin.since).ms + settings_.every_ms};
}

const Drills::Past* Drills::past_of(const std::string& archive) const {
  const auto found = past_.find(archive);
  return found == past_.end() ? nullptr : &found->second;
}

Result<std::vector<DrillFacts>> Drills::facts() const {
  std::vector<DrillFacts> out;
  if (!settings_.replica) return out;
  const std::vector<catalogue::KnownKey> origins = GREFFE_TRY(held());
  const UtcTime now = parts_.clock.utc_now();
  const std::lock_guard lock(mutex_);
  for (const catalogue::KnownKey& origin : origins) {
    const Past* const known = past_of(origin.name);
    const Past past = known != nullptr ? *known : Past();
    DrillFacts one;
    one.archive = origin.name;
    one.since = origin.since;
    one.last = past.last;
    one.failures = past.failures;
    one.good = past.good;
    one.due = due(origin, past);
    one.late = settings_.every_ms > 0 && now.ms - past.good.value_or(origin.since).ms > kLatePeriods * settings_.every_ms;
    one.running = current_ && current_->taken_up && !current_->outcome && current_->origin.name == origin.name;
    one.problem = past.problem;
    out.push_back(std::move(one));
  }
  return out;
}

void Drills::look() {
  const auto origins = held();
  if (!origins) return;
  const UtcTime now = parts_.clock.utc_now();
  const std::lock_guard lock(mutex_);
  if (current_ && !current_->outcome) return;
  for (const catalogue::KnownKey& origin : *origins) {
    const Past past = past_[origin.name];
    const std::optional<UtcTime> when = due(origin, past);
    if (!when || now < *when || parts_.clock.monotonic_ms() < past.not_before_ms) continue;
    current_ = std::make_shared<Current>(++numbers_, origin, false);
    changed_.notify_all();
    return;
  }
}

// ---- who asks ----

Result<std::uint64_t> Drills::begin(const std::string& archive) {
  if (!settings_.replica) return fail(Errc::denied, "this archive holds no copies of others; a drill is made at the second site");
  const std::vector<catalogue::KnownKey> origins = GREFFE_TRY(held());
  if (origins.empty()) return fail(Errc::not_found, "no copies of another archive are held here yet; see `greffe-archive origin add`");
  auto chosen = origins.begin();
  if (archive.empty()) {
    if (origins.size() > 1) return fail(Errc::invalid, "copies of several archives are held here; say of which");
  } else {
    chosen = std::find_if(origins.begin(), origins.end(), [&](const catalogue::KnownKey& one) { return one.name == archive; });
    if (chosen == origins.end()) return fail(Errc::not_found, "no copies of " + archive + " are held here");
  }
  const std::lock_guard lock(mutex_);
  if (!running_) return fail(Errc::unavailable, "the archive is stopping; ask again when it runs");
  if (current_ && !current_->outcome) {
    if (current_->origin.name == chosen->name) return current_->number;
    return fail(Errc::unavailable, "a drill of " + current_->origin.name + " is under way; ask again when it is over");
  }
  current_ = std::make_shared<Current>(++numbers_, *chosen, true);
  changed_.notify_all();
  return current_->number;
}

Result<DrillState> Drills::state(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  if (!current_ || current_->number != number) return fail(Errc::not_found, "that drill is not known any more; what came of it is in the main log");
  DrillState out;
  out.archive = current_->origin.name;
  out.running = !current_->outcome;
  out.step = current_->progress.step;
  out.done = current_->progress.done;
  out.total = current_->progress.total;
  out.outcome = current_->outcome;
  return out;
}

void Drills::cancel(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  if (current_ && current_->number == number && current_->asked) current_->stop.request_stop();
}

// ---- the thread ----

void Drills::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto to_do = [this] { return current_ && !current_->taken_up; };
    if (!to_do()) {
      lock.unlock();
      look();
      lock.lock();
    }
    if (!to_do()) changed_.wait_for(lock, stop, kLookEvery, to_do);
    if (!to_do() || stop.stop_requested()) continue;
    const std::shared_ptr<Current> mine = current_;
    mine->taken_up = true;
    lock.unlock();
    Result<DrillOutcome> outcome = carry_out(*mine);
    finish(*mine, std::move(outcome));
    lock.lock();
  }
}

Result<DrillOutcome> Drills::carry_out(Current& current) {
  const std::string& archive = current.origin.name;
  const auto pool = GREFFE_TRY(parts_.open_pool());
  DrillOrder order;
  order.archive = archive;
  order.log_key = current.origin.key;
  order.site = settings_.site;
  order.asked = current.asked;
  order.heard = parts_.heard(archive);
  order.kept_catalogue = copied_catalogue_path(settings_.state_directory, archive);
  order.directory = join(settings_.state_directory, "drill");
  order.bytes_per_second = settings_.bytes_per_second;
  Drill drill(parts_.files, parts_.clock, *pool, parts_.main_log.declared_lost(), parts_.check_media, std::move(order), current.progress,
              current.stop.get_token());
  const DrillReport report = GREFFE_TRY(drill.run());
  // From here on it is filed, even if nobody waits for it any more: what it says is true.
  if (report.failure_count == 0) {
    parts_.log.info(fmt::format("drill of {}: all is as its logs say", archive));
  } else {
    parts_.log.error(words_of(report));
  }
  return file(report);
}

// A crash after the first step leaves an object that no log names.
Result<DrillOutcome> Drills::file(const DrillReport& report) {
  DrillOutcome out;
  out.report = write_drill_report(report);
  out.entry.archive = report.archive;
  out.entry.size = report.size;
  out.entry.root = report.root;
  out.entry.objects = report.sample.objects + (report.day ? report.day->objects : 0);
  out.entry.failures = report.failure_count;
  out.entry.seconds = std::max<std::int64_t>(0, report.ended.ms - report.began.ms) / 1000;
  out.entry.report = GREFFE_TRY(store_document(parts_.objects, out.report));
  out.entry.utc = parts_.clock.utc_now();
  out.index = GREFFE_TRY(parts_.main_log.append(out.entry));
  return out;
}

void Drills::finish(Current& current, Result<DrillOutcome> outcome) {
  const std::string& archive = current.origin.name;
  const bool cancelled = !outcome && outcome.error().code == Errc::cancelled;
  if (!outcome && !cancelled) parts_.log.error(outcome.error().within("the drill of " + archive + " could not be done").message);
  const std::lock_guard lock(mutex_);
  Past& past = past_[archive];
  if (outcome) {
    past.last = outcome->entry.utc;
    past.failures = outcome->entry.failures;
    if (past.failures == 0) past.good = past.last;
    past.problem.clear();
  } else {
    if (!cancelled) past.problem = outcome.error().message;
    past.not_before_ms = parts_.clock.monotonic_ms() + kAgainMs;  // also so that one that was broken off does not begin again at once
  }
  current.outcome = std::move(outcome);
}

}  // namespace greffe::archive
