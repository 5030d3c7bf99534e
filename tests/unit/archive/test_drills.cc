// Drills at their time and when they are asked for: what is filed of them, and what is not.
#include <catch2/catch.hpp>

#include <atomic>

#include "tests/unit/archive/drilled_site.h"

using greffe::Errc;
using greffe::archive::DrillFacts;
using greffe::archive::Drills;
using greffe::archive::DrillState;
using greffe::testing::DrilledSite;

namespace {

constexpr std::int64_t kWeekMs = 7LL * 86'400'000;

// Its own clock, which is moved; the site's files are dated by the real one.
class MovedClock : public greffe::SystemClock {
 public:
  greffe::UtcTime utc_now() override { return {greffe::SystemClock::utc_now().ms + passed_ms}; }
  std::int64_t monotonic_ms() override { return greffe::SystemClock::monotonic_ms() + passed_ms; }
  std::atomic<std::int64_t> passed_ms{0};
};

struct DrillingSite : DrilledSite {
  explicit DrillingSite(std::int64_t every_ms = kWeekMs) { begin(every_ms); }
  void begin(std::int64_t every_ms) {
    drills = std::make_unique<Drills>(
        greffe::archive::DrillParts{clock, site.log, site.files, *site.pool, *site.main_log,
                                    [this]() -> greffe::Result<std::unique_ptr<greffe::store::WholePool>> {
                                      if (no_pool) return greffe::fail(Errc::unavailable, "no pool today");
                                      return open_reader();
                                    },
                                    [](const std::string&) { return std::optional<greffe::UtcTime>(); },
                                    [this](const std::vector<std::string>& paths, const std::stop_token& stop) {
                                      while (hold && !stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
                                      return plays()(paths, stop);
                                    }},
        greffe::archive::DrillSettings{site.name, true, every_ms, 0, state()});
    drills->start();
  }
  DrillState finished(std::uint64_t number) {
    until([&] { return !drills->state(number)->running; });
    return *drills->state(number);
  }
  void pass(std::int64_t ms) {
    clock.passed_ms += ms;
    drills->look();
  }
  std::size_t filed() { return drills->filed({}, 100)->size(); }
  DrillFacts facts() {
    const auto all = drills->facts();
    REQUIRE(all);
    REQUIRE(all->size() == 1);
    return all->front();
  }

  MovedClock clock;
  std::atomic<bool> hold{false};     // the decoding
  std::atomic<bool> no_pool{false};
  std::unique_ptr<Drills> drills;
};

}  // namespace

TEST_CASE("a drill that is asked for is filed: an entry of the site's own log, and the report that it names") {
  DrillingSite site;
  const std::uint64_t size = site.site.main_log->head().checkpoint.size;
  const auto number = site.drills->begin("");
  REQUIRE(number);
  const DrillState state = site.finished(*number);
  REQUIRE(state.outcome);
  if (!*state.outcome) FAIL(state.outcome->error().message);
  const auto& outcome = **state.outcome;
  CHECK(outcome.index == size);
  CHECK(site.site.main_log->head().checkpoint.size == size + 1);
  const auto any = greffe::parse_main_entry(site.site.main_log->reader().entries(size, size + 1)->front());
  REQUIRE(any);
  const auto* entry = std::get_if<greffe::DrillEntry>(&*any);
  REQUIRE(entry);
  CHECK(entry->archive == DrilledSite::kOrigin);
  CHECK(entry->size == 4);
  CHECK(entry->failures == 0);
  CHECK(entry->objects == outcome.entry.objects);
  const auto document = site.site.pool->read_object(entry->report);
  REQUIRE(document);
  const auto report = greffe::parse_drill_report(greffe::as_text(*document));
  REQUIRE(report);
  CHECK(report->asked);
  CHECK(report->root == entry->root);
  const auto filed = site.drills->filed({}, 10);
  REQUIRE(filed);
  REQUIRE(filed->size() == 1);
  CHECK(filed->front().index == size);
  CHECK(filed->front().report == greffe::as_text(*document));
  const DrillFacts facts = site.facts();
  CHECK(facts.last == entry->utc);
  CHECK(facts.good == entry->utc);
  CHECK(facts.due == greffe::UtcTime{entry->utc.ms + kWeekMs});
  CHECK_FALSE(facts.late);
  CHECK_FALSE(facts.running);
  // The log that has the entry is one that everybody can read: no problem of the catalogue.
  CHECK(site.site.main_log->catalogue().problems()->empty());
}

TEST_CASE("what is asked for must be held here, and one is made at a time") {
  DrillingSite site;
  CHECK(site.drills->begin("other.example").error().code == Errc::not_found);
  CHECK(site.drills->state(77).error().code == Errc::not_found);
  site.hold = true;
  const auto number = site.drills->begin(DrilledSite::kOrigin);
  REQUIRE(number);
  site.until([&] { return site.drills->state(*number)->step == greffe::archive::DrillProgress::Step::decode; });
  CHECK(site.facts().running);
  CHECK(*site.drills->begin(DrilledSite::kOrigin) == *number);  // whoever asks for the same waits for the same
  site.hold = false;
  CHECK(site.finished(*number).outcome->has_value());
  CHECK(site.filed() == 1);
  CHECK(*site.drills->begin("") == *number + 1);
}

TEST_CASE("a drill that is broken off is not filed, and does not begin again by itself at once") {
  DrillingSite site;
  site.hold = true;
  const auto number = site.drills->begin("");
  REQUIRE(number);
  site.clock.passed_ms = 2 * kWeekMs;  // its time has come
  SECTION("by who asked for it") {
    site.until([&] { return site.drills->state(*number)->step == greffe::archive::DrillProgress::Step::decode; });
    site.drills->cancel(*number);
    CHECK(site.finished(*number).outcome->error().code == Errc::cancelled);
    site.drills->look();
    CHECK(site.drills->state(*number + 1).error().code == Errc::not_found);
  }
  SECTION("by the end of the archive") { site.drills->stop(); }
  CHECK(site.filed() == 0);
  CHECK(site.facts().problem.empty());
}

TEST_CASE("a drill is made when a period has passed since the copy was begun, and since the last one") {
  DrillingSite site;
  site.drills->look();
  CHECK(site.filed() == 0);
  CHECK_FALSE(site.facts().late);
  site.pass(kWeekMs + 1000);
  site.until([&] { return site.filed() == 1; });
  const auto report = greffe::parse_drill_report(site.drills->filed({}, 1)->front().report);
  REQUIRE(report);
  CHECK_FALSE(report->asked);
  site.until([&] { return !site.facts().running; });
  site.drills->look();
  CHECK_FALSE(site.facts().running);
  CHECK(site.filed() == 1);
  // After a start it is known when the last one was.
  site.drills.reset();
  site.begin(kWeekMs);
  CHECK(site.facts().good == site.drills->filed({}, 1)->front().entry.utc);
  site.pass(kWeekMs + 1000);
  site.until([&] { return site.filed() == 2; });
}

TEST_CASE("without a period a drill is made only when it is asked for, and none is late") {
  DrillingSite site(0);
  site.clock.passed_ms = 100 * kWeekMs;
  site.drills->look();
  CHECK(site.filed() == 0);
  CHECK_FALSE(site.facts().late);
  CHECK_FALSE(site.facts().due);
}

TEST_CASE("without a good drill for two periods there is an alarm; what stands in the way is told") {
  DrillingSite site;
  site.no_pool = true;
  site.pass(kWeekMs + 1000);
  site.until([&] { return !site.facts().problem.empty(); });
  CHECK(site.facts().problem == "no pool today");
  CHECK_FALSE(site.facts().late);
  site.clock.passed_ms = 2 * kWeekMs + 5000;
  CHECK(site.facts().late);
  CHECK(site.filed() == 0);
  site.no_pool = false;  // tried again an hour later
  site.pass(2 * 3'600'000);
  site.until([&] { return site.filed() == 1; });
  site.until([&] { return !site.facts().late && site.facts().problem.empty(); });

  // One with failures is no good one.
  site.until([&] { return !site.facts().running; });
  for (const auto& path : site.copies(greffe::object_key(site.hearings[0].objects[1].first))) DrilledSite::spoil(path);
  const auto number = site.drills->begin("");
  REQUIRE(number);
  REQUIRE(site.finished(*number).outcome->has_value());
  CHECK(site.facts().failures > 0);
  CHECK(site.facts().last > site.facts().good);
  site.clock.passed_ms += 2 * kWeekMs;
  CHECK(site.facts().late);
}

TEST_CASE("where no copies are held nothing is drilled") {
  greffe::testing::SampleArchive site;
  Drills drills({site.clock, site.log, site.files, *site.pool, *site.main_log, nullptr, nullptr, nullptr}, {.site = site.name, .replica = false});
  CHECK(drills.begin("").error().code == Errc::denied);
  CHECK(drills.facts()->empty());
  CHECK(drills.filed({}, 10)->empty());
}
