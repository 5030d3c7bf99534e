// Full volumes beside an empty one: what moves, what does not, and what is left after a crash at any step of it.
#include <catch2/catch.hpp>

#include "archive/store/room_plan.h"
#include "tests/unit/support/test_pool.h"

using greffe::Bytes;
using greffe::Digest;
using greffe::Errc;
using greffe::object_key;
using greffe::sha256;
using greffe::store::PoolMode;
using greffe::store::RoomTotals;
using greffe::store::VolumeReport;
using greffe::store::VolumeRoom;
using greffe::store::VolumeState;
using greffe::testing::Fault;
using greffe::testing::fresh_volumes;
using greffe::testing::some_bytes;
using greffe::testing::TestPool;

namespace {

constexpr const char* kNew = "/disk9/greffe";
constexpr std::uint64_t kDiskBytes = 400'000;
constexpr std::uint64_t kGoal = kDiskBytes / 8;
constexpr std::size_t kObjectBytes = 5'000;

bool holds(TestPool& test, const std::string& volume, const Bytes& bytes) {
  const auto found = test.files->read_file(greffe::join(volume, object_key(sha256(bytes))), 1 << 20);
  return found && *found == bytes;
}

// The volumes that the pool has now; the settings do not know of those that were added.
std::vector<std::string> paths(TestPool& test) {
  std::vector<std::string> out;
  for (const VolumeReport& one : test.pool->volumes()) out.push_back(one.path);
  return out;
}

unsigned copies(TestPool& test, const Bytes& bytes) {
  unsigned out = 0;
  for (const std::string& path : paths(test)) out += holds(test, path, bytes) ? 1 : 0;
  return out;
}

RoomTotals make_room(TestPool& test) {
  const auto totals = test.pool->make_room({}, [](const RoomTotals&) { return true; });
  INFO((totals ? totals->problem : totals.error().message));
  REQUIRE(totals);
  return *totals;
}

// Three volumes that are full to the last object.
struct FullPool {
  FullPool() : test(3) {
    for (unsigned i = 0; i < 3; ++i) test.files->limit_space("/disk" + std::to_string(i), kDiskBytes);
    test.files->limit_space("/disk9", kDiskBytes);
    for (unsigned i = 0;; ++i) {
      Bytes bytes = some_bytes(kObjectBytes, i);
      if (!test.put_object(bytes)) break;
      all.push_back(std::move(bytes));
    }
    test.files->faults().disarm();  // counts from here
    test.damage.clear();
  }
  void add() { REQUIRE(test.pool->add_volume(kNew, "shelf-9")); }
  void check_replicas(unsigned least, unsigned most) {
    for (const Bytes& bytes : all) {
      const unsigned found = copies(test, bytes);
      REQUIRE(found >= least);
      REQUIRE(found <= most);
    }
  }

  TestPool test;
  std::vector<Bytes> all;
};

// One full pool, made once: writing it takes longer than copying it.
struct FullDisk {
  std::unique_ptr<greffe::testing::ForgetfulFileSystem> files;
  std::vector<Bytes> all;
};
const FullDisk& full_disk() {
  static const FullDisk disk = [] {
    FullPool full;
    full.add();
    full.test.pool.reset();
    return FullDisk{full.test.files->clone(), full.all};
  }();
  return disk;
}

std::unique_ptr<TestPool> opened() {
  auto test = std::make_unique<TestPool>(full_disk().files->clone(), 3);
  test->open();
  test->files->faults().disarm();  // counts from here
  return test;
}

VolumeRoom room(std::string id, std::string domain, std::int64_t bytes) { return {std::move(id), std::move(domain), bytes, 8000}; }

}  // namespace

TEST_CASE("the volumes that are to get room are those that lack least, one of each failure domain") {
  using greffe::store::choose_roomiest;
  const std::vector<VolumeRoom> rooms = {room("a", "x", 10), room("b", "x", 900), room("c", "y", -5), room("d", "z", 800), room("e", "z", 2000)};
  REQUIRE(greffe::store::room_goal(rooms) == 1000);
  const auto choice = choose_roomiest(rooms, 3, 1000, {});
  REQUIRE(choice.complete);
  REQUIRE(choice.volumes == std::vector<std::size_t>{4, 1, 2});
  REQUIRE(poorest_of(rooms, choice) == 2);
  REQUIRE(lacking_room(rooms, choice, 1000) == 100 + 1005);
  REQUIRE_FALSE(has_room(rooms, choice, 500));
  // With fewer domains than replicas, two share one; but never while there is another.
  REQUIRE(choose_roomiest(rooms, 4, 1000, {}).volumes.size() == 4);
  REQUIRE(choose_roomiest(rooms, 4, 1000, {}).complete);
  // One that cannot be helped leaves its domain without a volume, and there is no other.
  REQUIRE_FALSE(choose_roomiest(rooms, 3, 1000, {"c"}).complete);
  REQUIRE(choose_roomiest(rooms, 3, 1000, {"b"}).volumes == std::vector<std::size_t>{4, 0, 2});
  REQUIRE(choose_roomiest(rooms, 3, 1000, {"e"}).volumes.front() == 4);  // it has enough
  REQUIRE_FALSE(has_room({}, choose_roomiest({}, 3, 0, {}), 1));
  REQUIRE(choose_roomiest({}, 3, 0, {}).volumes.empty());
}

TEST_CASE("nothing goes back and forth between volumes that have about the same room") {
  using greffe::store::may_give;
  REQUIRE(may_give(room("a", "x", 0), room("b", "y", 2000), 100, 1000));
  REQUIRE(may_give(room("a", "x", 0), room("b", "y", 400), 100, 1000));
  REQUIRE_FALSE(may_give(room("a", "x", 200), room("b", "y", 400), 100, 1000));
  REQUIRE(may_give(room("a", "x", 950), room("b", "y", 1100), 100, 1000));
  REQUIRE_FALSE(may_give(room("a", "x", 950), room("b", "y", 1099), 100, 1000));
  REQUIRE_FALSE(may_give(room("a", "x", 0), room("b", "y", -1), 100, 1000));
}

TEST_CASE("with full volumes and an empty one, as much is moved as new objects need, and no more") {
  FullPool full;
  TestPool& test = full.test;
  REQUIRE(full.all.size() > 50);
  REQUIRE(test.pool->lacks_room());
  REQUIRE_FALSE(make_room(test).reached);  // nowhere to go
  REQUIRE(make_room(test).moved == 0);
  REQUIRE(make_room(test).problem.find("add one") != std::string::npos);
  full.add();
  REQUIRE(test.put_object(some_bytes(kObjectBytes, 1000)).error().code == Errc::no_space);

  const RoomTotals totals = make_room(test);
  REQUIRE(totals.reached);
  REQUIRE(totals.problem.empty());
  REQUIRE(totals.lacking_bytes == 0);
  REQUIRE(totals.removed == 0);
  // Two volumes were given room; one object more on each than would just do.
  REQUIRE(totals.moved_bytes <= 2 * (kGoal + kObjectBytes));
  REQUIRE(totals.moved_bytes == totals.moved * kObjectBytes);
  full.check_replicas(3, 3);
  REQUIRE(test.damage.empty());
  for (const Bytes& bytes : full.all) REQUIRE(*test.pool->read_object(sha256(bytes)) == bytes);

  REQUIRE_FALSE(test.pool->lacks_room());
  REQUIRE(make_room(test).moved == 0);
  test.clock.pass_ms(60'000);
  // Until the new volume is as full as the others: it is used to the end, with room made whenever it is needed.
  unsigned stored = 0;
  for (unsigned i = 0; i < 200; ++i) {
    Bytes bytes = some_bytes(kObjectBytes, 2000 + i);
    if (test.pool->lacks_room()) static_cast<void>(make_room(test));
    if (!test.put_object(bytes)) break;
    full.all.push_back(std::move(bytes));
    ++stored;
  }
  REQUIRE(stored >= (kDiskBytes - kGoal) / kObjectBytes / 3);  // three replicas of each want room
  full.check_replicas(2, 3);
  REQUIRE(test.damage.empty());
}

TEST_CASE("a volume that was full and has room again is shown as active") {
  FullPool full;
  unsigned before = 0;
  for (const VolumeReport& one : full.test.pool->volumes()) before += one.state == VolumeState::full ? 1 : 0;
  REQUIRE(before > 0);
  full.add();
  full.test.clock.pass_ms(60'000);
  REQUIRE(make_room(full.test).reached);
  unsigned after = 0;
  for (const VolumeReport& one : full.test.pool->volumes()) after += one.state == VolumeState::full ? 1 : 0;
  REQUIRE(after <= 1);
}

TEST_CASE("what is stopped goes on where it was, also in another process") {
  FullPool full;
  full.add();
  std::uint64_t steps = 0;
  std::uint64_t moved = 0;
  for (; steps < 100; ++steps) {
    const auto totals = full.test.pool->make_room({}, [](const RoomTotals& now) { return now.moved < 3; });
    REQUIRE(totals);
    moved += totals->moved;
    full.check_replicas(3, 3);
    if (totals->reached) break;
    REQUIRE(totals->problem.empty());
    full.test.open();
  }
  REQUIRE(steps > 2);
  REQUIRE(steps < 100);
  REQUIRE(moved * kObjectBytes <= 2 * (kGoal + kObjectBytes));
}

TEST_CASE("a stop ends it between two objects") {
  FullPool full;
  full.add();
  std::stop_source stop;
  const auto totals = full.test.pool->make_room({}, [&](const RoomTotals& now) {
    if (now.moved == 2) stop.request_stop();
    return true;
  }, stop.get_token());
  REQUIRE(totals);
  REQUIRE(totals->moved == 2);
  REQUIRE_FALSE(totals->reached);
  REQUIRE(totals->problem.empty());
}

TEST_CASE("a crash at any step of it leaves every object on R volumes, and what follows is as if nothing had been", "[every-step]") {
  const auto run = [](TestPool& test) { return test.pool->make_room({}, [](const RoomTotals& now) { return now.moved < 2; }); };
  const auto probe = opened();
  REQUIRE(run(*probe)->moved == 2);
  const std::uint64_t steps = probe->files->faults().counted();
  REQUIRE(steps > 12);
  for (std::uint64_t step = 1; step <= steps; ++step) {
    for (std::uint64_t seed = 0; seed < 2; ++seed) {
      INFO(step << " of " << steps << ", seed " << seed << ": " << probe->files->faults().trace()[step - 1]);
      const auto test = opened();
      test->files->faults().arm(Fault::power_off, step);
      static_cast<void>(run(*test).has_value());
      test->pool.reset();
      if (seed == 0) test->files->crash();
      if (seed > 0) test->files->crash(step * 10 + seed);
      test->damage.clear();  // a disk without power gives nothing back
      test->open();
      for (const Bytes& bytes : full_disk().all) REQUIRE(copies(*test, bytes) >= 3);
      const RoomTotals totals = make_room(*test);
      REQUIRE(totals.reached);
      for (const Bytes& bytes : full_disk().all) {
        const unsigned found = copies(*test, bytes);
        REQUIRE(found >= 3);
        REQUIRE(found <= 4);
        REQUIRE(*test->pool->read_object(sha256(bytes)) == bytes);
      }
      REQUIRE(test->damage.empty());
    }
  }
}

TEST_CASE("a step that fails once or for ever loses no replica", "[every-step]") {
  const auto run = [](TestPool& test) { return test.pool->make_room({}, [](const RoomTotals& now) { return now.moved < 1; }); };
  const auto probe = opened();
  REQUIRE(run(*probe)->moved == 1);
  const std::uint64_t steps = probe->files->faults().counted();
  for (std::uint64_t step = 1; step <= steps; ++step) {
    for (const Fault fault : greffe::testing::kFailures) {
      for (const bool for_ever : {false, true}) {
        INFO(step << " of " << steps << ": " << probe->files->faults().trace()[step - 1] << (for_ever ? " for ever" : ""));
        const auto test = opened();
        test->files->faults().arm(fault, step, for_ever, step % 2 == 0 ? Errc::io_error : Errc::no_space);
        static_cast<void>(run(*test).has_value());
        test->files->faults().disarm();
        for (const Bytes& bytes : full_disk().all) REQUIRE(copies(*test, bytes) >= 3);
        test->files->crash();
        test->open();
        for (const Bytes& bytes : full_disk().all) REQUIRE(copies(*test, bytes) >= 3);
      }
    }
  }
}

TEST_CASE("what has too few replicas is not touched") {
  FullPool full;
  full.add();
  for (const Bytes& bytes : full.all) REQUIRE(full.test.files->remove(full.test.path(0, object_key(sha256(bytes)))));
  const RoomTotals totals = make_room(full.test);
  REQUIRE(totals.moved + totals.removed == 0);
  full.check_replicas(2, 2);
}

TEST_CASE("before a replica goes the others are read, and what is damaged is mended instead") {
  FullPool full;
  TestPool& test = full.test;
  full.add();
  for (const Bytes& bytes : full.all) {
    REQUIRE(test.files->damage(test.path(2, object_key(sha256(bytes))), [](Bytes& damaged) { damaged[10] ^= 1; }));
  }
  const auto totals = test.pool->make_room({}, [](const RoomTotals&) { return true; });
  REQUIRE(totals);
  REQUIRE_FALSE(test.damage.empty());
  full.check_replicas(2, 3);
  for (const greffe::store::Damage& one : test.damage) {
    REQUIRE(one.key.starts_with("sha256/"));
    REQUIRE_FALSE(one.missing);
  }
}

TEST_CASE("a disk that does not keep what it was given is found out before the old replica goes") {
  FullPool full;
  TestPool& test = full.test;
  full.add();
  test.files->forget_writes_below("/disk9/greffe/sha256");
  static_cast<void>(make_room(test));
  full.check_replicas(3, 4);
  for (unsigned i = 0; i < 3; ++i) {
    for (const Bytes& bytes : full.all) REQUIRE(holds(test, test.settings.volumes[i], bytes));
  }
  REQUIRE_FALSE(test.damage.empty());
  unsigned suspect = 0;
  for (const VolumeReport& one : test.pool->volumes()) suspect += one.path == kNew && one.state == VolumeState::suspect ? 1 : 0;
  REQUIRE(suspect == 1);
}

TEST_CASE("a replica that is one too many is removed and not moved") {
  TestPool test(4);
  for (unsigned i = 0; i < 4; ++i) test.files->limit_space("/disk" + std::to_string(i), kDiskBytes);
  std::vector<Bytes> all;
  for (unsigned i = 0; i < 12; ++i) all.push_back(some_bytes(kObjectBytes, i));
  for (const Bytes& bytes : all) REQUIRE(test.put_object(bytes));
  // A volume that had been away is back: whatever was missing had been made good elsewhere.
  for (const Bytes& bytes : all) {
    for (unsigned i = 0; i < 4; ++i) {
      const std::string path = test.path(i, object_key(sha256(bytes)));
      if (test.files->stat(path)) continue;
      REQUIRE(test.files->make_directories(greffe::parent_of(path)));
      REQUIRE(test.files->write_new(path, bytes));
    }
  }
  test.settings.min_free_bytes = kDiskBytes - 12 * kObjectBytes - kGoal / 4;
  test.open();
  REQUIRE(test.pool->lacks_room());
  const RoomTotals totals = make_room(test);
  REQUIRE(totals.removed > 3 * totals.moved);
  for (const Bytes& bytes : all) REQUIRE(copies(test, bytes) >= 3);
}

TEST_CASE("two replicas never come to share a failure domain that had not shared one") {
  TestPool test(2);
  test.settings.replicas = 2;
  test.open();
  for (const char* disk : {"/disk0", "/disk1", "/disk9"}) test.files->limit_space(disk, kDiskBytes);
  std::vector<Bytes> all;
  for (unsigned i = 0; i < 200; ++i) {
    Bytes bytes = some_bytes(kObjectBytes, i);
    if (!test.put_object(bytes)) break;
    all.push_back(std::move(bytes));
  }
  REQUIRE(test.pool->add_volume(kNew, "shelf-0"));  // beside the first one
  const RoomTotals totals = make_room(test);
  REQUIRE_FALSE(totals.reached);
  REQUIRE(totals.problem.find("another domain") != std::string::npos);
  for (const Bytes& bytes : all) {
    REQUIRE(copies(test, bytes) == 2);
    REQUIRE(holds(test, test.settings.volumes[1], bytes));  // nothing of the other domain has moved
  }
}

TEST_CASE("only a writer moves anything, and who reads beside it finds everything") {
  FullPool full;
  full.add();
  TestPool& test = full.test;
  auto reader = greffe::store::LocalPool::open(*test.files, test.clock, test.settings, PoolMode::reader);
  REQUIRE(reader);
  REQUIRE((*reader)->make_room({}, [](const RoomTotals&) { return true; }).error().code == Errc::denied);
  REQUIRE(make_room(test).reached);
  for (const Bytes& bytes : full.all) REQUIRE(*(*reader)->read_object(sha256(bytes)) == bytes);
  const auto file = (*reader)->open_object(sha256(full.all[0]));
  REQUIRE(file);
}
