// A pool of an archive that was promoted is rebuilt: with the main logs of all its epochs, or not at all.
#include <catch2/catch.hpp>

#include "archive/tlog/cosigned.h"
#include "archive/tlog/log_chain.h"
#include "tests/unit/replicate/holding_site.h"

using greffe::Digest;
using greffe::Errc;
using greffe::HearingId;
using greffe::testing::RestoreRig;
using greffe::testing::SourcePool;
namespace tlog = greffe::tlog;

namespace {

constexpr std::int64_t kRecent = 1'795'590'000'000;  // within the day before the rig's clock

std::string origin_of(std::uint64_t epoch) { return greffe::epoch_origin({SourcePool::kArchive, epoch}); }
std::string path_of(std::uint64_t epoch) { return greffe::foreign_log_path(origin_of(epoch)); }

std::string account(SourcePool& source, const std::string& snapshot) {
  greffe::AccountEntry entry;
  entry.snapshot = source.object(snapshot);
  return greffe::write_main_entry(entry);
}

// Three epochs, with hearings and documents in each.
struct EpochsRig : RestoreRig {
  EpochsRig() {
    source.name_officers();
    before = source.hearing(2, true);
    source.main({account(source, "of the first epoch")});
    source.promote();
    going_on = source.hearing(1, false, kRecent);
    source.main({account(source, "of the second epoch")});
    source.promote();
    after = source.hearing(2, true, 1'790'000'200'000);
    source.main({account(source, "of the third epoch")});
  }
  // As the archive opens it when it starts in its epoch.
  greffe::Result<tlog::LogChain> chain() { return tlog::open_main_log(pool, pool, source.epoch); }
  bool is_whole() {
    return chain() && same_log("log/main", path_of(1)) && same_log(path_of(2)) && same_log(path_of(3)) && same_log(greffe::hearing_log_path(before)) &&
           same_log(greffe::hearing_log_path(going_on)) && same_log(greffe::hearing_log_path(after));
  }
  HearingId before, going_on, after;
};

}  // namespace

TEST_CASE("the pool of a promoted archive is rebuilt with the logs of all its epochs, and the archive's main log opens on it") {
  EpochsRig rig;
  rig.connections = GENERATE(1U, 4U);
  const auto report = rig.restore();
  INFO((report ? report->words() : report.error().message));
  REQUIRE(report);
  CHECK(report->complete());
  CHECK(report->hearings == 3);
  CHECK(report->objects == 5 + 3 + 3);
  REQUIRE(rig.is_whole());
  CHECK_FALSE(rig.has_log(path_of(1)));  // a new pool begins with the archive itself: it is nobody's copy
  const auto chain = rig.chain();
  CHECK(chain->links().size() == 3);
  CHECK(chain->size().value() == report->main_size);
  CHECK(report->main_size == tlog::open_main_log(rig.source.store, rig.source.store, rig.source.epoch)->size().value());
  for (const char* const text : {"of the first epoch", "of the second epoch", "of the third epoch"}) CHECK(rig.has(greffe::sha256(greffe::as_bytes(text))));
  CHECK(rig.pool.files().contains(greffe::open_marker_path(rig.going_on)));
  // How each epoch ended, and that the second site has it.
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string path = chain->links()[i].path;
    const std::uint64_t size = chain->links()[i + 1].first - chain->links()[i].first;
    const auto kept = rig.pool.get(tlog::kept_checkpoint_path(path, size));
    REQUIRE(kept);
    CHECK(greffe::parse_signed_checkpoint(greffe::as_text(*kept))->checkpoint == chain->links()[i].reader.checkpoint()->checkpoint);
    CHECK(tlog::newest_cosigned(rig.pool, path, rig.site.verifier()));
  }
  const auto again = rig.restore();
  REQUIRE(again);
  CHECK(again->complete());
  CHECK(again->objects == 0);
  CHECK(again->entries == 0);
}

TEST_CASE("cut off at every question, a restore of several epochs goes on, and the archive opens on nothing less than the whole", "[every-step]") {
  for (std::size_t step = 0;; ++step) {
    EpochsRig rig;
    rig.site.calls_left = step;
    const auto report = rig.restore();
    if (report) {
      REQUIRE(step > 20);
      CHECK(rig.is_whole());
      break;
    }
    REQUIRE(report.error().code == Errc::unavailable);
    REQUIRE_FALSE(rig.chain());
    rig.site.calls_left = SIZE_MAX;
    const auto rest = rig.restore();
    REQUIRE(rest);
    CHECK(rest->complete());
    CHECK(rig.is_whole());
  }
}

TEST_CASE("a restore that ended between the logs of two epochs goes on with the second") {
  EpochsRig rig;
  REQUIRE(rig.restore());
  const std::uint64_t gone = GENERATE(std::uint64_t{2}, std::uint64_t{3});
  for (std::uint64_t epoch = gone; epoch <= 3; ++epoch) {
    std::erase_if(rig.pool.files(), [&](const auto& file) { return file.first.starts_with(path_of(epoch) + "/"); });
  }
  REQUIRE_FALSE(rig.chain());
  const auto report = rig.restore();
  REQUIRE(report);
  CHECK(report->complete());
  CHECK(report->objects == 0);
  CHECK(rig.is_whole());
}

TEST_CASE("up to the epoch whose key is given, and no further") {
  EpochsRig rig;
  rig.source.epoch.epoch = 2;
  const auto head = greffe::parse_promotion(tlog::LogReader(rig.source.store, rig.source.store, path_of(2)).entries(0, 1)->front());
  rig.log_key = head->log_key;
  const auto report = rig.restore();
  REQUIRE(report);
  CHECK(rig.same_log("log/main", path_of(1)));
  CHECK(rig.same_log(path_of(2)));
  CHECK_FALSE(rig.has_log(path_of(3)));
}

TEST_CASE("one hearing comes back into the pool of the site that was promoted, where its logs lie") {
  EpochsRig rig;
  rig.pool.files() = rig.source.store.files();
  const auto own = greffe::PrivateKey::generate();
  SourcePool site;  // the log that it began before it was promoted
  site.append("log/main", "dr.example", own, {"its", "own", "log"});
  for (const auto& [key, bytes] : site.store.files()) rig.pool.files()[key] = bytes;
  std::erase_if(rig.pool.files(), [&](const auto& file) { return file.first.starts_with(greffe::hearing_log_path(rig.before)); });
  rig.pool.files().erase(greffe::object_key(rig.segment(rig.before, 1)));
  const auto report = rig.restore({std::nullopt, rig.before});
  INFO((report ? report->words() : report.error().message));
  REQUIRE(report);
  CHECK(report->complete());
  CHECK(report->objects == 1);
  CHECK(rig.has(rig.segment(rig.before, 1)));
  CHECK(rig.same_log(greffe::hearing_log_path(rig.before)));
  CHECK(rig.same_log(path_of(1)));
  CHECK(greffe::parse_signed_checkpoint(*rig.pool.read_head("log/main/checkpoint"))->checkpoint.origin == "dr.example");
}

TEST_CASE("a pool that another archive began is left alone") {
  EpochsRig rig;
  SourcePool site;
  site.append("log/main", "dr.example", greffe::PrivateKey::generate(), {"its", "own", "log"});
  rig.pool.files() = site.store.files();
  const auto report = rig.restore();
  REQUIRE_FALSE(report);
  CHECK(report.error().code == Errc::conflict);
  CHECK(report.error().message.find("dr.example") != std::string::npos);
  CHECK(rig.pool.files() == site.store.files());
}

TEST_CASE("what an old epoch has behind its end comes back with its log, and says nothing") {
  RestoreRig rig;
  rig.source.name_officers();
  rig.source.hearing(1, true);
  const auto key = greffe::PrivateKey::from_pem(rig.source.log_key.to_pem()).value();
  const auto end = tlog::LogReader(rig.source.store, rig.source.store, "log/main").checkpoint()->checkpoint;
  const std::string note = rig.source.store.read_head("log/main/checkpoint").value();
  rig.source.promote();
  rig.source.append(path_of(1), SourcePool::kArchive, key, {account(rig.source, "that nobody else has"), rig.source.scrub(1)});
  const bool kept = GENERATE(true, false);
  if (kept) REQUIRE(rig.source.store.put(tlog::kept_checkpoint_path(path_of(1), end.size), greffe::as_bytes(note)));
  const auto report = rig.restore();
  INFO((report ? report->words() : report.error().message));
  REQUIRE(report);
  CHECK(rig.same_log("log/main", path_of(1)));
  CHECK_FALSE(rig.has(greffe::sha256(greffe::as_bytes("that nobody else has"))));
  const auto chain = tlog::open_main_log(rig.pool, rig.pool, rig.source.epoch);
  REQUIRE(chain);
  CHECK(chain->size().value() == end.size + 1);
  // Without the checkpoint of that very state nobody can be shown how the epoch ended.
  CHECK(report->complete() == kept);
  CHECK(rig.pool.get(tlog::kept_checkpoint_path("log/main", end.size)).has_value() == kept);
  if (!kept) CHECK(report->words().find("MISSING: the main log: the signed checkpoint") != std::string::npos);
}

TEST_CASE("a pool that has an epoch to its end takes nothing behind it") {
  RestoreRig rig;
  rig.source.name_officers();
  const HearingId id = rig.source.hearing(1, true);
  const auto key = greffe::PrivateKey::from_pem(rig.source.log_key.to_pem()).value();
  rig.source.promote();
  REQUIRE(rig.restore());
  const auto end = tlog::LogReader(rig.pool, rig.pool, "log/main").checkpoint()->checkpoint;
  rig.source.append(path_of(1), SourcePool::kArchive, key, {rig.source.scrub(1)});
  rig.pool.files().erase(greffe::object_key(rig.segment(id, 0)));
  const auto report = rig.restore();
  INFO((report ? report->words() : report.error().message));
  REQUIRE(report);
  CHECK(report->complete());
  CHECK(report->objects == 1);
  CHECK(tlog::LogReader(rig.pool, rig.pool, "log/main").checkpoint()->checkpoint == end);
  SECTION("but what is rotten of it is made good with all that the site has") {
    rig.pool.files()["log/main/checkpoint"] = greffe::to_bytes("nothing");
    REQUIRE(rig.restore());
    CHECK(tlog::LogReader(rig.pool, rig.pool, "log/main").checkpoint()->checkpoint.size == end.size + 1);
    CHECK(tlog::open_main_log(rig.pool, rig.pool, rig.source.epoch)->size().value() == end.size + 1);
  }
}

TEST_CASE("epochs that do not follow from one another are not restored, and nothing else is") {
  RestoreRig rig;
  std::string wrong;
  Errc code = Errc::denied;
  SECTION("nobody signed the promotion") {
    rig.source.hearing(1, true);
    rig.source.promote();
    wrong = "two officers";
  }
  SECTION("the officers' signatures are not theirs") {
    rig.source.name_officers();
    for (auto& [name, officer] : rig.source.officers) officer = greffe::PrivateKey::generate();
    rig.source.promote();
    wrong = "officer";
  }
  SECTION("an officer who was revoked signed") {
    rig.source.name_officers();
    greffe::KeyEntry gone;
    gone.action = "revoked";
    gone.role = "officer";
    gone.name = "officer-1";
    gone.key = rig.source.officers.at("officer-1").public_key();
    gone.why = "stolen";
    rig.source.main({greffe::write_main_entry(gone)});
    rig.source.promote();
    wrong = "officer-1";
  }
  SECTION("the newest one is signed with another key than the archive's") {
    rig.source.name_officers();
    rig.source.promote();
    rig.log_key = greffe::PrivateKey::generate().public_key();
    wrong = "another key";
  }
  SECTION("the first epoch is another one than the second goes on from") {
    rig.source.name_officers();
    rig.source.promote();
    RestoreRig other;
    other.source.name_officers();
    other.source.promote();
    std::erase_if(rig.source.store.files(), [](const auto& file) { return file.first.starts_with(path_of(1) + "/"); });
    for (const auto& [key, bytes] : other.source.store.files()) {
      if (key.starts_with(path_of(1) + "/")) rig.source.store.files()[key] = bytes;
    }
    wrong = "never had";
    code = Errc::conflict;
  }
  SECTION("an epoch is not held as far as the next one goes on from") {
    const auto before = rig.source.store.files();
    rig.source.name_officers();
    rig.source.promote();
    std::erase_if(rig.source.store.files(), [](const auto& file) { return file.first.starts_with(path_of(1) + "/"); });
    for (const auto& [key, bytes] : before) {
      if (key.starts_with("log/main/")) rig.source.store.files()[path_of(1) + key.substr(8)] = bytes;
    }
    wrong = "goes on behind entry 4, and 2 are held";
    code = Errc::conflict;
  }
  SECTION("what an old epoch ends with is not signed by its key") {
    rig.source.name_officers();
    rig.source.promote();
    rig.source.append(path_of(1), SourcePool::kArchive, greffe::PrivateKey::generate(), {rig.source.scrub(1)});
    wrong = "not signed with the archive's key";
  }
  SECTION("an epoch in between is not there") {
    rig.source.name_officers();
    rig.source.promote();
    rig.source.promote();
    std::erase_if(rig.source.store.files(), [](const auto& file) { return file.first.starts_with(path_of(2) + "/"); });
    wrong = "epoch/2";
    code = Errc::not_found;
  }
  SECTION("a log that is called an epoch does not begin with its promotion") {
    rig.source.name_officers();
    rig.source.promote();
    rig.source.epoch.epoch = 3;
    rig.source.main({rig.source.scrub(1)});
    wrong = "does not begin with the promotion";
    code = Errc::corrupt;
  }
  const auto report = rig.restore();
  REQUIRE_FALSE(report);
  INFO(report.error().message);
  CHECK(report.error().code == code);
  CHECK(report.error().message.find(wrong) != std::string::npos);
  CHECK(rig.pool.files().empty());
}

TEST_CASE("a site that tells of another promotion at the second look is not believed") {
  EpochsRig rig;
  EpochsRig other;
  rig.site.alter = [&](greffe::client::LogPiece& piece) {
    const bool first_look = piece.entries.size() == 1 && piece.entries.front().find("\"epoch\":2") != std::string::npos;
    if (first_look) piece.entries.front() = tlog::LogReader(other.source.store, other.source.store, path_of(2)).entries(0, 1)->front();
  };
  const auto report = rig.restore();
  REQUIRE_FALSE(report);
  CHECK(rig.pool.files().empty());
}
