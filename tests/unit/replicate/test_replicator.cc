#include <catch2/catch.hpp>

#include <atomic>

#include "tests/unit/replicate/two_sites.h"

using greffe::Errc;
using greffe::HearingId;
using greffe::testing::SourcePool;
namespace replicate = greffe::replicate;
namespace client = greffe::client;

namespace {

struct Rig : greffe::testing::TwoSites<> {
  greffe::Result<replicate::PassReport> pass(const std::optional<replicate::Source>& of = {}, const std::optional<greffe::VerifierKey>& key = {},
                                             std::stop_token stop = {}) {
    return pass_between({of.value_or(from()), second, archive, key.value_or(second.verifier())}, stop);
  }
};

// The heads of a source, and how often they are read.
class CountedHeads : public greffe::store::HeadStore {
 public:
  explicit CountedHeads(greffe::store::HeadStore& heads) : heads_(heads) {}
  greffe::Result<std::string> read_head(std::string_view key) override {
    ++reads;
    return heads_.read_head(key);
  }
  greffe::Status swap_head(std::string_view key, std::string_view expected, std::string_view next) override { return heads_.swap_head(key, expected, next); }
  std::atomic<std::size_t> reads = 0;

 private:
  greffe::store::HeadStore& heads_;
};

}  // namespace

TEST_CASE("one pass carries objects, hearings, main log, and brings the confirmations") {
  Rig rig;
  rig.source.main({rig.source.scrub(1)});
  const HearingId finished = rig.source.hearing(3, true);
  const HearingId running = rig.source.hearing(2, false);
  const replicate::Lag before = rig.lag();
  CHECK(before.entries_behind == 3);
  CHECK(before.hearings_behind == 2);
  CHECK(before.bytes_behind == 5 * 40);
  REQUIRE(before.oldest.has_value());

  const auto report = rig.pass();
  REQUIRE(report.has_value());
  CHECK(report->caught_up());
  CHECK(report->undelivered == 0);
  CHECK(report->copied.objects == 7);  // two details, five segments
  CHECK(rig.held(finished) == 5);
  CHECK(rig.held(running) == 3);
  CHECK(rig.main_held() == 3);
  CHECK(rig.archive.delivered == 3);
  const replicate::Lag after = rig.lag();
  CHECK(after.entries_behind == 0);
  CHECK(after.hearings_behind == 0);
  CHECK(after.cosigned.has_value());

  const auto again = rig.pass();
  REQUIRE(again.has_value());
  CHECK(again->copied.objects == 0);
  CHECK(rig.second.puts == 7);
  CHECK(rig.archive.delivered == 3);
}

TEST_CASE("an object that is gone is a hole: later hearings flow, the main log stops, and it heals") {
  Rig rig;
  const HearingId damaged = rig.source.hearing(2, true, 1'790'000'000'000);
  const HearingId good = rig.source.hearing(2, true, 1'790'000'100'000);
  const std::string text = "segment 1 of " + damaged.text();
  const greffe::Digest digest = greffe::sha256(greffe::as_bytes(text));
  rig.source.store.files().erase(greffe::object_key(digest));
  const auto report = rig.pass();
  REQUIRE(report.has_value());
  CHECK_FALSE(report->caught_up());
  REQUIRE(report->holes.size() == 1);
  CHECK(report->holes[0].object == digest);
  CHECK(report->holes[0].entry == 2);
  CHECK(report->words().find(digest.hex()) != std::string::npos);
  CHECK(rig.held(damaged) == 0);
  CHECK(rig.held(good) == 4);
  CHECK(rig.main_held() == 0);
  CHECK(rig.lag().hearings_behind == 1);

  rig.source.object(text);
  const auto healed = rig.pass();
  REQUIRE(healed.has_value());
  CHECK(healed->caught_up());
  CHECK(rig.main_held() == 2);
}

TEST_CASE("an object that is declared lost is no hole") {
  Rig rig;
  const HearingId id = rig.source.hearing(2, true, 1'790'000'000'000, true);
  const auto report = rig.pass();
  REQUIRE(report.has_value());
  CHECK(report->caught_up());
  CHECK(report->holes.empty());
  CHECK(rig.held(id) == 5);
  CHECK(rig.main_held() == 1);
}

TEST_CASE("an object that two officers declared lost is no hole: their order is shown ahead, and the main log goes on") {
  Rig rig;
  const HearingId id = rig.source.hearing(2, true);
  const greffe::Digest digest = greffe::sha256(greffe::as_bytes("segment 1 of " + id.text()));
  greffe::AccountEntry account;
  account.snapshot = greffe::sha256(greffe::as_bytes("a snapshot that nobody has"));
  rig.source.main({greffe::write_main_entry(account)});
  rig.source.store.files().erase(greffe::object_key(digest));
  const auto before = rig.pass();
  REQUIRE(before);
  CHECK(before->holes.size() == 2);
  CHECK(rig.held(id) == 0);

  rig.source.main(rig.source.declared_lost(id, {digest}));
  rig.source.main(rig.source.declared_lost(std::nullopt, {account.snapshot}));
  rig.second.main_key = {SourcePool::kArchive, greffe::KeyType::ed25519, rig.source.log_key.public_key()};
  const auto report = rig.pass();
  REQUIRE(report);
  CHECK(report->holes.empty());
  CHECK(report->caught_up());
  CHECK(rig.held(id) == 4);
  CHECK(rig.main_held() == 8);
  CHECK(rig.second.shown_entries > 0);
}

TEST_CASE("an order that is not signed by two officers excuses nothing") {
  Rig rig;
  const HearingId id = rig.source.hearing(2, true);
  const greffe::Digest digest = greffe::sha256(greffe::as_bytes("segment 1 of " + id.text()));
  rig.source.store.files().erase(greffe::object_key(digest));
  std::vector<std::string> entries = rig.source.declared_lost(id, {digest});
  entries.erase(entries.begin());
  rig.source.main(entries);
  const auto report = rig.pass();
  REQUIRE(report);
  REQUIRE(report->holes.size() == 1);
  CHECK(report->holes[0].object == digest);
  CHECK(rig.second.shown_entries == 0);
}

TEST_CASE("a batch of a hearing that ends before the entry that excuses one of its objects shows it ahead") {
  Rig rig;
  rig.limits.batch_entries = 3;
  // Signed checkpoints between come from the main log: first three entries, then the rest with `lost`.
  const HearingId id = greffe::make_hearing_id(greffe::UtcTime{1'790'000'000'000});
  const std::string origin = greffe::hearing_origin(SourcePool::kArchive, id);
  greffe::OpenEntry open;
  open.archive = SourcePool::kArchive;
  open.hearing = id;
  open.station = "s1";
  open.station_key = rig.source.station.public_key();
  open.court = "court";
  open.room = "room";
  open.details = rig.source.object("details");
  open.start = greffe::UtcTime{1'790'000'000'000};
  open.boot = "b";
  greffe::PeaksEntry peaks;
  peaks.stream = "mic";
  peaks.count = 1;
  peaks.sha256 = greffe::sha256(greffe::as_bytes("peaks that nobody has"));
  greffe::LostEntry lost;
  lost.objects = {peaks.sha256};
  lost.reason = "unreadable";
  greffe::MarkEntry mark;
  mark.note = rig.source.object("a note");
  const auto file = [&](const std::vector<std::string>& entries) {
    greffe::HearingCheckpointEntry commit;
    commit.hearing = id;
    commit.note = rig.source.append(greffe::hearing_log_path(id), origin, rig.source.station, entries);
    rig.source.main({greffe::write_main_entry(commit)});
  };
  file({greffe::write_hearing_entry(open), greffe::write_hearing_entry(peaks), greffe::write_hearing_entry(mark)});
  file({greffe::write_hearing_entry(lost), greffe::write_hearing_entry(mark)});
  rig.second.hearing_key = {origin, greffe::KeyType::ed25519, rig.source.station.public_key()};
  const auto report = rig.pass();
  REQUIRE(report);
  for (const std::string& problem : report->problems) FAIL(problem);
  CHECK(report->holes.empty());
  CHECK(rig.held(id) == 5);
  CHECK(rig.second.largest_post == 3);
  CHECK(rig.second.shown_entries == 1);
}

TEST_CASE("a damaged object is never sent") {
  Rig rig;
  const HearingId id = rig.source.hearing(1, true);
  const greffe::Digest digest = greffe::sha256(greffe::as_bytes("segment 0 of " + id.text()));
  rig.source.store.files()[greffe::object_key(digest)] = greffe::to_bytes("other");
  const auto report = rig.pass();
  REQUIRE(report.has_value());
  REQUIRE(report->holes.size() == 1);
  CHECK(rig.held(id) == 0);
}

TEST_CASE("a confirmation with another key than the pinned one is not believed") {
  Rig rig;
  rig.source.hearing(1, true);
  const greffe::VerifierKey pinned{"dr.example/holder", greffe::KeyType::cosignature_v1, rig.second.key.public_key()};
  const auto report = rig.pass({}, pinned);
  REQUIRE_FALSE(report);
  CHECK(report.error().code == Errc::denied);
  CHECK(rig.archive.delivered == 0);
  CHECK(replicate::measure_lag(rig.from(), rig.second, pinned)->main_held == 0);
}

TEST_CASE("sites that disagree are not mixed") {
  Rig rig;
  rig.source.hearing(1, true);
  REQUIRE(rig.pass().has_value());
  SourcePool other;
  other.main({other.scrub(1), other.scrub(2)});
  const auto report = rig.pass(replicate::Source{other.store, other.store, SourcePool::kArchive});
  REQUIRE_FALSE(report);
  CHECK(report.error().code == Errc::conflict);

  SourcePool older;  // set back: fewer entries than the second site holds
  Rig longer;
  longer.source.main({longer.source.scrub(1), longer.source.scrub(2)});
  REQUIRE(longer.pass().has_value());
  older.main({older.scrub(1)});
  const auto refused = longer.pass(replicate::Source{older.store, older.store, SourcePool::kArchive});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("older state") != std::string::npos);
}

TEST_CASE("confirmations that could not be delivered are delivered later") {
  Rig rig;
  rig.source.hearing(1, true);
  rig.archive.reachable = false;
  const auto report = rig.pass();
  REQUIRE(report.has_value());
  CHECK(report->caught_up());
  CHECK(report->undelivered == 2);
  rig.archive.reachable = true;
  const auto later = rig.pass();  // a new process: it looks back
  REQUIRE(later.has_value());
  CHECK(later->undelivered == 0);
  CHECK(rig.archive.delivered == 2);
}

TEST_CASE("a second site that does not answer stops the pass") {
  Rig rig;
  rig.source.hearing(1, true);
  rig.second.reachable = false;
  const auto report = rig.pass();
  REQUIRE_FALSE(report);
  CHECK(report.error().code == Errc::unavailable);
}

TEST_CASE("a main log that is far ahead goes in steps, from signed checkpoint to signed checkpoint") {
  Rig rig;
  rig.limits.batch_entries = 40;
  for (int i = 0; i < 12; ++i) {
    std::vector<std::string> entries;
    for (int j = 0; j < 10; ++j) entries.push_back(rig.source.scrub(static_cast<std::uint64_t>(i * 10 + j)));
    const std::string note = rig.source.main(entries);
    const std::string key = "log/main/evidence/checkpoints/" + std::to_string((i + 1) * 10) + ".note";
    if (i % 2 == 1) REQUIRE(rig.source.store.put(key, greffe::as_bytes(note)).has_value());
  }
  const auto report = rig.pass();
  REQUIRE(report.has_value());
  CHECK(report->caught_up());
  CHECK(rig.main_held() == 120);
  CHECK(rig.second.largest_post == 40);
}

TEST_CASE("a main log that is too far ahead without such checkpoints is said, not looped over") {
  Rig rig;
  rig.limits.batch_entries = 5;
  rig.source.main({rig.source.scrub(1), rig.source.scrub(2), rig.source.scrub(3), rig.source.scrub(4), rig.source.scrub(5), rig.source.scrub(6)});
  const auto report = rig.pass();
  REQUIRE_FALSE(report);
  CHECK(report.error().message.find("no signed checkpoint") != std::string::npos);
}

TEST_CASE("a stop request ends a pass between two objects") {
  Rig rig;
  rig.source.hearing(3, true);
  std::stop_source stop;
  stop.request_stop();
  const auto report = rig.pass({}, {}, stop.get_token());
  REQUIRE_FALSE(report);
  CHECK(report.error().code == Errc::cancelled);
}

TEST_CASE("what one site lost is given back by the other, and what neither has is named") {
  Rig rig;
  rig.source.main({rig.source.scrub(1)});
  const HearingId id = rig.source.hearing(3, true);
  REQUIRE(rig.pass());
  const std::set<greffe::Digest> held = rig.second.objects[client::LogTarget{id}.path()];
  REQUIRE(held.size() >= 3);
  const std::vector<greffe::Digest> names(held.begin(), held.end());
  const greffe::Bytes bytes = *rig.source.store.read_object(names[0]);
  rig.second.kept[names[0]] = bytes;
  rig.second.kept[names[2]] = greffe::to_bytes("other bytes");
  rig.archive.lost_here = {{id, names[0]}, {id, names[1]}, {id, names[2]}};
  rig.second.lost_here = {{id, names[2]}};
  const auto report = rig.pass();
  REQUIRE(report);
  CHECK(report->returned == 2);
  CHECK(rig.archive.returned == std::set<greffe::Digest>{names[0]});
  CHECK(rig.second.returned == std::set<greffe::Digest>{names[2]});
  REQUIRE(report->problems.size() == 2);
  CHECK(report->problems[0].find(names[1].hex()) != std::string::npos);
  CHECK_FALSE(report->caught_up());
  rig.archive.lost_here.clear();
  const auto again = rig.pass();
  REQUIRE(again);
  CHECK((again->returned == 0 && again->caught_up()));
}

TEST_CASE("documents that only the main log names come back from the copy of the main log") {
  Rig rig;
  const HearingId id = rig.source.hearing(1, true);
  greffe::AccountEntry account;
  account.snapshot = rig.source.object("a snapshot");
  greffe::DetailsEntry correction;  // of a hearing, by the archive: the hearing's own log does not name it
  correction.hearing = id;
  correction.account = "u-1";
  correction.details = rig.source.object("corrected details");
  correction.reason = rig.source.object("why");
  rig.source.main({greffe::write_main_entry(account), greffe::write_main_entry(correction)});
  REQUIRE(rig.pass());
  const std::string main_path = client::LogTarget{std::string(SourcePool::kArchive)}.path();
  for (const greffe::Digest& digest : {account.snapshot, correction.details}) {
    REQUIRE(rig.second.objects[main_path].contains(digest));
    rig.second.kept[digest] = *rig.source.store.read_object(digest);
  }
  rig.archive.lost_here = {{std::nullopt, account.snapshot}, {id, correction.details}};
  rig.second.lost_here = {{std::nullopt, correction.reason}};
  const auto report = rig.pass();
  REQUIRE(report);
  for (const std::string& problem : report->problems) FAIL(problem);
  CHECK(report->returned == 3);
  CHECK(rig.archive.returned == std::set<greffe::Digest>{account.snapshot, correction.details});
  CHECK(rig.second.returned == std::set<greffe::Digest>{correction.reason});
}

TEST_CASE("a pass with nothing to do asks the target about the main log and what is in progress, not about finished hearings, and reads each head once") {
  Rig rig;
  constexpr std::size_t kHearings = 40;
  for (std::size_t i = 0; i < kHearings; ++i) rig.source.hearing(1, i > 0, 1'790'000'000'000 + static_cast<std::int64_t>(i) * 1000);
  REQUIRE(rig.pass());
  const std::size_t asked = rig.second.questions;
  CHECK(asked > kHearings);
  CountedHeads heads(rig.source.store);
  const auto report = rig.pass(replicate::Source{rig.source.store, heads, SourcePool::kArchive});
  REQUIRE(report);
  CHECK(report->caught_up());
  CHECK(report->undelivered == 0);
  CHECK(rig.second.questions == asked + 2);
  // To see that it has the line of the target. A few are of the main log.
  CHECK(heads.reads < kHearings + 20);
}

TEST_CASE("a hearing that has grown behind its last commitment is sent, whoever confirmed what was there before") {
  Rig rig;
  const HearingId id = rig.source.hearing(2, GENERATE(true, false));
  REQUIRE(rig.pass());
  const std::size_t before = rig.held(id);
  greffe::MarkEntry mark;
  mark.note = rig.source.object("a note");
  rig.source.append(greffe::hearing_log_path(id), greffe::hearing_origin(SourcePool::kArchive, id), rig.source.station, {greffe::write_hearing_entry(mark)});
  const auto report = rig.pass();
  REQUIRE(report);
  CHECK(report->caught_up());
  CHECK(rig.held(id) == before + 1);
  CHECK(rig.second.objects[client::LogTarget{id}.path()].contains(mark.note));
}

TEST_CASE("a target that was put back to an older state gets again what it had confirmed") {
  Rig rig;
  rig.source.hearing(1, true);
  REQUIRE(rig.pass());
  const auto logs = rig.second.logs;
  const auto objects = rig.second.objects;
  const HearingId second = rig.source.hearing(2, true, 1'790'000'100'000);
  const HearingId third = rig.source.hearing(2, true, 1'790'000'200'000);
  REQUIRE(rig.pass());
  rig.second.logs = logs;
  rig.second.objects = objects;
  const auto report = rig.pass();
  REQUIRE(report);
  CHECK(report->caught_up());
  CHECK(rig.held(second) == 4);
  CHECK(rig.held(third) == 4);
  CHECK(rig.main_held() == 3);
}

TEST_CASE("a head here that is older than what the main log commits to is asked about, although the target cosigned it") {
  Rig rig;
  const HearingId id = rig.source.hearing(2, true);
  REQUIRE(rig.pass());
  const std::string path = greffe::hearing_log_path(id);
  const std::string head = rig.source.store.read_head(greffe::checkpoint_path(path)).value();
  greffe::HearingCheckpointEntry commit;
  commit.hearing = id;
  commit.closed = true;
  greffe::MarkEntry mark;
  mark.note = rig.source.object("a note");
  commit.note = rig.source.append(path, greffe::hearing_origin(SourcePool::kArchive, id), rig.source.station, {greffe::write_hearing_entry(mark)});
  rig.source.main({greffe::write_main_entry(commit)});
  REQUIRE(rig.pass());
  const std::string newer = rig.source.store.read_head(greffe::checkpoint_path(path)).value();
  REQUIRE(rig.source.store.swap_head(greffe::checkpoint_path(path), newer, head));
  const auto report = rig.pass();
  REQUIRE(report);
  CHECK_FALSE(report->caught_up());
  REQUIRE(report->problems.size() == 1);
  CHECK(report->problems[0].find("older state") != std::string::npos);
}
