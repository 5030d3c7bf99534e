// A station's spool on a disk in memory that forgets what was not synced.
#ifndef GREFFE_TESTS_UNIT_INGEST_SPOOL_FIXTURE_H
#define GREFFE_TESTS_UNIT_INGEST_SPOOL_FIXTURE_H

#include <catch2/catch.hpp>

#include "ingest/spool.h"
#include "tests/unit/support/forgetful_file_system.h"

namespace greffe::testing {

using ingest::HearingSpool;
using ingest::SpoolPaths;

inline constexpr UtcTime kStart{1'795'338'000'000};
inline const char* const kArchive = "archive.court.example";

inline OpenEntry open_entry(const HearingId& id, const PrivateKey& key) {
  OpenEntry e;
  e.archive = kArchive;
  e.hearing = id;
  e.station = "station-1";
  e.station_key = key.public_key();
  e.court = "court-1";
  e.room = "room-3";
  e.streams = {{"mic-judge", "audio", "room"}};
  e.details = sha256({});
  e.main_root = empty_root();
  e.start = kStart;
  e.boot = "import";
  return e;
}

inline GapEntry gap_entry(int number) {
  GapEntry e;
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
  const PrivateKey key = PrivateKey::generate();
  const HearingId id = make_hearing_id(kStart);
  const SpoolPaths paths{"/station/spool/" + id.text()};

  Station() {
    REQUIRE(HearingSpool::create(files, paths));
    REQUIRE(files.write_new(paths.object(sha256({})), {}));  // stands for the details
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
    auto segment = spool.begin_segment({"mic-judge", static_cast<std::uint64_t>(number), UtcTime{kStart.ms + number}, number});
    if (!segment) return;
    const std::string bytes = "segment " + std::to_string(number);
    if (!segment->file->write(as_bytes(bytes)) || !segment->file->sync()) return;
    SegmentEntry e;
    e.stream = "mic-judge";
    e.seq = static_cast<std::uint64_t>(number);
    e.sha256 = sha256(as_bytes(bytes));
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
inline std::vector<std::string> signed_entries(Station& station, const SpoolPaths& paths) {
  const auto log = read_signed_log(station.files, paths);
  INFO((log ? std::string() : log.error().message));
  REQUIRE(log);
  for (const std::string& entry : log->entries) {
    const auto json = parse_canonical_json(entry);
    REQUIRE(json);
    for (const Digest& digest : named_objects(*json)) {
      const auto object = station.files.read_file(paths.object(digest), kMaxObjectBytes);
      REQUIRE(object);
      CHECK(sha256(*object) == digest);
    }
  }
  return log->entries;
}
inline std::vector<std::string> signed_entries(Station& station) { return signed_entries(station, station.paths); }

}  // namespace greffe::testing

#endif
