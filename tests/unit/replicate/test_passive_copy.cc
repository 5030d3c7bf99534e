// A target with nobody behind it: what is carried there, in which order, and what becomes of it when something fails.
#include <catch2/catch.hpp>

#include "archive/tlog/cosigned.h"
#include "archive/tlog/kept_checkpoints.h"
#include "tests/unit/replicate/copy_rig.h"

using greffe::Digest;
using greffe::Errc;
using greffe::HearingId;
using greffe::testing::CopyRig;
using greffe::testing::Fault;
using greffe::testing::kDayMs;
using greffe::testing::SourcePool;
namespace client = greffe::client;
namespace replicate = greffe::replicate;
namespace store = greffe::store;

namespace {

constexpr std::int64_t kStart = 1'790'000'000'000;

struct Filled {
  SourcePool source;
  HearingId finished = source.hearing(3, true, kStart);
  HearingId other = source.hearing(2, true, kStart + 100'000, false, true);
  HearingId running = source.hearing(2, false, kStart + 200'000);
};

}  // namespace

TEST_CASE("a copy gets objects, hearings and main log, all of it read back, and confirms nothing") {
  Filled filled;
  CopyRig rig(filled.source);
  const replicate::Lag before = rig.lag();
  CHECK(before.is_passive);
  CHECK(before.target == "nas");
  CHECK(before.hearings_behind == 3);
  CHECK(before.entries_behind == 3);

  const auto report = rig.pass();
  REQUIRE(report);
  INFO(report->words());
  CHECK(report->caught_up());
  CHECK(report->undelivered == 0);
  CHECK(report->copied.objects == 12);
  rig.check(true);
  CHECK(rig.archive.delivered == 0);

  const replicate::Lag after = rig.lag();
  CHECK(after.caught_up());
  CHECK_FALSE(after.cosigned);
  REQUIRE(after.grade);
  CHECK(after.grade->written.objects == 12);
  CHECK(after.grade->written.read == 12);
  CHECK(after.words({}).find("not cosigned") != std::string::npos);
  CHECK(after.words({}).find("confirmed") == std::string::npos);

  const auto again = rig.pass();
  REQUIRE(again);
  CHECK(again->copied.objects == 0);
  CHECK(again->copied.entries == 0);
  CHECK(rig.lag().grade->written.objects == 12);
}

TEST_CASE("a recording that goes on is followed, log by log") {
  SourcePool source;
  CopyRig rig(source);
  CopyRig::Process process(rig);
  for (int i = 0; i < 4; ++i) {
    source.hearing(2, i % 2 == 0, kStart + i * 100'000);
    source.main({source.scrub(1)});
    const auto report = process.pass();
    REQUIRE(report);
    CHECK(report->caught_up());
    rig.check(true);
  }
}

TEST_CASE("what others sign of the logs later comes to the copy, and never of more than it has") {
  Filled filled;
  CopyRig rig(filled.source);
  REQUIRE(rig.pass());
  const greffe::PrivateKey holder = greffe::PrivateKey::generate();
  const greffe::VerifierKey key{"archive.example/holder", greffe::KeyType::cosignature_v1, holder.public_key()};
  const auto cosign = [&](const std::string& path) {
    auto& heads = filled.source.store;
    const std::string text = *heads.read_head(greffe::checkpoint_path(path));
    auto head = *greffe::parse_signed_checkpoint(text);
    greffe::put_signature(head.note, greffe::cosign_checkpoint(head.checkpoint, key.name, holder, greffe::UtcTime{kStart}));
    REQUIRE(heads.swap_head(greffe::checkpoint_path(path), text, head.note.write()));
    REQUIRE(greffe::tlog::keep_cosigned(heads, path, head, key));
  };
  cosign(greffe::hearing_log_path(filled.finished));
  cosign("log/main");
  REQUIRE(rig.pass());
  const auto signed_there = [&](const std::string& path) {
    const auto pool = *store::LocalPool::open(*rig.files, rig.clock, rig.settings, store::PoolMode::reader);
    const auto head = greffe::parse_signed_checkpoint(*pool->read_head(path));
    return head && greffe::verify_cosignature(head->note, key).has_value();
  };
  const std::string main = greffe::foreign_log_path(SourcePool::kArchive);
  CHECK(signed_there(greffe::checkpoint_path(main)));
  CHECK(signed_there(greffe::checkpoint_path(greffe::hearing_log_path(filled.finished))));
  CHECK_FALSE(rig.files->stat(rig.path(greffe::cosigned_path(main, key.id()))));

  // The main log goes on, and its newest head is not signed yet: what was signed is kept beside it.
  filled.source.main({filled.source.scrub(1)});
  REQUIRE(rig.pass());
  CHECK_FALSE(signed_there(greffe::checkpoint_path(main)));
  CHECK(signed_there(greffe::cosigned_path(main, key.id())));
  rig.check(true);
}

TEST_CASE("killed, or without power, at any step: no log there names what is not there, and the next pass goes on", "[every-step]") {
  Filled filled;
  std::uint64_t steps = 0;
  std::unique_ptr<greffe::testing::ForgetfulFileSystem> image;
  {
    CopyRig rig(filled.source);
    image = rig.files->clone();
    rig.files->faults().arm(Fault::none, 0);
    REQUIRE(rig.pass());
    steps = rig.files->faults().counted();
  }
  REQUIRE(steps > 60);
  for (std::uint64_t step = 1; step <= steps; step += 3) {
    for (const bool power : {false, true}) {
      INFO((power ? "power off" : "killed") << " at step " << step << " of " << steps);
      CopyRig rig(filled.source, image->clone());
      rig.files->faults().arm(Fault::power_off, step);
      {
        CopyRig::Process process(rig);
        static_cast<void>(process.replicator.pass({}).has_value());
      }
      if (power) rig.files->crash(step);
      rig.files->faults().disarm();
      rig.check(false);
      rig.pass_to_the_end();
    }
  }
}

TEST_CASE("any step of the disk that fails, once or for ever, is no reason to believe what is not there", "[every-step]") {
  Filled filled;
  std::uint64_t steps = 0;
  std::unique_ptr<greffe::testing::ForgetfulFileSystem> image;
  {
    CopyRig rig(filled.source);
    image = rig.files->clone();
    rig.files->faults().arm(Fault::none, 0);
    REQUIRE(rig.pass());
    steps = rig.files->faults().counted();
  }
  for (const Fault fault : greffe::testing::kFailures) {
    for (std::uint64_t step = 2; step <= steps; step += 5) {
      const bool for_ever = step % 2 == 0;
      INFO("step " << step << " of " << steps << ", fault " << static_cast<int>(fault) << ", for ever " << for_ever);
      CopyRig rig(filled.source, image->clone());
      rig.files->faults().arm(fault, step, for_ever);
      {
        CopyRig::Process process(rig);
        static_cast<void>(process.replicator.pass({}).has_value());
      }
      rig.files->faults().disarm();
      rig.check(false);
      rig.pass_to_the_end();
    }
  }
}

TEST_CASE("a disk that says it has written and has not is found at once: no log commits to what it forgot") {
  Filled filled;
  CopyRig rig(filled.source);
  rig.files->forget_writes_below(rig.path("sha256"));
  const auto report = rig.pass();
  REQUIRE_FALSE(report);
  CHECK(report.error().code == Errc::unavailable);
  CHECK(report.error().message.find("does not read back") != std::string::npos);
  CHECK(rig.lag().hearings_behind == 3);

  rig.files->forget_writes_below("");
  rig.pass_to_the_end();
  for (int i = 0; i < 3; ++i) CHECK(rig.is_good(rig.segment(filled.finished, i)));
  CHECK(rig.lag().caught_up());
}

TEST_CASE("what lies there under an object's name and is not it makes room, and is kept") {
  Filled filled;
  CopyRig rig(filled.source);
  const Digest digest = rig.segment(filled.finished, 1);
  REQUIRE(rig.files->make_directories(greffe::parent_of(rig.path(digest))));
  REQUIRE(rig.files->write_new(rig.path(digest), greffe::as_bytes("not it")));
  rig.pass_to_the_end();
  CHECK(rig.is_good(digest));
  const auto aside = rig.files->list(rig.path("quarantine"));
  REQUIRE(aside);
  CHECK(aside->size() == 1);
}

TEST_CASE("a full copy takes nothing more and says so; with room it goes on") {
  Filled filled;
  CopyRig rig(filled.source);
  rig.settings.min_free_bytes = 1'000'000;
  rig.files->limit_space("/disk0", 600'000);
  const auto report = rig.pass();
  REQUIRE_FALSE(report);
  CHECK(report.error().code == Errc::no_space);
  CHECK(rig.lag().hearings_behind == 3);
  rig.check(false);
  rig.files->limit_space("/disk0", 1'000'000'000);
  rig.pass_to_the_end();
}

TEST_CASE("a copy that is full of pictures still gets the log: its reserve is not for objects") {
  SourcePool source;
  CopyRig rig(source);
  source.hearing(1, true, kStart);
  rig.pass_to_the_end();
  // Entries without objects, as marks of the archive or passes of its scrub are.
  rig.settings.min_free_bytes = 1'000'000;
  rig.files->limit_space("/disk0", 600'000);
  source.main({source.scrub(1), source.scrub(2)});
  rig.pass_to_the_end();
}

TEST_CASE("a copy that is away counts as having nothing, and is gone on with when it is back") {
  Filled filled;
  CopyRig rig(filled.source);
  rig.pass_to_the_end();
  filled.source.hearing(1, true, kStart + 300'000);
  CopyRig::Process process(rig);
  rig.files->unmount("/disk0");
  const auto away = process.pass();
  REQUIRE_FALSE(away);
  CHECK(away.error().code == Errc::unavailable);
  CHECK_FALSE(process.site.echo("x"));
  const replicate::Lag lag = rig.lag();
  CHECK_FALSE(lag.not_asked.empty());
  CHECK(lag.main_held == 0);
  CHECK(lag.hearings_behind == 4);

  rig.files->mount("/disk0");
  rig.clock.pass_ms(replicate::PassivePool::kAgainMs);
  const auto back = process.pass();
  REQUIRE(back);
  CHECK(back->caught_up());
  CHECK(process.site.echo("x"));
  rig.check(true);
}

TEST_CASE("a disk that failed once is opened anew, and then written to again") {
  Filled filled;
  CopyRig rig(filled.source);
  CopyRig::Process process(rig);
  rig.files->faults().arm(Fault::fails_before, 8, true);
  REQUIRE_FALSE(process.pass());
  rig.files->faults().disarm();
  rig.clock.pass_ms(replicate::PassivePool::kAgainMs);
  const auto report = process.pass();
  INFO((report ? report->words() : report.error().message));
  REQUIRE(report);
  CHECK(report->caught_up());
  rig.check(true);
}

TEST_CASE("two replicators at one copy: the second one waits") {
  Filled filled;
  CopyRig rig(filled.source);
  CopyRig::Process first(rig);
  REQUIRE(first.pass());
  CopyRig::Process second(rig);
  const auto refused = second.replicator.pass({});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::unavailable);
  CHECK(refused.error().message.find("another process") != std::string::npos);
}

TEST_CASE("a pool that is not this archive's copy stays as it is") {
  Filled filled;
  CopyRig rig(filled.source, greffe::testing::fresh_volumes(1));
  std::string words;
  SECTION("nothing says whose it is") { words = "init-target"; }
  SECTION("another archive's copy") {
    const greffe::PrivateKey key = greffe::PrivateKey::generate();
    rig.label({"other.example", {"other.example", greffe::KeyType::ed25519, key.public_key()}, rig.clock.utc_now()});
    words = "copy of other.example";
  }
  SECTION("a copy of an archive of the same name, with another key") {
    const greffe::PrivateKey key = greffe::PrivateKey::generate();
    rig.label({SourcePool::kArchive, {SourcePool::kArchive, greffe::KeyType::ed25519, key.public_key()}, rig.clock.utc_now()});
    words = "another log key";
  }
  SECTION("an archive's own pool") {
    rig.label({SourcePool::kArchive, rig.owner().log, rig.clock.utc_now()});
    const auto pool = *store::LocalPool::open(*rig.files, rig.clock, rig.settings, store::PoolMode::writer);
    REQUIRE(pool->swap_head("log/main/checkpoint", "", *filled.source.store.read_head("log/main/checkpoint")));
    words = "holds an archive";
  }
  const auto image = rig.files->clone();
  rig.files->faults().arm(Fault::none, 0);
  const auto report = rig.pass();
  REQUIRE_FALSE(report);
  INFO(report.error().message);
  CHECK(report.error().code == Errc::denied);
  CHECK(report.error().message.find(words) != std::string::npos);
  CHECK(rig.files->faults().counted() == 0);
}

TEST_CASE("a copy whose main log is another one, or signed by somebody else, gets nothing") {
  Filled filled;
  CopyRig rig(filled.source);
  SourcePool other;
  other.main({other.scrub(1), other.scrub(2)});
  const auto put = [&](const greffe::PrivateKey& signer) {
    const auto pool = *store::LocalPool::open(*rig.files, rig.clock, rig.settings, store::PoolMode::writer);
    auto writer = *greffe::tlog::LogWriter::open(*pool, *pool, *pool, greffe::foreign_log_path(SourcePool::kArchive));
    const std::vector<std::string> entries = {other.scrub(1)};
    REQUIRE(writer.append(entries, [&](std::uint64_t size, const Digest& root) -> greffe::Result<std::string> {
      const greffe::Checkpoint checkpoint{SourcePool::kArchive, size, root};
      greffe::SignedNote note{checkpoint.text(), {}};
      greffe::put_signature(note, greffe::sign_checkpoint(checkpoint, signer));
      return note.write();
    }));
  };
  SECTION("another history") {
    put(filled.source.log_key);
    const auto report = rig.pass();
    REQUIRE_FALSE(report);
    CHECK(report.error().code == Errc::conflict);
  }
  SECTION("not signed by the archive") {
    put(other.log_key);
    const auto report = rig.pass();
    REQUIRE_FALSE(report);
    CHECK(report.error().code == Errc::denied);
  }
  CHECK(rig.lag().main_held == 0);
}

TEST_CASE("an object that cannot be read at the source is a hole there as elsewhere, and one that is declared lost is none") {
  Filled filled;
  CopyRig rig(filled.source);
  const Digest gone = rig.segment(filled.finished, 1);
  const greffe::Bytes bytes = *filled.source.store.read_object(gone);
  filled.source.store.files().erase(greffe::object_key(gone));
  const auto report = rig.pass();
  REQUIRE(report);
  CHECK_FALSE(report->caught_up());
  REQUIRE(report->holes.size() == 1);
  CHECK(report->holes.front().object == gone);
  CHECK(report->main_held == 0);
  rig.check(false);
  filled.source.main(filled.source.declared_lost(filled.finished, {gone}));
  const auto excused = rig.pass();
  REQUIRE(excused);
  INFO(excused->words());
  CHECK(excused->caught_up());
}

TEST_CASE("bytes that changed at the source between two looks get no name at the copy") {
  Filled filled;
  CopyRig rig(filled.source);
  CopyRig::Process process(rig);
  const Digest digest = rig.segment(filled.finished, 0);
  const auto other = std::make_shared<greffe::testing::MemoryFile>(greffe::to_bytes("other bytes"));
  const greffe::Status put = process.site.put_object(client::LogTarget{filled.finished}, digest, other, {});
  REQUIRE_FALSE(put);
  CHECK(put.error().code == Errc::corrupt);
  CHECK_FALSE(rig.files->stat(rig.path(digest)));
}

TEST_CASE("entries are taken with everything that they name, and in their order, whoever sends them") {
  Filled filled;
  CopyRig rig(filled.source);
  CopyRig::Process process(rig);
  const greffe::tlog::LogReader reader(filled.source.store, filled.source.store, greffe::hearing_log_path(filled.finished));
  const auto head = *reader.checkpoint();
  const auto entries = *reader.entries(0, head.checkpoint.size);
  const client::LogTarget log{filled.finished};
  const auto refused = process.site.post_entries(log, 0, entries, head.note.write(), {});
  REQUIRE(refused);
  REQUIRE(std::holds_alternative<client::EntriesRefused>(*refused));
  CHECK(std::get<client::EntriesRefused>(*refused).missing.size() == 4);
  const auto elsewhere = process.site.post_entries(log, 2, {entries.back()}, head.note.write(), {});
  REQUIRE(elsewhere);
  CHECK(std::get<client::EntriesRefused>(*elsewhere).held_size == 0);

  auto forged = head;
  forged.note.signatures.clear();
  greffe::put_signature(forged.note, greffe::sign_checkpoint(forged.checkpoint, greffe::PrivateKey::generate()));
  const auto by_another = process.site.post_entries(log, 0, entries, forged.note.write(), {});
  REQUIRE_FALSE(by_another);
  CHECK(by_another.error().code == Errc::invalid);

  // The main log waits for its hearings.
  const auto main = *greffe::tlog::LogReader(filled.source.store, filled.source.store, "log/main").checkpoint();
  const auto main_entries = *greffe::tlog::LogReader(filled.source.store, filled.source.store, "log/main").entries(0, main.checkpoint.size);
  const auto early = process.site.post_entries(client::LogTarget{std::string(SourcePool::kArchive)}, 0, main_entries, main.note.write(), {});
  REQUIRE_FALSE(early);
  CHECK(early.error().code == Errc::unavailable);
  rig.check(false);
}

TEST_CASE("after its first thirty days one object in a hundred is read back, and all of what a killed pass left") {
  SourcePool source;
  CopyRig rig(source);
  rig.clock.pass_ms(31 * kDayMs);
  source.hearing(120, true, kStart);
  rig.pass_to_the_end();
  const auto grade = rig.lag().grade;
  REQUIRE(grade);
  CHECK(grade->written.objects == 121);
  CHECK(grade->written.read < 60);

  // An object of which nobody knows whether it was read back.
  const HearingId next = source.hearing(1, true, kStart + 100'000);
  const Digest digest = rig.segment(next, 0);
  REQUIRE(rig.files->make_directories(greffe::parent_of(rig.path(digest))));
  REQUIRE(rig.files->write_new(rig.path(digest), *source.store.read_object(digest)));
  rig.flip(rig.path(digest));
  const auto report = rig.pass();
  REQUIRE(report);
  CHECK(report->caught_up());
  CHECK(report->copied.objects == 2);
  CHECK(rig.is_good(digest));
}

TEST_CASE("an archive that lost an object gets it back from its copy") {
  Filled filled;
  CopyRig rig(filled.source);
  rig.pass_to_the_end();
  const Digest lost = rig.segment(filled.finished, 2);
  filled.source.store.files().erase(greffe::object_key(lost));
  rig.archive.lost_here.push_back({filled.finished, lost});
  const auto report = rig.pass();
  REQUIRE(report);
  CHECK(report->returned == 1);
  CHECK(rig.archive.returned.contains(lost));
}

TEST_CASE("a checkpoint of the main log is kept at the copy each time it passes a multiple of 4,096") {
  SourcePool source;
  CopyRig rig(source);
  std::vector<std::string> many;
  for (std::uint64_t i = 0; i < 4100; ++i) many.push_back(source.scrub(i));
  const std::string note = source.main(many);
  REQUIRE(rig.pass());
  const auto kept = rig.files->read_file(rig.path(greffe::tlog::kept_checkpoint_path(greffe::foreign_log_path(SourcePool::kArchive), 4100)), 10'000);
  REQUIRE(kept);
  CHECK(greffe::as_text(*kept) == note);
}
