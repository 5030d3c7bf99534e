// Kills, power loss and failing steps while bad replicas are rewritten and while a volume is emptied; and a second one during what
// follows the first. The disk is read afterwards without the code under test.
#include <catch2/catch.hpp>

#include <functional>

#include "tests/unit/support/test_pool.h"

using greffe::Bytes;
using greffe::Digest;
using greffe::Errc;
using greffe::object_key;
using greffe::sha256;
using greffe::store::CensusTotals;
using greffe::store::VolumeReport;
using greffe::store::VolumeState;
using greffe::testing::Fault;
using greffe::testing::ForgetfulFileSystem;
using greffe::testing::some_bytes;
using greffe::testing::TestPool;

namespace {

constexpr unsigned kReplicas = 3;
constexpr const char* kLeaving = "/disk0/greffe";
constexpr const char* kNew = "/disk3/greffe";

std::vector<Bytes> some_objects() {
  std::vector<Bytes> out;
  for (unsigned i = 0; i < 6; ++i) out.push_back(some_bytes(1500 + i, i));
  return out;
}

// Six objects; what `spoil` does to them is on the disk before anything is counted.
std::unique_ptr<ForgetfulFileSystem> made(const std::function<void(TestPool&, const std::vector<Bytes>&)>& spoil) {
  TestPool test(3);
  const std::vector<Bytes> objects = some_objects();
  for (const Bytes& bytes : objects) REQUIRE(test.put_object(bytes));
  spoil(test, objects);
  test.pool.reset();
  return test.files->clone();
}

unsigned good_on(TestPool& test, const std::vector<std::string>& volumes, const Bytes& bytes) {
  unsigned out = 0;
  for (const std::string& volume : volumes) {
    const auto found = test.files->read_file(greffe::join(volume, object_key(sha256(bytes))), 1 << 20);
    out += found && *found == bytes ? 1 : 0;
  }
  return out;
}

// ---- the two works ----

const std::vector<std::string> kThree = {"/disk0/greffe", "/disk1/greffe", "/disk2/greffe"};
const std::vector<std::string> kStaying = {"/disk1/greffe", "/disk2/greffe", kNew};
const std::vector<std::string> kFour = {"/disk0/greffe", "/disk1/greffe", "/disk2/greffe", kNew};

// One replica flipped, one gone, one cut, two of three zeroed; the last two objects are whole.
void spoil_replicas(TestPool& test, const std::vector<Bytes>& objects) {
  const auto key = [&](std::size_t i) { return object_key(sha256(objects[i])); };
  const auto zero = [](Bytes& bytes) { std::fill(bytes.begin(), bytes.end(), std::uint8_t{0}); };
  REQUIRE(test.files->damage(test.path(0, key(0)), [](Bytes& bytes) { bytes[700] ^= 4; }));
  REQUIRE(test.files->remove(test.path(1, key(1))));
  REQUIRE(test.files->sync_directory(greffe::parent_of(test.path(1, key(1)))));
  REQUIRE(test.files->damage(test.path(2, key(2)), [](Bytes& bytes) { bytes.resize(bytes.size() / 2); }));
  REQUIRE(test.files->damage(test.path(0, key(3)), zero));
  REQUIRE(test.files->damage(test.path(2, key(3)), zero));
}

void repair(TestPool& test) { static_cast<void>(test.pool->scrub({}, [](const auto&) { return true; }).has_value()); }

// As many good replicas as before: a repair that breaks off has made nothing worse.
void check_repair(TestPool& test, bool finished) {
  const std::vector<Bytes> objects = some_objects();
  const unsigned before[] = {2, 2, 2, 1, 3, 3};
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const unsigned good = good_on(test, kThree, objects[i]);
    INFO("object " << i << " has " << good << " good replicas");
    REQUIRE(good >= (finished ? kReplicas : before[i]));
    if (finished) REQUIRE(test.copies(object_key(sha256(objects[i]))) == kReplicas);
  }
}

VolumeState state_of(TestPool& test, const std::string& path) {
  for (const VolumeReport& one : test.pool->volumes()) {
    if (one.path == path) return one.state;
  }
  return VolumeState::missing;
}

// What an operator, or the keeper after a start, does until the volume is empty.
void empty(TestPool& test) {
  std::string id;
  for (const VolumeReport& one : test.pool->volumes()) {
    if (one.path == kLeaving) id = one.id;
  }
  if (!test.pool->drain_volume(id)) return;
  const auto totals = test.pool->fill_up({}, [](const CensusTotals&) { return true; });
  if (totals && totals->finished && totals->stuck == 0) static_cast<void>(test.pool->retire_volume(id).has_value());
}

// A volume has left when everything is R times on the others, and not before.
void check_emptied(TestPool& test, bool finished) {
  const bool retired = state_of(test, kLeaving) == VolumeState::retired;
  if (finished) REQUIRE(retired);
  for (const Bytes& bytes : some_objects()) REQUIRE(good_on(test, retired ? kStaying : kFour, bytes) >= kReplicas);
}

struct Work {
  std::unique_ptr<ForgetfulFileSystem> image;
  void (*run)(TestPool&);
  void (*check)(TestPool&, bool finished);
};

Work repairing() { return {made(spoil_replicas), repair, check_repair}; }
Work emptying() {
  return {made([](TestPool& test, const auto&) { REQUIRE(test.pool->add_volume(kNew, "shelf-3")); }), empty, check_emptied};
}

std::unique_ptr<TestPool> opened(const Work& work) {
  auto test = std::make_unique<TestPool>(work.image->clone(), 3);
  test->open();
  test->files->faults().disarm();  // counts from here
  return test;
}

std::vector<std::string> steps_of(const Work& work) {
  const auto test = opened(work);
  work.run(*test);
  std::vector<std::string> out = test->files->faults().trace();
  work.check(*test, true);
  return out;
}

enum class Crash { kill, power_loss, some_is_kept };

void crash(TestPool& test, Crash how, std::uint64_t seed) {
  test.pool.reset();
  if (how == Crash::kill) test.files->faults().disarm();
  if (how == Crash::power_loss) test.files->crash();
  if (how == Crash::some_is_kept) test.files->crash(seed);
}

// After a kill, what the first process had not synced is as good as any other file for the next one: it says so of a disk whose power
// stays on for the half minute in which the kernel writes it.
void finish(TestPool& test, const Work& work, Crash before = Crash::power_loss) {
  work.check(test, false);
  work.run(test);
  test.pool.reset();
  if (before != Crash::kill) test.files->crash();
  test.open();
  work.check(test, true);
  for (const Bytes& bytes : some_objects()) REQUIRE(*test.pool->read_object(sha256(bytes)) == bytes);
}

// The second crash is somewhere in the start and the work that follow the first.
void crash_everywhere(const Work& work) {
  const std::vector<std::string> steps = steps_of(work);
  REQUIRE(steps.size() > 20);
  for (std::uint64_t step = 1; step <= steps.size(); ++step) {
    for (const Crash how : {Crash::kill, Crash::power_loss, Crash::some_is_kept}) {
      for (const bool twice : {false, true}) {
        INFO("step " << step << " of " << steps.size() << " (" << steps[step - 1] << "), crash " << static_cast<int>(how) << ", twice " << twice);
        const auto test = opened(work);
        test->files->faults().arm(Fault::power_off, step);
        work.run(*test);
        crash(*test, how, step);
        if (twice) {
          test->files->faults().arm(Fault::power_off, 1 + step * 7 % (steps.size() + 10));
          if (test->try_open()) work.run(*test);
          crash(*test, how, step + 1000);
        }
        test->open();
        finish(*test, work, how);
      }
    }
  }
}

void fail_everywhere(const Work& work) {
  const std::vector<std::string> steps = steps_of(work);
  for (std::uint64_t step = 1; step <= steps.size(); ++step) {
    for (const Fault fault : greffe::testing::kFailures) {
      for (const bool for_ever : {false, true}) {
        if (for_ever && fault != Fault::fails_before) continue;
        INFO("step " << step << " of " << steps.size() << " (" << steps[step - 1] << "), fault " << static_cast<int>(fault) << ", for ever " << for_ever);
        const auto test = opened(work);
        test->files->faults().arm(fault, step, for_ever, step % 2 == 0 ? Errc::io_error : Errc::no_space);
        work.run(*test);
        test->files->faults().disarm();
        work.check(*test, false);
        crash(*test, Crash::power_loss, 0);
        test->open();
        finish(*test, work);
      }
    }
  }
}

}  // namespace

TEST_CASE("a crash at any step of the repair of replicas, and another one after it, leaves every good replica", "[every-step]") { crash_everywhere(repairing()); }
TEST_CASE("a crash at any step of emptying a volume, and another one after it, leaves every object on R volumes", "[every-step]") { crash_everywhere(emptying()); }
TEST_CASE("a step of the repair of replicas that fails once or for ever makes nothing worse", "[every-step]") { fail_everywhere(repairing()); }
TEST_CASE("a step of emptying a volume that fails once or for ever makes nothing worse", "[every-step]") { fail_everywhere(emptying()); }

// After a sync that failed, the next sync of the same file says that all is well and the bytes are not there.
TEST_CASE("a file whose sync failed once is dropped, and its replica is written elsewhere") {
  const Bytes bytes = some_bytes(4000, 1);
  std::uint64_t steps = 0;
  unsigned syncs = 0;
  {
    TestPool probe(4);
    probe.files->faults().disarm();
    REQUIRE(probe.put_object(bytes));
    steps = probe.files->faults().counted();
  }
  for (std::uint64_t step = 1; step <= steps; ++step) {
    TestPool test(4);
    test.files->faults().arm(Fault::fails_before, step);
    REQUIRE(test.put_object(bytes));
    const std::string what = test.files->faults().trace()[step - 1];
    INFO(what);
    syncs += what.starts_with("sync /disk") ? 1 : 0;
    unsigned suspect = 0;
    for (const VolumeReport& one : test.pool->volumes()) suspect += one.state == VolumeState::suspect ? 1 : 0;
    REQUIRE(suspect == 1);
    test.pool.reset();
    test.files->crash();
    REQUIRE(test.good_copies(sha256(bytes)) == kReplicas);
  }
  REQUIRE(syncs >= kReplicas);
}

TEST_CASE("an object that is there already is kept as it is, and never replaced") {
  TestPool test(3);
  const Bytes bytes = some_bytes(4000, 1);
  REQUIRE(test.put_object(bytes));
  std::vector<std::uint64_t> files;
  for (unsigned i = 0; i < 3; ++i) files.push_back(test.files->stat(test.path(i, object_key(sha256(bytes))))->inode);
  REQUIRE(test.put_object(bytes));
  test.open();
  REQUIRE(test.put_object(bytes));
  for (unsigned i = 0; i < 3; ++i) REQUIRE(test.files->stat(test.path(i, object_key(sha256(bytes))))->inode == files[i]);
}
