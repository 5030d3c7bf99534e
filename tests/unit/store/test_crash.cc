// Power loss and failing steps at every point of the store's work. The harness keeps its own list of what was
// acknowledged; the disk is read afterwards without the code under test.
#include <catch2/catch.hpp>

#include <functional>
#include <map>

#include "tests/unit/support/test_pool.h"

using greffe::as_bytes;
using greffe::as_text;
using greffe::Bytes;
using greffe::Digest;
using greffe::object_key;
using greffe::sha256;
using greffe::to_bytes;
using greffe::testing::Fault;
using greffe::testing::ForgetfulFileSystem;
using greffe::testing::fresh_volumes;
using greffe::testing::some_bytes;
using greffe::testing::TestPool;

namespace {

constexpr const char* kHeadKey = "log/main/checkpoint";
constexpr unsigned kWriteQuorum = 2;

// A head as it would be signed; the store looks at its size only.
std::string head_of(int size) {
  return "archive.example\n" + std::to_string(size) + "\n" + greffe::to_base64(sha256(as_bytes(std::to_string(size))).view()) +
         "\n\n\u2014 archive.example " + greffe::to_base64(Bytes(68, static_cast<std::uint8_t>(size))) + "\n";
}

struct Acknowledged {
  std::vector<Bytes> objects;
  std::map<std::string, std::string> files;
  int head = 0;       // size of the last acknowledged head
  int attempted = 0;  // size of the last head that was attempted
};

// What a deposit and a log do to a store, until something fails.
void work(TestPool& test, Acknowledged& done, bool go_on_after_failure) {
  for (int i = 1; i <= 4; ++i) {
    const Bytes object = some_bytes(1500, static_cast<std::uint64_t>(i % 3));  // the fourth repeats the first
    const greffe::Status stored = test.put_object(object);
    if (stored) done.objects.push_back(object);
    if (!stored && !go_on_after_failure) return;
    const std::string key = "log/hearing/2026/11/22/u/tile/entries/00" + std::to_string(i);
    const greffe::Status put = test.pool->put(key, as_bytes(key));
    if (put) done.files[key] = key;
    if (!put && !go_on_after_failure) return;
    const auto now = test.pool->read_head(kHeadKey);
    const int size = done.attempted + 1;
    done.attempted = size;
    const greffe::Status swapped = test.pool->swap_head(kHeadKey, now ? *now : std::string(), head_of(size));
    if (swapped) done.head = size;
    if (!swapped && !go_on_after_failure) return;
  }
}

// I1 and I3 by reading the disk alone.
void check_disk(TestPool& test, const Acknowledged& done, unsigned copies = kWriteQuorum) {
  for (const Bytes& object : done.objects) REQUIRE(test.good_copies(sha256(object)) >= copies);
  for (const auto& [key, text] : done.files) {
    unsigned good = 0;
    for (unsigned i = 0; i < test.settings.volumes.size(); ++i) {
      const auto bytes = test.files->read_file(test.path(i, key), 1000);
      good += bytes && as_text(*bytes) == text ? 1 : 0;
    }
    REQUIRE(good >= copies);
  }
}

void check_reopened(TestPool& test, const Acknowledged& done) {
  test.open();
  for (const Bytes& object : done.objects) {
    REQUIRE(*test.pool->read_object(sha256(object)) == object);
    REQUIRE(*test.pool->prove_object(sha256(object)));
  }
  for (const auto& [key, text] : done.files) REQUIRE(as_text(*test.pool->get(key)) == text);
  const auto head = test.pool->read_head(kHeadKey);
  if (done.head == 0 && !head) {
    REQUIRE(head.error().code == greffe::Errc::not_found);
  } else {
    REQUIRE(head);
    int found = 0;
    for (int size = done.head; size <= done.attempted; ++size) found = *head == head_of(size) ? size : found;
    REQUIRE(found >= done.head);
    REQUIRE(found > 0);
  }
  const auto totals = test.pool->scrub({}, [](const auto& object) {
    REQUIRE(object.problem.empty());
    return true;
  });
  REQUIRE(totals->finished);
  // Whatever was lost of one volume is there again.
  for (const Bytes& object : done.objects) REQUIRE(test.good_copies(sha256(object)) == 3);
}

std::uint64_t steps_of_the_work(const ForgetfulFileSystem& image) {
  TestPool test(image.clone(), 3);
  test.open();
  test.files->faults().arm(Fault::none, 0);
  Acknowledged done;
  work(test, done, false);
  REQUIRE(done.objects.size() == 4);
  REQUIRE(done.head == 4);
  return test.files->faults().counted();
}

// Of the one before it, which was cut off: the newest head that it may have left.
Acknowledged what_the_next_one_knows(const Acknowledged& done) {
  Acknowledged out;
  out.head = done.head;
  out.attempted = done.attempted;
  return out;
}

// What either of the two was told is there.
void check_both(TestPool& test, const Acknowledged& done, Acknowledged again) {
  again.objects.insert(again.objects.end(), done.objects.begin(), done.objects.end());
  again.files.insert(done.files.begin(), done.files.end());
  check_disk(test, again);
  check_reopened(test, again);
}

}  // namespace

TEST_CASE("power loss between any two steps loses nothing that was acknowledged", "[every-step]") {
  const auto image = fresh_volumes(3);
  const std::uint64_t steps = steps_of_the_work(*image);
  REQUIRE(steps > 100);
  for (std::uint64_t step = 1; step <= steps; ++step) {
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      INFO("power off at step " << step << " of " << steps << ", seed " << seed);
      TestPool test(image->clone(), 3);
      test.open();
      test.files->faults().arm(Fault::power_off, step);
      Acknowledged done;
      work(test, done, false);
      REQUIRE(test.files->faults().happened());
      test.pool.reset();
      if (seed == 0) {
        test.files->crash();
      } else {
        test.files->crash(seed * 1000 + step);
      }
      check_disk(test, done);
      check_reopened(test, done);
    }
  }
}

// What a killed process leaves is visible and perhaps not on the disk. The next one must not build on it unsynced.
TEST_CASE("a process killed between any two steps, then another one at work, then power loss", "[every-step]") {
  const auto image = fresh_volumes(3);
  const std::uint64_t steps = steps_of_the_work(*image);
  for (std::uint64_t step = 1; step <= steps; ++step) {
    INFO("killed at step " << step << " of " << steps);
    TestPool test(image->clone(), 3);
    test.open();
    test.files->faults().arm(Fault::power_off, step);
    Acknowledged done;
    work(test, done, false);
    test.pool.reset();
    test.files->faults().disarm();
    test.open();
    Acknowledged again = what_the_next_one_knows(done);
    work(test, again, false);
    REQUIRE(again.objects.size() == 4);
    test.pool.reset();
    test.files->crash();
    check_disk(test, again, 3);  // nothing failed for the second process: what it says it stored is on all volumes
    check_both(test, done, again);
  }
}

TEST_CASE("power loss at any step, and again at a step of what follows, loses nothing that was acknowledged", "[every-step]") {
  const auto image = fresh_volumes(3);
  const std::uint64_t steps = steps_of_the_work(*image);
  for (std::uint64_t step = 1; step <= steps; ++step) {
    const std::uint64_t second = 1 + step * 5 % 61;
    INFO("power off at step " << step << " of " << steps << ", then at step " << second);
    TestPool test(image->clone(), 3);
    test.open();
    test.files->faults().arm(Fault::power_off, step);
    Acknowledged done;
    work(test, done, false);
    test.pool.reset();
    test.files->crash(step);
    test.files->faults().arm(Fault::power_off, second);
    Acknowledged again = what_the_next_one_knows(done);
    if (test.try_open()) work(test, again, false);
    test.pool.reset();
    test.files->crash(step + 1);
    check_both(test, done, again);
  }
}

TEST_CASE("any step of one volume failing, once or for ever, loses nothing and stops nothing", "[every-step]") {
  const auto image = fresh_volumes(3);
  const std::uint64_t steps = steps_of_the_work(*image);
  for (const Fault fault : greffe::testing::kFailures) {
    for (const bool for_ever : {false, true}) {
      if (for_ever && fault == Fault::fails_half) continue;  // for ever, no write succeeds either way
      for (std::uint64_t step = 1; step <= steps / 3 + 2; ++step) {
        INFO("step " << step << " of one volume, fault " << static_cast<int>(fault) << ", for ever " << for_ever);
        TestPool test(image->clone(), 3);
        test.open();
        test.files->faults().arm(fault, step, for_ever, greffe::Errc::io_error, "/disk1");
        Acknowledged done;
        work(test, done, true);
        // Two good volumes are enough for everything.
        REQUIRE(done.objects.size() == 4);
        REQUIRE(done.files.size() == 4);
        REQUIRE(done.head == 4);
        test.pool.reset();
        test.files->crash();
        check_disk(test, done);
        check_reopened(test, done);
      }
    }
  }
}

namespace {

// What was refused may be missing; what was acknowledged is not.
void fail_everywhere(std::uint64_t stride) {
  const auto image = fresh_volumes(3);
  const std::uint64_t steps = steps_of_the_work(*image);
  for (const greffe::Errc code : {greffe::Errc::io_error, greffe::Errc::no_space, greffe::Errc::unavailable}) {
    for (const Fault fault : greffe::testing::kFailures) {
      for (const bool for_ever : {false, true}) {
        if (for_ever && fault == Fault::fails_half) continue;  // for ever, no write succeeds either way
        for (std::uint64_t step = 1 + (for_ever ? 1 : 0); step <= steps; step += stride) {
          INFO("step " << step << ", fault " << static_cast<int>(fault) << ", for ever " << for_ever);
          TestPool test(image->clone(), 3);
          test.open();
          test.files->faults().arm(fault, step, for_ever, code);
          Acknowledged done;
          work(test, done, true);
          test.pool.reset();
          test.files->crash();
          check_disk(test, done);
          check_reopened(test, done);
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("steps failing on any volume lose nothing that was acknowledged", "[every-step]") { fail_everywhere(5); }
TEST_CASE("any step failing on any volume loses nothing that was acknowledged", "[long]") { fail_everywhere(1); }

// A test that cannot fail is a defect: the disk really forgets.
TEST_CASE("the forgetful disk forgets what was not synced") {
  ForgetfulFileSystem files;
  REQUIRE(files.make_directories("/a/b"));
  {
    const auto file = files.create("/a/b/data", 0644);
    REQUIRE((*file)->write(as_bytes("kept")));
    REQUIRE((*file)->sync());
    REQUIRE(files.sync_directory("/a/b"));
    REQUIRE((*file)->write(as_bytes(" lost")));
  }
  {
    const auto file = files.create_unnamed("/a/b");
    REQUIRE((*file)->write(as_bytes("x")));
    REQUIRE((*file)->sync());
    REQUIRE(files.link(**file, "/a/b/unsynced-name"));
  }
  files.crash();
  REQUIRE(as_text(*files.read_file("/a/b/data", 100)) == "kept");
  REQUIRE_FALSE(files.stat("/a/b/unsynced-name"));
}
