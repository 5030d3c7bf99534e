// The catalogue against a real main log: catching up, and rebuilding whatever is wrong with the file.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "archive/catalogue/catalogue_builder.h"
#include "archive/format/promotion.h"
#include "archive/tlog/log_writer.h"
#include "tests/unit/catalogue/world.h"
#include "tests/unit/support/memory_store.h"

using greffe::Errc;
using greffe::HearingId;
using greffe::catalogue::Applied;
using greffe::catalogue::Catalogue;
using greffe::catalogue::CatalogueBuilder;
using greffe::catalogue::CourtSet;
using greffe::catalogue::HearingQuery;
using greffe::catalogue::open_or_rebuild;
using greffe::testing::Directory;
using greffe::testing::World;

namespace {

constexpr const char* kLogPath = "log/main";

struct Archive {
  World world;
  greffe::testing::MemoryStore store;
  greffe::PosixFileSystem files;
  Directory directory;
  std::string path = directory.file("catalogue.sqlite");

  // Writes what the world's main log has beyond the stored one.
  void publish() {
    auto writer = greffe::tlog::LogWriter::open(store, store, store, kLogPath);
    REQUIRE(writer);
    while (writer->size() < world.main_log.size()) {
      const std::size_t end = std::min<std::size_t>(world.main_log.size(), writer->size() + 100);
      const std::vector<std::string> entries(world.main_log.begin() + static_cast<std::ptrdiff_t>(writer->size()),
                                             world.main_log.begin() + static_cast<std::ptrdiff_t>(end));
      REQUIRE(writer->append(entries, [this](std::uint64_t size, const greffe::Digest& root) -> greffe::Result<std::string> {
        const greffe::Checkpoint checkpoint{"archive.court.example", size, root};
        greffe::SignedNote note;
        note.text = checkpoint.text();
        put_signature(note, sign_checkpoint(checkpoint, world.key));
        return note.write();
      }));
    }
  }
  greffe::tlog::LogReader reader() { return {store, store, kLogPath}; }
  greffe::catalogue::Opened open() {
    auto opened = open_or_rebuild(files, path, world.sources(), reader());
    INFO((opened ? "" : opened.error().message));
    REQUIRE(opened);
    return *std::move(opened);
  }
  std::uint64_t count(const std::string& text) {
    auto catalogue = Catalogue::open(path);
    REQUIRE(catalogue);
    HearingQuery query;
    query.text = text;
    return catalogue->find(query, CourtSet::everything())->count;
  }
};

}  // namespace

TEST_CASE("a catalogue is made from nothing, then only caught up") {
  Archive a;
  CHECK_FALSE(a.open().rebuilt_because.empty());  // there was none
  CHECK(a.count("") == 0);
  for (int i = 0; i < 300; ++i) a.world.file({"RG 24/" + std::to_string(i), {"Dupont"}});
  a.publish();
  CHECK(a.open().rebuilt_because.empty());
  CHECK(a.count("dupont") == 300);
  for (int i = 300; i < 310; ++i) a.world.file({"RG 24/" + std::to_string(i), {"Dupont"}});
  a.publish();
  std::uint64_t told = 0;
  auto opened = open_or_rebuild(a.files, a.path, a.world.sources(), a.reader(),
                                [&told](std::uint64_t done, std::uint64_t total) {
                                  CHECK(total == 310);
                                  told = done;
                                });
  REQUIRE(opened);
  CHECK(told == 310);
  CHECK(opened->builder.applied().size == 310);
  CHECK(opened->builder.applied().root == a.reader().checkpoint()->checkpoint.root);
  const std::string caught_up = *opened->builder.dump();
  auto rebuilt = greffe::catalogue::rebuild(a.files, a.path, a.world.sources(), a.reader());
  REQUIRE(rebuilt);
  CHECK(*rebuilt->dump() == caught_up);
  REQUIRE(rebuilt->check_text_index());
}

TEST_CASE("a catalogue follows its archive into another epoch") {
  Archive a;
  for (int i = 0; i < 300; ++i) a.world.file({"RG 24/" + std::to_string(i), {"Dupont"}});
  a.publish();
  { const auto first = a.open(); }
  const std::string origin = "archive.court.example";
  greffe::PromotionEntry promotion;
  promotion.name = {origin, 2};
  promotion.previous = {origin, 300, a.reader().checkpoint()->checkpoint.root};
  promotion.log_key = a.world.key.public_key();
  promotion.holder = {"second.example/holder", greffe::KeyType::cosignature_v1, a.world.key.public_key()};
  promotion.machine_url = "https://second.example:8444";
  promotion.machine_key = a.world.key.public_key();
  std::vector<std::string> entries = {write_promotion(promotion)};
  for (int i = 300; i < 310; ++i) a.world.file({"RG 24/" + std::to_string(i), {"Dupont"}});
  entries.insert(entries.end(), a.world.main_log.begin() + 300, a.world.main_log.end());
  auto writer = greffe::tlog::LogWriter::open(a.store, a.store, a.store, greffe::foreign_log_path(origin + "/epoch/2"));
  REQUIRE(writer);
  REQUIRE(writer->append(entries, [&a, &origin](std::uint64_t size, const greffe::Digest& root) -> greffe::Result<std::string> {
    const greffe::Checkpoint checkpoint{origin + "/epoch/2", size, root};
    const greffe::SignedNote note{checkpoint.text(), {sign_checkpoint(checkpoint, a.world.key)}};
    return note.write();
  }));
  const auto chain = greffe::tlog::LogChain::open(a.store, a.store, origin, kLogPath);
  REQUIRE(chain);
  const auto opened = open_or_rebuild(a.files, a.path, a.world.sources(), *chain);
  REQUIRE(opened);
  CHECK(opened->rebuilt_because.empty());
  CHECK(opened->builder.applied().size == 311);
  CHECK(opened->builder.applied().root == chain->checkpoint()->checkpoint.root);
  CHECK(a.count("dupont") == 310);
  const std::string caught_up = *opened->builder.dump();
  // What the old site wrote behind the pin, unknown to its successor, belongs to no epoch.
  a.world.file({"RG 25/1", {"Dupont"}});
  a.publish();
  const auto again = greffe::tlog::LogChain::open(a.store, a.store, origin, kLogPath);
  REQUIRE(again);
  const auto rebuilt = greffe::catalogue::rebuild(a.files, a.path, a.world.sources(), *again);
  REQUIRE(rebuilt);
  CHECK(*rebuilt->dump() == caught_up);
}

TEST_CASE("whatever is wrong with the file, it is rebuilt and says why") {
  Archive a;
  for (int i = 0; i < 200; ++i) a.world.file({"RG 24/" + std::to_string(i), {"Dupont"}});
  a.publish();
  const std::string good = *a.open().builder.dump();

  SECTION("deleted") { std::filesystem::remove(a.path); }
  SECTION("deleted, with a write-ahead log of another file left behind") {
    std::filesystem::remove(a.path);
    std::ofstream(a.path + "-wal") << std::string(10'000, 'x');
    std::ofstream(a.path + "-shm") << std::string(32'768, 'x');
  }
  SECTION("cut short") { std::filesystem::resize_file(a.path, std::filesystem::file_size(a.path) / 3); }
  SECTION("overwritten") { std::ofstream(a.path, std::ios::trunc) << "nothing that anybody could read as a database"; }
  SECTION("of another log") {
    World other;
    std::filesystem::remove(a.path);
    other.file({"RG 99", {"Autre"}});
    auto builder = CatalogueBuilder::create(a.path, other.sources());
    REQUIRE(other.apply_all(*builder));
  }
  SECTION("ahead of the log") {
    auto builder = CatalogueBuilder::open(a.path, a.world.sources());
    REQUIRE(builder->apply(200, "{\"kind\":\"docket\",\"v\":1}"));
    REQUIRE(builder->commit(greffe::sha256({})));
  }
  SECTION("a rebuild that was interrupted before") {
    std::filesystem::remove(a.path);
    std::ofstream(a.path + ".new") << std::string(10'000, 'x');
    std::ofstream(a.path + ".new-wal") << std::string(10'000, 'x');
  }
  auto opened = a.open();
  CHECK_FALSE(opened.rebuilt_because.empty());
  CHECK(*opened.builder.dump() == good);
  CHECK(a.count("dupont") == 200);
  CHECK_FALSE(std::filesystem::exists(a.path + ".new"));
}

TEST_CASE("a reader follows a rebuilt file after reopen") {
  Archive a;
  a.world.file({"RG 1", {"Dupont"}});
  a.publish();
  { auto first = a.open(); }
  auto catalogue = Catalogue::open(a.path);
  a.world.file({"RG 2", {"Dupont"}});
  a.publish();
  REQUIRE(greffe::catalogue::rebuild(a.files, a.path, a.world.sources(), a.reader()));
  catalogue->reopen();
  CHECK(catalogue->applied()->size == 2);
}

TEST_CASE("when a source is away the catalogue stays as it was") {
  Archive a;
  a.world.file({"RG 1", {"Dupont"}});
  a.publish();
  { auto first = a.open(); }
  a.world.file({"RG 2", {"Dupont"}});
  a.publish();
  auto sources = a.world.sources();
  sources.hearing = [](const HearingId&, std::uint64_t, std::uint64_t,
                       const std::function<bool(std::uint64_t, std::string_view)>&) -> greffe::Status {
    return greffe::fail(Errc::unavailable, "the volumes are away");
  };
  CHECK(open_or_rebuild(a.files, a.path, sources, a.reader()).error().code == Errc::unavailable);
  CHECK(a.count("dupont") == 1);
  CHECK(a.open().rebuilt_because.empty());
  CHECK(a.count("dupont") == 2);
}
