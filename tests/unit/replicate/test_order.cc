// What goes first, at which pace, and with how much in work at a time.
#include <catch2/catch.hpp>

#include <condition_variable>
#include <thread>

#include "replicate/echo_watch.h"
#include "replicate/lag.h"
#include "replicate/replicator.h"
#include "tests/unit/replicate/second_site.h"
#include "tests/unit/support/manual_clock.h"

using greffe::Digest;
using greffe::HearingId;
using greffe::testing::Confirmations;
using greffe::testing::ManualClock;
using greffe::testing::SecondSite;
using greffe::testing::SourcePool;
namespace replicate = greffe::replicate;
namespace client = greffe::client;
using replicate::MediaClass;

namespace {

// One target of a source that may have several.
struct Target {
  explicit Target(SourcePool& pool, replicate::Timetable timetable = replicate::Timetable(), unsigned connections = 1)
      : source(pool), line(clock, std::move(timetable)), limits{.connections = connections},
        replicator({{source.store, source.store, SourcePool::kArchive}, second, archive, second.verifier()}, line, clock,
                   {.limits = limits, .poll_interval_ms = 20}, log) {}
  std::size_t main_held() { return second.logs[client::LogTarget{std::string(SourcePool::kArchive)}.path()].entries.size(); }
  bool has(const std::string& text) {
    for (const auto& [path, objects] : second.objects) {
      if (objects.contains(greffe::sha256(greffe::as_bytes(text)))) return true;
    }
    return false;
  }

  SourcePool& source;
  SecondSite second;
  Confirmations archive{source.store, second.verifier()};
  greffe::Log log{"test"};
  ManualClock clock;
  replicate::Bandwidth line;
  replicate::LogCopier::Limits limits;
  replicate::Replicator replicator;
};

std::string piece(const char* what, std::size_t i, const HearingId& id) { return std::string(what) + " " + std::to_string(i) + " of " + id.text(); }

// 0: log, 1: sound, 2: picture, of what SourcePool makes.
std::map<Digest, int> classes_of(const HearingId& id, std::size_t segments) {
  std::map<Digest, int> out;
  out[greffe::sha256(greffe::as_bytes("details of " + id.text()))] = 0;
  for (std::size_t i = 0; i < segments; ++i) {
    out[greffe::sha256(greffe::as_bytes(piece("sound", i, id)))] = 1;
    out[greffe::sha256(greffe::as_bytes(piece("segment", i, id)))] = 2;
  }
  return out;
}

replicate::Timetable limited(const char* media, std::uint64_t bytes_per_second) {
  replicate::Timetable out;
  REQUIRE(out.add(media, "", "", bytes_per_second));
  return out;
}

}  // namespace

TEST_CASE("documents go first, then sound, then picture") {
  SourcePool source;
  const HearingId id = source.hearing(6, true, 1'790'000'000'000, false, true);
  Target target(source);
  const auto report = target.replicator.pass({});
  REQUIRE(report);
  CHECK(report->caught_up());
  const std::map<Digest, int> classes = classes_of(id, 6);
  std::vector<int> order;
  for (const Digest& digest : target.second.order) order.push_back(classes.at(digest));
  REQUIRE(order.size() == 13);
  // Three threads: two may have been given theirs before, and begin it after.
  for (auto one = order.begin(); one != order.end(); ++one) CHECK(std::count_if(one, order.end(), [&](int later) { return later < *one; }) <= 2);
}

TEST_CASE("hearings in progress and a backlog that is longer than what counts as new arrive in one pass") {
  SourcePool source;
  for (int i = 0; i < 6; ++i) source.hearing(4, true, 1'790'000'000'000 + i * 1000);
  std::vector<std::string> others;
  for (std::uint64_t i = 0; i < 300; ++i) others.push_back(source.scrub(i));
  source.main(others);
  source.hearing(4, false, 1'790'100'000'000);
  Target target(source);
  const auto report = target.replicator.pass({});
  REQUIRE(report);
  CHECK(report->caught_up());
  CHECK(target.main_held() == 307);
  CHECK(target.second.puts == 7 * 5);
}

TEST_CASE("of all logs in work documents go first, then sound, then pictures; of each, fresh ones before the backlog, in their order") {
  replicate::Window window(2);
  const replicate::Window::Allowed all = [](MediaClass) { return 1u; };
  const auto add = [&](bool fresh, std::uint64_t number) {
    replicate::Work work;
    work.fresh = fresh;
    work.stage = replicate::Work::Stage::objects;
    for (const MediaClass media : replicate::kMediaClasses) work.step.missing[replicate::index_of(media)].push_back({{}, number, false});
    window.add(std::move(work));
  };
  add(false, 3);
  add(false, 4);
  add(true, 1);
  add(true, 2);
  std::vector<std::pair<int, std::uint64_t>> order;
  while (const auto job = window.take(all)) {
    if (job->kind != replicate::Job::Kind::object) {
      job->work->stage = replicate::Work::Stage::done;
    } else {
      order.emplace_back(static_cast<int>(job->media), job->object.entry);
    }
    window.ended(*job);
  }
  std::vector<std::pair<int, std::uint64_t>> wanted;
  for (int media = 0; media < 3; ++media) {
    for (std::uint64_t number = 1; number <= 4; ++number) wanted.emplace_back(media, number);
  }
  CHECK(order == wanted);
  CHECK(window.remove_done().size() == 4);
}

TEST_CASE("what may not go now holds up nothing else: log and sound of all hearings arrive, pictures when they may") {
  SourcePool source;
  std::vector<HearingId> hearings;
  for (int i = 0; i < 100; ++i) hearings.push_back(source.hearing(2, true, 1'790'000'000'000 + i * 1000, false, true));  // more than a window
  replicate::Timetable night;  // 25 November 2026 is a Wednesday; the test's clock stands at 09:46
  REQUIRE(night.add("picture", "wed 09:00", "wed 10:00", 0));
  Target target(source, night);
  // So that sound queues up for the line as well: what was put aside for its turn only is not left for another pass.
  target.second.on_put = [](const Digest&) -> greffe::Status {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return greffe::ok();
  };
  const auto report = target.replicator.pass({});
  REQUIRE(report);
  CHECK_FALSE(report->caught_up());
  CHECK(report->waiting == std::set<MediaClass>{MediaClass::picture});
  CHECK(report->problems.empty());
  CHECK(target.main_held() == 0);
  for (const HearingId& id : hearings) {
    CHECK((target.has("details of " + id.text()) && target.has(piece("sound", 1, id)) && !target.has(piece("segment", 1, id))));
  }
  const replicate::Lag lag = replicate::measure_lag({source.store, source.store, SourcePool::kArchive}, target.second, target.second.verifier()).value();
  CHECK(lag.hearings_behind == 100);
  CHECK(lag.classes[2].bytes == 100 * 2 * 40);

  target.clock.pass_ms(3'600'000);
  const auto later = target.replicator.pass({});
  REQUIRE(later);
  CHECK(later->caught_up());
  CHECK(target.main_held() == 100);
}

TEST_CASE("far more hearings than are worked on at a time arrive whole, and each object once") {
  SourcePool source;
  for (int i = 0; i < 400; ++i) source.hearing(1, true, 1'790'000'000'000 + i * 1000, false, true);
  Target target(source, replicate::Timetable(), 3);
  const auto report = target.replicator.pass({});
  REQUIRE(report);
  for (const std::string& problem : report->problems) FAIL(problem);
  CHECK(report->caught_up());
  CHECK(report->copied.objects == 1200);
  CHECK(target.second.puts == 1200);
  CHECK(target.main_held() == 400);
  CHECK(target.archive.delivered == 401);
}

TEST_CASE("one target that hangs does not hold up the other, and catches up later") {
  SourcePool source;
  source.hearing(3, true);
  source.hearing(2, false, 1'790'000'100'000);
  Target hanging(source);
  Target well(source);
  std::mutex mutex;
  std::condition_variable wakes;
  bool released = false;
  hanging.second.on_put = [&](const Digest&) -> greffe::Status {
    std::unique_lock lock(mutex);
    wakes.wait(lock, [&] { return released; });
    return greffe::ok();
  };
  bool caught_up = false;
  std::string words;
  std::thread other([&] {
    const auto report = hanging.replicator.pass({});
    caught_up = report && report->caught_up();
    words = report ? report->words() : report.error().message;
  });
  const auto report = well.replicator.pass({});
  REQUIRE(report);
  CHECK(report->caught_up());
  CHECK(hanging.main_held() == 0);
  {
    const std::lock_guard lock(mutex);
    released = true;
  }
  wakes.notify_all();
  other.join();
  INFO(words);
  CHECK(caught_up);
  CHECK(hanging.main_held() == 2);
}

TEST_CASE("a pass is whole although pictures of hearings in progress wait for one another") {
  SourcePool source;
  for (int i = 0; i < 3; ++i) source.hearing(10, false, 1'790'000'000'000 + i * 1000);
  Target target(source);
  target.second.on_put = [](const Digest&) -> greffe::Status {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return greffe::ok();
  };
  const auto report = target.replicator.pass({});
  REQUIRE(report);
  INFO(report->words());
  CHECK(report->caught_up());
  CHECK(target.main_held() == 3);
}

TEST_CASE("a target without room for pictures still gets the log of other hearings") {
  SourcePool source;
  const HearingId big = source.hearing(2, true);
  const HearingId small = source.hearing(0, true, 1'790'000'100'000);
  Target target(source);
  target.second.on_put = [&](const Digest& digest) -> greffe::Status {
    const bool picture = classes_of(big, 2).contains(digest) && classes_of(big, 2).at(digest) == 2;
    return picture ? greffe::Status(greffe::fail(greffe::Errc::no_space, "the volumes are full")) : greffe::ok();
  };
  const auto report = target.replicator.pass({});
  REQUIRE(report);
  CHECK_FALSE(report->caught_up());
  REQUIRE(report->problems.size() == 1);
  CHECK(report->problems[0].find("full") != std::string::npos);
  CHECK(target.second.logs[client::LogTarget{small}.path()].entries.size() == 2);
  CHECK(target.second.logs[client::LogTarget{big}.path()].entries.empty());
  target.second.on_put = nullptr;
  const auto later = target.replicator.pass({});
  REQUIRE(later);
  CHECK(later->caught_up());
}

TEST_CASE("a limit is kept to, whoever asks, and the log has none") {
  ManualClock clock;
  replicate::Bandwidth line(clock, limited("picture", 100'000));
  std::uint64_t went = 0;
  for (int i = 0; i < 1000; ++i) {  // ten seconds
    for (int k = 0; k < 4; ++k) went += line.try_take(MediaClass::picture, 1'000'000);
    clock.pass_ms(10);
  }
  CHECK(went <= 1'000'000 + 16'384);
  CHECK(went >= 950'000);
  CHECK(line.try_take(MediaClass::sound, 1'000'000) == 1'000'000);
  CHECK(line.try_take(MediaClass::log, 1'000'000) == 1'000'000);

  replicate::Bandwidth none(clock, limited("sound", 0));
  CHECK_FALSE(none.open(MediaClass::sound));
  CHECK(none.try_take(MediaClass::sound, 10) == 0);
  const auto refused = none.take(MediaClass::sound, 10);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == greffe::Errc::conflict);
}

TEST_CASE("the rate is that of the last five minutes") {
  ManualClock clock;
  replicate::Bandwidth line(clock, replicate::Timetable());
  CHECK(line.rate(MediaClass::picture) == 0);
  for (int i = 0; i < 60; ++i) {
    line.arrived(MediaClass::picture, 1'000'000);
    clock.pass_ms(1000);
  }
  CHECK(line.rate(MediaClass::picture) == 1'000'000);
  CHECK(line.rate(MediaClass::sound) == 0);
  clock.pass_ms(240'000);
  CHECK(line.rate(MediaClass::picture) <= 200'000);
  clock.pass_ms(120'000);
  CHECK(line.rate(MediaClass::picture) == 0);
}

TEST_CASE("limits hold by the clock on the wall, over the end of the week, and the smallest counts") {
  replicate::Timetable table(greffe::Zone::named("Europe/Paris").value());
  REQUIRE(table.add("picture", "mon 08:00", "fri 18:00", 1'000'000));
  REQUIRE(table.add("picture", "fri 17:00", "mon 09:00", 5'000));
  REQUIRE(table.add("sound", "", "", 50'000));
  const auto at = [&](const char* utc) { return table.at(MediaClass::picture, greffe::parse_utc(utc).value()); };
  CHECK(at("2026-11-23T07:30:00.000Z") == 5'000);    // Monday 08:30 in Paris: both
  CHECK(at("2026-11-23T08:00:00.000Z") == 1'000'000);
  CHECK(at("2026-11-27T15:59:59.000Z") == 1'000'000);
  CHECK(at("2026-11-27T16:00:00.000Z") == 5'000);
  CHECK(at("2026-11-29T12:00:00.000Z") == 5'000);    // Sunday
  CHECK(at("2026-07-06T06:00:00.000Z") == 5'000);    // summer: Monday 08:00, both
  CHECK(table.at(MediaClass::sound, greffe::UtcTime{0}) == 50'000);
  CHECK(table.at(MediaClass::log, greffe::UtcTime{0}) == std::nullopt);
  CHECK_FALSE(table.add("log", "", "", 5'000));
  CHECK_FALSE(table.add("picture", "mon 8:00", "fri 18:00", 5'000));
  CHECK_FALSE(table.add("picture", "mon 24:00", "fri 18:00", 5'000));
  CHECK_FALSE(table.add("picture", "mon 08:00", "", 5'000));
  CHECK_FALSE(table.add("picture", "mon 08:00", "mon 08:00", 5'000));
  CHECK_FALSE(table.add("picture", "", "", 3));
}

TEST_CASE("the window keeps to its bounds and its order") {
  replicate::Window window(3);
  const replicate::Window::Allowed all = [](MediaClass) { return 2u; };
  const replicate::Window::Allowed no_picture = [](MediaClass media) { return media == MediaClass::picture ? 0u : 2u; };
  std::size_t added = 0;
  while (window.has_room(true)) {
    replicate::Work work;
    work.fresh = window.has_room(false) ? added % 2 == 1 : true;
    work.hearing = greffe::make_hearing_id(greffe::UtcTime{static_cast<std::int64_t>(added)});
    work.stage = replicate::Work::Stage::objects;
    work.step.missing[2].push_back({greffe::sha256(greffe::as_bytes(std::to_string(added))), 0, false});
    window.add(std::move(work));
    REQUIRE(++added <= replicate::Window::kMost);
  }
  CHECK(added == replicate::Window::kMost);
  const auto first = window.take(all);
  REQUIRE(first);
  CHECK(first->work->fresh);
  REQUIRE(window.take(all));
  CHECK_FALSE(window.take(all));  // two pictures at a time
  CHECK(window.waiting(all) == added - 2);
  std::size_t made = 0;
  while (window.make_room(all)) ++made;
  CHECK(made == added - 2 - replicate::Window::kKeptWaiting);
  CHECK(window.remove_done().size() == made);
  window.part_with_closed(no_picture);
  CHECK(window.remove_done().size() == replicate::Window::kKeptWaiting);
  window.ended(*first);
  CHECK(first->work->stage == replicate::Work::Stage::commit);
}

TEST_CASE("what is remembered of hearings is bounded") {
  replicate::KnownHearings known;
  for (std::size_t i = 0; i < replicate::KnownHearings::kMost + 1000; ++i) {
    HearingId id;
    for (std::size_t k = 0; k < 4; ++k) id.bytes[k] = static_cast<std::uint8_t>(i >> (8 * k));
    known.at(id).held = i;
  }
  CHECK(known.size() == replicate::KnownHearings::kMost);
  CHECK(known.find(HearingId{}) == nullptr);
}

TEST_CASE("lag says for each class what no confirmation covers, also of a target that does not answer or went back") {
  SourcePool source;
  source.hearing(2, true, 1'790'000'000'000, false, true);
  Target target(source);
  REQUIRE(target.replicator.pass({}));
  source.hearing(3, true, 1'790'000'500'000, false, true);
  const replicate::Source from{source.store, source.store, SourcePool::kArchive};
  const auto measure = [&] { return replicate::measure_lag(from, target.second, target.second.verifier()).value(); };
  for (const bool reachable : {true, false}) {
    target.second.reachable = reachable;
    const replicate::Lag lag = measure();
    CHECK(lag.not_asked.empty() == reachable);
    CHECK(lag.entries_behind == 1);
    CHECK(lag.hearings_behind == 1);
    CHECK(lag.classes[0].objects == 1);
    CHECK(lag.classes[1].objects == 3);
    CHECK(lag.classes[2].bytes == 3 * 40);
    REQUIRE(lag.classes[1].oldest);
    CHECK(lag.classes[1].oldest->ms == 1'790'000'500'000);
    CHECK_FALSE(lag.caught_up());
  }
  target.second.reachable = true;
  target.second.logs.clear();  // wiped: what it confirmed once counts for nothing
  CHECK(measure().hearings_behind == 2);
  CHECK(measure().main_held == 0);
}

TEST_CASE("for how long there was no echo is measured here, and an answer ends it") {
  SourcePool source;
  Target target(source);
  replicate::EchoWatch watch(target.second, target.clock, target.log, "t");
  watch.ask();
  CHECK(watch.facts().round_trip_ms == 0);
  target.second.reachable = false;
  for (int i = 0; i < 4; ++i) {
    target.clock.pass_ms(5000);
    watch.ask();
  }
  CHECK(watch.facts().silent_ms == 20'000);
  CHECK(watch.facts().late);
  CHECK(watch.facts().problem.find("does not answer") != std::string::npos);
  target.second.reachable = true;
  watch.ask();
  CHECK(watch.facts().silent_ms == 0);
  CHECK_FALSE(watch.facts().late);
}
