#include "archive/catalogue/catalogue_builder.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <random>

#include "tests/unit/catalogue/world.h"

using greffe::Details;
using greffe::Digest;
using greffe::Errc;
using greffe::HearingId;
using greffe::UtcTime;
using greffe::catalogue::Catalogue;
using greffe::catalogue::CatalogueBuilder;
using greffe::catalogue::CourtSet;
using greffe::testing::details_of;
using greffe::testing::Directory;
using greffe::testing::NewHearing;
using greffe::testing::World;

namespace {

UtcTime after(const NewHearing& hearing, std::int64_t minutes) { return {hearing.start.ms + minutes * 60'000}; }

// A busy little archive: several hearings in progress at once, corrections, marks, places, keys, the lot.
World busy_world(unsigned seed) {
  World world;
  std::mt19937 random(seed);
  greffe::GenesisEntry genesis;
  genesis.archive = "archive.court.example";
  genesis.log_key = world.key.public_key();
  genesis.role = "primary";
  genesis.holder = {"archive.court.example/holder", greffe::KeyType::cosignature_v1, world.key.public_key()};
  world.log(genesis);
  world.station_key("added", "station-1", world.key.public_key());
  world.name_place("lyon", "", "里昂法院", "Tribunal judiciaire de Lyon");
  std::vector<std::pair<HearingId, NewHearing>> open;
  std::uint64_t sequence = 0;
  for (int step = 0; step < 400; ++step) {
    const unsigned what = random() % 10;
    if (open.empty() || what == 0) {
      NewHearing hearing;
      hearing.case_number = "(2026)浙01民初" + std::to_string(random() % 50) + "号";
      hearing.parties = {"王伟", "Zoé Lefèvre"};
      hearing.room = "room-" + std::to_string(random() % 3);
      hearing.start = {1'780'000'000'000 + static_cast<std::int64_t>(random() % 20) * 1000};  // collisions
      open.emplace_back(world.open(hearing), hearing);
      continue;
    }
    auto& [id, hearing] = open[random() % open.size()];
    const UtcTime at = after(hearing, static_cast<std::int64_t>(random() % 300));
    if (what <= 3) world.segment(id, random() % 2 == 0 ? "cam-bench" : "late-mic", sequence++, at);
    if (what == 4) world.gap(id, random() % 2 == 0 ? "recess" : "fault", at, after(hearing, 301));
    if (what == 5) world.mark(id, at, "证据" + std::to_string(step));
    if (what == 5 && step % 3 == 0) {
      world.correct_in_room(id, details_of(NewHearing{"RG 26/" + std::to_string(step)}), step % 2 == 0 ? at : UtcTime{1'795'000'000'000});
    }
    if (what == 6 || what == 7) world.checkpoint(id);
    if (what == 8) {
      world.checkpoint(id);
      if (step % 2 == 0) {
        world.correct(id, details_of(hearing), "faute de frappe");
      } else {
        world.archive_mark(id, at, "note " + std::to_string(step));
      }
    }
    if (what == 9) {
      world.close(id, after(hearing, 302));
      world.checkpoint(id);
      const HearingId closed = id;
      std::erase_if(open, [&closed](const auto& one) { return one.first == closed; });
    }
    if (step == 200) world.name_place("lyon", "room-1", "第一法庭", "Salle 1");
    if (step == 300) world.name_place("lyon", "", "里昂初审法院", "Tribunal de Lyon");
  }
  return world;
}

std::string dump_in_batches(World& world, std::size_t batch) {
  const Directory directory;
  auto builder = CatalogueBuilder::create(directory.file("c"), world.sources());
  REQUIRE(builder);
  REQUIRE(world.apply_all(*builder, batch));
  REQUIRE(builder->check_text_index());
  return *builder->dump();
}

}  // namespace

TEST_CASE("the catalogue is the same however the log was applied") {
  World world = busy_world(3);
  const std::string whole = dump_in_batches(world, 1'000'000);
  CHECK(whole.size() > 10'000);
  CHECK(whole.find("problem") == std::string::npos);
  CHECK(dump_in_batches(world, 1) == whole);
  CHECK(dump_in_batches(world, 7) == whole);
}

TEST_CASE("the catalogue is the same after closing and opening it many times") {
  World world = busy_world(4);
  const std::string whole = dump_in_batches(world, 1'000'000);
  const Directory directory;
  const std::vector<std::string> log = world.main_log;
  world.main_log.clear();
  REQUIRE(CatalogueBuilder::create(directory.file("c"), world.sources()));
  for (std::size_t i = 0; i < log.size(); i += 23) {
    world.main_log.assign(log.begin(), log.begin() + static_cast<std::ptrdiff_t>(std::min(i + 23, log.size())));
    auto builder = CatalogueBuilder::open(directory.file("c"), world.sources());
    REQUIRE(builder);
    REQUIRE(world.apply_all(*builder));
  }
  auto builder = CatalogueBuilder::open(directory.file("c"), world.sources());
  CHECK(builder->applied().size == log.size());
  CHECK(*builder->dump() == whole);
}

TEST_CASE("nothing is seen before commit, and an error takes the whole batch back") {
  World world;
  const NewHearing hearing{"RG 24/00001", {"Jean Dupont"}};
  const HearingId first = world.file(hearing);
  const HearingId second = world.file(hearing);
  const Directory directory;
  auto sources = world.sources();
  bool broken = false;
  const auto documents = sources.document;
  sources.document = [&broken, documents](const Digest& digest) -> greffe::Result<std::string> {
    if (broken) return greffe::fail(Errc::unavailable, "the store is away");
    return documents(digest);
  };
  auto builder = CatalogueBuilder::create(directory.file("c"), sources);
  REQUIRE(builder);
  auto catalogue = Catalogue::open(directory.file("c"));
  REQUIRE(builder->apply(0, world.main_log[0]));
  CHECK(catalogue->hearing(first, CourtSet::everything()).error().code == Errc::not_found);
  broken = true;
  CHECK(builder->apply(1, world.main_log[1]).error().code == Errc::unavailable);
  CHECK(builder->next() == 0);
  CHECK(builder->apply(1, world.main_log[1]).error().code == Errc::invalid);
  broken = false;
  REQUIRE(world.apply_all(*builder));
  CHECK(catalogue->hearing(second, CourtSet::everything()));
  CHECK(catalogue->applied()->size == 2);
  CHECK(*builder->dump() == dump_in_batches(world, 1));
}

TEST_CASE("a document or hearing log that is lost is a problem that is told, not the end") {
  World world;
  const NewHearing hearing{"RG 24/00001", {"Jean Dupont"}};
  const HearingId no_details = world.file(hearing);
  const HearingId no_log = world.file(hearing);
  const HearingId good = world.file(hearing);
  world.main_log.push_back("{\"kind\":\"hearing-checkpoint\",\"v\":1}");
  world.main_log.push_back("not json");
  world.main_log.push_back("{\"kind\":\"docket\",\"v\":1}");
  const auto open = greffe::parse_hearing_entry(world.hearings[no_details][0]);
  world.documents.erase(std::get<greffe::OpenEntry>(*open).details);
  world.hearings.erase(no_log);

  const Directory directory;
  auto builder = CatalogueBuilder::create(directory.file("c"), world.sources());
  REQUIRE(world.apply_all(*builder));
  auto catalogue = Catalogue::open(directory.file("c"));
  const auto bare = catalogue->hearing(no_details, CourtSet::everything());
  REQUIRE(bare);
  CHECK(bare->details_json == "{}");
  CHECK(bare->row.closed);
  CHECK_FALSE(catalogue->hearing(no_log, CourtSet::everything()));
  CHECK(catalogue->hearing(good, CourtSet::everything()));
  const auto problems = catalogue->problems();
  REQUIRE(problems->size() == 4);
  CHECK(problems->front().entry_index == 4);
  greffe::catalogue::EntryQuery query;
  query.kind = "docket";
  CHECK(*catalogue->entries(query) == std::vector<std::uint64_t>{5});
}

TEST_CASE("a hearing log entry that cannot be understood is skipped and told") {
  World world;
  const HearingId id = world.open(NewHearing{"RG 24/00001", {}});
  world.hearings[id].push_back("{\"kind\":\"segment\",\"v\":1}");
  world.hearings[id].push_back("{\"kind\":\"new-kind\",\"v\":1}");
  world.close(id, UtcTime{1'780'000'100'000});
  world.checkpoint(id);
  const HearingId headless = world.open(NewHearing{"RG 24/00002", {}});
  world.hearings[headless].erase(world.hearings[headless].begin());
  world.close(headless, UtcTime{1'780'000'100'000});
  world.checkpoint(headless);
  const Directory directory;
  auto builder = CatalogueBuilder::create(directory.file("c"), world.sources());
  REQUIRE(world.apply_all(*builder));
  auto catalogue = Catalogue::open(directory.file("c"));
  CHECK(catalogue->hearing(id, CourtSet::everything())->row.closed);
  CHECK_FALSE(catalogue->hearing(headless, CourtSet::everything()));
  CHECK(catalogue->problems()->size() == 2);
}

TEST_CASE("a catalogue that is missing, damaged or of another version is recognised") {
  World world = busy_world(5);
  const Directory directory;
  const std::string path = directory.file("c");
  CHECK(CatalogueBuilder::open(path, world.sources()).error().code == Errc::not_found);
  CHECK(Catalogue::open(path).error().code == Errc::not_found);
  {
    auto builder = CatalogueBuilder::create(path, world.sources());
    REQUIRE(world.apply_all(*builder));
  }
  CHECK(CatalogueBuilder::create(path, world.sources()).error().code == Errc::already_exists);
  REQUIRE(CatalogueBuilder::open(path, world.sources()));

  SECTION("not a database") {
    std::ofstream(path, std::ios::trunc) << "no database at all, but long enough to look like one, perhaps";
    CHECK(CatalogueBuilder::open(path, world.sources()).error().code == Errc::corrupt);
    CHECK(Catalogue::open(path).error().code == Errc::corrupt);
  }
  SECTION("an empty file") {
    std::filesystem::resize_file(path, 0);
    CHECK(CatalogueBuilder::open(path, world.sources()).error().code == Errc::corrupt);
    CHECK(Catalogue::open(path).error().code == Errc::corrupt);
  }
  SECTION("cut short") {
    std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
    CHECK(CatalogueBuilder::open(path, world.sources()).error().code == Errc::corrupt);
  }
  SECTION("a page of zeros") {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(3 * 4096);
    const std::string zeros(4096, '\0');
    file.write(zeros.data(), 4096);
    file.close();
    CHECK(CatalogueBuilder::open(path, world.sources()).error().code == Errc::corrupt);
  }
}
