// How much room is left, in hours; and what is removed to make room: only what a verified receipt covers, oldest first.
#include "ingest/spool_space.h"

#include "ingest/import_begin.h"
#include "tests/unit/ingest/spool_fixture.h"
#include "tests/unit/support/manual_clock.h"

using namespace greffe;
using namespace greffe::ingest;
using greffe::testing::Fault;
using greffe::testing::kArchive;
using greffe::testing::kStart;

namespace {

constexpr std::uint64_t kGB = 1'000'000'000;
constexpr std::uint64_t kMB = 1'000'000;

SegmentEntry segment(const std::string& stream, std::int64_t at_s, std::uint64_t bytes, std::int64_t seconds) {
  SegmentEntry e;
  e.stream = stream;
  e.bytes = bytes;
  e.init_bytes = 1;
  e.duration_90k = seconds * 90'000;
  e.codecs = "opus";
  e.utc = UtcTime{kStart.ms + at_s * 1000};
  e.boot = "import";
  e.clock = {"import", 1000};
  return e;
}

// A spool of small hearings on a disk of 100 MB: each is one segment of 10 MB in ten seconds, so a megabyte a second.
struct SmallDisk {
  greffe::testing::ForgetfulFileSystem files;
  greffe::testing::ManualClock clock;
  const PrivateKey key = PrivateKey::generate();
  const PrivateKey holder = PrivateKey::generate();
  IngestSettings settings;
  Enrolment enrolment;

  SmallDisk() {
    settings.directory = "/station";
    settings.reserve_hours = 0;
    enrolment.archive = kArchive;
    enrolment.cosigners = {{std::string(kArchive) + "/holder", KeyType::cosignature_v1, holder.public_key()}};
    REQUIRE(files.make_directories("/station/spool"));
    files.limit_space("/station", 100 * kMB);
  }

  HearingId record(int day, bool closed, bool covered) {
    const HearingId id = make_hearing_id(UtcTime{kStart.ms + day * 86'400'000LL});
    const SpoolPaths paths = spool_of("/station", id);
    REQUIRE(HearingSpool::create(files, paths));
    REQUIRE(files.write_new(paths.object(sha256({})), {}));
    const auto spool = HearingSpool::open(files, paths, id, kArchive, key);
    REQUIRE(spool);
    (*spool)->append(greffe::testing::open_entry(id, key));
    SegmentEntry one = segment("mic-judge", 0, 10 * kMB, 10);
    Bytes bytes(10 * kMB, static_cast<std::uint8_t>(day));
    one.sha256 = sha256(bytes);
    one.start_90k = 90'000;
    REQUIRE((*spool)->put_document(bytes));
    (*spool)->append(one);
    if (closed) (*spool)->append((*spool)->state().close_entry());
    REQUIRE((*spool)->commit());
    if (covered) cover(paths);
    return id;
  }
  void cover(const SpoolPaths& paths) {
    const auto log = read_signed_log(files, paths);
    SignedNote note = log->checkpoint->note;
    put_signature(note, cosign_checkpoint(log->checkpoint->checkpoint, enrolment.cosigners[0].name, holder, clock.utc_now()));
    REQUIRE(files.write_new(paths.receipt(), as_bytes(note.write())));
  }
  void fill(std::uint64_t bytes) { REQUIRE(files.write_new("/station/other-" + std::to_string(bytes), Bytes(bytes))); }

  std::vector<SpooledHearing> all() {
    std::vector<SpooledHearing> out;
    const std::vector<HearingId> ids = *list_hearings(files, "/station");
    for (const HearingId& id : ids) out.push_back(*look_at(files, settings, enrolment, key.public_key(), id));
    return out;
  }
  RoomMade make() {
    auto hearings = all();
    const auto made = make_room(files, clock.utc_now(), settings, hearings);
    INFO((made ? std::string() : made.error().message));
    REQUIRE(made);
    return *made;
  }
  bool has_media(const HearingId& id) { return files.list(spool_of("/station", id).objects())->size() > 0; }
  Status admit() { return admit_hearing(files, clock.utc_now(), settings, enrolment, key.public_key()); }
};

}  // namespace

TEST_CASE("the level is what is left before the reserve, at the rate of recording") {
  IngestSettings settings;
  struct Row {
    std::uint64_t total, free, rate, reserve;
    SpaceLevel level;
    std::int64_t hours;
  };
  const std::vector<Row> rows = {
      {4000 * kGB, 3000 * kGB, 2 * kMB, 28'800 * kMB, SpaceLevel::plenty, 412},
      {4000 * kGB, 300 * kGB, 2 * kMB, 28'800 * kMB, SpaceLevel::low, 37},
      {4000 * kGB, 20 * kGB, 2 * kMB, 28'800 * kMB, SpaceLevel::reserve, 0},
      {4000 * kGB, 50 * kMB, 2 * kMB, 28'800 * kMB, SpaceLevel::full, 0},
      // A slow recording on a large disk keeps 2 GiB, on a small one 5 %; never more than half of a disk.
      {4000 * kGB, 3000 * kGB, 1000, 2'147'483'648, SpaceLevel::plenty, 832'736},
      {10 * kGB, 9 * kGB, 1000, kGB / 2, SpaceLevel::plenty, 2361},
      {10 * kGB, 6 * kGB, kMB, 5 * kGB, SpaceLevel::low, 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.total, row.free, row.rate);
    const SpoolSpace space = space_of(settings, {row.total, row.free}, row.rate);
    CHECK(space.reserve_bytes == row.reserve);
    CHECK(space.level == row.level);
    CHECK(*space.seconds_left() / 3600 == row.hours);
  }
  const SpoolSpace unknown = space_of(settings, {10 * kGB, kGB}, 0);
  CHECK(unknown.level == SpaceLevel::plenty);
  CHECK_FALSE(unknown.seconds_left());
  CHECK_THAT(unknown.words(), Catch::Contains("not known"));
  CHECK_THAT(space_of(settings, {4000 * kGB, 300 * kGB}, 2 * kMB).words(), Catch::Contains("37 h of recording left (low)"));
  CHECK_THAT(space_of(settings, {4000 * kGB, 20 * kGB}, 2 * kMB).words(), Catch::Contains("can go on for 2 h 46 min"));
}

TEST_CASE("the rate is that of the last ten minutes, of the streams that are still recorded") {
  std::vector<std::string> entries;
  const auto add = [&](const SegmentEntry& e) { entries.push_back(write_hearing_entry(e)); };
  CHECK(recording_rate(entries) == 0);
  add(segment("cam-old", 0, 10 * kMB, 10));
  add(segment("cam-bench", 3000, 5000, 10));
  add(segment("mic-judge", 3000, 3000, 30));
  add(segment("cam-bench", 3010, 15'000, 10));
  CHECK(recording_rate(entries) == 1000 + 100);
}

TEST_CASE("without a recording the hours are unknown; then the newest hearing says the rate, also when its media are gone") {
  SmallDisk disk;
  CHECK_FALSE(measure_space(disk.files, disk.settings)->seconds_left());
  const HearingId id = disk.record(1, true, true);
  CHECK(measure_space(disk.files, disk.settings)->rate == kMB);
  disk.make();
  CHECK_FALSE(disk.has_media(id));
  CHECK(measure_space(disk.files, disk.settings)->rate == kMB);
  disk.record(2, false, false);
  CHECK(measure_space(disk.files, disk.settings)->rate == kMB);
}

TEST_CASE("room is made from safe hearings, the oldest first, and no more than is needed") {
  SmallDisk disk;
  const HearingId unsafe = disk.record(1, true, false);
  const HearingId first = disk.record(2, true, true);
  const HearingId second = disk.record(3, true, true);
  const HearingId running = disk.record(4, false, true);
  SECTION("at this rate 48 hours never fit: everything that is safe goes, nothing else") {
    const RoomMade made = disk.make();
    CHECK(made.early == 2);
    CHECK(made.freed_bytes == 20 * kMB);
    CHECK_FALSE(disk.has_media(first));
    CHECK_FALSE(disk.has_media(second));
  }
  SECTION("one is enough") {
    // 40 MB are used; 5 MB more would have to be free for 48 hours before the reserve of 2 GiB.
    disk.files.limit_space("/station", 48 * 3600 * kMB + 2'147'483'648 + 35 * kMB);
    const RoomMade made = disk.make();
    CHECK(made.early == 1);
    CHECK_FALSE(disk.has_media(first));
    CHECK(disk.has_media(second));
  }
  SECTION("not before keep_days when the station's owner wants it so") {
    disk.settings.free_early = false;
    CHECK(disk.make().freed_bytes == 0);
    disk.clock.pass_ms(disk.settings.keep_days * 86'400'000);
    const RoomMade made = disk.make();
    CHECK(made.freed_bytes == 20 * kMB);
    CHECK(made.early == 0);
  }
  CHECK(disk.has_media(unsafe));
  CHECK(disk.has_media(running));
}

TEST_CASE("a new hearing is refused in words when only the reserve is left, and admitted when room can be made") {
  SmallDisk disk;
  const HearingId safe = disk.record(1, true, true);
  const HearingId unsafe = disk.record(2, true, false);
  disk.fill(70 * kMB);
  REQUIRE(disk.admit());  // 10 MB are more than 5 % of the disk; the safe hearing went all the same, because 10 s are little
  CHECK_FALSE(disk.has_media(safe));
  disk.fill(16 * kMB);
  const Status refused = disk.admit();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::no_space);
  CHECK_THAT(refused.error().message, Catch::Contains("no new hearing can begin") && Catch::Contains("/station") &&
                                          Catch::Contains("only the reserve is left") && Catch::Contains("greffe-ingest drain"));
  CHECK(disk.has_media(unsafe));
}

TEST_CASE("a disk that is full to the last byte can still be drained: the ballast makes room for the marks and receipts") {
  SmallDisk disk;
  disk.record(1, true, true);
  disk.settings.free_early = false;
  REQUIRE(disk.admit());
  REQUIRE(disk.files.stat(ballast_path("/station")));
  const std::uint64_t left = disk.files.space("/station")->free_bytes;
  disk.fill(left);
  REQUIRE(disk.files.space("/station")->free_bytes == 0);
  CHECK(measure_space(disk.files, disk.settings)->level == SpaceLevel::full);
  REQUIRE_FALSE(disk.files.write_new("/station/spool/receipt", as_bytes("note")));
  CHECK_FALSE(disk.admit());
  disk.make();
  CHECK(disk.files.write_new("/station/spool/receipt", as_bytes("note")));
}

TEST_CASE("the power goes at any step of making room: what is gone is marked as removed") {
  for (std::uint64_t step = 1;; ++step) {
    CAPTURE(step);
    SmallDisk disk;
    const HearingId safe = disk.record(1, true, true);
    const HearingId unsafe = disk.record(2, true, false);
    auto hearings = disk.all();
    disk.files.faults().arm(Fault::power_off, step);
    const auto made = make_room(disk.files, disk.clock.utc_now(), disk.settings, hearings);
    const bool happened = disk.files.faults().happened();
    disk.files.faults().disarm();
    CHECK(static_cast<bool>(made) == !happened);
    disk.files.crash(step);
    for (const SpooledHearing& one : disk.all()) {
      CHECK(one.objects == (one.freed ? one.objects : 2));
      CHECK(one.safe == (one.id == safe));
    }
    CHECK(disk.has_media(unsafe));
    disk.make();
    CHECK_FALSE(disk.has_media(safe));
    CHECK(disk.has_media(unsafe));
    if (!happened) break;
  }
}
