#include <catch2/catch.hpp>

#include "archive/tlog/cosigned.h"
#include "replicate/patient_site.h"
#include "tests/unit/replicate/holding_site.h"

using greffe::Digest;
using greffe::Errc;
using greffe::HearingId;
using greffe::testing::HoldingSite;
using greffe::testing::RestoreRig;
using greffe::testing::SourcePool;
namespace client = greffe::client;
namespace replicate = greffe::replicate;

namespace {

constexpr std::int64_t kRecent = 1'795'590'000'000;  // within the day before the rig's clock

// Nothing is in the pool before what it depends on.
void check_order(RestoreRig& rig, const std::vector<HearingId>& ids, int segments) {
  for (const HearingId& id : ids) {
    const bool log = rig.has_log(greffe::hearing_log_path(id));
    for (int i = 0; log && i < segments; ++i) REQUIRE(rig.has(rig.segment(id, i)));
    if (rig.has_log(greffe::main_log_path())) REQUIRE(rig.same_log(greffe::hearing_log_path(id)));
  }
}

}  // namespace

TEST_CASE("a pool is rebuilt: objects, hearing logs, documents, main log, and what the archive begins with") {
  RestoreRig rig;
  rig.connections = GENERATE(1U, 4U);
  const HearingId finished = rig.source.hearing(5, true);
  const HearingId running = rig.source.hearing(2, false, kRecent);
  greffe::AccountEntry account;
  account.snapshot = rig.source.object("a snapshot");
  const std::string note = rig.source.main({greffe::write_main_entry(account)});
  REQUIRE(rig.source.store.put(greffe::tlog::kept_checkpoint_path("log/main", 5), greffe::as_bytes(note)));
  rig.source.main({rig.source.scrub(1)});

  const auto report = rig.restore();
  REQUIRE(report);
  CHECK(report->complete());
  CHECK(report->hearings == 2);
  CHECK(report->objects == 10);
  CHECK(report->main_size == 6);
  for (const auto& [key, bytes] : rig.source.store.files()) {
    INFO(key);
    if (key.starts_with("sha256/") || key.find("/evidence/") != std::string::npos) CHECK(rig.pool.files()[key] == bytes);
  }
  CHECK(rig.same_log(greffe::hearing_log_path(finished)));
  CHECK(rig.same_log(greffe::hearing_log_path(running)));
  CHECK(rig.same_log(greffe::main_log_path()));
  CHECK_FALSE(rig.pool.files().contains(greffe::open_marker_path(finished)));
  CHECK(rig.pool.files().contains(greffe::open_marker_path(running)));
  // The station's and the archive's own signatures as they were, with the second site's; it is remembered who confirmed what.
  const auto head = greffe::parse_signed_checkpoint(*rig.pool.read_head("log/main/checkpoint"));
  CHECK(greffe::verify_note(head->note, {SourcePool::kArchive, greffe::KeyType::ed25519, rig.source.log_key.public_key()}));
  CHECK(greffe::verify_cosignature(greffe::tlog::newest_cosigned(rig.pool, "log/main", rig.site.verifier())->note, rig.site.verifier()));
  CHECK(greffe::tlog::newest_cosigned(rig.pool, greffe::hearing_log_path(finished), rig.site.verifier()));

  const auto again = rig.restore();
  REQUIRE(again);
  CHECK(again->complete());
  CHECK(again->objects == 0);
  CHECK(again->objects_here == 10);
  CHECK(again->entries == 0);
  CHECK(rig.site.objects_given == 10);
}

TEST_CASE("cut off at every question, a restore leaves nothing that names what is not there, and goes on where it was", "[every-step]") {
  for (std::size_t step = 0;; ++step) {
    RestoreRig rig;
    const std::vector<HearingId> ids = {rig.source.hearing(3, true), rig.source.hearing(3, true, 1'790'000'100'000), rig.source.hearing(3, false, kRecent)};
    rig.site.calls_left = step;
    const auto report = rig.restore();
    check_order(rig, ids, 3);
    if (report) {
      REQUIRE(step > 20);
      break;
    }
    REQUIRE(report.error().code == Errc::unavailable);
    const std::size_t given = rig.site.objects_given;
    rig.site.calls_left = SIZE_MAX;
    const auto rest = rig.restore();
    REQUIRE(rest);
    CHECK(rest->complete());
    CHECK(rest->objects == 12 - given);
    check_order(rig, ids, 3);
    CHECK(rig.same_log(greffe::main_log_path()));
  }
}

TEST_CASE("bytes that are not what their name says are never stored: named, and brought when the site has them again") {
  RestoreRig rig;
  const HearingId id = rig.source.hearing(3, true);
  const Digest bad = rig.segment(id, 1);
  const Digest gone = rig.segment(id, 2);
  rig.site.damaged[bad] = greffe::to_bytes("other bytes");
  rig.site.missing.insert(gone);
  const auto report = rig.restore();
  REQUIRE(report);
  CHECK_FALSE(report->complete());
  CHECK(report->missing_count == 2);
  CHECK_FALSE(rig.has(bad));
  for (const auto& [key, bytes] : rig.pool.files()) CHECK(greffe::as_text(bytes) != "other bytes");
  CHECK(rig.same_log(greffe::hearing_log_path(id)));  // what is left of the hearing can be seen
  CHECK(report->words().find(gone.hex()) != std::string::npos);
  CHECK(greffe::write_json(report->json()).find(bad.hex()) != std::string::npos);
  rig.site.damaged.clear();
  rig.site.missing.clear();
  const auto healed = rig.restore();
  REQUIRE(healed);
  CHECK(healed->complete());
  CHECK(healed->objects == 2);
  CHECK(rig.has(bad));
}

TEST_CASE("what was declared lost need not be had") {
  RestoreRig rig;
  rig.source.hearing(2, true, 1'790'000'000'000, true);  // by its station
  const HearingId id = rig.source.hearing(2, true);
  rig.source.main(rig.source.declared_lost(id, {rig.segment(id, 1)}));  // by two officers
  rig.source.store.files().erase(greffe::object_key(rig.segment(id, 1)));
  const auto report = rig.restore();
  REQUIRE(report);
  CHECK(report->complete());
  CHECK(report->hearings == 2);
}

TEST_CASE("a main log that is not signed as it must be is not restored, and nothing else is") {
  RestoreRig rig;
  rig.source.hearing(1, true);
  const auto forger = greffe::PrivateKey::generate();
  SECTION("by the archive") { rig.log_key = greffe::PrivateKey::generate().public_key(); }
  SECTION("by the site: it does not confirm what it gives") {
    rig.site.alter = [](client::LogPiece& piece) {
      auto note = greffe::parse_signed_checkpoint(piece.note).value();
      note.note.signatures.resize(1);
      piece.note = note.note.write();
    };
  }
  SECTION("by another key than the site's") {
    rig.site.alter = [&forger](client::LogPiece& piece) {
      auto note = greffe::parse_signed_checkpoint(piece.note).value();
      note.note.signatures.resize(1);
      greffe::put_signature(note.note, greffe::cosign_checkpoint(note.checkpoint, "dr.example/holder", forger, greffe::UtcTime{1'790'000'000'000}));
      piece.note = note.note.write();
    };
  }
  const auto report = rig.restore();
  REQUIRE_FALSE(report);
  CHECK(report.error().code == Errc::denied);
  CHECK(rig.pool.files().empty());
}

TEST_CASE("an entry that was altered, left out or added at the site does not come into the pool") {
  RestoreRig rig;
  const HearingId id = rig.source.hearing(4, true);
  const HearingId other = rig.source.hearing(1, true);
  const std::string of_hearing = id.text();
  SECTION("altered") {
    rig.site.alter = [&](client::LogPiece& piece) {
      for (std::string& entry : piece.entries) {
        if (entry.find("\"seq\":3") != std::string::npos) entry.replace(entry.find("\"seq\":3"), 7, "\"seq\":2");
      }
    };
  }
  SECTION("left out") {
    rig.site.alter = [&](client::LogPiece& piece) {
      if (piece.note.find(of_hearing) != std::string::npos && piece.first == 3) piece.entries.clear();
    };
  }
  SECTION("added") {
    rig.site.alter = [&](client::LogPiece& piece) {
      if (piece.note.find(of_hearing) != std::string::npos && piece.first == 3) piece.entries.push_back(piece.entries.back());
    };
  }
  const auto report = rig.restore();
  REQUIRE(report);
  REQUIRE(report->missing_count == 1);
  CHECK(report->missing.front().hearing == id);
  CHECK_FALSE(report->missing.front().object);
  CHECK_FALSE(rig.has_log(greffe::hearing_log_path(id)));
  CHECK(rig.same_log(greffe::hearing_log_path(other)));
}

TEST_CASE("a hearing that somebody else signed is refused") {
  RestoreRig rig;
  const auto forger = greffe::PrivateKey::generate();
  SECTION("one that the main log names, with another log in its place") {
    const HearingId id = rig.source.hearing(2, true);
    rig.site.alter = [&](client::LogPiece& piece) {
      auto note = greffe::parse_signed_checkpoint(piece.note).value();
      if (piece.note.find(id.text()) == std::string::npos) return;
      note.note.signatures.clear();
      greffe::put_signature(note.note, greffe::sign_checkpoint(note.checkpoint, forger));
      greffe::put_signature(note.note, greffe::cosign_checkpoint(note.checkpoint, "dr.example/holder", rig.site.signs_with, greffe::UtcTime{1}));
      piece.note = note.note.write();
    };
    const auto report = rig.restore();
    REQUIRE(report);
    REQUIRE(report->missing_count == 1);
    CHECK(report->missing.front().why.find("not signed by the station") != std::string::npos);
    CHECK_FALSE(rig.has_log(greffe::hearing_log_path(id)));
  }
  SECTION("one that no main log names, of a station that nobody enrolled") {
    RestoreRig forged;
    forged.source.station = greffe::PrivateKey::from_seed(greffe::Bytes(32, 77)).value();
    const HearingId id = forged.source.hearing(1, true, kRecent);
    const auto main = rig.source.store.files();
    for (const auto& [key, bytes] : forged.source.store.files()) {
      if (key.find("log/main") == std::string::npos) rig.source.store.files()[key] = bytes;
    }
    const auto report = rig.restore();
    REQUIRE(report);
    REQUIRE(report->missing_count == 1);
    CHECK(report->missing.front().hearing == id);
    CHECK_FALSE(rig.has_log(greffe::hearing_log_path(id)));
  }
}

TEST_CASE("a hearing that came to the site ahead of the main log comes back, and the archive is told to go on with it") {
  RestoreRig rig;
  const auto before = rig.source.store.files();
  const HearingId id = rig.source.hearing(2, true, kRecent);
  auto& files = rig.source.store.files();
  std::erase_if(files, [](const auto& file) { return file.first.starts_with("log/main/"); });
  for (const auto& [key, bytes] : before) {
    if (key.starts_with("log/main/")) files[key] = bytes;
  }
  const auto report = rig.restore();
  REQUIRE(report);
  CHECK(report->complete());
  CHECK(rig.same_log(greffe::hearing_log_path(id)));
  CHECK(rig.pool.files().contains(greffe::open_marker_path(id)));
}

TEST_CASE("one hearing or one court comes into a pool that has the main log") {
  RestoreRig rig;
  const HearingId one = rig.source.hearing(2, true);
  const HearingId other = rig.source.hearing(2, true, 1'790'000'100'000);
  SECTION("one hearing") {
    const auto report = rig.restore({std::nullopt, one});
    REQUIRE(report);
    CHECK(report->complete());
    CHECK(report->hearings == 1);
    CHECK(rig.same_log(greffe::hearing_log_path(one)));
    CHECK_FALSE(rig.has_log(greffe::hearing_log_path(other)));
    CHECK(rig.same_log(greffe::main_log_path()));
    rig.pool.files().erase(greffe::object_key(rig.segment(one, 0)));
    const auto again = rig.restore({std::nullopt, one});
    REQUIRE(again);
    CHECK(again->objects == 1);
    CHECK(rig.has(rig.segment(one, 0)));
  }
  SECTION("a court") {
    const auto none = rig.restore({"another", std::nullopt});
    REQUIRE(none);
    CHECK((none->complete() && none->hearings == 0));
    const auto report = rig.restore({"court", std::nullopt});
    REQUIRE(report);
    CHECK(report->hearings == 2);
    CHECK(rig.same_log(greffe::hearing_log_path(other)));
  }
  SECTION("a hearing that neither side knows") {
    const auto report = rig.restore({std::nullopt, greffe::make_hearing_id(greffe::UtcTime{kRecent})});
    REQUIRE_FALSE(report);
    CHECK(report.error().code == Errc::not_found);
  }
}

TEST_CASE("what is rotten in the pool's own logs is made good from the site") {
  RestoreRig rig;
  const HearingId id = rig.source.hearing(600, true);
  REQUIRE(rig.restore());
  const std::string path = greffe::hearing_log_path(id);
  const std::string bundle = path + "/tile/entries/000";
  REQUIRE(rig.pool.files().contains(bundle));
  SECTION("gone") { rig.pool.files().erase(bundle); }
  SECTION("altered") { rig.pool.files()[bundle][100] ^= 1; }
  SECTION("the head cannot be read") { rig.pool.files()[greffe::checkpoint_path(path)] = greffe::to_bytes("nothing"); }
  SECTION("gone, with the newest entries") {
    std::erase_if(rig.pool.files(), [&](const auto& file) { return file.first.starts_with(path + "/tile/entries/"); });
  }
  REQUIRE_FALSE(rig.same_log(path));
  const auto report = rig.restore();
  REQUIRE(report);
  CHECK(report->complete());
  CHECK(report->objects == 0);
  CHECK(rig.same_log(path));
}

TEST_CASE("a pool that has another log under a name keeps it") {
  RestoreRig rig;
  const HearingId id = rig.source.hearing(2, true);
  RestoreRig other;
  other.source.append(greffe::hearing_log_path(id), greffe::hearing_origin(SourcePool::kArchive, id), other.source.station, {"another", "log"});
  for (const auto& [key, bytes] : other.source.store.files()) {
    if (key.starts_with(greffe::hearing_log_path(id))) rig.pool.files()[key] = bytes;
  }
  const auto mine = rig.pool.files();
  const auto report = rig.restore();
  REQUIRE(report);
  REQUIRE(report->missing_count == 1);
  CHECK(report->missing.front().hearing == id);
  for (const auto& [key, bytes] : mine) CHECK(rig.pool.files()[key] == bytes);
}

TEST_CASE("a pool that is ahead of the site keeps what it has") {
  RestoreRig rig;
  const HearingId id = rig.source.hearing(2, false, kRecent);
  REQUIRE(rig.restore());
  const std::string path = greffe::hearing_log_path(id);
  SourcePool ahead;
  ahead.station = greffe::PrivateKey::from_pem(rig.source.station.to_pem()).value();
  for (const auto& [key, bytes] : rig.pool.files()) ahead.store.files()[key] = bytes;
  greffe::MarkEntry mark;
  mark.note = ahead.object("a note");
  ahead.append(path, greffe::hearing_origin(SourcePool::kArchive, id), ahead.station, {greffe::write_hearing_entry(mark)});
  rig.pool.files() = ahead.store.files();
  const auto report = rig.restore();
  REQUIRE(report);
  CHECK(report->complete());
  CHECK(greffe::tlog::LogReader(rig.pool, rig.pool, path).checkpoint()->checkpoint.size == 4);
}

TEST_CASE("entries that are another story at the second look are not stored") {
  RestoreRig rig;
  std::vector<std::string> large;
  for (int i = 0; i < 300; ++i) {  // more than is held between the two looks
    greffe::Json entry;
    large.push_back(greffe::write_json(entry.set("kind", "of-the-future").set("text", std::string(10'000, static_cast<char>('a' + i % 26))).set("v", 1)));
  }
  rig.source.main(large);
  rig.site.piece_entries = 100;
  const auto honest = rig.restore();
  REQUIRE(honest);
  REQUIRE(rig.same_log(greffe::main_log_path()));
  rig.pool.files().clear();
  std::set<std::uint64_t> seen;
  rig.site.alter = [&](client::LogPiece& piece) {
    if (piece.entries.size() > 60 && !seen.insert(piece.first).second) piece.entries[60][500] ^= 1;
  };
  const auto report = rig.restore();
  REQUIRE_FALSE(report);
  CHECK(report.error().message.find("a moment ago") != std::string::npos);
  CHECK_FALSE(rig.has_log(greffe::main_log_path()));
  for (const auto& [key, bytes] : rig.pool.files()) CHECK_FALSE(key.starts_with("log/main/tile"));
}

TEST_CASE("a stop request ends a restore") {
  RestoreRig rig;
  rig.source.hearing(3, true);
  std::stop_source stop;
  stop.request_stop();
  const auto report = rig.restore({}, stop.get_token());
  REQUIRE_FALSE(report);
  CHECK(report.error().code == Errc::cancelled);
  CHECK_FALSE(rig.has_log(greffe::main_log_path()));
}

TEST_CASE("a site that does not answer is asked again for a while, and what arrives damaged is asked for again") {
  RestoreRig rig;
  const HearingId id = rig.source.hearing(1, true);
  using std::chrono::milliseconds;
  greffe::Log log("test");
  replicate::PatientSite patient(rig.site, {milliseconds(1), milliseconds(1)}, log, {});
  rig.site.calls_left = 0;
  const auto silent = patient.hearings_of_day("a", "2026-11-22");
  REQUIRE_FALSE(silent);
  CHECK(silent.error().code == Errc::unavailable);
  CHECK(rig.site.calls == 3);

  class BadLine : public HoldingSite {
   public:
    using HoldingSite::HoldingSite;
    int bad = 2;
    greffe::Result<greffe::Bytes> get_object(const client::LogTarget& log, const Digest& digest, std::uint64_t entry) override {
      if (bad-- > 0) return greffe::fail(Errc::corrupt, "other bytes");
      return HoldingSite::get_object(log, digest, entry);
    }
  };
  BadLine line(rig.source);
  replicate::PatientSite over_it(line, {}, log, {});
  CHECK(over_it.get_object({id}, rig.segment(id, 0), 0));
  line.bad = 3;
  CHECK(over_it.get_object({id}, rig.segment(id, 0), 0).error().code == Errc::corrupt);
}
