// Objects that cannot be read any more: the log says so once, everything else goes on, and damaged bytes are kept.
#include "ingest/lost_objects.h"

#include "ingest/continuation.h"
#include "ingest/delivery.h"
#include "ingest/import_begin.h"
#include "tests/unit/ingest/spool_fixture.h"
#include "tests/unit/support/faulty_file_system.h"

using namespace greffe;
using namespace greffe::ingest;
using greffe::testing::Fault;
using greffe::testing::kArchive;
using greffe::testing::Station;

namespace {

// A disk with a place that it cannot read.
class BadSector : public greffe::testing::FaultyFileSystem {
 public:
  using FaultyFileSystem::FaultyFileSystem;
  std::string bad;
  Errc code = Errc::io_error;
  int reads = 0;
  Result<Bytes> read_file(const std::string& path, std::uint64_t limit) override {
    if (path != bad) return FaultyFileSystem::read_file(path, limit);
    ++reads;
    return fail(code, "cannot read " + path + ": Input/output error");
  }
};

std::unique_ptr<HearingSpool> open_at(FileSystem& files, Station& station) {
  auto spool = HearingSpool::open(files, station.paths, station.id, kArchive, station.key);
  INFO((spool ? std::string() : spool.error().message));
  REQUIRE(spool);
  return std::move(*spool);
}

std::vector<LostEntry> lost_entries(Station& station, const SpoolPaths& paths) {
  std::vector<LostEntry> out;
  const SignedLog log = *read_signed_log(station.files, paths);
  for (const std::string& text : log.entries) {
    const HearingEntry entry = *parse_hearing_entry(text);
    if (const auto* lost = std::get_if<LostEntry>(&entry)) out.push_back(*lost);
  }
  return out;
}

// Three segments, signed; the objects of the second.
Digest recorded(Station& station) {
  const auto spool = station.open();
  for (int i = 0; i < 3; ++i) station.record(*spool);
  REQUIRE(spool->commit());
  return sha256(as_bytes("segment 3"));
}

void flip(Bytes& bytes) { bytes.at(0) ^= 1; }

}  // namespace

TEST_CASE("an unreadable object becomes one lost entry, and its bytes are kept aside") {
  Station station;
  const Digest lost = recorded(station);
  BadSector disk(station.files);
  const std::string path = station.paths.object(lost);
  std::string kept = "segment 3";
  SECTION("a read error") { disk.bad = path; }
  SECTION("a flipped byte") {
    REQUIRE(station.files.damage(path, flip));
    kept[0] ^= 1;
  }
  SECTION("cut short") {
    REQUIRE(station.files.damage(path, [](Bytes& bytes) { bytes.pop_back(); }));
    kept.pop_back();
  }
  SECTION("gone") {
    REQUIRE(station.files.remove(path));
    kept.clear();
  }
  CHECK_FALSE(*is_whole_object(disk, station.paths, lost));
  REQUIRE(note_lost(disk, station.paths, lost));
  REQUIRE(note_lost(disk, station.paths, lost));
  {
    const auto spool = open_at(disk, station);
    REQUIRE(spool->declare_lost());
    REQUIRE(spool->declare_lost());
    CHECK(spool->state().lost() == std::set<Digest>{lost});
    // It goes on like any other hearing.
    station.record(*spool);
    REQUIRE(spool->commit());
  }
  const auto entries = lost_entries(station, station.paths);
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].objects == std::vector<Digest>{lost});
  CHECK(noted_lost(station.files, station.paths)->empty());
  const auto aside = station.files.list(station.paths.quarantine());
  REQUIRE(aside);
  REQUIRE(aside->size() == (kept.empty() ? 0 : 1));
  if (!kept.empty()) CHECK(*station.files.read_file(join(station.paths.quarantine(), aside->front()), 100) == Bytes(kept.begin(), kept.end()));
  const auto log = read_signed_log(station.files, station.paths);
  CHECK(lost_parts(log->entries) == std::vector<std::string>{"mic-judge from 2026-11-22T09:00:00.000Z to 09:00:10"});
  const auto needed = objects_of(log->entries, 0);
  CHECK(needed->size() == 4);  // the details and three segments
  CHECK(std::find(needed->begin(), needed->end(), lost) == needed->end());
}

TEST_CASE("what is not the disk's fault, or passes, makes nothing lost") {
  Station station;
  const Digest digest = recorded(station);
  BadSector disk(station.files);
  disk.bad = station.paths.object(digest);
  disk.code = Errc::unavailable;  // too many open files
  CHECK_FALSE(is_whole_object(disk, station.paths, digest));
  disk.code = Errc::io_error;
  CHECK_FALSE(*is_whole_object(disk, station.paths, digest));
  REQUIRE(note_lost(disk, station.paths, digest));
  disk.bad.clear();  // the cable is back
  const auto spool = open_at(disk, station);
  REQUIRE(spool->declare_lost());
  CHECK(lost_entries(station, station.paths).empty());
  CHECK(noted_lost(station.files, station.paths)->empty());
}

TEST_CASE("whatever step of saying it fails, it is said once in the end") {
  for (const Fault fault : {Fault::power_off, Fault::fails_before, Fault::fails_after}) {
    for (std::uint64_t step = 1;; ++step) {
      CAPTURE(static_cast<int>(fault), step);
      Station station;
      const Digest lost = recorded(station);
      REQUIRE(station.files.damage(station.paths.object(lost), flip));
      REQUIRE(note_lost(station.files, station.paths, lost));
      bool happened = false;
      {
        const auto spool = station.open();
        station.files.faults().arm(fault, step);
        const Status said = spool->declare_lost();
        happened = station.files.faults().happened();
        station.files.faults().disarm();
        CHECK(static_cast<bool>(said) == !happened);
      }
      if (!happened) break;
      station.files.crash(step);
      const auto spool = station.open();
      REQUIRE(spool->declare_lost());
      const auto entries = lost_entries(station, station.paths);
      REQUIRE(entries.size() == 1);
      CHECK(entries[0].objects == std::vector<Digest>{lost});
      // Beside what was torn off the log.
      const std::vector<std::string> aside = *station.files.list(station.paths.quarantine());
      CHECK(std::count_if(aside.begin(), aside.end(), [](const std::string& name) { return name.ends_with("-damaged"); }) == 1);
    }
  }
}

TEST_CASE("a finished hearing of which something is lost goes on in another one that says it") {
  Station station;
  const Digest lost = recorded(station);
  {
    const auto spool = station.open();
    spool->append(spool->state().close_entry());
    REQUIRE(spool->commit());
  }
  const std::vector<std::string> before = read_signed_log(station.files, station.paths)->entries;
  REQUIRE(station.files.damage(station.paths.object(lost), flip));
  IngestSettings settings;
  settings.directory = "/station";
  Enrolment enrolment;
  enrolment.archive = kArchive;
  enrolment.name = "station-1";
  enrolment.court = "court-1";
  enrolment.room = "room-3";
  const auto other = continue_elsewhere(station.files, settings, enrolment, station.key, station.id, {}, std::nullopt);
  INFO((other ? std::string() : other.error().message));
  REQUIRE(other);
  CHECK(read_signed_log(station.files, station.paths)->entries == before);
  const SpoolPaths paths = spool_of("/station", *other);
  const std::vector<std::string> entries = read_signed_log(station.files, paths)->entries;
  REQUIRE(entries.size() == before.size() + 1);
  CHECK(std::holds_alternative<CloseEntry>(*parse_hearing_entry(entries.back())));
  const auto said = lost_entries(station, paths);
  REQUIRE(said.size() == 1);
  CHECK(said[0].objects == std::vector<Digest>{lost});
  CHECK_FALSE(station.files.stat(paths.object(lost)));
  CHECK(station.files.stat(station.paths.object(lost)));  // kept where it was
  const std::vector<Digest> needed = *objects_of(entries, 0);
  for (const Digest& digest : needed) CHECK(*is_whole_object(station.files, paths, digest));
}
