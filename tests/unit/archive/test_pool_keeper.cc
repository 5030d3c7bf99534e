// Volumes that change under a running archive, over real folders: recordings and logs end up whole on those that stay.
#include <catch2/catch.hpp>

#include <chrono>
#include <thread>

#include "archive/pool_check.h"
#include "archive/pool_keeper.h"
#include "tests/unit/archive/sample_archive.h"

using greffe::Errc;
using greffe::archive::PoolKeeper;
using greffe::store::VolumeState;
using greffe::testing::append_range;
using greffe::testing::deposit_all_objects;
using greffe::testing::SampleArchive;
using greffe::testing::SampleHearing;

namespace {

void file_a_hearing(SampleArchive& archive) {
  SampleHearing hearing(archive.name);
  for (int i = 0; i < 5; ++i) hearing.add_segment(2000);
  hearing.close();
  deposit_all_objects(archive, hearing);
  REQUIRE(append_range(archive, hearing, 0, hearing.entries.size()));
}

template <class Ready>
void wait_for(const Ready& ready) {
  for (int i = 0; i < 600; ++i) {
    if (ready()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  FAIL("it did not happen within 30 s");
}

std::vector<std::string> findings(SampleArchive& archive) {
  const auto found = greffe::archive::check_pool(archive.files, archive.clock, *archive.pool, archive.folder.path + "/state/catalogue.sqlite");
  REQUIRE(found);
  return found->findings;
}

}  // namespace

TEST_CASE("a volume is emptied while the archive works, and can be taken away") {
  SampleArchive archive;
  file_a_hearing(archive);
  {
    PoolKeeper keeper(archive.clock, archive.log, *archive.pool);
    keeper.start();
    const auto leaving = archive.pool->volumes()[0];
    REQUIRE(archive.pool->add_volume(archive.folder.path + "/v3", "d3"));
    REQUIRE(archive.pool->drain_volume(leaving.id));
    keeper.wake();
    file_a_hearing(archive);
    wait_for([&] { return archive.pool->volumes()[0].state == VolumeState::retired; });
    REQUIRE(keeper.facts().problem.empty());
  }
  file_a_hearing(archive);
  archive.stop();
  std::filesystem::remove_all(archive.folder.path + "/v0");
  archive.start();
  REQUIRE(findings(archive).empty());
}

TEST_CASE("a volume that was away is made good by itself, and until then it is said what lacks") {
  SampleArchive archive;
  archive.stop();
  std::filesystem::rename(archive.folder.path + "/v2", archive.folder.path + "/elsewhere");
  archive.start();
  file_a_hearing(archive);
  PoolKeeper keeper(archive.clock, archive.log, *archive.pool);
  keeper.start();
  wait_for([&] { return keeper.facts().finished.has_value(); });
  REQUIRE(keeper.facts().objects.stuck > 0);
  REQUIRE_FALSE(keeper.facts().problem.empty());
  std::filesystem::rename(archive.folder.path + "/elsewhere", archive.folder.path + "/v2");
  wait_for([&] { return keeper.facts().problem.empty() && keeper.facts().objects.written > 0; });
  keeper.stop();
  REQUIRE(findings(archive).empty());
}
