// Recorded + excused + unexcused = declared, whatever happens to the wall clock.
#include <catch2/catch.hpp>

#include <random>

#include "archive/format/time_account.h"

using greffe::HearingEntry;
using greffe::TimeAccount;
using greffe::TimeSums;
using greffe::UtcTime;

namespace {

constexpr std::int64_t kUtc = 1'790'000'000'000;  // the wall clock at monotonic 0 of the first boot
constexpr std::int64_t kOpenMono = 5'000'000;     // the station had been up for a while

// A log in the making: one station whose wall clock can be set and which can be started again.
struct Log {
  std::vector<HearingEntry> entries;
  std::string boot = "b1";
  std::int64_t wall_ms = kUtc;  // wall clock = wall_ms + monotonic
  std::int64_t error_ms = 2;
  std::map<std::string, std::uint64_t> run;

  UtcTime utc(std::int64_t mono) const { return UtcTime{wall_ms + mono}; }

  Log& open(const std::vector<std::string>& streams, std::int64_t mono = kOpenMono) {
    greffe::OpenEntry e;
    for (const std::string& name : streams) e.streams.push_back({name, "audio", "room"});
    e.boot = boot;
    e.mono_ms = mono;
    e.start = utc(mono);
    entries.emplace_back(e);
    return *this;
  }
  Log& late(const std::string& name) {
    entries.emplace_back(greffe::StreamEntry{{name, "audio", "room"}});
    return *this;
  }
  Log& segment(const std::string& stream, std::int64_t mono, std::int64_t length_ms, std::int64_t media_ms = 0) {
    greffe::SegmentEntry e;
    e.stream = stream;
    e.run = run[stream];
    e.boot = boot;
    e.mono_ms = mono;
    e.utc = utc(mono);
    e.duration_90k = (media_ms != 0 ? media_ms : length_ms) * 90;
    e.clock.error_ms = error_ms;
    entries.emplace_back(e);
    return *this;
  }
  greffe::GapEntry gap_entry(const std::string& reason, std::int64_t from, std::int64_t to, std::vector<std::string> streams) const {
    greffe::GapEntry e;
    e.streams = std::move(streams);
    e.boot = boot;
    e.mono_ms = {from, to};
    e.from = utc(from);
    e.to = utc(to);
    e.reason = reason;
    return e;
  }
  Log& gap(const std::string& reason, std::int64_t from, std::int64_t to, std::vector<std::string> streams = {"*"}) {
    entries.emplace_back(gap_entry(reason, from, to, std::move(streams)));
    for (auto& [name, number] : run) ++number;
    return *this;
  }
  // The station starts again: its monotonic clock stands at `mono` when `down_ms` have passed since `from`.
  Log& restart(std::int64_t from, std::int64_t down_ms, std::int64_t mono, bool names_boot = true) {
    greffe::GapEntry e = gap_entry("power", from, mono, {"*"});
    const std::int64_t now = wall_ms + from + down_ms;
    e.to = UtcTime{now};
    boot = boot == "b1" ? "b2" : boot + "x";
    if (names_boot) e.to_boot = boot;
    wall_ms = now - mono;
    for (auto& [name, number] : run) ++number;
    entries.emplace_back(e);
    return *this;
  }
  Log& explain(std::uint64_t gap) {
    entries.emplace_back(greffe::ExplanationEntry{gap, {}, "", ""});
    return *this;
  }
  Log& close(std::int64_t mono) {
    greffe::CloseEntry e;
    e.boot = boot;
    e.mono_ms = mono;
    e.end = utc(mono);
    entries.emplace_back(e);
    return *this;
  }

  TimeAccount account() const {
    greffe::TimeAccounting accounting;
    for (const HearingEntry& entry : entries) accounting.add(entry);
    TimeAccount out = accounting.account();
    check_sum(out.total);
    for (const greffe::StreamTime& one : out.streams) check_sum(one.sums);
    return out;
  }
  static void check_sum(const TimeSums& s) {
    CHECK(s.recorded_ms + s.excused_ms + s.unexcused_ms == s.declared_ms);
    CHECK(s.unexplained_ms <= s.unexcused_ms);
  }
};

void check(const TimeSums& sums, std::int64_t declared, std::int64_t recorded, std::int64_t excused, std::int64_t unexcused,
           std::int64_t unexplained) {
  CHECK(sums.declared_ms == declared);
  CHECK(sums.recorded_ms == recorded);
  CHECK(sums.excused_ms == excused);
  CHECK(sums.unexcused_ms == unexcused);
  CHECK(sums.unexplained_ms == unexplained);
}

constexpr std::int64_t T = kOpenMono;

}  // namespace

TEST_CASE("what was recorded without a hole is all that was declared") {
  Log log;
  log.open({"cam", "mic"}).segment("cam", T, 10'000).segment("mic", T, 30'000).segment("cam", T + 10'000, 20'000).close(T + 30'000);
  const TimeAccount account = log.account();
  check(account.total, 30'000, 30'000, 0, 0, 0);
  REQUIRE(account.streams.size() == 2);
  for (const auto& one : account.streams) check(one.sums, 30'000, 30'000, 0, 0, 0);
  CHECK(account.joins == 0);
}

TEST_CASE("a wall clock that is set by hours in the middle of a hearing makes no time and takes none") {
  for (const std::int64_t step : {3 * 3'600'000LL, -3 * 3'600'000LL, 50LL * 365 * 86'400'000}) {
    Log log;
    log.open({"mic"}).segment("mic", T, 10'000);
    log.wall_ms += step;
    ++log.run["mic"];  // a step begins a new run
    log.segment("mic", T + 10'000, 10'000).gap("recess", T + 20'000, T + 80'000).segment("mic", T + 80'000, 10'000).close(T + 90'000);
    const TimeAccount account = log.account();
    check(account.total, 90'000, 30'000, 60'000, 0, 0);
    CHECK(account.streams[0].drift_ms == 0);
  }
}

TEST_CASE("boots are joined by the wall clock, with the error that the segments at the join state") {
  for (const bool names_boot : {true, false}) {
    Log log;
    log.open({"mic"}).segment("mic", T, 10'000);
    log.error_ms = 7;
    log.segment("mic", T + 10'000, 10'000);  // a worse clock: not taken
    log.restart(T + 20'000, 60'000, 12'000, names_boot);
    log.segment("mic", 12'000, 10'000).close(22'000);
    const TimeAccount account = log.account();
    check(account.total, 90'000, 30'000, 0, 60'000, 60'000);
    CHECK(account.joins == 1);
    CHECK(account.join_error_ms == 2 + 7);
  }
}

TEST_CASE("a monotonic clock of the next boot that stands higher needs no guess when the gap names the boot") {
  Log log;
  log.open({"mic"}, 1000).segment("mic", 1000, 10'000).restart(11'000, 60'000, 90'000);
  log.segment("mic", 90'000, 10'000).close(100'000);
  check(log.account().total, 80'000, 20'000, 0, 60'000, 60'000);
}

TEST_CASE("a clock that was corrected before the restart, and one that is wrong at boot, join all the same") {
  Log corrected;
  corrected.open({"mic"}).segment("mic", T, 10'000);
  corrected.wall_ms += 3 * 3'600'000;
  ++corrected.run["mic"];
  corrected.segment("mic", T + 10'000, 10'000).restart(T + 20'000, 60'000, 12'000).segment("mic", 12'000, 10'000).close(22'000);
  check(corrected.account().total, 90'000, 30'000, 0, 60'000, 60'000);

  Log wrong_at_boot;
  wrong_at_boot.open({"mic"}).segment("mic", T, 20'000).restart(T + 20'000, 60'000, 12'000);
  const std::int64_t right = wrong_at_boot.wall_ms;
  wrong_at_boot.wall_ms = 0;  // 1970
  wrong_at_boot.error_ms = 86'400'000;
  wrong_at_boot.segment("mic", 12'000, 10'000);
  wrong_at_boot.wall_ms = right;
  wrong_at_boot.error_ms = 2;
  ++wrong_at_boot.run["mic"];
  wrong_at_boot.segment("mic", 22'000, 10'000).close(32'000);
  const TimeAccount account = wrong_at_boot.account();
  check(account.total, 100'000, 40'000, 0, 60'000, 60'000);
  CHECK(account.join_error_ms == 4);
}

TEST_CASE("a boot whose clock is behind begins where the one before it ended") {
  Log log;
  log.open({"mic"}).segment("mic", T, 20'000).restart(T + 20'000, -7'200'000, 12'000);
  log.segment("mic", 12'000, 10'000).close(22'000);
  check(log.account().total, 30'000, 30'000, 0, 0, 0);
}

TEST_CASE("a recess is excused, a fault is not, and a mute is of its stream only") {
  Log log;
  log.open({"cam", "mic"}).segment("cam", T, 10'000).segment("mic", T, 10'000);
  log.gap("operator", T + 10'000, T + 20'000, {"mic"}).segment("cam", T + 10'000, 10'000);
  log.gap("recess", T + 20'000, T + 50'000).gap("fault", T + 50'000, T + 54'000);
  log.segment("cam", T + 54'000, 6'000).segment("mic", T + 54'000, 6'000).close(T + 60'000);
  const TimeAccount account = log.account();
  check(account.streams[0].sums, 60'000, 26'000, 30'000, 4'000, 4'000);
  check(account.streams[1].sums, 60'000, 16'000, 30'000, 14'000, 14'000);
  check(account.total, 60'000, 26'000, 30'000, 4'000, 4'000);
}

TEST_CASE("an explanation explains and does not excuse; a note explains at once") {
  Log log;
  log.open({"mic"}).segment("mic", T, 10'000).gap("power", T + 10'000, T + 20'000);
  auto noted = log.gap_entry("unknown", T + 20'000, T + 25'000, {"*"});
  noted.note = greffe::Digest{};
  log.entries.emplace_back(noted);
  ++log.run["mic"];
  log.segment("mic", T + 25'000, 5'000);
  check(log.account().total, 30'000, 15'000, 0, 15'000, 10'000);
  log.explain(2);
  check(log.account().total, 30'000, 15'000, 0, 15'000, 0);
  log.explain(99).explain(1).close(T + 33'000);  // of no gap: they explain nothing
  check(log.account().total, 33'000, 15'000, 0, 18'000, 3'000);
}

TEST_CASE("what stands twice counts once, and what was recorded in a gap was recorded") {
  Log log;
  log.open({"mic"}).segment("mic", T, 10'000).segment("mic", T + 4'000, 10'000);
  log.gap("recess", T + 8'000, T + 30'000).gap("fault", T + 20'000, T + 40'000).gap("mediation", T + 12'000, T + 25'000);
  ++log.run["mic"];
  log.segment("mic", T + 40'000, 10'000).close(T + 50'000);
  check(log.account().total, 50'000, 24'000, 16'000, 10'000, 10'000);
}

TEST_CASE("a late stream is due from its first segment, or from the first gap that names it") {
  Log log;
  log.open({"cam"}).segment("cam", T, 30'000).late("remote").late("never").late("silent");
  log.gap("recess", T + 2'000, T + 4'000, {"*"}).gap("no-signal", T + 12'000, T + 30'000, {"silent"});
  log.segment("remote", T + 10'000, 15'000).close(T + 30'000);
  const TimeAccount account = log.account();
  check(account.streams[1].sums, 20'000, 15'000, 0, 5'000, 5'000);
  check(account.streams[2].sums, 0, 0, 0, 0, 0);
  check(account.streams[3].sums, 18'000, 0, 0, 18'000, 18'000);
  check(account.total, 30'000, 30'000, 0, 0, 0);
}

TEST_CASE("a stream that ended early, and one that was never recorded, are missed to the end") {
  Log log;
  log.open({"cam", "mic", "dead"}).segment("cam", T, 30'000).segment("mic", T, 12'000).close(T + 30'000);
  const TimeAccount account = log.account();
  check(account.streams[1].sums, 30'000, 12'000, 0, 18'000, 18'000);
  check(account.streams[2].sums, 30'000, 0, 0, 30'000, 30'000);
  check(account.total, 30'000, 30'000, 0, 0, 0);
}

TEST_CASE("a hearing in progress is accounted for up to what was filed of each stream") {
  Log log;
  log.open({"cam", "mic"}).segment("cam", T, 30'000).segment("mic", T, 10'000);
  CHECK(log.account().streams[1].sums.unexcused_ms == 0);
  log.gap("recess", T + 30'000, T + 60'000);
  const TimeAccount account = log.account();
  check(account.streams[0].sums, 60'000, 30'000, 30'000, 0, 0);
  check(account.streams[1].sums, 60'000, 10'000, 30'000, 20'000, 20'000);
}

TEST_CASE("inside a run the difference of the clocks is drift; as long as a fragment it is a hole") {
  Log log;
  log.open({"mic"});
  for (int i = 0; i < 100; ++i) log.segment("mic", T + i * 30'003, 30'003, 30'000);  // the card is 100 ppm slow
  const TimeAccount slow = log.account();
  CHECK(slow.streams[0].drift_ms == 297);
  CHECK(slow.streams[0].sums.unexcused_ms == 0);

  Log fast;
  fast.open({"mic"}).segment("mic", T, 10'000, 10'400).segment("mic", T + 10'000, 10'000).close(T + 20'000);
  CHECK(fast.account().streams[0].drift_ms == -400);
  check(fast.account().total, 20'000, 20'000, 0, 0, 0);

  Log hole;
  hole.open({"mic"}).segment("mic", T, 10'000).segment("mic", T + 11'001, 10'000).close(T + 21'001);
  CHECK(hole.account().streams[0].drift_ms == 0);
  check(hole.account().total, 21'001, 20'000, 0, 1'001, 1'001);

  Log new_run;
  new_run.open({"mic"}).segment("mic", T, 10'000);
  ++new_run.run["mic"];
  new_run.segment("mic", T + 10'300, 10'000).close(T + 20'300);
  check(new_run.account().total, 20'300, 20'000, 0, 300, 300);
}

TEST_CASE("what was imported stands at its wall clock") {
  Log log;
  log.boot = greffe::kImportBoot;
  log.open({"mic"}, 0).segment("mic", 0, 10'000).gap("recess", 10'000, 70'000).segment("mic", 70'000, 10'000);
  log.segment("mic", -5'000, 5'000).close(80'000);  // a second file that began before `open`
  const TimeAccount account = log.account();
  check(account.total, 85'000, 25'000, 60'000, 0, 0);
  CHECK(account.joins == 0);
}

TEST_CASE("numbers at the end of their range do not overflow") {
  constexpr std::int64_t kMost = (std::int64_t{1} << 53) - 1;
  Log log;
  log.open({"mic"}, kMost);
  for (int i = 0; i < 3000; ++i) {
    log.boot = "boot-" + std::to_string(i);
    log.segment("mic", i % 2 == 0 ? kMost : 0, kMost / 90);
  }
  log.close(kMost);
  CHECK(log.account().total.recorded_ms > 0);
}

TEST_CASE("whatever stands in a log, the sums add up") {
  std::mt19937 random(20261126);
  const auto pick = [&](std::int64_t below) { return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(below)); };
  const char* reasons[] = {"recess", "fault", "mediation", "unknown"};
  for (int n = 0; n < 300; ++n) {
    Log log;
    log.open({"cam", "mic"}).late("remote");
    for (int i = 0; i < 40; ++i) {
      const std::int64_t at = T + pick(100'000);
      const std::string stream = std::vector<std::string>{"cam", "mic", "remote"}[static_cast<std::size_t>(pick(3))];
      switch (pick(6)) {
        case 0: log.gap(reasons[pick(4)], at, at + pick(30'000), pick(2) == 0 ? std::vector<std::string>{"*"} : std::vector{stream}); break;
        case 1: log.explain(static_cast<std::uint64_t>(pick(40))); break;
        case 2: log.wall_ms += pick(7'200'000) - 3'600'000; break;
        case 3: log.restart(at, pick(60'000), T); break;
        default: log.segment(stream, at, 1 + pick(15'000)); break;
      }
    }
    if (pick(2) == 0) log.close(T + pick(200'000));
    (void)log.account();  // checks the sums
  }
}
