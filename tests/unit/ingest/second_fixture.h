// A station with two directories, on two disks in memory that forget what was not synced.
#ifndef GREFFE_TESTS_UNIT_INGEST_SECOND_FIXTURE_H
#define GREFFE_TESTS_UNIT_INGEST_SECOND_FIXTURE_H

#include <chrono>
#include <map>
#include <thread>

#include "ingest/import_begin.h"
#include "ingest/live_hearing.h"
#include "ingest/second_files.h"
#include "ingest/second_start.h"
#include "tests/unit/ingest/spool_fixture.h"
#include "tests/unit/support/manual_clock.h"

namespace greffe::testing {

inline const std::string kFirst = "/one/greffe";
inline const std::string kSecond = "/two/greffe";

struct TwoDisks {
  ForgetfulFileSystem files;
  ManualClock clock;
  Log log{"test"};
  const PrivateKey key = PrivateKey::generate();
  const HearingId id = make_hearing_id(kStart);
  ingest::Enrolment enrolment;
  ingest::IngestSettings settings;  // as configured

  TwoDisks() {
    enrolment.archive = kArchive;
    enrolment.name = "station-1";
    enrolment.court = "court-1";
    enrolment.room = "room-3";
    settings.directory = kFirst;
    settings.second = kSecond;
    REQUIRE(files.make_directories(kFirst + "/spool"));
    REQUIRE(files.make_directories(kSecond));
    enrol(kFirst);
    REQUIRE(HearingSpool::create(files, paths(kFirst)));
    REQUIRE(files.write_new(paths(kFirst).object(sha256({})), {}));  // stands for the details
  }
  void enrol(const std::string& directory) {
    REQUIRE(ingest::save_enrolment(files, directory, enrolment));
    REQUIRE(files.replace(ingest::station_key_path(directory), as_bytes(key.to_pem()), 0600));
  }
  SpoolPaths paths(const std::string& directory) const { return ingest::spool_of(directory, id); }
  ingest::IngestSettings settings_of(const ingest::DirectoryChoice& choice) const {
    ingest::IngestSettings out = settings;
    out.directory = choice.counts;
    out.second = choice.other;
    return out;
  }
  Result<std::unique_ptr<HearingSpool>> try_open(FileSystem& through, const std::string& directory) {
    return HearingSpool::open(through, paths(directory), id, kArchive, key);
  }
  std::unique_ptr<HearingSpool> open(FileSystem& through, const std::string& directory) {
    auto spool = try_open(through, directory);
    INFO((spool ? std::string() : spool.error().message));
    REQUIRE(spool);
    return std::move(*spool);
  }
  // A gap, a segment written in two pieces, and its entry; all wait for commit(). What fails is left out.
  void record(HearingSpool& spool) {
    if (spool.entries().empty()) spool.append(open_entry(id, key));
    const auto number = spool.entries().size();
    spool.append(gap_entry(static_cast<int>(number)));
    auto segment = spool.begin_segment({"mic-judge", number, UtcTime{kStart.ms + static_cast<std::int64_t>(number)}, static_cast<std::int64_t>(number)});
    if (!segment) return;
    const std::string piece = "segment " + std::to_string(number);
    for (int i = 0; i < 2; ++i) {
      if (!segment->file->write(as_bytes(piece)) || !segment->file->sync()) return;
    }
    SegmentEntry e;
    e.stream = "mic-judge";
    e.seq = number;
    e.sha256 = sha256(as_bytes(piece + piece));
    e.bytes = 2 * piece.size();
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
  // What is signed there; each entry's object is whole.
  std::vector<std::string> entries(const std::string& directory) {
    const auto found = read_signed_log(files, paths(directory));
    INFO((found ? std::string() : found.error().message));
    REQUIRE(found);
    for (const std::string& entry : found->entries) {
      for (const Digest& digest : named_objects(*parse_canonical_json(entry))) {
        const auto object = files.read_file(paths(directory).object(digest), kMaxObjectBytes);
        REQUIRE(object);
        CHECK(sha256(*object) == digest);
      }
    }
    return found->entries;
  }
  // Every file of the spool with its bytes, but for locks and the mark.
  std::map<std::string, Bytes> all_of(const std::string& directory, const std::string& below = "spool") {
    std::map<std::string, Bytes> out;
    const std::string here = join(directory, below);
    const auto names = files.list(here);
    for (const std::string& name : names ? *names : std::vector<std::string>()) {
      const std::string path = below + "/" + name;
      if (name == "lock" || name == "paired" || name == "ballast") continue;
      if (files.stat(join(directory, path))->is_directory) {
        for (auto& [inner, bytes] : all_of(directory, path)) out[inner] = std::move(bytes);
      } else {
        out[path] = *files.read_file(join(directory, path), 1 << 26);
      }
    }
    return out;
  }
  // Nothing is missing in the copy, and nothing stands in it that does not stand there, but for what was put aside, and what a
  // replacement that failed has left beside its file.
  bool is_copied(const std::string& from, const std::string& to) {
    const auto here = all_of(from);
    auto there = all_of(to);
    std::erase_if(there, [&](const auto& one) { return (one.first.find("/quarantine/") != std::string::npos || one.first.find(".new-") != std::string::npos) && !here.contains(one.first); });
    return here == there;
  }
  bool paired(const std::string& directory) { return static_cast<bool>(files.stat(directory + "/spool/paired")); }
};

inline bool is_prefix(const std::vector<std::string>& some, const std::vector<std::string>& all) {
  return some.size() <= all.size() && std::equal(some.begin(), some.end(), all.begin());
}

// The copy, and the file system through which the station writes.
struct Copying {
  ingest::SecondCopy copy;
  ingest::CopiedFileSystem files;
  Copying(TwoDisks& disks, FileSystem& real, const std::string& from, const std::string& to, std::uint64_t queue_bytes = 1 << 20)
      : copy(real, disks.clock, disks.log, {from, to, true}, {queue_bytes, 5}), files(real, copy, from) {}
  explicit Copying(TwoDisks& disks) : Copying(disks, disks.files, kFirst, kSecond) {}
  // Nothing is judged by how long it takes; a test that would wait for ever fails.
  bool catches_up() {
    for (int i = 0; i < 600; ++i) {
      if (copy.status().state == "following" && copy.wait_until_caught_up(50)) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }
  bool becomes(const std::string& state) {
    for (int i = 0; i < 6000; ++i) {
      if (copy.status().state == state) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }
};

}  // namespace greffe::testing

#endif
