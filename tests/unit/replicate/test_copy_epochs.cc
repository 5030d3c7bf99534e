// A copy that nobody answers for, of an archive that was promoted: it has the logs of all epochs, each where the next one goes on from it.
#include <catch2/catch.hpp>

#include "replicate/copy_source.h"
#include "tests/unit/replicate/copy_rig.h"
#include "tests/unit/replicate/holding_site.h"

using greffe::Errc;
using greffe::HearingId;
using greffe::testing::CopyRig;
using greffe::testing::Fault;
using greffe::testing::RestoreRig;
using greffe::testing::SourcePool;
namespace client = greffe::client;
namespace replicate = greffe::replicate;
namespace store = greffe::store;
namespace tlog = greffe::tlog;

namespace {

constexpr std::int64_t kStart = 1'790'000'000'000;

std::string origin_of(std::uint64_t epoch) { return greffe::epoch_origin({SourcePool::kArchive, epoch}); }
std::string head_of(std::uint64_t epoch) { return greffe::checkpoint_path(greffe::foreign_log_path(origin_of(epoch))); }

struct Epochs {
  SourcePool source;
  HearingId before = source.hearing(3, true, kStart);
  HearingId going_on, after;
  Epochs() {
    source.promote();
    going_on = source.hearing(2, false, kStart + 100'000);
    source.promote();
    after = source.hearing(1, true, kStart + 200'000);
    source.main({source.scrub(1)});
  }
};

greffe::PrivateKey same_key(const greffe::PrivateKey& key) { return greffe::PrivateKey::from_pem(key.to_pem()).value(); }

}  // namespace

TEST_CASE("a copy gets the logs of all epochs, and a round goes through all of them") {
  Epochs epochs;
  CopyRig rig(epochs.source);
  const replicate::Lag before = rig.lag();
  CHECK(before.main_size == 1 + 2 + 3);
  CHECK(before.entries_behind == 6);
  const auto report = rig.pass();
  INFO((report ? report->words() : report.error().message));
  REQUIRE(report);
  CHECK(report->caught_up());
  CHECK(report->main_held == 6);
  rig.check(true);
  CHECK(rig.lag().caught_up());
  CHECK(rig.lag().main_held == 6);
  const auto round = CopyRig::Process(rig).round.go_through({});
  REQUIRE(round);
  INFO(round->words());
  CHECK(round->equal());
  CHECK(round->round.size == 6);
  CHECK(round->round.looks.objects == 4 + 3 + 2);
  CHECK(round->round.looks.read == round->round.looks.objects);
  const auto again = rig.pass();
  REQUIRE(again);
  CHECK(again->copied.objects == 0);
  CHECK(again->copied.entries == 0);
}

TEST_CASE("a copy that was begun before the promotion goes on with the new epoch, under the label that it has") {
  SourcePool source;
  source.hearing(2, true, kStart);
  source.main({source.scrub(1)});
  CopyRig rig(source);
  rig.pass_to_the_end();
  source.promote();
  CHECK(rig.lag().entries_behind == 1);
  source.hearing(1, true, kStart + 100'000);
  rig.pass_to_the_end();
  CHECK(rig.lag().caught_up());
  CopyRig::Process process(rig);
  CHECK(process.round.go_through({})->equal());
}

TEST_CASE("killed, or without power, at any step of a promoted archive's copy: the next pass goes on", "[every-step]") {
  SourcePool source;
  source.hearing(1, true, kStart);
  std::unique_ptr<greffe::testing::ForgetfulFileSystem> image;
  {
    CopyRig rig(source);
    rig.pass_to_the_end();
    image = rig.files->clone();
  }
  source.promote();
  source.hearing(1, true, kStart + 100'000);
  source.promote();
  source.main({source.scrub(1)});
  std::uint64_t steps = 0;
  {
    CopyRig rig(source, image->clone());
    rig.files->faults().arm(Fault::none, 0);
    REQUIRE(rig.pass());
    steps = rig.files->faults().counted();
  }
  REQUIRE(steps > 30);
  for (std::uint64_t step = 1; step <= steps; ++step) {
    const bool power = step % 2 == 0;
    INFO((power ? "power off" : "killed") << " at step " << step << " of " << steps);
    CopyRig rig(source, image->clone());
    rig.files->faults().arm(Fault::power_off, step);
    static_cast<void>(rig.pass().has_value());
    rig.files->faults().disarm();
    if (power) rig.files->crash(step);
    rig.check(false);
    rig.pass_to_the_end();
  }
}

TEST_CASE("what is damaged or gone of an epoch that has ended is written anew, as far as the archive has it") {
  Epochs epochs;
  CopyRig rig(epochs.source);
  rig.pass_to_the_end();
  const std::uint64_t epoch = GENERATE(std::uint64_t{1}, std::uint64_t{2});
  SECTION("its head") { REQUIRE(rig.files->remove(rig.path(head_of(epoch)))); }
  SECTION("all of it") {
    const std::string folder = greffe::foreign_log_path(origin_of(epoch));
    std::vector<std::string> files;
    {
      const auto pool = *store::LocalPool::open(*rig.files, rig.clock, rig.settings, store::PoolMode::reader);
      REQUIRE(pool->list(folder + "/", [&](const store::ObjectInfo& info) {
        files.push_back(info.key);
        return true;
      }));
    }
    REQUIRE_FALSE(files.empty());
    for (const std::string& key : files) REQUIRE(rig.files->remove(rig.path(key)));
    static_cast<void>(rig.files->remove(rig.path(head_of(epoch))).has_value());
  }
  CopyRig::Process process(rig);
  const auto found = process.round.go_through({});
  REQUIRE(found);
  INFO(found->words());
  CHECK(found->logs_mended >= 1);
  CHECK(found->problems.empty());
  rig.check(true);
  CHECK(process.round.go_through({})->logs_mended == 0);
}

TEST_CASE("a later epoch is not begun before the state that it goes on from is there") {
  Epochs epochs;
  CopyRig rig(epochs.source);
  CopyRig::Process process(rig);
  const tlog::LogReader second(epochs.source.store, epochs.source.store, greffe::foreign_log_path(origin_of(2)));
  const std::string note = second.checkpoint()->note.write();
  const auto posted = process.site.post_entries(client::LogTarget{origin_of(2)}, 0, *second.entries(0, 2), note, {});
  REQUIRE_FALSE(posted);
  CHECK(rig.files->stat(rig.path(head_of(2))).error().code == Errc::not_found);
}

TEST_CASE("an epoch in the copy that its key did not sign gets nothing more") {
  SourcePool source;
  SourcePool other;
  other.log_key = same_key(source.log_key);
  source.hearing(1, true, kStart);
  for (const auto& [key, bytes] : source.store.files()) other.store.files()[key] = bytes;
  other.station = same_key(source.station);
  source.promote();
  other.promote();  // by somebody else, with a key of his own
  std::unique_ptr<greffe::testing::ForgetfulFileSystem> image;
  {
    CopyRig theirs(other);
    theirs.pass_to_the_end();
    image = theirs.files->clone();
  }
  source.main({source.scrub(1)});
  CopyRig rig(source, std::move(image));
  rig.files->faults().arm(Fault::none, 0);
  const auto report = rig.pass();
  REQUIRE_FALSE(report);
  CHECK(report.error().code == Errc::denied);
  CHECK(report.error().message.find("epoch/2 is not signed by it") != std::string::npos);
}

TEST_CASE("what only the copy has of the time before the promotion stays there and holds nothing up") {
  SourcePool source;
  const HearingId id = source.hearing(2, false, kStart);
  const auto replicated = source.store.files();
  // What the lost site had, and nobody else but its copy.
  source.append(greffe::hearing_log_path(id), greffe::hearing_origin(SourcePool::kArchive, id), source.station,
                {tlog::LogReader(source.store, source.store, greffe::hearing_log_path(id)).entries(1, 2)->front()});
  const HearingId alone = source.hearing(1, true, kStart + 100'000);
  CopyRig rig(source);
  rig.pass_to_the_end();
  source.store.files() = replicated;
  const std::string end = *source.store.read_head("log/main/checkpoint");
  source.promote();
  REQUIRE(source.store.put(tlog::kept_checkpoint_path(greffe::foreign_log_path(origin_of(1)), 1), greffe::as_bytes(end)));
  source.hearing(1, true, kStart + 200'000);
  const auto report = rig.pass();
  INFO((report ? report->words() : report.error().message));
  REQUIRE(report);
  CHECK(report->caught_up());
  CHECK(report->problems.empty());
  CHECK(rig.lag().caught_up());
  CHECK(rig.is_good(rig.segment(alone, 0)));
  CHECK(rig.files->stat(rig.path(tlog::kept_checkpoint_path(greffe::foreign_log_path(origin_of(1)), 1))));  // who restores from it needs that
  CopyRig::Process process(rig);
  const auto round = process.round.go_through({});
  REQUIRE(round);
  INFO(round->words());
  CHECK(round->equal());
}

TEST_CASE("a pool of a promoted archive is rebuilt from a copy by the key of its newest log alone") {
  RestoreRig restored;
  restored.source.name_officers();
  const HearingId before = restored.source.hearing(2, true);
  restored.source.promote();
  const HearingId after = restored.source.hearing(1, false, 1'795'590'000'000);
  CopyRig rig(restored.source);
  rig.pass_to_the_end();
  const bool labelled = GENERATE(true, false);
  if (!labelled) REQUIRE(rig.files->remove(rig.path(replicate::kCopyLabelKey)));
  const auto restore_by = [&](const greffe::PublicKey& key) {
    const greffe::VerifierKey log{origin_of(2), greffe::KeyType::ed25519, key};
    replicate::PassivePool pool(rig.open, "nas", {SourcePool::kArchive, log}, store::PoolMode::reader, rig.clock, rig.log, {}, replicate::LostLabel::bear);
    replicate::CopySource from(pool);
    replicate::Restore work({restored.pool, restored.pool, restored.pool, restored.pool}, from, {restored.source.epoch, log, std::nullopt}, {1, 2}, restored.clock,
                            [](std::uint64_t, std::uint64_t) {});
    return work.run({}, {});
  };
  const auto refused = restore_by(greffe::PrivateKey::generate().public_key());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::denied);
  CHECK(restored.pool.files().empty());
  const auto report = restore_by(restored.source.log_key.public_key());
  INFO((report ? report->words() : report.error().message));
  REQUIRE(report);
  CHECK(report->complete());
  CHECK(tlog::open_main_log(restored.pool, restored.pool, restored.source.epoch));
  for (const HearingId& id : {before, after}) CHECK(restored.same_log(greffe::hearing_log_path(id)));
}

TEST_CASE("who signs each epoch the logs say, and the newest one must be the one that enrolment named") {
  RestoreRig rig;
  rig.source.promote();
  rig.source.promote();
  const auto source = replicate::Source::open(rig.source.store, rig.source.store, rig.source.epoch).value();
  const auto keys = source.log_keys({origin_of(3), greffe::KeyType::ed25519, rig.source.log_key.public_key()});
  REQUIRE(keys);
  REQUIRE(keys->size() == 3);
  for (std::size_t i = 0; i < 2; ++i) CHECK((*keys)[i] == greffe::VerifierKey{origin_of(i + 1), greffe::KeyType::ed25519, rig.source.ended_log_keys[i]});
  const auto other = source.log_keys({origin_of(3), greffe::KeyType::ed25519, rig.source.ended_log_keys[0]});
  REQUIRE_FALSE(other);
  CHECK(other.error().code == Errc::denied);
}
