// One drill, over real volumes: what it finds when all is well, and of every kind of damage.
#include <catch2/catch.hpp>

#include <algorithm>

#include "archive/catalogue/sqlite.h"
#include "tests/unit/archive/drilled_site.h"

using greffe::DrillFailure;
using greffe::DrillReport;
using greffe::Errc;
using greffe::archive::CheckedMedia;
using greffe::testing::DrilledSite;

namespace {

DrillReport done(DrilledSite& site) {
  const auto report = site.drill();
  if (!report) FAIL(report.error().message);
  CHECK(std::filesystem::is_empty(site.state() + "/drill"));
  return *report;
}

bool tells(const DrillReport& report, const std::string& code, const std::string& what) {
  return std::any_of(report.failures.begin(), report.failures.end(),
                     [&](const DrillFailure& one) { return one.code == code && one.what.find(what) != std::string::npos; });
}

std::string all_of(const DrillReport& report) {
  std::string out;
  for (const DrillFailure& one : report.failures) out += one.code + ": " + one.what + "\n";
  return out;
}

}  // namespace

TEST_CASE("a drill of a copy that is whole says so, with what it read and how long it took") {
  DrilledSite site;
  auto order = site.order();
  order.asked = true;
  order.heard = greffe::UtcTime{1'795'338'000'000};
  const auto drilled = site.drill(order, site.plays());
  REQUIRE(drilled);
  const DrillReport& report = *drilled;
  INFO(all_of(report));
  CHECK(report.failure_count == 0);
  CHECK(report.archive == DrilledSite::kOrigin);
  CHECK(report.site == site.site.name);
  CHECK(report.asked);
  CHECK(report.heard == order.heard);
  CHECK(report.size == 4);  // three hearings and a correction
  REQUIRE(report.catalogue);
  CHECK(report.catalogue->hearings == 3);
  CHECK(report.catalogue->entries == 4);
  CHECK(report.catalogue->equal);
  CHECK(report.sample.entries == 3 * 5);  // all there are: open, three segments, close
  CHECK(report.sample.objects == 3 * 4);
  REQUIRE(report.day);
  CHECK(report.day->hearings == 1);
  CHECK(report.day->objects >= 4);
  CHECK(report.day->bytes > 0);
  REQUIRE(report.media);
  CHECK(report.media->segments == 3);
  CHECK(report.media->frames == 30);
  CHECK(report.media->stream == "mic-judge");
  CHECK(site.decoded.size() == 3);
  CHECK(report.rto_ms);
  CHECK(report.rpo_ms < 60'000);
  CHECK(report.level == 5);
  CHECK(report.ended >= report.began);
  CHECK(greffe::parse_drill_report(greffe::write_drill_report(report)));
}

TEST_CASE("a drill goes through all epochs of a copy, as its catalogue does") {
  DrilledSite site;
  site.promote();
  site.file(3);
  site.correct(site.hearings.back().id);
  const DrillReport report = done(site);
  INFO(all_of(report));
  CHECK(report.failure_count == 0);
  CHECK(report.size == 4 + 3);
  REQUIRE(report.catalogue);
  CHECK(report.catalogue->hearings == 4);
  CHECK(report.catalogue->entries == 4 + 3);
  CHECK(report.catalogue->equal);
  for (const auto& one : site.held->all()) {
    if (one.own) continue;
    CHECK(one.chain.links().size() == 2);
    CHECK(one.log_path == greffe::foreign_log_path(std::string(DrilledSite::kOrigin) + "/epoch/2"));
  }
  // Whoever signs it now is not whom the promotion names.
  const greffe::PrivateKey other = greffe::PrivateKey::generate();
  site.signs_with = &other;
  site.file(4);
  CHECK(tells(done(site), "head", "not signed"));
}

TEST_CASE("a drill writes nothing to the pool and repairs nothing") {
  DrilledSite site;
  const std::string key = greffe::object_key(site.hearings[0].objects[1].first);
  const auto copies = site.copies(key);
  REQUIRE(copies.size() == 3);
  DrilledSite::spoil(copies[0]);
  std::vector<std::filesystem::path> before;
  for (const auto& path : std::filesystem::recursive_directory_iterator(site.site.folder.path + "/v0")) before.push_back(path.path());
  done(site);
  std::vector<std::filesystem::path> after;
  for (const auto& path : std::filesystem::recursive_directory_iterator(site.site.folder.path + "/v0")) after.push_back(path.path());
  std::sort(before.begin(), before.end());
  std::sort(after.begin(), after.end());
  CHECK(before == after);
  CHECK(greffe::sha256(*site.site.files.read_file(copies[0].string(), 1000)) != site.hearings[0].objects[1].first);
}

TEST_CASE("every object that is damaged or gone is named with its hearing and its seconds") {
  DrilledSite site;
  const auto& hearing = site.hearings[1];
  const greffe::Digest damaged = hearing.objects[1].first;
  const greffe::Digest gone = hearing.objects[2].first;
  for (const auto& path : site.copies(greffe::object_key(damaged))) DrilledSite::spoil(path);
  for (const auto& path : site.copies(greffe::object_key(gone))) std::filesystem::remove(path);
  const DrillReport report = done(site);
  INFO(all_of(report));
  CHECK(report.failure_count >= 2);
  CHECK(tells(report, "object", "hearing " + hearing.id.text() + ", stream mic-judge, 10.0 s from"));
  CHECK(tells(report, "object", "no good copy of it is here (" + damaged.hex() + ")"));
  CHECK(tells(report, "object", "it is not here (" + gone.hex() + ")"));
  CHECK(report.level == 0);
  CHECK(report.catalogue->equal);
}

TEST_CASE("a document that only the main log names is missed on its day") {
  DrilledSite site(1);
  for (const auto& path : site.copies(greffe::object_key(site.corrected))) std::filesystem::remove(path);
  const DrillReport report = done(site);
  INFO(all_of(report));
  CHECK(tells(report, "object", site.corrected.hex()));
  // The catalogue that is made now cannot show the correction, the one in use does.
  CHECK(tells(report, "catalogue", "something else than the logs"));
}

TEST_CASE("what a hearing's own log gives up is not missed") {
  DrilledSite site(0);
  greffe::testing::SampleHearing& hearing = site.hearings.emplace_back(DrilledSite::kOrigin, greffe::UtcTime{1'795'338'000'000});
  hearing.add_segment();
  hearing.add_segment();
  hearing.lose_last_object();
  hearing.close();
  for (const auto& [digest, bytes] : hearing.objects) site.store_bytes(bytes);
  const std::string note = hearing.checkpoint(hearing.entries.size());
  auto writer = greffe::tlog::LogWriter::open(*site.site.pool, *site.site.pool, *site.site.pool, greffe::hearing_log_path(hearing.id));
  REQUIRE(writer);
  REQUIRE(writer->append(hearing.entries, [&](std::uint64_t, const greffe::Digest&) { return greffe::Result<std::string>(note); }));
  greffe::HearingCheckpointEntry entry;
  entry.hearing = hearing.id;
  entry.note = note;
  entry.closed = true;
  site.append_main(greffe::write_main_entry(entry));
  site.until([&] { return std::filesystem::exists(site.order().kept_catalogue); });
  const DrillReport report = done(site);
  INFO(all_of(report));
  CHECK(report.failure_count == 0);
  CHECK(report.media->segments == 1);
}

TEST_CASE("logs that are damaged, cut or another's are named") {
  DrilledSite site(1);
  const auto& hearing = site.hearings[0];
  SECTION("a stage of the main log on one volume") {
    for (const auto& path : site.copies(greffe::foreign_log_path(DrilledSite::kOrigin) + "/stage")) {
      for (const auto& file : std::filesystem::directory_iterator(path)) DrilledSite::spoil(file.path());
      break;
    }
    CHECK(tells(done(site), "log", "altered"));
  }
  SECTION("all of a hearing's log") {
    site.held->stop();  // its catalogue knows of the hearing already
    for (const auto& path : site.copies(greffe::hearing_log_path(hearing.id))) std::filesystem::remove_all(path);
    const DrillReport report = done(site);
    INFO(all_of(report));
    CHECK(report.failure_count > 0);
    CHECK((tells(report, "log", hearing.id.text()) || tells(report, "catalogue", "something else")));
  }
  SECTION("a newest state that another key signed") {
    const greffe::PrivateKey stranger = greffe::PrivateKey::generate();
    site.signs_with = &stranger;
    site.correct(hearing.id);
    const DrillReport report = done(site);
    CHECK(tells(report, "head", "not signed by first.example"));
    CHECK(report.size == 3);
  }
}

TEST_CASE("a catalogue in use that says something else, is damaged or lags is named") {
  DrilledSite site(2);
  const std::string path = site.order().kept_catalogue;
  SECTION("something else") {
    auto db = greffe::catalogue::Connection::open(path, greffe::catalogue::Connection::Mode::write, false);
    REQUIRE(db);
    REQUIRE(db->run("UPDATE hearing SET room = 'room-9'"));
    const DrillReport report = done(site);
    CHECK(tells(report, "catalogue", "says something else than the logs"));
    CHECK_FALSE(report.catalogue->equal);
  }
  SECTION("gone") {
    site.held.reset();
    std::filesystem::remove(path);
    auto order = site.order();
    order.catch_up_ms = 100;
    const auto report = site.drill(order, site.plays());
    REQUIRE(report);
    CHECK(tells(*report, "catalogue", "there is no such database"));
  }
  SECTION("no catalogue at all") {
    site.held.reset();
    std::ofstream(path, std::ios::trunc) << std::string(10'000, 'x');
    CHECK(tells(done(site), "catalogue", "the catalogue in use"));
  }
  SECTION("it has stopped following") {
    site.held->stop();
    site.file(5);
    auto order = site.order();
    order.catch_up_ms = 100;
    const auto report = site.drill(order, site.plays());
    REQUIRE(report);
    CHECK(tells(*report, "catalogue", "does not follow"));
  }
}

TEST_CASE("a catalogue that is made only while the drill runs is waited for") {
  DrilledSite site(2);
  const std::string path = site.order().kept_catalogue;
  std::filesystem::rename(path, path + ".later");
  std::thread maker([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    std::filesystem::rename(path + ".later", path);
  });
  const auto report = site.drill(site.order(), site.plays());
  maker.join();
  REQUIRE(report);
  INFO(all_of(*report));
  CHECK(report->failure_count == 0);
  CHECK(report->catalogue->equal);
}

TEST_CASE("what arrives while a drill is under way is no difference") {
  DrilledSite site(2);
  int filed = 0;
  const auto plays = site.plays();
  // Between the making of the catalogue and its comparison with the one in use.
  const greffe::archive::CheckMedia while_it_arrives = [&](const std::vector<std::string>& paths, const std::stop_token& stop) {
    if (filed++ == 0) {
      site.file(7);
      site.until([&] { return site.held->named(DrilledSite::kOrigin)->catalogue->applied()->size == 4; });
    }
    return plays(paths, stop);
  };
  const auto report = site.drill(site.order(), while_it_arrives);
  REQUIRE(report);
  INFO(all_of(*report));
  CHECK(report->failure_count == 0);
  CHECK(report->catalogue->entries == 3);
  CHECK(report->catalogue->equal);
}

TEST_CASE("a recording that does not play is named, and so is what cannot decode it") {
  DrilledSite site(1);
  const auto damaged = site.drill(site.order(), [](const std::vector<std::string>& paths, const std::stop_token&) -> greffe::Result<CheckedMedia> {
    CheckedMedia out;
    out.packets = out.frames = out.errors = paths.size();
    for (const std::string& path : paths) out.problems.push_back(path + ": 1 of its 1 packets cannot be decoded");
    return out;
  });
  REQUIRE(damaged);
  CHECK(tells(*damaged, "decode", "hearing " + site.hearings[0].id.text() + ", stream mic-judge: "));
  CHECK(damaged->failure_count == 3);
  CHECK_FALSE(tells(*damaged, "decode", site.state()));

  int asked = 0;
  const auto impossible = site.drill(site.order(), [&](const std::vector<std::string>&, const std::stop_token&) -> greffe::Result<CheckedMedia> {
    ++asked;
    return greffe::fail(Errc::not_found, "recordings cannot be decoded here");
  });
  REQUIRE(impossible);
  CHECK(tells(*impossible, "decode", "cannot be decoded here"));
  CHECK(asked == 1);
  CHECK_FALSE(impossible->media);
  CHECK_FALSE(impossible->rto_ms);
}

TEST_CASE("a drill that is stopped, or of which nothing can be said, has no report and leaves nothing") {
  DrilledSite site(2);
  std::stop_source stop;
  SECTION("before it begins") {
    stop.request_stop();
    CHECK(site.drill(site.order(), site.plays(), stop.get_token()).error().code == Errc::cancelled);
  }
  SECTION("in the middle") {
    const auto stopping = [&](const std::vector<std::string>&, const std::stop_token&) -> greffe::Result<CheckedMedia> {
      stop.request_stop();
      return CheckedMedia();
    };
    CHECK(site.drill(site.order(), stopping, stop.get_token()).error().code == Errc::cancelled);
  }
  SECTION("of an archive of which nothing has come") {
    auto order = site.order();
    order.archive = "other.example";
    CHECK(site.drill(order, site.plays()).error().code == Errc::not_found);
  }
  CHECK(std::filesystem::is_empty(site.state() + "/drill"));
}

TEST_CASE("what an earlier drill left behind is cleared away") {
  DrilledSite site(1);
  std::filesystem::create_directories(site.state() + "/drill");
  std::ofstream(site.state() + "/drill/catalogue.sqlite.new") << "half a catalogue";
  std::ofstream(site.state() + "/drill/7.mp4") << "x";
  CHECK(done(site).failure_count == 0);
}
