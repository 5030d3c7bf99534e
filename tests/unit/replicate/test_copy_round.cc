// Looking after a copy that nobody answers for: what rots or goes missing there is found, named, and brought again.
#include <catch2/catch.hpp>

#include "archive/store/remote_store.h"
#include "replicate/copy_source.h"
#include "tests/unit/replicate/copy_rig.h"
#include "tests/unit/replicate/holding_site.h"
#include "tests/unit/support/memory_service.h"

using greffe::Digest;
using greffe::Errc;
using greffe::HearingId;
using greffe::testing::CopyRig;
using greffe::testing::kDayMs;
using greffe::testing::SourcePool;
namespace client = greffe::client;
namespace replicate = greffe::replicate;
namespace store = greffe::store;

namespace {

constexpr std::int64_t kStart = 1'790'000'000'000;

struct Copied {
  SourcePool source;
  HearingId finished = source.hearing(3, true, kStart);
  HearingId running = source.hearing(2, false, kStart + 200'000);
  CopyRig rig{source};
  Copied() { rig.pass_to_the_end(); }
};

}  // namespace

TEST_CASE("a copy that is as it should be is gone through without a finding, and the date is kept with it") {
  Copied copied;
  CopyRig::Process process(copied.rig);
  const auto report = process.round.go_through({});
  REQUIRE(report);
  INFO(report->words());
  CHECK(report->equal());
  CHECK(report->round.looks.objects == 7);
  CHECK(report->round.looks.read == 7);
  CHECK(report->round.bad == 0);
  const auto grade = copied.rig.lag().grade;
  REQUIRE(grade);
  REQUIRE(grade->last);
  CHECK(grade->last->ended == copied.rig.clock.utc_now());
  CHECK(grade->last->size == 2);
}

TEST_CASE("a flipped bit and a missing object are named, keep the copy behind, and are brought again") {
  Copied copied;
  CopyRig& rig = copied.rig;
  const Digest flipped = rig.segment(copied.finished, 1);
  const Digest gone = rig.segment(copied.running, 0);
  rig.flip(rig.path(flipped));
  REQUIRE(rig.files->remove(rig.path(gone)));
  {
    // Who only looks changes nothing.
    CopyRig::Process reader(rig, store::PoolMode::reader);
    const auto seen = reader.round.go_through({});
    REQUIRE(seen);
    CHECK(seen->bad.size() == 2);
    CHECK_FALSE(seen->equal());
  }
  CHECK(rig.lag().caught_up());
  {
    CopyRig::Process process(rig);
    const auto found = process.round.go_through({});
    REQUIRE(found);
    CHECK_FALSE(found->equal());
    CHECK(found->round.bad == 2);
    REQUIRE(found->bad.size() == 2);
    CHECK(found->words().find(flipped.hex()) != std::string::npos);
    CHECK(greffe::write_json(found->json()).find(gone.hex()) != std::string::npos);
  }
  // Also for who comes later.
  const replicate::Lag behind = rig.lag();
  CHECK_FALSE(behind.caught_up());
  REQUIRE(behind.grade);
  REQUIRE(behind.grade->bad.size() == 2);
  CHECK(behind.grade->bad[0].object == flipped);
  CHECK_FALSE(behind.grade->bad[0].is_missing);
  CHECK(behind.grade->bad[0].hearing == copied.finished);
  CHECK(behind.grade->bad[1].object == gone);
  CHECK(behind.grade->bad[1].is_missing);
  CHECK(behind.words({}).find("BAD THERE") != std::string::npos);

  const auto report = rig.pass();
  REQUIRE(report);
  CHECK(report->returned == 2);
  CHECK(rig.is_good(flipped));
  CHECK(rig.is_good(gone));
  CHECK(rig.lag().caught_up());
  CHECK(rig.files->list(rig.path("quarantine"))->size() == 1);
}

TEST_CASE("what the source has not either stays named, until two officers say that it is lost") {
  Copied copied;
  CopyRig& rig = copied.rig;
  const Digest gone = rig.segment(copied.finished, 1);
  REQUIRE(rig.files->remove(rig.path(gone)));
  copied.source.store.files().erase(greffe::object_key(gone));
  {
    CopyRig::Process process(rig);
    REQUIRE(process.round.go_through({}));
    const auto report = process.pass();
    REQUIRE(report);
    REQUIRE(report->problems.size() == 1);
    CHECK(report->problems.front().find(gone.hex()) != std::string::npos);
  }
  CHECK_FALSE(rig.lag().caught_up());
  copied.source.main(copied.source.declared_lost(copied.finished, {gone}));
  CopyRig::Process process(rig);
  REQUIRE(process.pass());
  const auto report = process.round.go_through({});
  REQUIRE(report);
  CHECK(report->equal());
  CHECK(rig.lag().caught_up());
}

TEST_CASE("an object that is declared lost is not looked for") {
  Copied copied;
  CopyRig& rig = copied.rig;
  const Digest gone = rig.segment(copied.finished, 1);
  copied.source.main(copied.source.declared_lost(copied.finished, {gone}));
  REQUIRE(rig.files->remove(rig.path(gone)));
  CopyRig::Process process(rig);
  const auto report = process.round.go_through({});
  REQUIRE(report);
  CHECK(report->equal());
  CHECK(report->round.looks.objects == 6);
}

TEST_CASE("a log that is damaged or gone at the copy is written anew from the source") {
  SourcePool source;
  const HearingId id = source.hearing(600, true, kStart);
  CopyRig rig(source);
  rig.pass_to_the_end();
  std::string path = greffe::hearing_log_path(id);
  std::uint64_t mended = 1;
  SECTION("a bundle of a hearing is altered") { rig.flip(rig.path(path + "/tile/entries/000")); }
  SECTION("a tile of a hearing is gone") { REQUIRE(rig.files->remove(rig.path(path + "/tile/0/001"))); }
  SECTION("the last bundle of a finished hearing is altered") { rig.flip(rig.path(path + "/tile/entries/002.p/90")); }
  SECTION("the head of a hearing is gone") { REQUIRE(rig.files->remove(rig.path(path + "/checkpoint"))); }
  SECTION("the newest entries of the main log are altered") {
    std::vector<std::string> many;
    for (std::uint64_t i = 0; i < 300; ++i) many.push_back(source.scrub(i));
    source.main(many);
    rig.pass_to_the_end();
    path = greffe::foreign_log_path(SourcePool::kArchive);
    rig.flip(rig.path(path + "/tile/entries/000"));
  }
  CopyRig::Process process(rig);
  const auto report = process.round.go_through({});
  REQUIRE(report);
  INFO(report->words());
  CHECK(report->equal());
  CHECK(report->logs_mended == mended);
  CHECK(report->round.bad == mended);
  rig.check(true);
  const auto again = process.round.go_through({});
  REQUIRE(again);
  CHECK(again->logs_mended == 0);
}

TEST_CASE("a log whose newest part rotted at the copy is mended before it grows") {
  SourcePool source;
  std::vector<std::string> many;
  for (std::uint64_t i = 0; i < 600; ++i) many.push_back(source.scrub(i));
  source.main(many);
  CopyRig rig(source);
  rig.pass_to_the_end();
  rig.flip(rig.path(greffe::foreign_log_path(SourcePool::kArchive) + "/tile/entries/001"));
  source.main({source.scrub(1000)});
  rig.pass_to_the_end();
}

TEST_CASE("a round takes its time, goes on where it was, and begins anew when it is over") {
  SourcePool source;
  for (int i = 0; i < 10; ++i) source.hearing(1, true, kStart + i * 100'000);
  CopyRig rig(source);
  rig.pass_to_the_end();
  const auto part = [&] {
    CopyRig::Process process(rig);
    const auto report = process.round.go_on({});
    REQUIRE(report);
    return report->round;
  };
  CHECK(part().next == 1);
  CHECK(part().next == 1);  // it is not time yet
  rig.clock.pass_ms(10 * kDayMs);
  CHECK(part().next == 4);
  rig.clock.pass_ms(20 * kDayMs);
  const replicate::Round whole = part();
  CHECK(whole.next == 10);
  REQUIRE(whole.ended);
  CHECK(whole.looks.objects == 20);
  CHECK(whole.looks.read >= 8);  // of the first four hearings all were read: the copy was young
  const auto grade = rig.lag().grade;
  REQUIRE(grade);
  REQUIRE(grade->last);
  CHECK_FALSE(grade->going);
  rig.clock.pass_ms(kDayMs);
  CHECK(part().next == 1);
}

TEST_CASE("a round that is stopped, or whose pool goes away, is gone on with at the same place") {
  Copied copied;
  CopyRig& rig = copied.rig;
  {
    CopyRig::Process process(rig);
    std::stop_source stop;
    stop.request_stop();
    const auto stopped = process.round.go_on(stop.get_token());
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().code == Errc::cancelled);
    rig.files->unmount("/disk0");
    CHECK(process.round.go_on({}).error().code == Errc::unavailable);
    rig.files->mount("/disk0");
    rig.clock.pass_ms(replicate::PassivePool::kAgainMs);
    REQUIRE(process.round.go_on({}));
  }
  CHECK(rig.lag().grade->going->next == 1);
}

TEST_CASE("more is not named than there is room for: the round waits until some of it is mended") {
  SourcePool source;
  source.hearing(150, true, kStart);
  source.hearing(150, true, kStart + 100'000);
  CopyRig rig(source);
  rig.pass_to_the_end();
  for (const auto& [key, bytes] : source.store.files()) {
    if (key.starts_with("sha256/")) REQUIRE(rig.files->remove(rig.path(key)));
  }
  CopyRig::Process process(rig);
  const auto found = process.round.go_through({});
  REQUIRE(found);
  CHECK(found->held_up);
  CHECK_FALSE(found->equal());
  CHECK(found->bad.size() == replicate::CopyGrade::kMostBad);
  CHECK(found->round.next == 1);
  const auto report = process.pass();
  REQUIRE(report);
  CHECK(report->returned == replicate::CopyGrade::kMostBad);
  const auto rest = process.round.go_through({});
  REQUIRE(rest);
  CHECK(rest->bad.size() == 102);
  REQUIRE(process.pass());
  CHECK(process.round.go_through({})->equal());
}

TEST_CASE("what is known of a copy and cannot be read begins anew") {
  Copied copied;
  CopyRig& rig = copied.rig;
  rig.flip(rig.path(replicate::kCopyGradeKey));
  const auto grade = rig.lag().grade;
  REQUIRE(grade);
  CHECK(grade->written.objects == 0);
  copied.source.hearing(1, true, kStart + 300'000);
  rig.pass_to_the_end();
  CHECK(rig.lag().grade->written.objects == 2);
}

TEST_CASE("a pool is rebuilt from a copy, and believed no more than any other source") {
  greffe::testing::RestoreRig restored;
  const HearingId finished = restored.source.hearing(5, true);
  const HearingId running = restored.source.hearing(2, false, 1'795'590'000'000);
  CopyRig rig(restored.source);
  rig.pass_to_the_end();
  replicate::PassivePool pool(rig.open, "nas", rig.owner(), store::PoolMode::reader, rig.clock, rig.log, {});
  replicate::CopySource from(pool);
  const replicate::RestoreKeys keys{{SourcePool::kArchive, 1}, rig.owner().log, std::nullopt};
  const auto restore = [&] {
    replicate::Restore work({restored.pool, restored.pool, restored.pool, restored.pool}, from, keys, {1, 2}, restored.clock, [](std::uint64_t, std::uint64_t) {});
    return work.run({}, {});
  };
  const Digest bad = restored.segment(finished, 1);
  rig.flip(rig.path(bad));
  const auto report = restore();
  REQUIRE(report);
  REQUIRE(report->missing_count == 1);
  CHECK(report->missing.front().object == bad);
  CHECK_FALSE(restored.has(bad));
  CHECK(restored.same_log(greffe::hearing_log_path(finished)));
  CHECK(restored.same_log(greffe::hearing_log_path(running)));
  CHECK(restored.same_log("log/main"));
  // An archive goes on with what is not finished.
  CHECK(restored.pool.files().contains(greffe::open_marker_path(running)));

  rig.flip(rig.path(bad));  // back
  const auto whole = restore();
  REQUIRE(whole);
  CHECK(whole->complete());
  CHECK(whole->objects == 1);
}

TEST_CASE("a copy whose label is lost or damaged can be restored from, and is written to when it was labelled again") {
  greffe::testing::RestoreRig restored;
  const HearingId finished = restored.source.hearing(3, true);
  CopyRig rig(restored.source);
  rig.pass_to_the_end();
  const std::string label = rig.path(replicate::kCopyLabelKey);
  SECTION("lost") { REQUIRE(rig.files->remove(label)); }
  SECTION("damaged") { REQUIRE(rig.files->replace(label, greffe::as_bytes("{"), 0600)); }
  const auto restore_as = [&](const replicate::CopyOwner& owner) {
    replicate::PassivePool pool(rig.open, "nas", owner, store::PoolMode::reader, rig.clock, rig.log, {}, replicate::LostLabel::bear);
    replicate::CopySource from(pool);
    replicate::Restore work({restored.pool, restored.pool, restored.pool, restored.pool}, from, {{SourcePool::kArchive, 1}, owner.log, std::nullopt}, {1, 2}, restored.clock,
                            [](std::uint64_t, std::uint64_t) {});
    return work.run({}, {});
  };
  const greffe::PrivateKey other = greffe::PrivateKey::generate();
  const auto refused = restore_as({SourcePool::kArchive, {SourcePool::kArchive, greffe::KeyType::ed25519, other.public_key()}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::denied);
  CHECK(restored.pool.files().empty());

  const auto report = restore_as(rig.owner());
  REQUIRE(report);
  CHECK(report->complete());
  CHECK(restored.same_log(greffe::hearing_log_path(finished)));
  CHECK(restored.same_log("log/main"));

  rig.files->faults().arm(greffe::testing::Fault::none, 0);
  const auto waits = rig.pass();
  REQUIRE_FALSE(waits);
  CHECK(waits.error().code == Errc::denied);
  CHECK(waits.error().message.find("init-target --target nas") != std::string::npos);
  CHECK(rig.files->faults().counted() == 0);
  static_cast<void>(rig.files->remove(label).has_value());
  rig.label({SourcePool::kArchive, rig.owner().log, rig.clock.utc_now()});
  rig.pass_to_the_end();
}

TEST_CASE("a main log of more than ten thousand entries is restored with the checkpoints that were kept of it") {
  greffe::testing::RestoreRig restored;
  CopyRig rig(restored.source);
  for (int i = 0; i < 3; ++i) {
    restored.source.main(std::vector<std::string>(4096, restored.source.scrub(1)));
    rig.pass_to_the_end();
  }
  replicate::PassivePool pool(rig.open, "nas", rig.owner(), store::PoolMode::reader, rig.clock, rig.log, {});
  replicate::CopySource from(pool);
  const replicate::RestoreKeys keys{{SourcePool::kArchive, 1}, rig.owner().log, std::nullopt};
  replicate::Restore work({restored.pool, restored.pool, restored.pool, restored.pool}, from, keys, {1, 2}, restored.clock, [](std::uint64_t, std::uint64_t) {});
  const auto report = work.run({}, {});
  INFO((report ? report->words() : report.error().message));
  REQUIRE(report);
  CHECK(report->complete());
  CHECK(restored.same_log("log/main"));
  for (const std::uint64_t size : {4098, 8194, 12'290}) CHECK(restored.pool.files().contains(greffe::tlog::kept_checkpoint_path("log/main", size)));
}

TEST_CASE("a copy whose heads are gone is gone on with from what lies there; nothing is carried twice") {
  Copied copied;
  CopyRig& rig = copied.rig;
  const std::string main = rig.path(greffe::checkpoint_path(greffe::foreign_log_path(SourcePool::kArchive)));
  const std::string hearing = rig.path(greffe::checkpoint_path(greffe::hearing_log_path(copied.finished)));
  SECTION("of a hearing: the next round finds it") {
    REQUIRE(rig.files->remove(hearing));
    CopyRig::Process process(rig);
    const auto found = process.round.go_through({});
    REQUIRE(found);
    CHECK(found->logs_mended == 1);
    CHECK(found->bad.empty());
  }
  SECTION("of the main log, and of all: everything counts as behind until the next pass") {
    SECTION("of the main log") {}
    SECTION("of all") {
      REQUIRE(rig.files->remove(hearing));
      REQUIRE(rig.files->remove(rig.path(greffe::checkpoint_path(greffe::hearing_log_path(copied.running)))));
    }
    REQUIRE(rig.files->remove(main));
    const replicate::Lag lag = rig.lag();
    CHECK(lag.main_held == 0);
    CHECK_FALSE(lag.caught_up());
    const auto report = rig.pass();
    REQUIRE(report);
    INFO(report->words());
    CHECK(report->caught_up());
    CHECK(report->copied.objects == 0);
  }
  rig.check(true);
  CHECK(rig.lag().caught_up());
}

TEST_CASE("a forged main log in a copy is not restored") {
  greffe::testing::RestoreRig restored;
  restored.source.hearing(2, true);
  CopyRig rig(restored.source);
  rig.pass_to_the_end();
  replicate::PassivePool pool(rig.open, "nas", rig.owner(), store::PoolMode::reader, rig.clock, rig.log, {});
  replicate::CopySource from(pool);
  const greffe::PrivateKey forger = greffe::PrivateKey::generate();
  const std::string head = rig.path(greffe::checkpoint_path(greffe::foreign_log_path(SourcePool::kArchive)));
  const greffe::Bytes text = *rig.files->read_file(head, 10'000);
  auto note = *greffe::parse_signed_checkpoint(greffe::as_text(text));
  note.note.signatures.clear();
  greffe::put_signature(note.note, greffe::sign_checkpoint(note.checkpoint, forger));
  REQUIRE(rig.files->replace(head, greffe::as_bytes(note.note.write()), 0600));
  const replicate::RestoreKeys keys{{SourcePool::kArchive, 1}, rig.owner().log, std::nullopt};
  replicate::Restore work({restored.pool, restored.pool, restored.pool, restored.pool}, from, keys, {1, 2}, restored.clock, [](std::uint64_t, std::uint64_t) {});
  const auto report = work.run({}, {});
  REQUIRE_FALSE(report);
  CHECK(report.error().code == Errc::denied);
  CHECK(restored.pool.files().empty());
}

// ---- a copy at a service ----

namespace {

// A service whose credentials may not replace what is there, unless they may.
class Service : public greffe::testing::MemoryService {
 public:
  bool replaces = true;
  bool vanishes = false;  // all of it, when the next object is looked for
  greffe::Result<std::uint64_t> size(std::string_view key) override {
    if (vanishes && key.starts_with("sha256/")) values().clear();
    return MemoryService::size(key);
  }
  greffe::Status overwrite(std::string_view key, greffe::ByteView bytes) override {
    if (!replaces) return greffe::fail(Errc::denied, "no right to replace " + std::string(key));
    return MemoryService::overwrite(key, bytes);
  }
};

struct OwnHeads {
  std::unique_ptr<store::RemoteHeads> heads;
};

// The one pool that is there; it comes and goes, the service stays.
class ServicePool : private OwnHeads, public store::RemoteStore {
 public:
  ServicePool(Service& service, std::unique_ptr<store::RemoteHeads> its_heads, greffe::Clock& clock, store::PoolMode mode, store::PoolListeners listeners)
      : OwnHeads{std::move(its_heads)},
        RemoteStore(service, *heads, clock, mode, {3, 2, true}, {"the memory", "memory", greffe::testing::kTestPoolId}, std::move(listeners.on_damage)) {}
};

void put_copy_at(Service& service, CopyRig& rig, const greffe::testing::FixedTerm& term) {
  rig.open = [&](store::PoolMode mode, store::PoolListeners listeners) -> greffe::Result<std::unique_ptr<store::WholePool>> {
    auto heads = std::make_unique<store::RemoteHeads>(service, mode == store::PoolMode::writer ? &term : nullptr);
    return std::unique_ptr<store::WholePool>(std::make_unique<ServicePool>(service, std::move(heads), rig.clock, mode, std::move(listeners)));
  };
  const std::string label = replicate::write_copy_label({SourcePool::kArchive, rig.owner().log, rig.clock.utc_now()});
  service.values()[std::string(replicate::kCopyLabelKey)] = greffe::to_bytes(label);
}

}  // namespace

TEST_CASE("a copy that goes away in the middle of a round has lost nothing") {
  SourcePool source;
  source.hearing(3, true, kStart);
  CopyRig rig(source);
  Service service;
  const greffe::testing::FixedTerm term{1};
  put_copy_at(service, rig, term);
  REQUIRE(rig.pass());
  CopyRig::Process process(rig);
  REQUIRE(process.site.open());
  service.vanishes = true;
  const auto report = process.round.go_through({});
  REQUIRE_FALSE(report);
  CHECK(report.error().code == Errc::unavailable);
  CHECK(process.site.book().grade().bad.empty());
}

TEST_CASE("a copy at a service: what rots there is replaced and the bad bytes are kept; without the right to it, it is named") {
  SourcePool source;
  const HearingId id = source.hearing(3, true, kStart);
  CopyRig rig(source);
  Service service;
  const greffe::testing::FixedTerm term{1};
  put_copy_at(service, rig, term);
  const auto report = rig.pass();
  REQUIRE(report);
  CHECK(report->caught_up());
  const replicate::Lag lag = rig.lag();
  CHECK(lag.caught_up());
  REQUIRE(lag.grade);
  CHECK(lag.grade->written.read == 4);

  const std::string key = greffe::object_key(rig.segment(id, 1));
  const greffe::Bytes good = service.values()[key];
  service.values()[key][3] ^= 1;
  service.replaces = false;
  {
    CopyRig::Process process(rig);
    const auto found = process.round.go_through({});
    REQUIRE(found);
    CHECK(found->bad.size() == 1);
    const auto refused = process.pass();
    REQUIRE(refused);
    REQUIRE(refused->problems.size() == 1);
    CHECK(refused->problems.front().find("no right") != std::string::npos);
  }
  CHECK_FALSE(rig.lag().caught_up());

  service.replaces = true;
  const auto mended = rig.pass();
  REQUIRE(mended);
  CHECK(mended->returned == 1);
  CHECK(service.values()[key] == good);
  CHECK(rig.lag().caught_up());
  bool aside = false;
  for (const auto& [name, bytes] : service.values()) aside = aside || name.starts_with("quarantine/" + key);
  CHECK(aside);
}

TEST_CASE("an archive that is begun in a copy's place in just this moment keeps the head of its main log as it is") {
  SourcePool source;
  source.hearing(1, true, kStart);
  CopyRig rig(source);
  Service service;
  const greffe::testing::FixedTerm term{2};
  put_copy_at(service, rig, term);
  const std::string key = greffe::checkpoint_path(greffe::main_log_path());
  const std::string head = source.store.read_head(key).value();
  const std::string token = store::make_token(1);  // of an earlier writer: who reads the head as the next one makes it his own
  const auto open = rig.open;
  rig.open = [&](store::PoolMode mode, store::PoolListeners listeners) {
    if (mode == store::PoolMode::writer) REQUIRE(service.write(key, {}, head, token));
    return open(mode, std::move(listeners));
  };
  const auto refused = rig.pass();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::denied);
  CHECK(service.look(key)->text == head);
  CHECK(service.look(key)->token == token);
}
