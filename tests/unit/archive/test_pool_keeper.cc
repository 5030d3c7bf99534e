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

greffe::archive::KeeperSettings settings_of(const SampleArchive& archive) { return {.state_path = archive.folder.path + "/state/keep.json"}; }

void file_a_hearing(SampleArchive& archive) {
  SampleHearing hearing(archive.name);
  for (int i = 0; i < 5; ++i) hearing.add_segment(2000);
  hearing.close();
  deposit_all_objects(archive, hearing);
  REQUIRE(append_range(archive, hearing, 0, hearing.entries.size()));
}

template <class Ready>
void wait_for(const Ready& ready) {
  for (int i = 0; i < 2400; ++i) {
    if (ready()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  FAIL("it did not happen within two minutes");
}

std::vector<std::string> findings(SampleArchive& archive) {
  const auto found = greffe::archive::check_pool(archive.files, archive.clock, *archive.pool, {archive.name, 1}, archive.folder.path + "/state/catalogue.sqlite");
  REQUIRE(found);
  return found->findings;
}

}  // namespace

TEST_CASE("a volume is emptied while the archive works, and can be taken away") {
  SampleArchive archive;
  file_a_hearing(archive);
  {
    PoolKeeper keeper(archive.clock, archive.log, archive.files, *archive.pool, settings_of(archive));
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
  PoolKeeper keeper(archive.clock, archive.log, archive.files, *archive.pool, settings_of(archive));
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
  PoolKeeper keeper(archive.clock, archive.log, archive.files, *archive.pool, settings_of(archive));
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

namespace {

// Names of all objects, in order.
std::vector<greffe::Digest> names_in(SampleArchive& archive) {
  std::vector<greffe::Digest> out;
  REQUIRE(archive.pool->walk_objects([&](const greffe::Digest& digest) {
    out.push_back(digest);
    return true;
  }));
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> copies_of(SampleArchive& archive, const greffe::Digest& digest) {
  std::vector<std::string> out;
  for (int volume = 0; volume < 3; ++volume) {
    const std::string path = archive.folder.path + "/v" + std::to_string(volume) + "/" + greffe::object_key(digest);
    if (std::filesystem::exists(path)) out.push_back(path);
  }
  return out;
}

}  // namespace

TEST_CASE("a pass that was broken off goes on where it was when the volumes are as they were, and begins anew when not") {
  SampleArchive archive;
  file_a_hearing(archive);
  const std::vector<greffe::Digest> names = names_in(archive);
  REQUIRE(names.size() >= 4);
  const greffe::Digest& seen = names[0];      // before the place where it goes on
  const greffe::Digest& unseen = names.back();
  for (const greffe::Digest& digest : {seen, unseen}) std::filesystem::remove(copies_of(archive, digest).front());
  greffe::archive::KeeperState state;
  state.pool = archive.pool->pool_id();
  for (const auto& volume : archive.pool->volumes()) state.volumes.emplace_back(volume.id, std::string(greffe::store::name_of(volume.state)));
  state.volumes_changed = true;
  state.objects.after = greffe::object_key(names[1]);
  state.objects.objects = 2;
  const bool fits = GENERATE(true, false);
  if (!fits) state.volumes[1].second = "missing";
  const auto settings = settings_of(archive);
  REQUIRE(greffe::archive::save_keeper_state(archive.files, settings.state_path, state));
  PoolKeeper keeper(archive.clock, archive.log, archive.files, *archive.pool, settings);
  keeper.start();
  if (!fits) keeper.wake();
  wait_for([&] { return keeper.facts().finished.has_value(); });
  CHECK(keeper.facts().objects.objects == names.size());
  CHECK(keeper.facts().problem.empty());
  CHECK(copies_of(archive, unseen).size() == 3);
  CHECK(copies_of(archive, seen).size() == (fits ? 2 : 3));
  keeper.stop();
  CHECK_FALSE(std::filesystem::exists(settings.state_path));
}

TEST_CASE("what a keeper saves can be read again, and what is none is refused") {
  greffe::archive::KeeperState state;
  state.pool = "p";
  state.volumes = {{"a", "active"}, {"b", "draining"}};
  state.volumes_changed = true;
  state.objects.after = greffe::object_key(greffe::sha256(greffe::as_bytes("x")));
  state.objects.objects = 7;
  state.objects.written = 3;
  const std::string text = greffe::archive::write_keeper_state(state);
  const auto again = greffe::archive::parse_keeper_state(text);
  REQUIRE(again);
  CHECK(greffe::archive::write_keeper_state(*again) == text);
  CHECK_FALSE(greffe::archive::parse_keeper_state("{}"));
  state.objects.after = "sha256/zz";
  CHECK_FALSE(greffe::archive::parse_keeper_state(greffe::archive::write_keeper_state(state)));
}
