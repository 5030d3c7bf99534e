// The rest of a hearing becomes another hearing: once, whole, whatever step the power goes at.
#include "archive/format/documents.h"
#include "ingest/continuation.h"
#include "ingest/import_begin.h"
#include "ingest/live_hearing.h"
#include "tests/unit/ingest/spool_fixture.h"

using namespace greffe;
using namespace greffe::ingest;
using greffe::testing::Fault;
using greffe::testing::gap_entry;
using greffe::testing::kArchive;
using greffe::testing::signed_entries;
using greffe::testing::Station;

namespace {

// Six entries after `open`, the first three of which the archive has.
struct Diverged : Station {
  const PrivateKey holder = PrivateKey::generate();
  IngestSettings settings;
  Enrolment enrolment;
  Continuation wanted;
  const Checkpoint seen{kArchive, 7, sha256({})};

  Diverged() {
    settings.directory = "/station";
    enrolment.archive = kArchive;
    enrolment.name = "station-1";
    enrolment.court = "court-1";
    enrolment.room = "room-3";
    enrolment.cosigners = {{std::string(kArchive) + "/holder", KeyType::cosignature_v1, holder.public_key()}};
    const auto spool = open();
    record(*spool);
    REQUIRE(spool->commit());
    wanted.first = 3;
    wanted.held = cosigned();
    for (int i = 0; i < 2; ++i) record(*spool);
    REQUIRE(spool->commit());
    REQUIRE(files.sync_directory(paths.open()));
    files.crash();
  }
  // What the archive would hold of it now.
  std::string cosigned() {
    const auto log = read_signed_log(files, paths);
    SignedNote note = log->checkpoint->note;
    put_signature(note, cosign_checkpoint(log->checkpoint->checkpoint, enrolment.cosigners[0].name, holder, UtcTime{1'795'340'000'000}));
    return note.write();
  }
  Result<HearingId> refile() { return continue_elsewhere(files, settings, enrolment, key, id, wanted, seen); }
  std::vector<HearingId> hearings() { return *list_hearings(files, "/station"); }
};

std::vector<HearingEntry> parsed(const std::vector<std::string>& texts) {
  std::vector<HearingEntry> out;
  for (const std::string& text : texts) out.push_back(*parse_hearing_entry(text));
  return out;
}

}  // namespace

TEST_CASE("the rest of a hearing is filed as one that continues it, with numbers of its own") {
  Diverged station;
  const std::vector<std::string> before = signed_entries(station);
  const auto id = station.refile();
  INFO((id ? std::string() : id.error().message));
  REQUIRE(id);
  CHECK(signed_entries(station) == before);
  const auto old_entries = parsed(before);
  const auto entries = parsed(signed_entries(station, spool_of("/station", *id)));
  const auto& open = std::get<OpenEntry>(entries.front());
  CHECK(open.continues == station.id);
  CHECK(open.hearing == *id);
  CHECK(open.main_size == 7);
  CHECK(open.details == std::get<OpenEntry>(old_entries.front()).details);
  // gap, segment, gap, segment: the same, but for the numbers
  REQUIRE(entries.size() == 5);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(write_hearing_entry(entries[1 + 2 * i]) == before[3 + 2 * i]);
    SegmentEntry segment = std::get<SegmentEntry>(entries[2 + 2 * i]);
    const SegmentEntry& old = std::get<SegmentEntry>(old_entries[4 + 2 * i]);
    CHECK(segment.seq == i);
    CHECK(segment.run == 0);
    segment.seq = old.seq;
    segment.run = old.run;
    CHECK(write_hearing_entry(HearingEntry(segment)) == before[4 + 2 * i]);
  }
  // Asked again, it is the same hearing; and nobody records into the old one any more.
  CHECK(*station.refile() == *id);
  CHECK(station.hearings().size() == 2);
  const auto refused = HearingSpool::open(station.files, station.paths, station.id, kArchive, station.key);
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message, Catch::Contains(id->text()));
}

TEST_CASE("an explanation goes with its gap; of a gap that the archive has in the old log it stays as a mark") {
  Diverged station;
  {
    const auto spool = station.open();
    const std::string note = write_note("explanation", "The plug was pulled.");
    const auto digest = spool->put_document(as_bytes(note));
    REQUIRE(digest);
    spool->append(ExplanationEntry{1, *digest, "u-17", "power"});
    spool->append(ExplanationEntry{5, *digest, "u-17", "power"});
    REQUIRE(spool->commit());
  }
  const auto id = station.refile();
  INFO((id ? std::string() : id.error().message));
  REQUIRE(id);
  const auto entries = parsed(signed_entries(station, spool_of("/station", *id)));
  REQUIRE(entries.size() == 7);
  CHECK(std::get<GapEntry>(entries[3]).from == gap_entry(5).from);
  CHECK(std::get<MarkEntry>(entries[5]).at == gap_entry(1).from);
  CHECK(std::get<MarkEntry>(entries[5]).person == "u-17");
  CHECK(std::get<ExplanationEntry>(entries[6]).gap == 3);
  CHECK(std::get<ExplanationEntry>(entries[6]).reason == "power");
}

TEST_CASE("what goes on elsewhere is about what counted there; a correction after it goes along") {
  Diverged station;
  std::vector<Digest> documents;
  const auto correct = [&](const char* number) {
    Details details;
    details.cases = {number};
    const auto spool = station.open();
    documents.push_back(*spool->put_document(as_bytes(write_details(details))));
    spool->append(CorrectionEntry{documents.back(), UtcTime{testing::kStart.ms + 60'000}, "g-07"});
    REQUIRE(spool->commit());
  };
  SECTION("of a correction that the archive does not have, nothing changes") {
    correct("RG 26/1");
    const auto id = station.refile();
    REQUIRE(id);
    const auto entries = parsed(signed_entries(station, spool_of("/station", *id)));
    CHECK(std::get<OpenEntry>(entries.front()).details == sha256({}));
    CHECK(write_hearing_entry(entries.back()) == signed_entries(station).back());
  }
  SECTION("of one that it has, the new hearing opens with it") {
    correct("RG 26/1");
    station.wanted.first = signed_entries(station).size();
    station.wanted.held = station.cosigned();
    correct("RG 26/2");
    const auto id = station.refile();
    INFO((id ? std::string() : id.error().message));
    REQUIRE(id);
    const auto entries = parsed(signed_entries(station, spool_of("/station", *id)));
    REQUIRE(entries.size() == 2);
    CHECK(std::get<OpenEntry>(entries[0]).details == documents[0]);
    CHECK(std::get<CorrectionEntry>(entries[1]).details == documents[1]);
    CHECK(std::get<CorrectionEntry>(entries[1]).person == "g-07");
  }
}

TEST_CASE("a hearing that goes on after a restart begins on the clock of that boot") {
  Station station;
  const PrivateKey holder = PrivateKey::generate();
  IngestSettings settings;
  settings.directory = "/station";
  Enrolment enrolment;
  enrolment.archive = kArchive;
  enrolment.name = "station-1";
  enrolment.court = "court-1";
  enrolment.room = "room-3";
  enrolment.cosigners = {{std::string(kArchive) + "/holder", KeyType::cosignature_v1, holder.public_key()}};
  {
    const auto spool = station.open();
    OpenEntry open = greffe::testing::open_entry(station.id, station.key);
    open.boot = "a";
    open.mono_ms = 5'000'000;
    spool->append(open);
    GapEntry gap = greffe::testing::gap_entry(10);
    gap.boot = "b";
    gap.mono_ms = {700, 1200};
    spool->append(gap);
    REQUIRE(spool->commit());
  }
  Continuation wanted;
  wanted.first = 1;
  const auto log = read_signed_log(station.files, station.paths);
  const Checkpoint held{log->checkpoint->checkpoint.origin, 1, root_at(*log, 1)};
  SignedNote held_note{held.text(), {sign_checkpoint(held, station.key)}};
  put_signature(held_note, cosign_checkpoint(held, enrolment.cosigners[0].name, holder, UtcTime{1'795'340'000'000}));
  wanted.held = held_note.write();
  const auto id = continue_elsewhere(station.files, settings, enrolment, station.key, station.id, wanted, std::nullopt);
  INFO((id ? std::string() : id.error().message));
  REQUIRE(id);
  const auto entries = parsed(signed_entries(station, spool_of("/station", *id)));
  const auto& open = std::get<OpenEntry>(entries.front());
  CHECK((open.boot == "b" && open.mono_ms == 700 && open.start == greffe::testing::gap_entry(10).from));
}

TEST_CASE("a crash at any step leaves one new hearing in the end, whole") {
  for (const Fault fault : {Fault::power_off, Fault::fails_before, Fault::fails_after}) {
    for (std::uint64_t step = 1;; ++step) {
      CAPTURE(static_cast<int>(fault), step);
      Diverged station;
      const std::vector<std::string> before = signed_entries(station);
      station.files.faults().arm(fault, step);
      const auto broken = station.refile();
      const bool happened = station.files.faults().happened();
      station.files.faults().disarm();
      if (!happened) {
        REQUIRE(broken);
        break;
      }
      station.files.crash(step);
      const auto id = station.refile();
      INFO((id ? std::string() : id.error().message));
      REQUIRE(id);
      CHECK(station.hearings().size() == 2);
      CHECK(signed_entries(station) == before);
      CHECK(signed_entries(station, spool_of("/station", *id)).size() == 5);
      CHECK(read_continuation(station.files, station.paths)->value().hearing == *id);
    }
  }
}

TEST_CASE("an archive that only claims to hold another log moves nothing") {
  Diverged station;
  SECTION("another key than the holder's") { station.enrolment.cosigners[0].key = PrivateKey::generate().public_key(); }
  SECTION("a checkpoint that the station never signed") {
    const Checkpoint other{hearing_origin(kArchive, station.id), 3, sha256({})};
    SignedNote note;
    note.text = other.text();
    put_signature(note, sign_checkpoint(other, PrivateKey::generate()));
    put_signature(note, cosign_checkpoint(other, station.enrolment.cosigners[0].name, station.holder, UtcTime{1'795'340'000'000}));
    station.wanted.held = note.write();
  }
  SECTION("no proof for what it claims") { station.wanted.first = 2; }
  CHECK_FALSE(station.refile());
  CHECK(station.hearings().size() == 1);
  CHECK_FALSE(read_continuation(station.files, station.paths)->has_value());
}

TEST_CASE("what is still being recorded is finished first") {
  Diverged station;
  {
    const auto spool = station.open();
    REQUIRE(spool->begin_segment({"mic-judge", 9, greffe::testing::kStart, 0}));
  }
  const auto refused = station.refile();
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message, Catch::Contains("broken off") && Catch::Contains("greffe-ingest close"));
  CHECK(station.hearings().size() == 1);
}

TEST_CASE("a live hearing that is not finished stays where its recorder looks for it") {
  Diverged station;
  LiveRecord record;
  record.boot = "boot-1";
  record.clock = {"free", 60'000};
  REQUIRE(save_live_record(station.files, station.paths, record));
  const auto refused = station.refile();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::conflict);
  CHECK_THAT(refused.error().message, Catch::Contains("recorded live") && Catch::Contains("greffe-ingest close"));
  CHECK(station.hearings().size() == 1);
  CHECK(*find_live_hearing(station.files, station.settings) == station.id);
}
