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

// Disks of a few hundred kilobytes each: as much is used as the files on them have.
class SmallDisks : public greffe::PosixFileSystem {
 public:
  static constexpr std::uint64_t kBytes = 400'000;
  greffe::Result<greffe::Space> space(const std::string& path) override {
    std::uint64_t used = 0;
    std::error_code ignored;  // what goes while it is counted is not counted
    for (auto at = std::filesystem::recursive_directory_iterator(path, ignored); !ignored && at != std::filesystem::recursive_directory_iterator();
         at.increment(ignored)) {
      std::error_code gone;
      const auto size = at->is_regular_file(gone) ? at->file_size(gone) : 0;
      if (!gone) used += size;
    }
    return greffe::Space{kBytes, kBytes > used ? kBytes - used : 0};
  }
};

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

TEST_CASE("when all disks are full and one is added, what waited is taken, and the status says what was moved") {
  SmallDisks disks;
  SampleArchive archive;
  archive.disk = &disks;
  archive.restart();
  unsigned filed = 0;
  const auto file = [&]() -> bool {
    SampleHearing hearing(archive.name);
    for (int i = 0; i < 3; ++i) hearing.add_segment(10'000);
    hearing.close();
    for (const auto& [digest, bytes] : hearing.objects) {
      if (!greffe::testing::deposit_object(archive, hearing, digest, bytes)) return false;
    }
    REQUIRE(append_range(archive, hearing, 0, hearing.entries.size()));
    ++filed;
    return true;
  };
  while (file()) REQUIRE(filed < 100);
  REQUIRE(filed > 3);
  PoolKeeper keeper(archive.clock, archive.log, *archive.pool);
  keeper.start();
  wait_for([&] { return !keeper.room().problem.empty(); });
  REQUIRE(keeper.room().totals.moved == 0);
  REQUIRE(archive.pool->add_volume(archive.folder.path + "/v3", "d3"));
  keeper.wake();
  wait_for([&] { return keeper.room().totals.reached && keeper.room().problem.empty() && keeper.facts().finished.has_value(); });
  REQUIRE(keeper.room().totals.moved > 0);
  REQUIRE(keeper.room().totals.lacking_bytes == 0);
  REQUIRE(file());
  wait_for([&] { return !keeper.facts().running && keeper.facts().problem.empty() && !archive.pool->lacks_room(); });
  keeper.stop();
  REQUIRE(findings(archive).empty());
}
