// The uploading thread against an archive in memory: what goes first, what happens when nobody answers, what it says, how it ends.
#include "ingest/uploader.h"

#include <chrono>

#include "tests/unit/ingest/memory_archive.h"

using namespace greffe;
using namespace greffe::ingest;
using greffe::testing::comes_true;
using greffe::testing::MemoryArchive;
using greffe::testing::Uploading;

namespace {

using Seconds = std::chrono::duration<double>;

std::unique_ptr<Uploader> uploader_of(Uploading& station) {
  return std::make_unique<Uploader>(station.files, station.clock, station.service_log, station.settings, station.enrolment, station.key);
}

const UploadedHearing* find(const UploadStatus& status, const HearingId& id) {
  for (const UploadedHearing& one : status.hearings) {
    if (one.id == id) return &one;
  }
  return nullptr;
}

bool covered(const Uploader& uploader, const HearingId& id) {
  const UploadStatus status = uploader.status();
  const UploadedHearing* const one = find(status, id);
  return one != nullptr && one->delivered.entries > 0 && one->delivered.receipt.archive_size == one->delivered.entries;
}

// Answers as if nobody could be reached, until `away` is false.
MemoryArchive::Meddler unless(const std::atomic<bool>& away) {
  return [&away](const http::Request&) { return away ? std::optional(http::problem(503, "unavailable", "Not now.")) : std::nullopt; };
}

}  // namespace

TEST_CASE("what waits is delivered newest first, the live hearing before all of it, and the status adds up") {
  std::atomic<int> puts{0};
  std::atomic<bool> recorded{false};
  Uploading station;
  station.settings.upload.connections = 1;
  const HearingId oldest = station.begin(0);
  const HearingId older = station.begin(60);
  const HearingId live = station.begin(120);
  for (const HearingId& id : {oldest, older}) {
    for (int i = 0; i < 6; ++i) station.record(id);
    station.close(id);
  }
  station.record(live);
  // While the second object of the backlog is on its way, the live hearing grows by one segment.
  station.archive.set_meddler([&, live](const http::Request& request) -> std::optional<http::Response> {
    if (request.method == "PUT" && request.parameter("id") != live.text() && ++puts == 2) {
      while (!recorded) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return std::nullopt;
  });
  const auto uploader = uploader_of(station);
  uploader->wake(live);
  REQUIRE(comes_true([&] { return puts == 2; }));
  CHECK(station.delivered(live));
  {
    const UploadStatus status = uploader->status();
    REQUIRE(status.hearings.size() == 3);
    CHECK(status.hearings[0].id == live);
    CHECK(status.hearings[0].live);
    CHECK_FALSE(status.hearings[1].live);
    CHECK(status.waiting_objects == 12);
    CHECK(status.waiting_bytes > 12'000);
    CHECK(status.problem.empty());
  }
  station.record(live);
  uploader->wake(live);
  const std::size_t before = station.archive.asked().size();
  recorded = true;
  REQUIRE(comes_true([&] { return station.delivered(oldest) && station.delivered(older) && covered(*uploader, oldest); }));
  CHECK(station.delivered(live));
  // The object that was on its way ended; then came the live one, before any other.
  const auto asked = station.archive.asked();
  const auto put = std::find_if(asked.begin() + static_cast<std::ptrdiff_t>(before), asked.end(), [](const std::string& one) { return one.starts_with("PUT"); });
  REQUIRE(put != asked.end());
  CHECK(*put == "PUT " + live.text());
  CHECK(std::find(asked.begin(), asked.end(), "PUT " + oldest.text()) > std::find(asked.begin(), asked.end(), "PUT " + older.text()));
  REQUIRE(comes_true([&] { return uploader->status().waiting_objects == 0; }));
  const UploadStatus status = uploader->status();
  CHECK(status.drained_in_s == std::optional<std::int64_t>(0));
  CHECK(status.rate_bytes_s > 0);
  CHECK(status.last_success.ms > 0);
  REQUIRE(comes_true([&] { return find(uploader->status(), live)->delivered.read_back_size == 3; }));
}

TEST_CASE("an archive that is away is not asked without end, and is found again within seconds while something is recorded") {
  std::atomic<bool> away{true};
  Uploading station;
  const HearingId live = station.begin(0);
  station.archive.set_meddler(unless(away));
  const auto uploader = uploader_of(station);
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) {
    station.record(live);
    uploader->wake(live);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const double seconds = Seconds(std::chrono::steady_clock::now() - begun).count();
  // 0.2, 0.4, 0.8, 1.6, then 3 s, each at least half of it.
  CHECK(static_cast<double>(station.archive.asked().size()) < 8 + seconds);
  const UploadStatus status = uploader->status();
  CHECK_FALSE(status.problem.empty());
  CHECK(status.problem_since.ms > 0);
  CHECK(status.last_success.ms == 0);
  away = false;
  REQUIRE(comes_true([&] { return station.delivered(live); }));
  REQUIRE(comes_true([&] { return uploader->status().problem.empty() && uploader->status().last_success.ms > 0; }));
}

TEST_CASE("a hearing that cannot get on is said so and stands in nobody's way") {
  const std::atomic<int> status_code = GENERATE(403, 500, 503, 400);
  Uploading station;
  const HearingId good = station.begin(0);
  const HearingId refused = station.begin(60);
  const HearingId damaged = station.begin(120);
  for (const HearingId& id : {good, refused, damaged}) station.record(id);
  REQUIRE(station.files.damage(station.paths(damaged).entries(), [](Bytes& bytes) { bytes[10] ^= 1; }));
  station.archive.set_meddler([&, refused](const http::Request& request) -> std::optional<http::Response> {
    if (request.parameter("id") != refused.text()) return std::nullopt;
    return http::problem(status_code, "x", "Not this one.");
  });
  const auto uploader = uploader_of(station);
  REQUIRE(comes_true([&] { return station.delivered(good); }));
  if (status_code != 503) REQUIRE(comes_true([&] { return find(uploader->status(), refused) != nullptr && !find(uploader->status(), refused)->problem.empty(); }));
  REQUIRE(comes_true([&] { return find(uploader->status(), damaged) != nullptr; }));
  CHECK_THAT(find(uploader->status(), damaged)->problem, Catch::Contains("not those that were signed"));
  station.archive.set_meddler({});
  CHECK(comes_true([&] { return station.delivered(refused); }));
}

TEST_CASE("after the archive was away, it is asked whether it still holds what it confirmed") {
  std::atomic<bool> away{false};
  Uploading station;
  const HearingId done = station.begin(0);
  station.record(done);
  station.close(done);
  station.archive.set_meddler(unless(away));
  const auto uploader = uploader_of(station);
  REQUIRE(comes_true([&] { return station.delivered(done) && covered(*uploader, done); }));
  away = true;
  const HearingId live = station.begin(60);
  station.record(live);
  uploader->wake(live);
  REQUIRE(comes_true([&] { return !uploader->status().problem.empty(); }));
  station.archive.change(done, [](MemoryArchive::Held& held) { held = {}; });  // it was restored from an older state meanwhile
  away = false;
  REQUIRE(comes_true([&] { return station.delivered(live) && station.delivered(done); }));
  REQUIRE(comes_true([&] { return !uploader->status().notices.empty(); }));
}

TEST_CASE("stop ends within a second, in the middle of a transfer too") {
  std::atomic<bool> begun{false};
  std::atomic<bool> away{false};
  bool slow = false;
  std::atomic<bool> release{false};
  Uploading station;
  const HearingId live = station.begin(0);
  station.record(live, 1'000'000);
  SECTION("a slow line") {
    station.settings.upload.timetable = Timetable(16);
    slow = true;
  }
  SECTION("an archive that does not answer") {}
  SECTION("a long pause") { away = true; }
  station.archive.set_meddler([&](const http::Request& request) -> std::optional<http::Response> {
    begun = true;
    if (away) return http::problem(503, "unavailable", "Not now.");
    while (!slow && !release && request.path.ends_with("/have")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return std::nullopt;
  });
  const auto uploader = uploader_of(station);
  uploader->wake(live);
  REQUIRE(comes_true([&] { return begun.load(); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const auto asked = std::chrono::steady_clock::now();
  uploader->stop();
  CHECK(std::chrono::steady_clock::now() - asked < std::chrono::seconds(1));
  release = true;
  CHECK_FALSE(station.delivered(live));
}

TEST_CASE("media go when they have been safe for as long as the policy says, and the log stays") {
  Uploading station;
  station.settings.keep_days = 0;
  const HearingId done = station.begin(0);
  const Digest segment = station.record(done);
  station.close(done);
  const HearingId open = station.begin(60);
  const Digest kept = station.record(open);
  {
    const auto uploader = uploader_of(station);
    REQUIRE(comes_true([&] { return station.delivered(done) && station.delivered(open); }));
  }
  const auto again = uploader_of(station);
  REQUIRE(comes_true([&] { return !station.files.stat(station.paths(done).object(segment)); }));
  CHECK(station.files.stat(station.paths(open).object(kept)));
  CHECK(read_signed_log(station.files, station.paths(done))->entries.size() == 3);
}
