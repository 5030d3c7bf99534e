#include "replicate/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "archive/base/progress.h"
#include "archive/tlog/named_items.h"

namespace greffe::replicate {
namespace {

constexpr std::size_t kToldMost = 100;  // names in a report
constexpr std::int64_t kFirstWaitMs = 100;
constexpr std::int64_t kLongestWaitMs = 2'000;
constexpr std::int64_t kStillThereMs = 30'000;  // the second site keeps what is ready while it is asked for

std::string_view name_of_kind(ComparedKind kind) {
  switch (kind) {
    case ComparedKind::object: return "object";
    case ComparedKind::hearing_log: return "hearing-log";
    case ComparedKind::main_log: return "main-log";
  }
  return "";
}

std::string words_of(const ComparedItem& item) {
  if (item.kind == ComparedKind::hearing_log) return "the log of hearing " + item.hearing->text();
  if (item.kind == ComparedKind::main_log) return "the main log";
  return "object " + item.id.hex() + (item.hearing ? " of hearing " + item.hearing->text() : " of the main log");
}

Json json_of(const ComparedItem& item) {
  Json out;
  out.set("id", item.id).set("kind", name_of_kind(item.kind));
  if (item.hearing) out.set("hearing", item.hearing->text());
  return out;
}

// Sleeps, or is woken by the stop or by `done`.
class Waiting {
 public:
  void sleep(std::int64_t ms, const std::stop_token& stop, const std::atomic<bool>& done) {
    std::unique_lock lock(mutex_);
    wakes_.wait_for(lock, stop, std::chrono::milliseconds(ms), [&] { return done.load(); });
  }
  void wake() {
    const std::lock_guard lock(mutex_);
    wakes_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any wakes_;
};

struct Sides {
  std::unique_ptr<store::ComparedObjects> own;
  ComparisonState there;
};

// One comparison, step by step.
class Comparing {
 public:
  Comparing(const ComparedParts& parts, const ComparisonSettings& settings, const std::stop_token& stop) : parts_(parts), settings_(settings), stop_(stop) {}

  Result<ComparisonReport> run() {
    report_.utc = parts_.clock.utc_now();
    report_.target = settings_.target_key.name;
    const Checkpoint confirmed = GREFFE_TRY(confirmed_by_target());
    report_.main_size = confirmed.size;
    const ComparisonBegin begin{make_comparison_name(), confirmed.size, confirmed.root};
    const Sides sides = GREFFE_TRY(build_both(begin));
    report_.items = sides.own->tree().size();
    report_.items_there = sides.there.items;
    report_.root = sides.own->tree().root();
    report_.missing_here = sides.own->absent();
    report_.missing_here_count = sides.own->absent_count();
    report_.missing_there_count = sides.there.absent;
    ++report_.traffic.round_trips;  // the one that brought the root
    report_.traffic.bytes += write_comparison_begin(begin).size() + write_comparison_state(sides.there).size();
    ComparedSides compared(*sides.own, parts_.compared, begin.name, sides.there.root, report_.traffic);
    report_.differences = GREFFE_TRY(compared.find(stop_));
    GREFFE_TRY(challenge(compared));
    tell_archive();
    return std::move(report_);
  }

 private:
  // What the second site holds and says so with its key, and this site had just so.
  Result<Checkpoint> confirmed_by_target() {
    const client::HeldCheckpoint held = GREFFE_TRY(parts_.target.checkpoint({parts_.source.main_origin()}));
    if (held.note.empty()) return fail(Errc::not_found, "the second site holds nothing yet: run `greffe-replicate once` first");
    const SignedCheckpoint stated = GREFFE_TRY(parse_signed_checkpoint(held.note));
    const auto at = verify_cosignature(stated.note, settings_.target_key);
    if (!at) return fail(Errc::denied, "what the second site says that it holds is not signed by " + settings_.target_key.name + ": " + at.error().message);
    const tlog::LogReader& main = parts_.source.main.newest().reader;
    const SignedCheckpoint head = GREFFE_TRY(main.checkpoint());
    const Checkpoint& there = stated.checkpoint;
    const bool same = there.origin == parts_.source.main_origin() && there.size <= head.checkpoint.size && GREFFE_TRY(main.root_at(there.size)) == there.root;
    if (same) return there;
    return fail(Errc::conflict, fmt::format("the second site holds {} main log entries that are not the beginning of the main log here ({} entries): "
                                            "the two sites disagree, or an older state was put in place here", there.size, head.checkpoint.size));
  }

  Result<std::unique_ptr<store::ComparedObjects>> build_own(const ComparisonBegin& begin, store::ComparedProgress& progress, const std::stop_token& stop) {
    GREFFE_TRY(parts_.files.make_directories(settings_.directory));
    store::WholePool& pool = parts_.pool;
    tlog::NamedItems named(parts_.files, pool, pool, {parts_.source.archive, parts_.source.main, begin.size, begin.root}, settings_.directory);
    store::ComparedSources sources;
    sources.name_all = [&](const store::ComparedSources::Take& take) { return named.walk(take, progress.done, stop); };
    sources.walk_stored = [&pool](const std::function<bool(const Digest&)>& visit) { return pool.walk_objects(visit); };
    sources.is_stored = [&pool](const Digest& digest) { return pool.holds_object(digest); };
    auto own = GREFFE_TRY(store::ComparedObjects::build(parts_.files, settings_.directory, sources, progress, stop));
    Status looked = ok();
    own->excuse([&](const ComparedItem& item) {
      const auto excused = named.is_excused_by_now(item);
      if (!excused) looked = excused.error();
      return excused && *excused;
    });
    GREFFE_TRY(std::move(looked));
    return own;
  }

  // Until both are there, or one of them cannot be.
  Status wait_for_target(const ComparisonBegin& begin, ComparisonState& there, const store::ComparedProgress& progress, const std::atomic<bool>& built) {
    Progress bar(parts_.clock, "reading logs and names at both sites", 2 * store::ComparedProgress::kTotal, ProgressUnit::items);
    const std::string question = write_comparison_begin(begin);
    std::int64_t wait_ms = kFirstWaitMs;
    std::int64_t asked_ms = 0;
    for (bool first = true; !there.ready || !built; first = false) {
      if (stop_.stop_requested()) return fail(Errc::cancelled, "the comparison was stopped");
      const std::int64_t now = parts_.clock.monotonic_ms();
      if (first || now - asked_ms >= (there.ready ? kStillThereMs : wait_ms)) {
        asked_ms = now;
        const std::string answer = GREFFE_TRY(parts_.compared.ask(client::ComparisonStep::begin, question));
        there = GREFFE_TRY(parse_comparison_state(answer));
        wait_ms = std::min(wait_ms * 2, kLongestWaitMs);
      }
      const std::uint64_t done_there = there.ready || there.total == 0 ? store::ComparedProgress::kTotal : there.done * store::ComparedProgress::kTotal / there.total;
      bar.show(progress.done + std::min(done_there, store::ComparedProgress::kTotal), 2 * store::ComparedProgress::kTotal);
      if (built && !own_is_good_) return ok();
      if (!there.ready || !built) waiting_.sleep(kFirstWaitMs, stop_, there.ready ? built : never_);
    }
    return ok();
  }

  Result<Sides> build_both(const ComparisonBegin& begin) {
    Sides out;
    std::stop_source end;
    const std::stop_callback forward(stop_, [&end] { end.request_stop(); });
    store::ComparedProgress progress;
    std::atomic<bool> built{false};
    Result<std::unique_ptr<store::ComparedObjects>> own = fail(Errc::cancelled, "the comparison was stopped");
    std::thread builder([&] {
      name_thread("gr-compare");
      own = build_own(begin, progress, end.get_token());
      own_is_good_ = own.has_value();
      built = true;
      waiting_.wake();
    });
    const Status waited = wait_for_target(begin, out.there, progress, built);
    if (!waited) end.request_stop();
    builder.join();
    // A failure here says more than that the other side was asked in vain.
    if (!own && own.error().code != Errc::cancelled) return own.error().within("this site");
    if (!waited) return waited.error();
    out.own = GREFFE_TRY(std::move(own));
    return out;
  }

  Status challenge(ComparedSides& compared) {
    if (settings_.challenged == 0) return ok();
    Progress bar(parts_.clock, "reading objects at both sites", settings_.challenged, ProgressUnit::items);
    const ComparedSides::Prove prove = [this](ByteView prefix, const Digest& digest) { return parts_.pool.hash_behind(prefix, digest); };
    ComparedSides::Challenged found = GREFFE_TRY(compared.challenge(settings_.challenged, prove, [&bar] { bar.add(1); }, stop_));
    report_.challenged = found.objects;
    report_.unproved = std::move(found.unproved);
    return ok();
  }

  // The archive looks for itself and then asks the other site for it; a comparison that cannot tell it is none the less one.
  void tell_archive() {
    std::map<std::optional<HearingId>, std::vector<Digest>> by_hearing;
    for (const ComparedItem& item : report_.missing_here) {
      if (item.kind == ComparedKind::object) by_hearing[item.hearing].push_back(item.id);
    }
    for (const Unproved& one : report_.unproved) {
      if (one.here) by_hearing[one.item.hearing].push_back(one.item.id);
    }
    for (const auto& [hearing, objects] : by_hearing) {
      for (std::size_t first = 0; first < objects.size(); first += kAbsentMax) {
        const auto some = std::span(objects).subspan(first, std::min(kAbsentMax, objects.size() - first));
        const auto told = parts_.archive.report_absent({hearing, {some.begin(), some.end()}});
        if (told) continue;
        report_.problems.push_back("the archive could not be told what its pool lacks: " + told.error().message);
        return;
      }
    }
  }

  const ComparedParts& parts_;
  const ComparisonSettings& settings_;
  const std::stop_token& stop_;
  ComparisonReport report_;
  Waiting waiting_;
  std::atomic<bool> own_is_good_{true};
  const std::atomic<bool> never_{false};
};

}  // namespace

Result<ComparisonReport> compare_sites(const ComparedParts& parts, const ComparisonSettings& settings, const std::stop_token& stop) {
  return Comparing(parts, settings, stop).run();
}

LastComparison ComparisonReport::last() const {
  LastComparison out;
  out.utc = utc;
  out.main_size = main_size;
  out.items = items;
  out.root = root;
  // What both sites miss is no difference between them, and none the less wrong.
  out.differences = std::max(differences.only_here_count + differences.only_there_count, missing_here_count + missing_there_count);
  out.challenged = challenged;
  out.unproved = unproved.size();
  return out;
}

std::vector<HearingId> ComparisonReport::logs_only_here() const {
  std::vector<HearingId> out;
  for (const ComparedItem& item : differences.only_here) {
    if (item.kind == ComparedKind::hearing_log) out.push_back(*item.hearing);
  }
  return out;
}

namespace {

// What this site's own logs say about an id that only the other one has.
ComparedItem named_here(const ComparisonReport& report, const Digest& id, bool& known) {
  const auto found = std::lower_bound(report.missing_here.begin(), report.missing_here.end(), id, [](const ComparedItem& item, const Digest& one) { return item.id < one; });
  known = found != report.missing_here.end() && found->id == id;
  return known ? *found : ComparedItem{id, ComparedKind::object, std::nullopt};
}

bool is_only_there(const ComparisonReport& report, const Digest& id) {
  return std::binary_search(report.differences.only_there.begin(), report.differences.only_there.end(), id);
}

}  // namespace

Json ComparisonReport::json() const {
  Json::Array list;
  for (std::size_t i = 0; i < differences.only_here.size() && list.size() < kToldMost; ++i) {
    list.push_back(json_of(differences.only_here[i]).set("only", "here"));
  }
  for (std::size_t i = 0; i < differences.only_there.size() && list.size() < kToldMost; ++i) {
    bool known = false;
    const ComparedItem item = named_here(*this, differences.only_there[i], known);
    Json one = known ? json_of(item) : Json().set("id", item.id).set("kind", "unknown");
    list.push_back(std::move(one.set("only", "there")));
  }
  Json::Array missing;
  for (std::size_t i = 0; i < missing_here.size() && i < kToldMost; ++i) missing.push_back(json_of(missing_here[i]));
  Json::Array failed;
  for (std::size_t i = 0; i < unproved.size() && i < kToldMost; ++i) failed.push_back(json_of(unproved[i].item).set("why", unproved[i].why));
  Json out;
  out.set("bytes", traffic.bytes).set("challenged", challenged).set("differences", std::move(list)).set("equal", equal()).set("items", items);
  out.set("items_there", items_there).set("main_size", main_size).set("missing_here", std::move(missing)).set("missing_here_count", missing_here_count);
  out.set("missing_there_count", missing_there_count).set("objects_returned", returned).set("only_here", differences.only_here_count);
  out.set("only_there", differences.only_there_count).set("problems", Json::Array(problems.begin(), problems.end())).set("root", root);
  return out.set("round_trips", traffic.round_trips).set("target", target).set("unproved", std::move(failed)).set("utc", utc);
}

std::string ComparisonReport::words() const {
  std::string out = fmt::format("compared {} objects and logs here with {} there, at {} main log entries: {} round trips, {}\n", items, items_there, main_size,
                                traffic.round_trips, human_bytes(traffic.bytes));
  std::size_t told = 0;
  for (const ComparedItem& item : differences.only_here) {
    if (++told > kToldMost) break;
    out += "ONLY HERE: " + words_of(item) + "\n";
  }
  for (const Digest& id : differences.only_there) {
    if (++told > kToldMost) break;
    bool known = false;
    const ComparedItem item = named_here(*this, id, known);
    out += "ONLY THERE: " + (known ? words_of(item) : id.hex() + ", which nothing here names any more") + "\n";
  }
  for (const ComparedItem& item : missing_here) {
    if (is_only_there(*this, item.id)) continue;
    if (++told > kToldMost) break;
    out += "AT NEITHER SITE: " + words_of(item) + "\n";
  }
  for (const Unproved& one : unproved) {
    if (++told > kToldMost) break;
    out += "UNPROVED: " + words_of(one.item) + ": " + one.why + "\n";
  }
  if (told > kToldMost) out += fmt::format("and more; only the first {} are named\n", kToldMost);
  for (const std::string& problem : problems) out += "PROBLEM: " + problem + "\n";
  if (returned > 0) out += fmt::format("{} objects that one site had lost were given back by the other before this\n", returned);
  if (challenged > 0) out += fmt::format("{} of {} objects were proved by their bytes at both sites\n", challenged - std::min<std::uint64_t>(challenged, unproved.size()), challenged);
  if (equal()) return out + "the two sites hold the same\n";
  return out + fmt::format("{} things are only here, {} only there; {} are missing here, {} there\n", differences.only_here_count,
                           differences.only_there_count, missing_here_count, missing_there_count);
}

}  // namespace greffe::replicate
