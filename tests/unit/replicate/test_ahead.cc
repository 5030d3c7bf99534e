// The log goes ahead of what it names: what is sent, what is not, and what is said of it.
#include <catch2/catch.hpp>

#include <algorithm>

#include "replicate/ahead_shipper.h"
#include "tests/unit/replicate/two_sites.h"
#include "tests/unit/support/manual_clock.h"

using greffe::Errc;
using greffe::HearingId;
using greffe::testing::ManualClock;
using greffe::testing::SourcePool;
namespace replicate = greffe::replicate;
namespace client = greffe::client;
using replicate::AheadReport;
using replicate::MediaClass;

namespace {

struct Rig : greffe::testing::TwoSites<ManualClock> {
  std::unique_ptr<replicate::AheadShipper> shipper = make();

  std::unique_ptr<replicate::AheadShipper> make(std::int64_t after_ms = 2'000) {
    return std::make_unique<replicate::AheadShipper>(sites(), line, clock,
                                                     replicate::AheadShipper::Options{.after_ms = after_ms}, log);
  }
  AheadReport round() {
    auto report = shipper->round({});
    INFO((report ? std::string() : report.error().message));
    REQUIRE(report);
    return *std::move(report);
  }
  void pass() {
    const auto report = pass_between(sites());
    REQUIRE(report);
    CHECK(report->caught_up());
  }
  std::size_t known(const HearingId& id) { return second.known_ahead(client::LogTarget{id})->known_size; }
  std::size_t main_known() { return second.known_ahead(client::LogTarget{std::string(SourcePool::kArchive)})->known_size; }
  // More entries of a hearing in progress, which name no object.
  std::string grow(const HearingId& id, std::size_t entries) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < entries; ++i) {
      texts.push_back(greffe::write_hearing_entry(greffe::StreamEntry{{"cam-" + std::to_string(++streams), "video", "room"}}));
    }
    return source.append(greffe::hearing_log_path(id), greffe::hearing_origin(SourcePool::kArchive, id), source.station, texts);
  }
  void commit(const HearingId& id, const std::string& note) {
    greffe::HearingCheckpointEntry entry;
    entry.hearing = id;
    entry.note = note;
    entry.utc = greffe::UtcTime{1'790'000'000'000};
    source.main({greffe::write_main_entry(entry)});
  }
  std::size_t streams = 0;
};

}  // namespace

TEST_CASE("the log is known at the target while its objects wait, and nothing of it counts as held") {
  Rig rig;
  const HearingId id = rig.source.hearing(3, false);
  CHECK(rig.round().entries == 0);  // the usual way gets its moment
  CHECK(rig.lag().log.unknown == 5);
  rig.clock.pass_ms(2'000);
  CHECK(rig.round().entries == 5);
  CHECK(rig.known(id) == 4);
  CHECK(rig.main_known() == 1);
  CHECK(rig.second.logs[client::LogTarget{id}.path()].note.empty());
  CHECK(rig.second.puts == 0);
  CHECK(rig.archive.delivered == 0);

  const replicate::Lag lag = rig.lag();
  CHECK(lag.log.unknown == 0);
  CHECK(lag.log.known_ahead == 5);
  CHECK_FALSE(lag.log.oldest);
  CHECK_FALSE(lag.caught_up());  // what is covered is another question
  CHECK(lag.entries_behind == 1);
  CHECK(lag.hearing_entries_behind == 4);
  CHECK(lag.classes[index_of(MediaClass::picture)].objects == 3);
  REQUIRE(lag.oldest);
  CHECK(lag.words(*lag.oldest).find("Every entry of the log is known there") != std::string::npos);
  CHECK(*lag.json(*lag.oldest).object("log")->size("known_ahead") == 5);

  // While it lags, what is new goes at once, and once.
  const std::size_t posts = rig.second.ahead_posts.size();
  rig.grow(id, 2);
  CHECK(rig.lag().log.unknown == 2);
  CHECK(rig.round().entries == 2);
  CHECK(rig.round().entries == 0);
  CHECK(rig.second.ahead_posts.size() == posts + 1);
  CHECK(rig.known(id) == 6);

  rig.pass();
  CHECK(rig.second.ahead.empty());
  CHECK(rig.lag().caught_up());
  rig.clock.pass_ms(60'000);
  CHECK(rig.round().entries == 0);
  CHECK(rig.second.ahead_posts.size() == posts + 1);
}

TEST_CASE("what is confirmed within a moment does not go twice") {
  Rig rig;
  for (int i = 0; i < 3; ++i) rig.source.hearing(2, i < 2, 1'790'000'000'000 + i * 100'000);
  rig.round();
  rig.pass();
  rig.clock.pass_ms(10'000);
  rig.round();
  CHECK(rig.second.ahead_posts.empty());
}

TEST_CASE("a backlog goes ahead whole, a piece of the main log at a time, and a new process begins where the target is") {
  Rig rig;
  std::vector<HearingId> ids;
  for (int i = 0; i < 40; ++i) ids.push_back(rig.source.hearing(2, true, 1'790'000'000'000 + i * 100'000));
  rig.shipper = rig.make(0);
  for (bool more = true; more;) more = rig.round().more;
  for (const HearingId& id : ids) CHECK(rig.known(id) == 4);
  CHECK(rig.main_known() == 40);
  const std::size_t posts = rig.second.ahead_posts.size();
  rig.shipper = rig.make(0);
  for (bool more = true; more;) more = rig.round().more;
  CHECK(rig.second.ahead_posts.size() == posts);
  CHECK(rig.lag().log.unknown == 0);
}

TEST_CASE("a long hearing goes in steps that end at signed checkpoints") {
  Rig rig;
  const HearingId id = rig.source.hearing(1, false);
  rig.commit(id, rig.grow(id, 900));
  rig.commit(id, rig.grow(id, 900));
  rig.grow(id, 300);
  rig.shipper = rig.make(0);
  rig.round();
  CHECK(rig.known(id) == 2 + 900 + 900 + 300);
  const std::string path = client::LogTarget{id}.path();
  CHECK(std::count(rig.second.ahead_posts.begin(), rig.second.ahead_posts.end(), path) == 3);
}

TEST_CASE("a target that takes no more is left alone for a while, and then goes on") {
  Rig rig;
  const HearingId id = rig.source.hearing(3, false);
  rig.shipper = rig.make(0);
  rig.second.ahead_is_full = true;
  const AheadReport full = rig.round();
  REQUIRE(full.problems.size() == 1);
  CHECK(full.problems.front().find(id.text()) != std::string::npos);
  CHECK(rig.second.ahead_posts.size() == 1);
  rig.round();
  CHECK(rig.second.ahead_posts.size() == 1);
  CHECK(rig.lag().log.unknown == 5);
  rig.second.ahead_is_full = false;
  rig.clock.pass_ms(60'000);
  rig.round();
  CHECK(rig.known(id) == 4);
  CHECK(rig.main_known() == 1);
}

TEST_CASE("a target of an older program is asked now and then, and counts as knowing what it holds") {
  Rig rig;
  rig.source.hearing(3, false);
  rig.shipper = rig.make(0);
  rig.second.takes_ahead = false;
  CHECK_FALSE(rig.round().supported);
  CHECK_FALSE(rig.round().supported);
  CHECK(rig.second.ahead_questions == 1);
  CHECK(rig.lag().log.unknown == 5);
  rig.clock.pass_ms(60'000);
  rig.second.takes_ahead = true;
  CHECK(rig.round().supported);
  CHECK(rig.lag().log.unknown == 0);
}

TEST_CASE("a target that knows another story is sent nothing more of it, and what it says is not believed") {
  Rig rig;
  const HearingId id = rig.source.hearing(3, false);
  const HearingId good = rig.source.hearing(2, true, 1'790'000'100'000);
  rig.second.ahead[client::LogTarget{id}.path()] = {"another", "story"};
  rig.shipper = rig.make(0);
  const AheadReport report = rig.round();
  REQUIRE(report.problems.size() == 1);
  CHECK(report.problems.front().find(id.text()) != std::string::npos);
  CHECK(rig.second.ahead[client::LogTarget{id}.path()].size() == 2);
  CHECK(rig.known(good) == 4);  // the others go on
  const replicate::Lag lag = rig.lag();
  CHECK(lag.log.unknown == 4);
  CHECK(lag.log.known_ahead == 6);
}

TEST_CASE("a target that does not answer knows nothing, and is gone on with where it was") {
  Rig rig;
  const HearingId id = rig.source.hearing(3, false);
  rig.shipper = rig.make(0);
  rig.round();
  rig.grow(id, 1);
  rig.second.reachable = false;
  const auto away = rig.shipper->round({});
  REQUIRE_FALSE(away);
  CHECK(away.error().code == Errc::unavailable);
  CHECK(rig.lag().log.unknown == 6);  // never less than the truth
  CHECK(rig.lag().log.known_ahead == 0);
  rig.second.reachable = true;
  CHECK(rig.round().entries == 1);
  CHECK(rig.lag().log.unknown == 0);
}
