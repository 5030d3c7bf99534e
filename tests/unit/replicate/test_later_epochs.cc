// From the pool of an archive that was promoted: every epoch's log goes to the target, in order, and what it holds already does not go again.
#include <catch2/catch.hpp>

#include "archive/tlog/kept_checkpoints.h"
#include "replicate/ahead_shipper.h"
#include "tests/unit/replicate/two_sites.h"

using greffe::Errc;
using greffe::HearingId;
using greffe::testing::SecondSite;
using greffe::testing::SourcePool;
namespace replicate = greffe::replicate;
namespace client = greffe::client;

namespace {

struct Rig : greffe::testing::TwoSites<> {
  replicate::PassReport pass() {
    const auto report = pass_between(sites());
    INFO((report ? std::string() : report.error().message));
    REQUIRE(report);
    return *report;
  }
};

}  // namespace

TEST_CASE("a target that has nothing gets the logs of all epochs, one after the other") {
  Rig rig;
  const HearingId before = rig.source.hearing(2, true);
  const HearingId going_on = rig.source.hearing(1, false, 1'790'000'100'000);
  rig.source.promote();
  rig.source.promote();
  const HearingId after = rig.source.hearing(2, true, 1'790'000'200'000);
  const replicate::Lag behind = rig.lag();
  CHECK(behind.main_size == 2 + 1 + 2);
  CHECK(behind.main_held == 0);
  CHECK(behind.entries_behind == 5);
  CHECK(behind.hearings_behind == 3);

  const replicate::PassReport report = rig.pass();
  CHECK(report.caught_up());
  CHECK(report.main_size == 5);
  CHECK(report.undelivered == 0);
  CHECK(rig.main_held(1) == 2);
  CHECK(rig.main_held(2) == 1);
  CHECK(rig.main_held(3) == 2);
  for (const HearingId& id : {before, going_on, after}) CHECK(rig.held(id) >= 2);
  std::vector<std::string> of_main;
  for (const std::string& post : rig.second.posts) {
    if (post.starts_with("/v1/log/from/")) of_main.push_back(post);
  }
  CHECK(of_main == std::vector<std::string>{Rig::main_path(1), Rig::main_path(2), Rig::main_path(3)});
  // Only of the log that is written now does the archive wait for a confirmation.
  CHECK(rig.source.store.read_head(greffe::cosigned_path(rig.source.main_path(), rig.second.verifier().id())));
  const replicate::Lag now = rig.lag();
  CHECK(now.caught_up());
  CHECK(now.main_held == 5);
  const std::size_t sent = rig.second.puts;
  CHECK(rig.pass().caught_up());
  CHECK(rig.second.puts == sent);
  CHECK(rig.second.posts.size() == 6);
}

TEST_CASE("an old log of which more has come back goes to a target as far as the next epoch goes on from") {
  Rig rig;
  rig.source.hearing(2, true);
  const std::string first = greffe::foreign_log_path(SourcePool::kArchive);
  rig.source.promote();
  const std::string end = rig.source.store.read_head(greffe::checkpoint_path(first)).value();
  const bool kept = GENERATE(true, false);
  if (kept) rig.source.store.files()[greffe::tlog::kept_checkpoint_path(first, 1)] = greffe::to_bytes(end);
  rig.source.append(first, SourcePool::kArchive, rig.source.log_key, {rig.source.scrub(1), rig.source.scrub(2)});
  if (!kept) {
    replicate::Replicator replicator(rig.sites(), rig.line, rig.clock, {.limits = rig.limits, .poll_interval_ms = 20}, rig.log);
    const auto report = replicator.pass({});
    CHECK((!report || !report->caught_up()));
    CHECK(rig.main_held(1) == 0);  // nothing else than what it goes on from
    return;
  }
  CHECK(rig.pass().caught_up());
  CHECK(rig.main_held(1) == 1);
  CHECK(rig.main_held(2) == 1);
  CHECK(rig.lag().caught_up());
}

TEST_CASE("a target that held the epoch before gets the new one") {
  Rig rig;
  rig.source.main({rig.source.scrub(1)});
  rig.source.hearing(2, true);
  CHECK(rig.pass().caught_up());
  const std::size_t posts = rig.second.posts.size();
  rig.source.promote();
  CHECK(rig.lag().entries_behind == 1);
  CHECK(rig.lag().main_held == 2);
  rig.source.hearing(1, true, 1'790'000'100'000);
  CHECK(rig.pass().caught_up());
  CHECK(rig.main_held(1) == 2);
  CHECK(rig.main_held(2) == 2);
  CHECK(rig.second.posts.size() == posts + 2);  // the hearing and the main log
}

TEST_CASE("a site that joined again has more of the old epoch than the new one goes on from") {
  Rig rig;
  rig.source.hearing(2, true);
  CHECK(rig.pass().caught_up());
  rig.source.promote();
  // What it had taken and not replicated when it was lost.
  SecondSite::Held& old = rig.second.logs[Rig::main_path(1)];
  old.entries.push_back(rig.source.scrub(7));
  greffe::TreeEdge edge;
  for (const std::string& entry : old.entries) edge.append(greffe::leaf_hash(greffe::as_bytes(entry)));
  const greffe::Checkpoint longer{SourcePool::kArchive, 2, edge.root()};
  old.note = greffe::SignedNote{longer.text(), {sign_checkpoint(longer, rig.source.log_key)}}.write();
  CHECK(rig.pass().caught_up());
  CHECK(rig.main_held(1) == 2);
  CHECK(rig.main_held(2) == 1);
  CHECK(rig.lag().caught_up());
}

TEST_CASE("a hearing of which the joined site has more than the archive holds nothing up; another one of its name does") {
  Rig rig;
  const HearingId id = rig.source.hearing(2, false);
  CHECK(rig.pass().caught_up());
  rig.source.promote();
  SecondSite::Held& there = rig.second.logs[client::LogTarget{id}.path()];
  const bool same = GENERATE(true, false);
  if (!same) there.entries[1] = there.entries[2];
  there.entries.push_back(there.entries.back());
  greffe::TreeEdge edge;
  for (const std::string& entry : there.entries) edge.append(greffe::leaf_hash(greffe::as_bytes(entry)));
  const greffe::Checkpoint longer{greffe::hearing_origin(SourcePool::kArchive, id), there.entries.size(), edge.root()};
  there.note = greffe::SignedNote{longer.text(), {sign_checkpoint(longer, rig.source.station),
                                                  cosign_checkpoint(longer, rig.second.verifier().name, rig.second.signs_with, greffe::UtcTime{1'790'000'000'000})}}.write();
  const replicate::PassReport report = rig.pass();
  CHECK(report.caught_up() == same);
  CHECK(report.undelivered == 0);
  CHECK(report.problems.empty() == same);
  CHECK(rig.main_held(2) == 1);
  CHECK(rig.held(id) == 4);
  CHECK(rig.lag().caught_up());
}

TEST_CASE("an object of an old epoch that is gone holds the new log up, until officers declare it lost in the new one") {
  Rig rig;
  const HearingId damaged = rig.source.hearing(2, true);
  const greffe::Digest gone = greffe::sha256(greffe::as_bytes("segment 1 of " + damaged.text()));
  rig.source.store.files().erase(greffe::object_key(gone));
  rig.source.promote();
  const HearingId good = rig.source.hearing(1, true, 1'790'000'100'000);
  const replicate::PassReport report = rig.pass();
  CHECK_FALSE(report.caught_up());
  CHECK(report.holes_found == 1);
  CHECK(rig.held(good) == 3);  // it waits for nothing
  CHECK(rig.main_held(1) == 0);
  CHECK(rig.main_held(2) == 0);
  rig.source.main(rig.source.declared_lost(damaged, {gone}));
  rig.second.main_key = {SourcePool::kArchive, greffe::KeyType::ed25519, rig.source.log_key.public_key()};  // it learns the others by their promotions
  CHECK(rig.pass().caught_up());
  CHECK(rig.second.shown_entries > 0);
  CHECK(rig.main_held(2) == 2 + 3);
}

TEST_CASE("an object of the first epoch that is declared lost in the third only is shown with both promotions to a target that holds nothing") {
  Rig rig;
  const HearingId damaged = rig.source.hearing(2, true);
  const greffe::Digest gone = greffe::sha256(greffe::as_bytes("segment 1 of " + damaged.text()));
  rig.source.store.files().erase(greffe::object_key(gone));
  rig.source.promote();
  rig.source.promote();
  rig.source.main(rig.source.declared_lost(damaged, {gone}));
  rig.second.main_key = {SourcePool::kArchive, greffe::KeyType::ed25519, rig.source.log_key.public_key()};
  CHECK(rig.pass().caught_up());
  CHECK(rig.second.shown_entries == 2 + 3);
  CHECK(rig.held(damaged) == 4);
  CHECK(rig.main_held(3) == 1 + 3);
}

TEST_CASE("the log of the newest epoch is known ahead of its objects") {
  Rig rig;
  rig.source.hearing(1, true);
  rig.source.promote();
  rig.source.hearing(1, true, 1'790'000'100'000);
  replicate::AheadShipper shipper(rig.sites(), rig.line, rig.clock, {.after_ms = 0}, rig.log);
  const auto report = shipper.round({});
  REQUIRE(report);
  CHECK(report->problems.empty());
  CHECK(rig.second.ahead[Rig::main_path(2)].size() == 2);
  CHECK_FALSE(rig.second.ahead.contains(Rig::main_path(1)));
}

TEST_CASE("a pool that does not have the epoch in which its archive is has nothing to send") {
  Rig rig;
  rig.source.hearing(1, true);
  CHECK(replicate::Source::open(rig.source.store, rig.source.store, {SourcePool::kArchive, 2}).error().code == Errc::not_found);
}
