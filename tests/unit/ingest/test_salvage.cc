// What a broken station's disk holds becomes a hearing of another station: once, whole, whatever step the power goes at, and
// without a change on that disk.
#include <algorithm>

#include "archive/format/documents.h"
#include "archive/format/segment.h"
#include "ingest/continuation.h"
#include "ingest/disk_copy.h"
#include "ingest/import.h"
#include "ingest/import_begin.h"
#include "ingest/lost_objects.h"
#include "tests/unit/format/vectors.h"
#include "tests/unit/ingest/spool_fixture.h"

using namespace greffe;
using namespace greffe::ingest;
using greffe::testing::Fault;
using greffe::testing::kArchive;
using greffe::testing::kStart;
using greffe::testing::need;

namespace {

Bytes golden_segment() {
  const Json one = need(greffe::testing::vectors("segment.json").array("segments")).at(0);
  return need(from_hex(need(one.string("hex"))));
}

// Seven signed entries; behind them a whole one and a torn one; a segment that was not finished, with half a fragment too
// much, and the second name of one that was.
struct BrokenDisk : greffe::testing::Station {
  const PrivateKey own_key = PrivateKey::generate();
  IngestSettings settings;
  Enrolment own;
  const SpoolPaths copy{"/second/from/station-1/spool/" + id.text()};
  const Bytes unfinished = golden_segment();
  std::uint64_t good_bytes = 0;
  Digest right;  // what the case was corrected to, by an eighth signed entry

  explicit BrokenDisk(bool corrected = false) {
    settings.directory = "/second";
    own.archive = kArchive;
    own.name = "station-2";
    own.court = "court-1";
    own.room = "room-4";
    REQUIRE(files.make_directories("/second/spool"));
    REQUIRE(files.make_directories(parent_of(copy.directory)));
    REQUIRE(save_enrolment(files, "/second", own));
    REQUIRE(files.replace(station_key_path("/second"), as_bytes(own_key.to_pem()), 0600));
    {
      const auto spool = open();
      for (int i = 0; i < 3; ++i) record(*spool);
      if (corrected) {
        right = need(spool->put_document(as_bytes(write_details({}))));
        spool->append(CorrectionEntry{right, UtcTime{kStart.ms + 10'000}, "g-07"});
      }
      REQUIRE(spool->commit());
    }
    const std::string whole = write_hearing_entry(greffe::testing::gap_entry(20));
    const auto layout = read_segment(unfinished);
    good_bytes = layout->fragments.back().offset;
    Bytes torn(unfinished.begin(), unfinished.begin() + static_cast<std::ptrdiff_t>(good_bytes + 50));
    REQUIRE(files.write_new(join(paths.open(), "mic-judge-7-" + std::to_string(kStart.ms + 40'000) + "-40000.mp4"), torn));
    REQUIRE(files.write_new(join(paths.open(), "cam-unheard-0-5-5.mp4"), torn));
    REQUIRE(files.damage(paths.entries(), [&](Bytes& bytes) {
      bytes.push_back(static_cast<std::uint8_t>(whole.size() >> 8));
      bytes.push_back(static_cast<std::uint8_t>(whole.size()));
      bytes.insert(bytes.end(), whole.begin(), whole.end());
      bytes.insert(bytes.end(), {1, 0, 'x'});
    }));
  }
  DiskLog log() { return need(read_disk_log(files, paths)); }
  Result<std::optional<HearingId>> salvage(std::uint64_t held) {
    const DiskLog disk = log();
    const Status copied = copy_hearing(files, paths, copy, disk, held);
    if (!copied) return copied.error();
    Continuation wanted;
    wanted.first = held;
    const auto filed = file_salvage(files, settings, own, own_key, {copy, id, "station-1", disk.entries}, wanted, std::nullopt);
    if (!filed || !*filed) return filed;
    const auto closed = close_hearing(files, settings, **filed);
    if (!closed) return closed.error();
    return filed;
  }
  std::vector<HearingEntry> filed(const HearingId& hearing) {
    std::vector<HearingEntry> out;
    for (const std::string& text : greffe::testing::signed_entries(*this, spool_of("/second", hearing))) out.push_back(*parse_hearing_entry(text));
    return out;
  }
};

std::vector<SegmentEntry> segments_of(const std::vector<HearingEntry>& entries) {
  std::vector<SegmentEntry> out;
  for (const HearingEntry& entry : entries) {
    if (const auto* segment = std::get_if<SegmentEntry>(&entry)) out.push_back(*segment);
  }
  return out;
}

}  // namespace

TEST_CASE("what the archive lacks of a broken station's hearing is filed by another one, which says so") {
  BrokenDisk disk;
  CHECK(disk.log().signed_part.entries.size() == 7);
  CHECK(disk.log().entries.size() == 8);
  const std::vector<std::string> before = *disk.files.list(disk.paths.open());
  const std::uint64_t held = GENERATE(0, 3, 7);
  CAPTURE(held);
  const auto id = need(disk.salvage(held));
  REQUIRE(id);
  CHECK(*disk.files.list(disk.paths.open()) == before);
  CHECK(disk.log().entries.size() == 8);
  const auto entries = disk.filed(*id);
  const auto& open = std::get<OpenEntry>(entries.front());
  CHECK(open.continues == disk.id);
  CHECK(open.recovered_from == "station-1");
  CHECK(open.station == "station-2");
  CHECK(open.station_key == disk.own_key.public_key());
  CHECK(open.room == "room-4");
  CHECK(std::holds_alternative<CloseEntry>(entries.back()));
  const auto segments = segments_of(entries);
  REQUIRE(segments.size() == (held == 0 ? 4 : held == 3 ? 3 : 1));
  for (std::size_t i = 0; i < segments.size(); ++i) {
    CHECK(segments[i].seq == i);
    CHECK(segments[i].run == (i + 1 == segments.size() && i > 0 ? 1 : 0));  // the unfinished one was another run
    CHECK(std::find(segments[i].flags.begin(), segments[i].flags.end(), "recovered") != segments[i].flags.end());
  }
  CHECK(segments.back().bytes == disk.good_bytes);
  CHECK(segments.back().utc.ms == kStart.ms + 40'000);
  // The gap behind the signed part is there too.
  const auto gaps = std::count_if(entries.begin(), entries.end(), [](const HearingEntry& entry) {
    const auto* gap = std::get_if<GapEntry>(&entry);
    return gap != nullptr && gap->from.ms == kStart.ms + 20'000;
  });
  CHECK(gaps == 1);
  CHECK(*need(disk.salvage(held)) == *id);
}

TEST_CASE("the case that the broken station had corrected is the one that goes on") {
  BrokenDisk disk(true);
  const std::uint64_t held = GENERATE(7, 8);  // without the correction, and with it
  CAPTURE(held);
  const auto id = need(disk.salvage(held));
  REQUIRE(id);
  const auto entries = disk.filed(*id);
  CHECK(std::get<OpenEntry>(entries.front()).details == (held == 7 ? sha256({}) : disk.right));
  const auto corrections = std::count_if(entries.begin(), entries.end(), [](const HearingEntry& e) { return std::holds_alternative<CorrectionEntry>(e); });
  CHECK(corrections == (held == 7 ? 1 : 0));
}

TEST_CASE("where nothing is left to bring, nothing is filed") {
  BrokenDisk disk;
  const std::vector<std::string> names = *disk.files.list(disk.paths.open());
  for (const std::string& name : names) REQUIRE(disk.files.remove(join(disk.paths.open(), name)));
  CHECK_FALSE(need(disk.salvage(8)));
  CHECK(list_hearings(disk.files, "/second")->empty());
}

TEST_CASE("what that disk no longer gives back is said to be lost, and damaged bytes are kept") {
  BrokenDisk disk;
  REQUIRE(disk.files.damage(disk.paths.object(sha256(as_bytes("segment 3"))), [](Bytes& bytes) { bytes.at(0) ^= 1; }));
  const auto id = need(disk.salvage(0));
  REQUIRE(id);
  const auto log = need(read_signed_log(disk.files, spool_of("/second", *id)));
  CHECK(lost_parts(log.entries).size() == 1);
  CHECK(disk.files.list(disk.copy.quarantine())->size() == 1);
  CHECK(segments_of([&] {
          std::vector<HearingEntry> out;
          for (const std::string& text : log.entries) out.push_back(*parse_hearing_entry(text));
          return out;
        }()).size() == 4);
}

TEST_CASE("the power goes at any step of taking a disk in: it is filed once in the end, whole") {
  for (const Fault fault : {Fault::power_off, Fault::fails_before, Fault::fails_after}) {
    for (std::uint64_t step = 1;; ++step) {
      CAPTURE(static_cast<int>(fault), step);
      BrokenDisk disk;
      disk.files.faults().arm(fault, step);
      const auto broken = disk.salvage(3);
      const bool happened = disk.files.faults().happened();
      const std::string failed = happened ? disk.files.faults().trace().back() : "";
      CAPTURE(failed);
      disk.files.faults().disarm();
      if (!happened) {
        REQUIRE(broken);
        break;
      }
      disk.files.crash(step);
      const auto again = disk.salvage(3);
      INFO((again ? std::string() : again.error().message));
      REQUIRE(again);
      REQUIRE(*again);
      CHECK(list_hearings(disk.files, "/second")->size() == 1);
      CHECK(segments_of(disk.filed(**again)).size() == 3);
      CHECK(disk.log().entries.size() == 8);
    }
  }
}
