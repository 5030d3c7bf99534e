// Which of two directories counts at a start, and what becomes of a hearing that one of them may hold more of. Whatever is unplugged
// when: never two logs of one hearing.
#include "archive/format/documents.h"
#include "ingest/second_catch_up.h"
#include "ingest/second_directory.h"
#include "ingest/station_directories.h"
#include "tests/unit/ingest/second_fixture.h"

using namespace greffe;
using namespace greffe::ingest;
using greffe::testing::Copying;
using greffe::testing::Fault;
using greffe::testing::is_prefix;
using greffe::testing::kArchive;
using greffe::testing::kFirst;
using greffe::testing::kSecond;
using greffe::testing::TwoDisks;

namespace {

DirectoryChoice choose(TwoDisks& disks) {
  const auto choice = choose_directory(disks.files, kFirst, kSecond);
  INFO((choice ? std::string() : choice.error().message));
  REQUIRE(choice);
  return *choice;
}

// As a program starts that writes the spool.
DirectoryChoice start(TwoDisks& disks) {
  const DirectoryChoice choice = choose(disks);
  const Status settled = settle_directories(disks.files, disks.clock, disks.log, disks.settings_of(choice), choice, true);
  INFO((settled ? std::string() : settled.error().message));
  REQUIRE(settled);
  return choice;
}

void commit_some(TwoDisks& disks, const std::string& directory) {
  const auto spool = disks.open(disks.files, directory);
  disks.record(*spool);
  REQUIRE(spool->commit());
}

// Both hold the same, and both know of each other.
void make_pair(TwoDisks& disks) {
  commit_some(disks, kFirst);
  Copying copying(disks);
  REQUIRE(copying.catches_up());
}

// A hearing that is recorded live, in both directories.
HearingId open_live(TwoDisks& disks) {
  StationClock clock(disks.clock);
  Copying copying(disks);
  REQUIRE(copying.catches_up());
  LiveOpening opening;
  opening.details = R"({"cases":["RG 26/00001"]})";
  opening.streams = {{"mic-judge", "audio", "room"}};
  const auto spool = begin_live_hearing(copying.files, disks.settings, disks.enrolment, disks.key, clock, opening);
  INFO((spool ? std::string() : spool.error().message));
  REQUIRE(spool);
  REQUIRE(copying.catches_up());
  return (*spool)->id();
}

std::vector<std::string> log_of(TwoDisks& disks, const std::string& directory, const HearingId& id) {
  const auto log = read_signed_log(disks.files, spool_of(directory, id));
  REQUIRE(log);
  return log->entries;
}

bool is_closed(const std::vector<std::string>& entries) {
  return !entries.empty() && std::holds_alternative<CloseEntry>(*parse_hearing_entry(entries.back()));
}

}  // namespace

TEST_CASE("with both directories the one that holds more counts; equal, the first", "[second]") {
  TwoDisks disks;
  make_pair(disks);
  CHECK(choose(disks).counts == kFirst);
  CHECK_FALSE(choose(disks).unsure);
  SECTION("the first is ahead") {
    commit_some(disks, kFirst);
    CHECK(start(disks).counts == kFirst);
  }
  SECTION("the second is ahead: the power went while it counted") {
    commit_some(disks, kSecond);
    const DirectoryChoice choice = start(disks);
    CHECK(choice.counts == kSecond);
    CHECK(choice.other == kFirst);
  }
}

TEST_CASE("one directory of a pair alone does not go on with what was not finished; the mark says who may", "[second]") {
  TwoDisks disks;
  make_pair(disks);
  const std::string gone = GENERATE(as<std::string>(), kFirst, kSecond);
  const std::string left = gone == kFirst ? kSecond : kFirst;
  disks.files.unmount(parent_of(gone));
  const DirectoryChoice choice = start(disks);
  CHECK(choice.counts == left);
  CHECK(choice.unsure);
  const auto spool = disks.try_open(disks.files, left);
  REQUIRE_FALSE(spool);
  CHECK(spool.error().code == Errc::conflict);
  CHECK_FALSE(disks.paired(left));
  // What begins now is nobody else's: the next start alone is sure.
  CHECK_FALSE(choose(disks).unsure);
  // The other one alone is not.
  disks.files.mount(parent_of(gone));
  disks.files.unmount(parent_of(left));
  CHECK(choose(disks).unsure);
  disks.files.mount(parent_of(left));
  // Both again: the import may go on.
  const DirectoryChoice both = start(disks);
  CHECK(both.counts == left);
  CHECK(disks.try_open(disks.files, left));
}

TEST_CASE("a directory whose copy fell behind goes on alone; the stale copy alone does not", "[second]") {
  TwoDisks disks;
  make_pair(disks);
  {
    Copying copying(disks);
    REQUIRE(copying.catches_up());
    const auto spool = disks.open(copying.files, kFirst);
    disks.files.unmount("/two");
    disks.record(*spool);
    REQUIRE(spool->commit());
    REQUIRE(copying.becomes("absent"));
  }
  CHECK_FALSE(start(disks).unsure);
  commit_some(disks, kFirst);
  const auto ahead = disks.entries(kFirst);
  disks.files.unmount("/one");
  disks.files.mount("/two");
  CHECK(start(disks).unsure);
  CHECK_FALSE(disks.try_open(disks.files, kSecond));
  disks.files.mount("/one");
  // Both went their own way; of this hearing only one of them did.
  const DirectoryChoice both = start(disks);
  CHECK(both.differ.empty());
  CHECK(disks.entries(both.counts) == ahead);
  Copying copying(disks, disks.files, both.counts, both.other);
  REQUIRE(copying.catches_up());
  CHECK(disks.is_copied(both.counts, both.other));
}

TEST_CASE("the power goes at any step, then one disk is gone for good: what the other one signs is never contradicted", "[second]") {
  for (const std::string& gone : {kFirst, kSecond}) {
    bool happened = true;
    for (std::uint64_t step = 1; happened; step += 3) {
      CAPTURE(gone, step);
      TwoDisks disks;
      make_pair(disks);
      {
        Copying copying(disks);
        REQUIRE(copying.catches_up());
        const auto spool = disks.open(copying.files, kFirst);
        disks.files.faults().arm(Fault::power_off, step);
        disks.record(*spool);
        (void)spool->commit();
        (void)copying.copy.may_take_over(20'000);
        happened = disks.files.faults().happened();
      }
      disks.files.crash(step);
      disks.files.unmount(parent_of(gone));
      const std::string left = gone == kFirst ? kSecond : kFirst;
      const DirectoryChoice alone = start(disks);
      CHECK(alone.counts == left);
      const auto spool = disks.try_open(disks.files, left);
      CHECK(static_cast<bool>(spool) == !alone.unsure);
      if (spool) {
        disks.record(**spool);
        REQUIRE((*spool)->commit());
      }
      // It was not for good after all.
      disks.files.mount(parent_of(gone));
      CHECK(choose(disks).differ.empty());
    }
  }
}

TEST_CASE("two different logs of one hearing: neither is written, and everything else goes on", "[second]") {
  TwoDisks disks;
  make_pair(disks);
  commit_some(disks, kFirst);
  {
    const auto other = disks.open(disks.files, kSecond);
    other->append(greffe::testing::gap_entry(500));
    REQUIRE(other->commit());
  }
  const auto before = log_of(disks, kSecond, disks.id);
  const DirectoryChoice choice = start(disks);
  CHECK(choice.differ == std::vector<HearingId>{disks.id});
  CHECK_FALSE(disks.try_open(disks.files, choice.counts));
  CHECK(log_of(disks, kSecond, disks.id) == before);
}

TEST_CASE("a second directory that is somebody else's is refused with the reason", "[second]") {
  TwoDisks disks;
  commit_some(disks, kFirst);
  const auto refused = [&](const char* word) {
    const DirectoryChoice choice = start(disks);
    CHECK(choice.counts == kFirst);
    INFO(choice.problem);
    CHECK(choice.problem.find(word) != std::string::npos);
    Copying copying(disks);
    REQUIRE(copying.becomes("foreign"));
    CHECK(copying.copy.status().problem == choice.problem);
    CHECK_FALSE(disks.files.stat(disks.paths(kSecond).directory));
  };
  SECTION("of another station") {
    Enrolment other = disks.enrolment;
    other.name = "station-9";
    REQUIRE(save_enrolment(disks.files, kSecond, other));
    REQUIRE(disks.files.replace(station_key_path(kSecond), as_bytes(PrivateKey::generate().to_pem()), 0600));
    refused("station-9");
  }
  SECTION("of a machine that had the same name") {
    REQUIRE(save_enrolment(disks.files, kSecond, disks.enrolment));
    REQUIRE(disks.files.replace(station_key_path(kSecond), as_bytes(PrivateKey::generate().to_pem()), 0600));
    refused("another key");
  }
  SECTION("something that is no station") {
    REQUIRE(disks.files.make_directories(kSecond + "/spool"));
    refused("not a station");
  }
}

TEST_CASE("a second directory that is the first one under another name is refused, and one that is not mounted is never made", "[second]") {
  TwoDisks disks;
  commit_some(disks, kFirst);
  CHECK(look_for(disks.files, kFirst, kFirst).presence == Presence::foreign);
  REQUIRE(disks.files.remove(kSecond));
  Copying copying(disks);
  REQUIRE(copying.becomes("absent"));
  CHECK_FALSE(disks.files.stat(kSecond));
}

TEST_CASE("the copy of a station that renewed its key meanwhile is still its own", "[second]") {
  TwoDisks disks;
  make_pair(disks);
  REQUIRE(disks.files.link_file(station_key_path(kFirst), kFirst + "/station-1.key"));
  REQUIRE(disks.files.replace(station_key_path(kFirst), as_bytes(PrivateKey::generate().to_pem()), 0600));
  CHECK(look_for(disks.files, kSecond, kFirst).presence == Presence::ours);
  CHECK(look_for(disks.files, kFirst, kSecond).presence == Presence::ours);
}

TEST_CASE("a live hearing goes on in a new one while the disk that may hold more of it is away, and both are finished when it is back", "[second]") {
  TwoDisks disks;
  const HearingId id = open_live(disks);
  // The case was chosen wrongly, and put right while both disks were there.
  const std::string right = R"({"cases":["RG 26/00002"]})";
  {
    Copying copying(disks);
    const auto spool = HearingSpool::open(copying.files, spool_of(kFirst, id), id, kArchive, disks.key);
    REQUIRE(spool);
    const auto document = (*spool)->put_document(as_bytes(write_details(*parse_details(right))));
    REQUIRE(document);
    (*spool)->append(CorrectionEntry{*document, disks.clock.utc_now(), ""});
    REQUIRE((*spool)->commit());
    REQUIRE(copying.catches_up());
  }
  // The first one is ahead by an entry that the second never got.
  {
    const auto spool = HearingSpool::open(disks.files, spool_of(kFirst, id), id, kArchive, disks.key);
    REQUIRE(spool);
    (*spool)->append(MarkEntry{disks.clock.utc_now(), "", sha256({}), ""});
    REQUIRE(disks.files.write_new(spool_of(kFirst, id).object(sha256({})), {}));
    REQUIRE((*spool)->commit());
  }
  disks.files.unmount("/one");
  disks.clock.pass_ms(5'000);
  const DirectoryChoice alone = start(disks);
  REQUIRE(alone.unsure);
  IngestSettings settings = disks.settings_of(alone);
  const auto live = find_live_hearing(disks.files, settings);
  REQUIRE(live);
  REQUIRE(*live);
  const HearingId other = **live;
  CHECK(other != id);
  const auto begun = log_of(disks, kSecond, other);
  const OpenEntry opened = std::get<OpenEntry>(*parse_hearing_entry(begun.front()));
  CHECK(opened.continues == id);
  const auto details = disks.files.read_file(spool_of(kSecond, other).object(opened.details), kMaxDocumentBytes);
  REQUIRE(details);
  CHECK(as_text(*details).find("RG 26/00002") != std::string_view::npos);
  CHECK(load_live_record(disks.files, spool_of(kSecond, other)));
  CHECK(log_of(disks, kSecond, id).size() == 2);
  // A second start alone changes nothing more.
  CHECK_FALSE(start(disks).unsure);
  CHECK(*find_live_hearing(disks.files, settings) == other);

  disks.files.mount("/one");
  const DirectoryChoice both = start(disks);
  CHECK(both.counts == kSecond);
  settings = disks.settings_of(both);
  const auto finished = log_of(disks, kSecond, id);
  CHECK(is_closed(finished));
  CHECK(is_prefix(log_of(disks, kFirst, id), finished));
  CHECK(std::holds_alternative<MarkEntry>(*parse_hearing_entry(finished.at(2))));
  CHECK(*find_live_hearing(disks.files, settings) == other);
  Copying copying(disks, disks.files, both.counts, both.other);
  REQUIRE(copying.catches_up());
  CHECK(disks.is_copied(both.counts, both.other));
}

TEST_CASE("a directory that fails while it counts changes roles with a complete copy; with one that is not, the live hearing goes on in a new one", "[second]") {
  TwoDisks disks;
  const HearingId id = open_live(disks);
  auto station = StationDirectories::open(disks.files, disks.clock, disks.log, disks.settings, StationDirectories::Use::service);
  REQUIRE(station);
  StationDirectories& directories = **station;
  CHECK(directories.settings().directory == kFirst);
  const Error broken = fail(Errc::io_error, "");
  SECTION("complete") {
    REQUIRE(directories.finish(20'000));
    CHECK(directories.can_exchange(broken));
    CHECK_FALSE(directories.can_exchange(fail(Errc::invalid, "")));
    disks.files.unmount("/one");
    REQUIRE(directories.exchange());
    CHECK(directories.settings().directory == kSecond);
    CHECK_FALSE(disks.paired(kSecond));
    CHECK(*find_live_hearing(disks.files, directories.settings()) == id);
    CHECK_FALSE(directories.can_exchange(broken));  // the other one is away
    disks.files.mount("/one");
    CHECK(disks.paired(kFirst));
  }
  SECTION("not complete") {
    REQUIRE(directories.finish(20'000));
    disks.files.unmount("/two");
    {
      const auto spool = HearingSpool::open(directories.files(), spool_of(kFirst, id), id, kArchive, disks.key);
      REQUIRE(spool);
      (*spool)->append(greffe::testing::gap_entry(1));
      REQUIRE((*spool)->commit());
    }
    for (int i = 0; i < 2000 && directories.state()->problem.empty(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    disks.files.mount("/two");
    disks.files.unmount("/one");
    REQUIRE(directories.exchange());
    CHECK(directories.settings().directory == kSecond);
    const auto live = find_live_hearing(disks.files, directories.settings());
    REQUIRE(live);
    REQUIRE(*live);
    CHECK(**live != id);
    disks.files.mount("/one");
    CHECK(choose(disks).differ.empty());
  }
  SECTION("not there") {
    disks.files.unmount("/two");
    CHECK_FALSE(directories.exchange());
    CHECK(directories.settings().directory == kFirst);
  }
}
