// What is recorded stands in both directories; the second one may fail at every step and the recording does not know it; the first one
// may fail at every step, and the second one goes on with all of it.
#include <condition_variable>
#include <mutex>

#include "ingest/second_catch_up.h"
#include "ingest/second_directory.h"
#include "ingest/spool_space.h"
#include "tests/unit/ingest/second_fixture.h"
#include "tests/unit/support/faulty_file_system.h"

using namespace greffe;
using namespace greffe::ingest;
using greffe::testing::Copying;
using greffe::testing::Fault;
using greffe::testing::is_prefix;
using greffe::testing::kFirst;
using greffe::testing::kSecond;
using greffe::testing::TwoDisks;

namespace {

// The second disk does nothing until it is let go.
class HeldDisk : public greffe::testing::FaultyFileSystem {
 public:
  using FaultyFileSystem::FaultyFileSystem;
  void hold(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  Result<std::unique_ptr<WritableFile>> open_append(const std::string& path) override {
    if (path.starts_with("/two")) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !held_; });
    }
    return FaultyFileSystem::open_append(path);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
};

}  // namespace

TEST_CASE("what is recorded stands in both directories, byte for byte", "[second]") {
  TwoDisks disks;
  Copying copying(disks);
  REQUIRE(copying.catches_up());
  {
    const auto spool = disks.open(copying.files, kFirst);
    for (int i = 0; i < 3; ++i) {
      disks.record(*spool);
      REQUIRE(spool->commit());
    }
    REQUIRE(spool->put_document(as_bytes("a note")));
    REQUIRE(copying.files.replace(disks.paths(kFirst).live_record(), as_bytes("{}"), 0640));
    const auto unfinished = spool->begin_segment({"mic-judge", 99, UtcTime{1}, 1});
    REQUIRE(unfinished);
    REQUIRE(unfinished->file->write(as_bytes("half")));
    REQUIRE(copying.catches_up());
    CHECK(disks.is_copied(kFirst, kSecond));
    CHECK(disks.entries(kSecond).size() == 7);
    // Nobody else may write the copy meanwhile.
    CHECK(disks.files.lock(disks.paths(kSecond).lock()).error().code == Errc::unavailable);
  }
  REQUIRE(free_media(copying.files, disks.paths(kFirst)));
  REQUIRE(copying.catches_up());
  CHECK(disks.is_copied(kFirst, kSecond));
  CHECK(disks.files.list(disks.paths(kSecond).objects())->empty());
  CHECK(disks.paired(kFirst));
  CHECK(disks.paired(kSecond));
  // The copy is a station directory of its own.
  CHECK(load_station_key(disks.files, kSecond, false)->public_key() == disks.key.public_key());
}

TEST_CASE("bytes that somebody else appends to the same file are copied with what is appended after them", "[second]") {
  TwoDisks disks;
  Copying copying(disks);
  REQUIRE(copying.catches_up());
  const auto spool = disks.open(copying.files, kFirst);
  auto segment = spool->begin_segment({"mic-judge", 1, UtcTime{1}, 1});
  REQUIRE(segment);
  const auto reader_process = *disks.files.open_append(segment->path);
  for (const char* piece : {"moof mdat", "moof mdat again"}) {
    REQUIRE(reader_process->write(as_bytes(piece)));
    REQUIRE(segment->file->write(as_bytes(" box ")));
  }
  REQUIRE(copying.catches_up());
  const std::string name = segment->path.substr(segment->path.rfind('/') + 1);
  const auto copy = disks.files.read_file(join(disks.paths(kSecond).open(), name), 1000);
  REQUIRE(copy);
  CHECK(as_text(*copy) == "moof mdat box moof mdat again box ");
}

TEST_CASE("every step of the second directory fails once: the recording goes on, and the copy is made complete again", "[second]") {
  for (const Fault fault : {Fault::fails_before, Fault::fails_after}) {
    bool happened = true;
    for (std::uint64_t step = 1; happened; ++step) {
      CAPTURE(static_cast<int>(fault), step);
      TwoDisks disks;
      Copying copying(disks);
      REQUIRE(copying.catches_up());
      const auto spool = disks.open(copying.files, kFirst);
      disks.record(*spool);
      REQUIRE(spool->commit());
      REQUIRE(copying.catches_up());
      disks.files.faults().arm(fault, step, false, Errc::io_error, "/two");
      disks.record(*spool);
      REQUIRE(spool->commit());
      REQUIRE(copying.files.replace(disks.paths(kFirst).live_record(), as_bytes("{}"), 0640));
      (void)copying.copy.wait_until_caught_up(20'000);
      happened = disks.files.faults().happened();
      disks.files.faults().disarm();
      disks.record(*spool);
      REQUIRE(spool->commit());
      REQUIRE(copying.catches_up());
      CHECK(disks.is_copied(kFirst, kSecond));
      CHECK(disks.paired(kFirst));
    }
  }
}

TEST_CASE("every step of the first directory fails: the second one goes on, with one log and nothing of it missing", "[second]") {
  for (const Fault fault : {Fault::fails_before, Fault::fails_after}) {
    bool happened = true;
    for (std::uint64_t step = 1; happened; ++step) {
      CAPTURE(static_cast<int>(fault), step);
      TwoDisks disks;
      std::size_t acknowledged = 0;
      {
        Copying copying(disks);
        REQUIRE(copying.catches_up());
        const auto spool = disks.open(copying.files, kFirst);
        disks.record(*spool);
        REQUIRE(spool->commit());
        acknowledged = spool->entries().size();
        REQUIRE(copying.catches_up());
        disks.files.faults().arm(fault, step, true, Errc::io_error, "/one");
        disks.record(*spool);
        if (spool->commit()) acknowledged = spool->entries().size();
        happened = disks.files.faults().happened();
        if (!happened) disks.files.faults().disarm();
        REQUIRE(copying.copy.may_take_over(20'000));
      }
      REQUIRE(set_paired(disks.files, kSecond, false));
      // The first one stays away for ever, or is back with whatever it holds: never another log.
      const auto spool = disks.open(disks.files, kSecond);
      CHECK(spool->entries().size() >= acknowledged);
      disks.record(*spool);
      REQUIRE(spool->commit());
      disks.files.faults().disarm();
      const std::vector<std::string> there = disks.entries(kSecond);
      const auto left = read_signed_log(disks.files, disks.paths(kFirst));
      REQUIRE(left);
      CHECK(is_prefix(left->entries, there));
      const auto choice = choose_directory(disks.files, kFirst, kSecond);
      REQUIRE(choice);
      CHECK(choice->counts == kSecond);
      CHECK(choice->differ.empty());
      // Then it follows, the other way round.
      Copying back(disks, disks.files, kSecond, kFirst);
      REQUIRE(back.catches_up());
      CHECK(disks.entries(kFirst) == there);
    }
  }
}

TEST_CASE("a second disk that hangs is never waited for; when its queue is full the copy is behind, and made complete later", "[second]") {
  TwoDisks disks;
  HeldDisk held(disks.files);
  Copying copying(disks, held, kFirst, kSecond, 8'000);
  REQUIRE(copying.catches_up());
  const auto spool = disks.open(copying.files, kFirst);
  held.hold(true);
  disks.record(*spool);
  REQUIRE(spool->commit());  // this would never return
  CHECK(copying.copy.status().state == "following");
  disks.clock.pass_ms(5'000);
  CHECK(copying.copy.status().state == "behind");  // it is said before anything is lost
  CHECK(copying.copy.status().late_ms >= 5'000);
  for (int i = 0; i < 20; ++i) {
    disks.record(*spool);
    REQUIRE(spool->commit());
  }
  CHECK(copying.copy.status().state != "following");
  CHECK(copying.copy.status().waiting_bytes <= 8'000);
  CHECK_FALSE(copying.copy.wait_until_caught_up(0));
  held.hold(false);
  REQUIRE(copying.catches_up());
  CHECK(disks.is_copied(kFirst, kSecond));
  CHECK(spool->commit());
}

TEST_CASE("a copy that is behind may not take over, and the first directory may go on alone", "[second]") {
  TwoDisks disks;
  Copying copying(disks);
  REQUIRE(copying.catches_up());
  const auto spool = disks.open(copying.files, kFirst);
  disks.files.unmount("/two");
  disks.record(*spool);
  REQUIRE(spool->commit());
  REQUIRE(copying.becomes("absent"));
  CHECK_FALSE(disks.paired(kFirst));
  CHECK_FALSE(copying.copy.may_take_over(0));
}

TEST_CASE("a disk that is plugged in again gets everything that it missed", "[second]") {
  TwoDisks disks;
  Copying copying(disks);
  REQUIRE(copying.catches_up());
  const auto spool = disks.open(copying.files, kFirst);
  disks.record(*spool);
  REQUIRE(spool->commit());
  auto half = spool->begin_segment({"mic-judge", 77, UtcTime{1}, 1});
  REQUIRE(half);
  REQUIRE(half->file->write(as_bytes("before ")));
  REQUIRE(copying.catches_up());
  disks.files.unmount("/two");
  for (int i = 0; i < 5; ++i) disks.record(*spool);
  REQUIRE(half->file->write(as_bytes("meanwhile ")));
  REQUIRE(spool->commit());
  REQUIRE(copying.becomes("absent"));
  disks.files.mount("/two");
  REQUIRE(copying.catches_up());
  REQUIRE(half->file->write(as_bytes("after")));
  disks.record(*spool);
  REQUIRE(spool->commit());
  REQUIRE(copying.catches_up());
  CHECK(disks.is_copied(kFirst, kSecond));
  CHECK(disks.paired(kFirst));
}

TEST_CASE("a full second disk is said, and the first one records on", "[second]") {
  TwoDisks disks;
  Copying copying(disks);
  REQUIRE(copying.catches_up());
  const auto spool = disks.open(copying.files, kFirst);
  disks.files.limit_space("/two", 1);
  disks.record(*spool);
  REQUIRE(spool->commit());
  REQUIRE(copying.becomes("behind"));
  CHECK(copying.copy.status().problem.find("no space") != std::string::npos);
  disks.record(*spool);
  REQUIRE(spool->commit());
}

TEST_CASE("a copy whose log is not a prefix is not touched", "[second]") {
  TwoDisks disks;
  {
    const auto spool = disks.open(disks.files, kFirst);
    disks.record(*spool);
    REQUIRE(spool->commit());
  }
  // Another log of the same hearing, signed by the same key: somebody copied the directory and recorded with both.
  REQUIRE(catch_up_hearing(disks.files, disks.paths(kFirst), disks.paths(kSecond), [] { return false; }));
  {
    const auto one = disks.open(disks.files, kFirst);
    disks.record(*one);
    REQUIRE(one->commit());
    const auto two = disks.open(disks.files, kSecond);
    two->append(greffe::testing::gap_entry(500));
    REQUIRE(two->commit());
  }
  REQUIRE(disks.files.write_new(disks.paths(kFirst).receipt(), as_bytes("of the first")));
  disks.enrol(kSecond);
  const auto before = disks.all_of(kSecond);
  CHECK(compare_logs(disks.files, disks.paths(kFirst), disks.paths(kSecond)).value() == LogOrder::differ);
  Copying copying(disks);
  REQUIRE(copying.becomes("behind"));
  CHECK(copying.copy.status().problem.find("another log") != std::string::npos);
  CHECK(disks.all_of(kSecond) == before);
  CHECK_FALSE(disks.paired(kFirst));
}

TEST_CASE("an object that the first directory damaged is restored from the second; what was there is kept aside", "[second]") {
  TwoDisks disks;
  Copying copying(disks);
  REQUIRE(copying.catches_up());
  const auto spool = disks.open(copying.files, kFirst);
  disks.record(*spool);
  REQUIRE(spool->commit());
  REQUIRE(copying.catches_up());
  const Digest digest = sha256(as_bytes("segment 1segment 1"));
  REQUIRE(disks.files.damage(disks.paths(kFirst).object(digest), [](Bytes& bytes) { bytes[0] ^= 1; }));
  REQUIRE(restore_object(copying.files, disks.paths(kSecond), disks.paths(kFirst), digest));
  CHECK(disks.entries(kFirst).size() == 3);
  CHECK(disks.files.stat(join(disks.paths(kFirst).quarantine(), digest.hex() + "-damaged")));
  REQUIRE(copying.catches_up());
  CHECK(disks.entries(kSecond).size() == 3);
  // Damaged there too, it is lost.
  for (const std::string& directory : {kFirst, kSecond}) {
    REQUIRE(disks.files.damage(disks.paths(directory).object(digest), [](Bytes& bytes) { bytes[0] ^= 1; }));
  }
  CHECK_FALSE(restore_object(copying.files, disks.paths(kSecond), disks.paths(kFirst), digest));
}
