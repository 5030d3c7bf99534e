// A station whose archive goes on at another site: when it asks, whom it believes, and that everything it still has is delivered there.
#include "ingest/deliver_now.h"
#include "ingest/drain.h"
#include "ingest/main_log_seen.h"
#include "ingest/succession.h"
#include "ingest/uploader.h"
#include "tests/unit/ingest/memory_archive.h"
#include "tests/unit/support/successor_log.h"

using namespace greffe;
using namespace greffe::ingest;
using greffe::testing::comes_true;
using greffe::testing::EpochLog;
using greffe::testing::Fault;
using greffe::testing::kArchive;
using greffe::testing::MemoryArchive;
using greffe::testing::officer_entry;
using greffe::testing::promotion_of;
using greffe::testing::sign_promotion;
using greffe::testing::Uploading;

namespace {

const std::map<std::string, std::string> kBoth = {{"officer-1", "one"}, {"officer-2", "two"}};
const std::map<std::string, std::string> kOne = {{"officer-1", "one"}};

// A station of an archive that tells it of two officers and of one other site, which is a successor in waiting.
struct Followers : Uploading {
  MemoryArchive successor{2};
  std::atomic<bool> lost{false};
  std::atomic<bool> replaced{false};  // another site answers in its place, and knows nobody
  EpochLog main_log{{kArchive, 1}, *PrivateKey::from_pem(archive.log_key.to_pem()), {"{}", officer_entry("officer-1", "one"), officer_entry("officer-2", "two")}};

  Followers() {
    settings.upload.ask_successors_after_ms = 300;
    REQUIRE(files.make_directories(settings.directory));
    REQUIRE(save_enrolment(files, settings.directory, enrolment));
    REQUIRE(files.replace(station_key_path(settings.directory), as_bytes(key.to_pem()), 0600));
    archive.tell("", told());
    archive.set_meddler([this](const http::Request&) {
      if (replaced) return std::optional(http::problem(403, "denied", "This key is not known here."));
      return lost ? std::optional(http::problem(503, "unavailable", "Not now.")) : std::nullopt;
    });
  }
  std::string told() const {
    Successors out;
    out.checkpoint = main_log.note();
    for (const std::uint64_t index : {1, 2}) out.entries.push_back(main_log.proved(index, main_log.entries.size()));
    out.sites = {{successor.address(), client::spki_digest(successor.server_key.public_key())}};
    return write_successors(out);
  }
  std::string certificate(const std::map<std::string, std::string>& signers = kBoth, const std::string& url = "") const {
    PromotionEntry out = promotion_of(kArchive, 2, main_log.state(3), url.empty() ? successor.address() : url, signers);
    out.log_key = successor.log_key.public_key();
    out.holder = successor.holder();
    out.machine_key = successor.server_key.public_key();
    sign_promotion(out, signers);
    return write_promotion(out);
  }
  std::unique_ptr<Uploader> upload() { return std::make_unique<Uploader>(files, clock, service_log, settings, enrolment, key); }
  bool is_there(const HearingId& id) {
    const auto signed_log = read_signed_log(files, paths(id));
    return signed_log && successor.held(id).entries == signed_log->entries;
  }
  bool is_covered(const HearingId& id) {
    const auto now = load_enrolment(files, settings.directory);
    const auto looked = now ? look_at(files, settings, *now, key.public_key(), id) : Result<SpooledHearing>(now.error());
    return looked && looked->entries > 0 && looked->receipt.archive_size == looked->entries;
  }
  std::uint64_t epoch() { return load_enrolment(files, settings.directory)->keys_epoch(); }
};

bool says(const UploadStatus& status, const std::string& words) {
  return std::any_of(status.notices.begin(), status.notices.end(), [&](const std::string& one) { return one.find(words) != std::string::npos; });
}

}  // namespace

TEST_CASE("when the archive does not answer, the certificate of two officers leads the station to the other site, with all that it has") {
  Followers station;
  const HearingId finished = station.begin(0);
  const HearingId live = station.begin(60);
  for (const HearingId& id : {finished, live}) station.record(id);
  station.close(finished);
  const auto uploader = station.upload();
  uploader->wake(live);
  REQUIRE(comes_true([&] { return station.delivered(finished) && station.delivered(live); }));
  REQUIRE(comes_true([&] { return station.files.stat(successors_path(station.settings.directory)) && station.files.stat(main_checkpoint_path(station.settings.directory)); }));
  CHECK(uploader->status().epoch == 1);
  CHECK(uploader->status().address == station.archive.address());
  CHECK_FALSE(uploader->status().since);

  station.lost = true;
  station.record(live);  // the first site never has it
  uploader->wake(live);
  REQUIRE(comes_true([&] { return !uploader->status().problem.empty(); }));
  station.successor.tell(station.certificate(), "");
  REQUIRE(comes_true([&] { return station.is_there(finished) && station.is_there(live) && station.is_covered(finished) && station.is_covered(live); }));
  REQUIRE(comes_true([&] { return uploader->status().problem.empty() && uploader->status().last_success.ms > 0; }));
  const UploadStatus status = uploader->status();
  CHECK(status.address == station.successor.address());
  CHECK(status.epoch == 2);
  REQUIRE(status.since);
  CHECK(says(status, "goes on at " + station.successor.address()));
  // It goes on there, and asks the lost one nothing more.
  const std::size_t asked = station.archive.asked().size();
  station.record(live);
  station.close(live);
  uploader->wake(live);
  REQUIRE(comes_true([&] { return station.is_there(live) && station.is_covered(live); }));
  CHECK(station.archive.asked().size() == asked);
  // What was believed before stays beside what is believed now.
  REQUIRE(comes_true([&] { return station.files.stat(main_checkpoint_path(station.settings.directory) + "-epoch-1").has_value(); }));
  const auto before = station.files.read_file("/station/enrolment-epoch-1.json", 65'536);
  REQUIRE(before);
  CHECK(parse_enrolment(as_text(*before))->address == station.archive.address());
  const auto now = load_enrolment(station.files, "/station");
  REQUIRE(now);
  CHECK(now->holder()->text() == station.successor.holder().text());
  REQUIRE(newest_seen(station.files, "/station", *now));
  CHECK(newest_seen(station.files, "/station", *now)->origin == std::string(kArchive) + "/epoch/2");
}

TEST_CASE("where another site answers in the archive's place, and knows no such station, the archive is looked for") {
  Followers station;
  const HearingId id = station.begin(0);
  station.record(id);
  const auto uploader = station.upload();
  uploader->wake(id);
  REQUIRE(comes_true([&] { return station.delivered(id) && station.files.stat(successors_path(station.settings.directory)).has_value(); }));
  station.replaced = true;
  station.successor.tell(station.certificate(), "");
  station.record(id);
  uploader->wake(id);
  REQUIRE(comes_true([&] { return station.epoch() == 2 && station.is_there(id) && station.is_covered(id); }));
}

TEST_CASE("a certificate that does not count is said and not followed, and the archive is used again when it is back") {
  Followers station;
  const HearingId id = station.begin(0);
  station.record(id);
  const auto uploader = station.upload();
  REQUIRE(comes_true([&] { return station.delivered(id) && station.files.stat(successors_path("/station")).has_value(); }));
  station.lost = true;
  const std::string other = GENERATE(as<std::string>(), "one officer", "a stranger", "another archive", "nonsense");
  CAPTURE(other);
  PromotionEntry elsewhere = promotion_of("other.court.example", 2, {"other.court.example", 3, sha256({})}, station.successor.address(), kBoth);
  station.successor.tell(other == "one officer"   ? station.certificate(kOne)
                         : other == "a stranger"  ? station.certificate({{"officer-1", "one"}, {"officer-2", "stranger"}})
                         : other == "nonsense"    ? "{}"
                                                  : write_promotion(elsewhere),
                         "");
  station.record(id);
  uploader->wake(id);
  REQUIRE(comes_true([&] { return says(uploader->status(), "does not count"); }));
  CHECK(station.epoch() == 1);
  CHECK(station.successor.held(id).entries.empty());
  station.lost = false;
  REQUIRE(comes_true([&] { return station.delivered(id) && station.is_covered(id); }));
  CHECK(uploader->status().epoch == 1);
}

TEST_CASE("an archive that says itself that a later epoch has begun is left at once, also with keys that a crash had not stored") {
  Followers station;
  station.settings.upload.ask_successors_after_ms = 3'600'000;
  const HearingId id = station.begin(0);
  station.record(id);
  // It was promoted elsewhere while this station was switched off, before it had learnt of any officer.
  station.archive.shown_epoch = 2;
  station.archive.tell(station.certificate(), station.told());
  station.archive.set_meddler([](const http::Request& request) {
    return request.method == "GET" ? std::nullopt : std::optional(http::problem(403, "fenced", "It goes on elsewhere."));
  });
  const auto uploader = station.upload();
  REQUIRE(comes_true([&] { return station.is_there(id) && station.is_covered(id); }));
  CHECK(station.epoch() == 2);
  CHECK(station.archive.held(id).entries.empty());
}

TEST_CASE("a station that slept through a promotion, and through a change of all officers, follows to the site of the epoch after it") {
  Followers station;
  const HearingId id = station.begin(0);
  station.record(id);
  station.close(id);
  REQUIRE(drain(station.files, station.clock, station.settings, 0)->delivered == 1);
  station.lost = true;
  MemoryArchive third{3};
  const std::map<std::string, std::string> others = {{"officer-3", "three"}, {"officer-4", "four"}};
  EpochLog second{{kArchive, 2}, *PrivateKey::from_pem(station.successor.log_key.to_pem()),
                  {station.certificate(), officer_entry("officer-3", "three"), officer_entry("officer-4", "four")}};
  PromotionEntry newest = promotion_of(kArchive, 3, second.state(3), third.address(), others);
  newest.log_key = third.log_key.public_key();
  newest.holder = third.holder();
  newest.machine_key = third.server_key.public_key();
  sign_promotion(newest, others);
  Successors told = *parse_successors(station.told());
  for (const std::uint64_t index : {0, 1, 2}) told.entries.push_back(second.proved(index, 3));
  const bool proved = GENERATE(true, false);
  if (proved) told.ends = {second.note()};
  // The site that was promoted first is a second site now: it has the certificate, and answers nothing else to a station.
  station.successor.tell(write_promotion(newest), "");
  third.tell(write_promotion(newest), write_successors(told));
  const auto done = drain(station.files, station.clock, station.settings, 0);
  REQUIRE(done);
  if (proved) {
    CHECK(done->problems.empty());
    CHECK(station.epoch() == 3);
    CHECK(third.held(id).entries == read_signed_log(station.files, station.paths(id))->entries);
    CHECK(station.is_covered(id));
  } else {
    CHECK(station.epoch() == 1);
    REQUIRE_FALSE(done->notices.empty());
    CHECK_THAT(done->notices.front(), Catch::Contains("does not count") && Catch::Contains("nothing is shown of how it ended"));
    CHECK(third.held(id).entries.empty());
  }
}

TEST_CASE("what went because the lost site had confirmed it is asked about at the new one") {
  Followers station;
  station.settings.keep_days = 0;
  const HearingId copied = station.begin(0);
  const HearingId alone = station.begin(60);
  for (const HearingId& id : {copied, alone}) {
    station.record(id);
    station.close(id);
  }
  {
    const auto uploader = station.upload();
    REQUIRE(comes_true([&] { return station.files.stat(station.paths(copied).freed()) && station.files.stat(station.paths(alone).freed()); }));
    REQUIRE(comes_true([&] { return station.files.stat(successors_path("/station")).has_value(); }));
  }
  station.lost = true;
  const auto held = station.archive.held(copied);
  station.successor.change(copied, [&](MemoryArchive::Held& there) { there = held; });
  station.successor.tell(station.certificate(), "");
  const HearingId next = station.begin(120);
  station.record(next);
  const auto uploader = station.upload();
  REQUIRE(comes_true([&] { return station.is_there(next) && station.is_covered(copied); }));
  REQUIRE(comes_true([&] { return says(uploader->status(), "asks for recordings of hearing " + alone.text()); }));
  CHECK_FALSE(station.is_covered(alone));
}

TEST_CASE("whoever delivers once, or drains, follows as well") {
  Followers station;
  const HearingId id = station.begin(0);
  station.record(id);
  station.close(id);
  const auto first = drain(station.files, station.clock, station.settings, 0);
  REQUIRE(first);
  CHECK(first->delivered == 1);
  REQUIRE(station.files.stat(successors_path("/station")));
  station.lost = true;
  station.successor.tell(station.certificate(), "");
  if (GENERATE(true, false)) {
    const auto second = drain(station.files, station.clock, station.settings, 0);
    REQUIRE(second);
    CHECK(second->delivered == 1);
    CHECK(second->problems.empty());
    REQUIRE(second->notices.size() == 1);
    CHECK_THAT(second->notices.front(), Catch::Contains("goes on at"));
  } else {
    const HearingId next = station.begin(60);
    station.record(next);
    station.close(next);
    const DeliveredNow now = deliver_now(station.files, station.clock, station.settings, next);
    CHECK(now.problem.empty());
    CHECK(now.receipt.archive_size == 3);
    REQUIRE(now.notices.size() == 1);
    CHECK_THAT(now.notices.front(), Catch::Contains("goes on at"));
    CHECK(station.is_there(next));
    CHECK(station.is_covered(next));
    CHECK_FALSE(station.is_covered(id));  // the next drain brings what the lost site alone had confirmed
    REQUIRE(drain(station.files, station.clock, station.settings, 0));
  }
  CHECK(station.is_there(id));
  CHECK(station.is_covered(id));
}

TEST_CASE("what was learnt of officers is proved, and nothing of it is forgotten") {
  Followers station;
  client::ArchiveClient archive(station.enrolment.endpoint(), station.key);
  REQUIRE(learn_successors(station.files, "/station", station.enrolment, archive));
  const auto known = load_successors(station.files, "/station");
  REQUIRE(known);
  CHECK(known->entries.size() == 2);
  REQUIRE(known->sites.size() == 1);
  CHECK(known->sites.front().address == station.successor.address());
  // One officer less; then a log with another key.
  Successors told = *parse_successors(station.told());
  told.entries.pop_back();
  station.archive.tell("", write_successors(told));
  const Status left_out = learn_successors(station.files, "/station", station.enrolment, archive);
  REQUIRE_FALSE(left_out);
  CHECK(left_out.error().code == Errc::conflict);
  station.main_log.key = PrivateKey::generate();
  station.archive.tell("", station.told());
  CHECK(learn_successors(station.files, "/station", station.enrolment, archive).error().code == Errc::denied);
  CHECK(load_successors(station.files, "/station")->entries == known->entries);
}

TEST_CASE("killed, or without power, at any step of following: enrolled with the old site or with the new one, wholly, and all is delivered", "[every-step]") {
  // Killed: what was written stays. Without power: what was not synced is gone, or a part of it.
  const std::string how = GENERATE(as<std::string>(), "killed", "power", "torn");
  std::size_t old_ones = 0;
  std::size_t new_ones = 0;
  for (std::uint64_t step = 1;; ++step) {
    Followers station;
    const HearingId confirmed = station.begin(0);
    station.record(confirmed);
    station.close(confirmed);
    REQUIRE(drain(station.files, station.clock, station.settings, 0)->delivered == 1);
    const HearingId waiting = station.begin(60);
    station.record(waiting);
    station.close(waiting);
    station.lost = true;
    station.successor.tell(station.certificate(), "");
    const std::string before = write_enrolment(*load_enrolment(station.files, "/station"));
    station.files.faults().arm(Fault::power_off, step);
    static_cast<void>(deliver_now(station.files, station.clock, station.settings, waiting));
    const bool happened = station.files.faults().happened();
    const std::vector<std::string> trace = station.files.faults().trace();
    station.files.faults().disarm();
    if (how == "power") station.files.crash();
    if (how == "torn") station.files.crash(step);
    CAPTURE(how, step, trace.empty() ? std::string() : trace.back());

    const auto now = load_enrolment(station.files, "/station");
    REQUIRE(now);
    if (now->keys_epoch() == 1) {
      ++old_ones;
      CHECK(write_enrolment(*now) == before);
    } else {
      ++new_ones;
      const auto followed = enrolment_after(*parse_enrolment(before), *parse_successors(station.told()), station.certificate(), now->since.value_or(UtcTime{}));
      REQUIRE((followed && *followed));
      CHECK(write_enrolment(*now) == write_enrolment(**followed));
      const auto aside = station.files.read_file("/station/enrolment-epoch-1.json", 65'536);
      REQUIRE(aside);
      CHECK(as_text(*aside) == before);
    }
    const auto known = load_successors(station.files, "/station");
    REQUIRE(known);
    CHECK(known->entries.size() == 2);
    if (!happened) {  // it came to its end
      REQUIRE(step > 10);
      CHECK(station.is_there(waiting));
      CHECK((old_ones > 3 && new_ones > 3));
      break;
    }
    // Started again it goes on, with all that it has.
    const auto rest = drain(station.files, station.clock, station.settings, 0);
    REQUIRE(rest);
    CHECK(rest->problems.empty());
    CHECK(station.epoch() == 2);
    for (const HearingId& id : {confirmed, waiting}) {
      CHECK(station.is_there(id));
      CHECK(station.is_covered(id));
    }
    CHECK(newest_seen(station.files, "/station", *load_enrolment(station.files, "/station")));
  }
}

TEST_CASE("a disk that fails at any step of following leaves the old enrolment or the new one, and the next try follows", "[every-step]") {
  const Fault fault = GENERATE(Fault::fails_before, Fault::fails_after, Fault::fails_half);
  for (std::uint64_t step = 1;; ++step) {
    Followers station;
    const HearingId id = station.begin(0);
    station.record(id);
    station.close(id);
    REQUIRE(drain(station.files, station.clock, station.settings, 0)->delivered == 1);
    station.lost = true;
    station.successor.tell(station.certificate(), "");
    const Enrolment enrolled = *load_enrolment(station.files, "/station");
    station.files.faults().arm(fault, step, false, Errc::io_error, "/station/enrolment");
    const auto searched = find_successor(station.files, station.clock, "/station", enrolled, station.key);
    const bool happened = station.files.faults().happened();
    station.files.faults().disarm();
    CAPTURE(step);
    const auto now = load_enrolment(station.files, "/station");
    REQUIRE(now);
    CHECK((now->keys_epoch() == 2 || write_enrolment(*now) == write_enrolment(enrolled)));
    if (searched) CHECK(searched->found.has_value());
    if (!happened) {
      REQUIRE(step > 6);
      REQUIRE(searched);
      break;
    }
    CHECK_FALSE(searched);
    const auto rest = drain(station.files, station.clock, station.settings, 0);
    REQUIRE(rest);
    CHECK(station.epoch() == 2);
    CHECK(station.is_there(id));
    CHECK(station.is_covered(id));
  }
}

TEST_CASE("two sites in one epoch, an epoch that is over, and a promotion without a key for receipts") {
  Followers station;
  const Successors known = *parse_successors(station.told());
  const UtcTime now = station.clock.utc_now();
  const auto followed = enrolment_after(station.enrolment, known, station.certificate(), now);
  REQUIRE((followed && *followed));
  CHECK((*followed)->keys_epoch() == 2);
  CHECK(*(*followed)->since == now);
  CHECK((*followed)->name == station.enrolment.name);
  CHECK(parse_enrolment(write_enrolment(**followed))->since == now);
  // The same once more; then another one.
  CHECK_FALSE(enrolment_after(**followed, known, station.certificate(), now)->has_value());
  const auto other = enrolment_after(**followed, known, write_promotion(promotion_of(kArchive, 2, station.main_log.state(3), "https://third.example:1", kBoth)), now);
  REQUIRE_FALSE(other);
  CHECK(other.error().code == Errc::conflict);
  PromotionEntry third = promotion_of(kArchive, 3, {std::string(kArchive) + "/epoch/2", 5, sha256({})}, "https://third.example:1", kBoth);
  const auto again = enrolment_after(**followed, known, write_promotion(third), now);
  REQUIRE((again && *again));
  CHECK_FALSE(enrolment_after(**again, known, station.certificate(), now)->has_value());
  third.holder.name = "third.example/holder";
  sign_promotion(third, kBoth);
  CHECK_FALSE(enrolment_after(**followed, known, write_promotion(third), now));
}
