// Volumes that come, go, are emptied, or turn out to be copies of what they were.
#include <catch2/catch.hpp>

#include "archive/store/pool_roster.h"
#include "tests/unit/support/test_pool.h"

using greffe::as_bytes;
using greffe::Bytes;
using greffe::Errc;
using greffe::object_key;
using greffe::sha256;
using greffe::store::CensusTotals;
using greffe::store::PoolMode;
using greffe::store::PoolRoster;
using greffe::store::VolumeDuty;
using greffe::store::VolumeReport;
using greffe::store::VolumeState;
using greffe::testing::Fault;
using greffe::testing::fresh_volumes;
using greffe::testing::some_bytes;
using greffe::testing::TestPool;

namespace {

constexpr const char* kNew = "/disk9/greffe";

VolumeReport at(TestPool& test, const std::string& path) {
  for (const VolumeReport& one : test.pool->volumes()) {
    if (one.path == path) return one;
  }
  FAIL("no volume at " << path);
  return {};
}

CensusTotals fill_up(TestPool& test) {
  const auto totals = test.pool->fill_up({}, [](const CensusTotals&) { return true; });
  REQUIRE(totals);
  REQUIRE(totals->finished);
  return *totals;
}

bool holds(TestPool& test, const std::string& volume, const Bytes& bytes) {
  const auto found = test.files->read_file(greffe::join(volume, object_key(sha256(bytes))), 1 << 20);
  return found && *found == bytes;
}

}  // namespace

TEST_CASE("the list of a pool's volumes is canonical and strict") {
  PoolRoster roster{std::string(32, 'a'), 7, {{std::string(32, 'b'), "shelf-1", "/srv/one", VolumeDuty::draining, {1'800'000'000'000}, 6}}};
  const std::string text = write_pool_roster(roster);
  const auto read = greffe::store::parse_pool_roster(text);
  REQUIRE(read);
  REQUIRE(read->generation == 7);
  REQUIRE(read->volumes.size() == 1);
  REQUIRE(read->volumes[0].duty == VolumeDuty::draining);
  REQUIRE(read->volumes[0].path == "/srv/one");
  REQUIRE(read->volumes[0].seen == 6);
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string out = text;
    return out.replace(out.find(from), from.size(), to);
  };
  for (const std::string& bad : {std::string(), std::string("{}"), text + " ", text.substr(1), with("draining", "idle"), with("shelf-1", "Shelf"),
                                 with("/srv/one", "srv/one"), with("\"seen\":6", "\"seen\":8"), with("bbbb", "zzzz"), with("\"v\":1", "\"v\":2")}) {
    INFO(bad);
    REQUIRE_FALSE(greffe::store::parse_pool_roster(bad));
  }
  roster.volumes.push_back(roster.volumes[0]);
  REQUIRE_FALSE(greffe::store::parse_pool_roster(write_pool_roster(roster)));
}

TEST_CASE("a volume that was added takes part at once, and after a start without being configured") {
  TestPool test(3);
  const auto label = test.pool->add_volume(kNew, "shelf-9");
  REQUIRE(label);
  REQUIRE(at(test, kNew).state == VolumeState::active);
  REQUIRE(test.pool->add_volume(kNew, "shelf-9").error().code == Errc::already_exists);
  bool used = false;
  for (unsigned i = 0; i < 40 && !used; ++i) {
    const Bytes bytes = some_bytes(500, i);
    REQUIRE(test.put_object(bytes));
    used = holds(test, kNew, bytes);
  }
  REQUIRE(used);
  test.open();
  REQUIRE(at(test, kNew).state == VolumeState::active);
  REQUIRE(at(test, kNew).id == label->id);

  SECTION("also when it is not there") {
    test.pool.reset();
    test.files->unmount("/disk9");
    test.open();
    REQUIRE(at(test, kNew).state == VolumeState::missing);
    test.files->mount("/disk9");
    REQUIRE(at(test, kNew).state == VolumeState::active);
  }
  SECTION("names that cannot be") {
    REQUIRE(test.pool->add_volume("relative", "shelf-9").error().code == Errc::invalid);
    REQUIRE(test.pool->add_volume("/disk8/greffe", "Shelf!").error().code == Errc::invalid);
    REQUIRE(greffe::store::init_volume(*test.files, "/disk8/greffe", std::string(32, '9'), "x"));
    REQUIRE(test.pool->add_volume("/disk8/greffe", "x").error().code == Errc::invalid);
  }
}

TEST_CASE("a crash at any step of adding a volume is mended by adding it again") {
  TestPool probe(3);
  const std::uint64_t before = probe.files->faults().counted();
  REQUIRE(probe.pool->add_volume(kNew, "shelf-9"));
  const std::uint64_t steps = probe.files->faults().counted() - before;
  for (std::uint64_t step = 1; step <= steps; step += step < 5 || step + 40 > steps ? 1 : 61) {
    INFO(step << " of " << steps);
    TestPool test(3);
    const Bytes bytes = some_bytes(900, step);
    REQUIRE(test.put_object(bytes));
    test.files->faults().arm(Fault::power_off, step);
    REQUIRE_FALSE(test.pool->add_volume(kNew, "shelf-9"));
    test.pool.reset();
    test.files->crash(step);
    test.open();
    const auto again = test.pool->add_volume(kNew, "shelf-9");
    REQUIRE((again || again.error().code == Errc::already_exists));
    REQUIRE(test.pool->volumes().size() == 4);
    for (const VolumeReport& one : test.pool->volumes()) REQUIRE(one.state == VolumeState::active);
    REQUIRE(*test.pool->read_object(sha256(bytes)) == bytes);
  }
}

TEST_CASE("a volume is emptied before it leaves, and never comes back under its id") {
  TestPool test(3);
  std::vector<Bytes> all;
  for (unsigned i = 0; i < 12; ++i) all.push_back(some_bytes(700 + i, i));
  for (const Bytes& bytes : all) REQUIRE(test.put_object(bytes));
  const std::string leaving = test.settings.volumes[0];
  const std::string id = at(test, leaving).id;
  REQUIRE(test.pool->drain_volume(id).error().code == Errc::invalid);  // two would be left for three replicas
  REQUIRE(test.pool->retire_volume(id).error().code == Errc::conflict);
  REQUIRE(test.pool->drain_volume(std::string(32, '0')).error().code == Errc::not_found);

  REQUIRE(test.pool->add_volume(kNew, "shelf-9"));
  REQUIRE(test.pool->drain_volume(id));
  REQUIRE(at(test, leaving).state == VolumeState::draining);
  REQUIRE(test.put_object(some_bytes(2000, 77)));
  REQUIRE_FALSE(holds(test, leaving, some_bytes(2000, 77)));
  test.open();  // it is remembered
  REQUIRE(at(test, leaving).state == VolumeState::draining);
  const CensusTotals totals = fill_up(test);
  REQUIRE(totals.lacking == all.size());
  REQUIRE(totals.written == all.size());
  REQUIRE(totals.stuck == 0);
  REQUIRE(test.damage.empty());  // nothing was damaged
  for (const Bytes& bytes : all) REQUIRE(holds(test, kNew, bytes));
  REQUIRE(fill_up(test).lacking == 0);
  REQUIRE(test.pool->retire_volume(id));
  REQUIRE(at(test, leaving).state == VolumeState::retired);

  test.files->unmount("/disk0");
  test.open();
  REQUIRE(at(test, leaving).state == VolumeState::retired);
  for (const Bytes& bytes : all) REQUIRE(*test.pool->read_object(sha256(bytes)) == bytes);
  test.files->mount("/disk0");
  test.open();
  REQUIRE(at(test, leaving).state == VolumeState::retired);
  REQUIRE(test.pool->add_volume(leaving, "shelf-0").error().code == Errc::invalid);
}

TEST_CASE("an object that comes while its volume begins to be emptied is whole on those that stay") {
  TestPool test(3);
  const Bytes bytes = some_bytes(6000, 4);
  auto writer = test.pool->begin_object(bytes.size());
  REQUIRE(writer);
  REQUIRE((*writer)->write(bytes));
  REQUIRE(test.pool->add_volume(kNew, "shelf-9"));
  REQUIRE(test.pool->drain_volume(at(test, test.settings.volumes[0]).id));
  REQUIRE((*writer)->commit(sha256(bytes)));
  for (const char* stays : {"/disk1/greffe", "/disk2/greffe", kNew}) REQUIRE(holds(test, stays, bytes));
}

TEST_CASE("that a volume leaves and cannot be written down is an error, and the same again writes it down") {
  TestPool test(3);
  const std::string leaving = test.settings.volumes[0];
  const std::string id = at(test, leaving).id;
  REQUIRE(test.pool->add_volume(kNew, "shelf-9"));
  const auto without_descriptors = [&](bool without) {
    if (without) test.files->faults().arm(Fault::fails_before, 1, true, Errc::unavailable);
    if (!without) test.files->faults().disarm();
  };
  without_descriptors(true);
  REQUIRE(test.pool->drain_volume(id).error().code == Errc::unavailable);
  without_descriptors(false);
  REQUIRE(test.pool->drain_volume(id));
  test.open();
  REQUIRE(at(test, leaving).state == VolumeState::draining);
  REQUIRE(fill_up(test).stuck == 0);
  without_descriptors(true);
  REQUIRE(test.pool->retire_volume(id).error().code == Errc::unavailable);
  without_descriptors(false);
  REQUIRE(test.pool->retire_volume(id));
  REQUIRE(at(test, leaving).state == VolumeState::retired);
  test.open();
  REQUIRE(at(test, leaving).state == VolumeState::retired);
}

TEST_CASE("a volume that is gone for good is replaced") {
  TestPool test(3);
  const Bytes bytes = some_bytes(5000, 1);
  REQUIRE(test.put_object(bytes));
  const std::string id = at(test, test.settings.volumes[1]).id;
  test.pool.reset();
  test.files->unmount("/disk1");
  test.open();
  REQUIRE(test.pool->add_volume(kNew, "shelf-1"));
  REQUIRE(test.pool->drain_volume(id));
  REQUIRE(fill_up(test).stuck == 0);
  REQUIRE(holds(test, kNew, bytes));
  REQUIRE(test.pool->retire_volume(id));
  test.files->mount("/disk1");
  test.open();
  REQUIRE(at(test, test.settings.volumes[1]).state == VolumeState::retired);
}

TEST_CASE("what was written while a volume was away is made good when it returns") {
  TestPool test(3);
  test.pool.reset();
  test.files->unmount("/disk2");
  test.open();
  const Bytes bytes = some_bytes(3000, 5);
  REQUIRE(test.put_object(bytes));
  const CensusTotals without = fill_up(test);
  REQUIRE(without.lacking == 1);
  REQUIRE(without.stuck == 1);
  REQUIRE(without.problem.find("instead of 3") != std::string::npos);
  test.files->mount("/disk2");
  const CensusTotals with = fill_up(test);
  REQUIRE(with.written == 1);
  REQUIRE(with.stuck == 0);
  REQUIRE(holds(test, test.settings.volumes[2], bytes));
}

TEST_CASE("a copy of a volume from before is told apart from the volume itself") {
  TestPool test(3);
  test.open();
  const std::string volume = test.settings.volumes[1];
  const auto before = test.files->read_file(greffe::join(volume, greffe::store::kRosterFile), 1 << 20);
  REQUIRE(before);
  test.open();

  SECTION("it was only away") {
    test.pool.reset();
    test.files->unmount("/disk1");
    for (int i = 0; i < 3; ++i) test.open();
    test.files->mount("/disk1");
    REQUIRE(at(test, volume).state == VolumeState::active);
  }
  SECTION("somebody has put an older image back") {
    test.open();
    test.pool.reset();
    test.files->damage(greffe::join(volume, greffe::store::kRosterFile), [&](Bytes& bytes) { bytes = *before; });
    test.open();
    REQUIRE(at(test, volume).state == VolumeState::missing);
    REQUIRE(at(test, volume).reason.find("from before") != std::string::npos);
    REQUIRE(test.put_object(some_bytes(100, 3)));
  }
  SECTION("a list that rotted is written anew") {
    test.pool.reset();
    test.files->damage(greffe::join(volume, greffe::store::kRosterFile), [](Bytes& bytes) { bytes[10] ^= 1; });
    test.open();
    REQUIRE(at(test, volume).state == VolumeState::active);
    REQUIRE(greffe::store::read_pool_roster(*test.files, volume));
  }
}

TEST_CASE("a head stays the newest while its volumes change") {
  TestPool test(3);
  const std::string key = "log/main/checkpoint";
  REQUIRE(test.pool->swap_head(key, "", "archive.example\n1\nAAAA\n\nsigned\n"));
  REQUIRE(test.pool->add_volume(kNew, "shelf-9"));
  for (int i = 0; i < 3; ++i) {
    const std::string path = test.settings.volumes[static_cast<std::size_t>(i)];
    INFO(path);
    const auto now = test.pool->read_head(key);
    REQUIRE(now);
    REQUIRE(test.pool->swap_head(key, *now, "archive.example\n" + std::to_string(i + 2) + "\nAAAA\n\nsigned\n"));
    if (i > 0) continue;  // one may leave
    REQUIRE(test.pool->drain_volume(at(test, path).id));
    REQUIRE(test.pool->read_head(key));
    REQUIRE(test.pool->retire_volume(at(test, path).id));
    test.pool.reset();
    test.files->unmount("/disk0");
    test.open();
  }
  REQUIRE(*test.pool->read_head(key) == "archive.example\n4\nAAAA\n\nsigned\n");
}

TEST_CASE("who reads beside the writer finds what is on a volume that was added since") {
  TestPool test(3);
  greffe::store::PoolSettings settings = test.settings;
  const auto reader = greffe::store::LocalPool::open(*test.files, test.clock, settings, PoolMode::reader);
  REQUIRE(reader);
  REQUIRE(test.pool->add_volume(kNew, "shelf-9"));
  const Bytes bytes = some_bytes(4000, 8);
  for (unsigned i = 0;; ++i) {  // until it is on the new one
    REQUIRE(i < 60);
    REQUIRE(test.put_object(bytes));
    if (holds(test, kNew, bytes)) break;
    for (const std::string& volume : test.settings.volumes) (void)test.files->remove(greffe::join(volume, object_key(sha256(bytes))));
    test.open();
  }
  for (const std::string& volume : test.settings.volumes) (void)test.files->remove(greffe::join(volume, object_key(sha256(bytes))));
  REQUIRE((*reader)->open_object(sha256(bytes)));
}
