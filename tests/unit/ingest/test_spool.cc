// Every step of a commit fails once; what is on the disk afterwards, before and after a power cut.
#include <catch2/catch.hpp>

#include "ingest/spool.h"
#include "tests/unit/support/forgetful_file_system.h"

using greffe::as_bytes;
using greffe::Bytes;
using greffe::UtcTime;
using greffe::ingest::HearingSpool;
using greffe::ingest::SpoolPaths;
using greffe::testing::Fault;
using greffe::testing::ForgetfulFileSystem;

namespace {

constexpr UtcTime kStart{1'795'338'000'000};
const char* const kArchive = "archive.court.example";

greffe::OpenEntry open_entry(const greffe::HearingId& id, const greffe::PrivateKey& key) {
  greffe::OpenEntry e;
  e.archive = kArchive;
  e.hearing = id;
  e.station = "station-1";
  e.station_key = key.public_key();
  e.court = "court-1";
  e.room = "room-3";
  e.streams = {{"mic-judge", "audio", "room"}};
  e.details = greffe::sha256({});
  e.main_root = greffe::empty_root();
  e.start = kStart;
  e.boot = "import";
  return e;
}

greffe::GapEntry gap_entry(int number) {
  greffe::GapEntry e;
  e.streams = {"*"};
  e.from = UtcTime{kStart.ms + number * 1000};
  e.to = UtcTime{e.from.ms + 500};
  e.boot = "import";
  e.mono_ms = {number * 1000, number * 1000 + 500};
  e.reason = "recess";
  return e;
}

struct Station {
  ForgetfulFileSystem files;
  const greffe::PrivateKey key = greffe::PrivateKey::generate();
  const greffe::HearingId id = greffe::make_hearing_id(kStart);
  const SpoolPaths paths{"/station/spool/" + id.text()};

  Station() {
    REQUIRE(HearingSpool::create(files, paths));
    REQUIRE(files.write_new(paths.object(greffe::sha256({})), {}));  // stands for the details
  }
  std::unique_ptr<HearingSpool> open() {
    auto spool = HearingSpool::open(files, paths, id, kArchive, key);
    INFO((spool ? std::string() : spool.error().message));
    REQUIRE(spool);
    return std::move(*spool);
  }
  // Three entries and a segment's file, all waiting for commit().
  void record(HearingSpool& spool) {
    if (spool.entries().empty()) spool.append(open_entry(id, key));
    const int number = static_cast<int>(spool.entries().size());
    spool.append(gap_entry(number));
    auto segment = spool.begin_segment("mic-judge", static_cast<std::uint64_t>(number), UtcTime{kStart.ms + number});
    if (!segment) return;
    const std::string bytes = "segment " + std::to_string(number);
    if (!segment->file->write(as_bytes(bytes)) || !segment->file->sync()) return;
    greffe::SegmentEntry e;
    e.stream = "mic-judge";
    e.seq = static_cast<std::uint64_t>(number);
    e.sha256 = greffe::sha256(as_bytes(bytes));
    e.bytes = bytes.size();
    e.init_bytes = 1;
    e.start_90k = 90'000;
    e.duration_90k = 900'000;
    e.codecs = "opus";
    e.utc = kStart;
    e.boot = "import";
    e.clock = {"import", 1000};
    spool.finish_segment(std::move(*segment), e.sha256);
    spool.append(e);
  }
};

// What anybody reads of the hearing now: signed, and each entry's object there.
std::vector<std::string> signed_entries(Station& station) {
  const auto log = read_signed_log(station.files, station.paths);
  INFO((log ? std::string() : log.error().message));
  REQUIRE(log);
  for (const std::string& entry : log->entries) {
    const auto json = greffe::parse_canonical_json(entry);
    REQUIRE(json);
    for (const greffe::Digest& digest : greffe::named_objects(*json)) {
      const auto object = station.files.read_file(station.paths.object(digest), greffe::kMaxObjectBytes);
      REQUIRE(object);
      CHECK(greffe::sha256(*object) == digest);
    }
  }
  return log->entries;
}

bool is_prefix(const std::vector<std::string>& some, const std::vector<std::string>& all) {
  return some.size() <= all.size() && std::equal(some.begin(), some.end(), all.begin());
}

}  // namespace

TEST_CASE("a commit that failed is never tried again on the same files, and its entries stand in the log once") {
  for (const Fault fault : {Fault::fails_before, Fault::fails_after}) {
    for (std::uint64_t step = 1;; ++step) {
      CAPTURE(static_cast<int>(fault), step);
      Station station;
      std::vector<std::string> wanted;
      {
        const auto spool = station.open();
        station.record(*spool);
        REQUIRE(spool->commit());
        station.record(*spool);
        wanted = spool->entries();
        station.files.faults().arm(fault, step);
        const auto failed = spool->commit();
        const bool happened = station.files.faults().happened();
        station.files.faults().disarm();
        if (!happened) {
          CHECK(failed);
          break;
        }
        REQUIRE_FALSE(failed);
        // As an import does that ends: what came before is to be kept, if it can be.
        const std::uint64_t before = station.files.faults().counted();
        CHECK_FALSE(spool->commit());
        CHECK(station.files.faults().counted() == before);
      }
      station.open();
      const std::vector<std::string> signed_now = signed_entries(station);
      CHECK(is_prefix(signed_now, wanted));
      CHECK(signed_now.size() >= 3);
      // The power goes: what the next start has signed must survive, also where the failed sync left it in memory.
      station.files.crash();
      const auto spool = station.open();
      CHECK(is_prefix(signed_now, signed_entries(station)));
      CHECK(is_prefix(spool->entries(), wanted));
      station.record(*spool);
      REQUIRE(spool->commit());
      CHECK(signed_entries(station).size() == spool->entries().size());
    }
  }
}

TEST_CASE("the power goes at any step of a commit: the signed part stays, the rest is whole or absent") {
  for (std::uint64_t step = 1;; ++step) {
    CAPTURE(step);
    Station station;
    std::vector<std::string> wanted;
    bool happened = false;
    {
      const auto spool = station.open();
      station.record(*spool);
      REQUIRE(spool->commit());
      station.record(*spool);
      wanted = spool->entries();
      station.files.faults().arm(Fault::power_off, step);
      const auto committed = spool->commit();
      happened = station.files.faults().happened();
      CHECK(static_cast<bool>(committed) == !happened);
    }
    station.files.faults().disarm();
    if (!happened) break;
    station.files.crash(step);
    const auto spool = station.open();
    CHECK(is_prefix(spool->entries(), wanted));
    CHECK(spool->entries().size() >= 3);
    CHECK(signed_entries(station) == spool->entries());
  }
}
