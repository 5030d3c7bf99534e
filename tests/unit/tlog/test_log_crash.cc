// Power loss and failing steps at every point of a log's work, on three volumes. The harness keeps its own list of what
// was acknowledged.
#include <catch2/catch.hpp>

#include "archive/tlog/log_check.h"
#include "tests/unit/tlog/log_fixture.h"

using greffe::Errc;
using greffe::testing::append_up_to;
using greffe::testing::entries_between;
using greffe::testing::Fault;
using greffe::testing::ForgetfulFileSystem;
using greffe::testing::kLogPath;
using greffe::testing::open_writer;
using greffe::testing::ReferenceRoots;
using greffe::testing::Signer;
using greffe::testing::TestPool;
using greffe::tlog::CheckMode;

namespace {

const ReferenceRoots& roots() {
  static const ReferenceRoots kept(70'000);
  return kept;
}

// Sizes after each batch: within a bundle, up to its edge, over it, over several.
const std::vector<std::uint64_t> kSmall = {3, 255, 256, 258, 900};
// Over the edge of the second level.
const std::vector<std::uint64_t> kLarge = {65'530, 65'540};

struct Acknowledged {
  std::uint64_t size = 0;
  std::uint64_t attempted = 0;
};

void work(TestPool& test, const std::vector<std::uint64_t>& sizes, Acknowledged& done, bool go_on_after_failure) {
  const Signer signer;
  auto writer = open_writer(*test.pool);
  for (const std::uint64_t size : sizes) {
    if (!writer) {
      if (!go_on_after_failure) return;
      writer = open_writer(*test.pool);
      if (!writer) continue;
    }
    if (writer->size() >= size) continue;
    done.attempted = size;
    const greffe::Status appended = append_up_to(*writer, signer, size);
    if (appended) {
      done.size = size;
    } else if (!go_on_after_failure) {
      return;
    } else {
      writer = open_writer(*test.pool);
    }
  }
  if (writer && writer->finalise() && done.size == sizes.back()) return;
}

void check_reopened(TestPool& test, const Acknowledged& done) {
  test.open();
  auto writer = open_writer(*test.pool);
  INFO((writer ? std::string() : writer.error().message));
  REQUIRE(writer);
  REQUIRE(writer->size() >= done.size);
  REQUIRE(writer->size() <= done.attempted);
  REQUIRE(writer->root() == roots().at(writer->size()));
  const std::uint64_t size = writer->size();
  if (size > 0) {
    const greffe::tlog::LogReader reader(*test.pool, *test.pool, kLogPath);
    REQUIRE(*reader.entries(0, size) == entries_between(0, size));
    REQUIRE(check_log(*test.pool, *test.pool, *test.pool, kLogPath, CheckMode::repair));
    REQUIRE(check_log(*test.pool, *test.pool, *test.pool, kLogPath, CheckMode::report)->clean());
  }
  // And it goes on.
  const Signer signer;
  REQUIRE(append_up_to(*writer, signer, size + 300));
  REQUIRE(writer->root() == roots().at(size + 300));
}

std::uint64_t steps_of(const ForgetfulFileSystem& image, const std::vector<std::uint64_t>& sizes) {
  TestPool test(image.clone(), 3);
  test.open();
  test.files->faults().arm(Fault::none, 0);
  Acknowledged done;
  work(test, sizes, done, false);
  REQUIRE(done.size == sizes.back());
  return test.files->faults().counted();
}

void lose_power_everywhere(const ForgetfulFileSystem& image, const std::vector<std::uint64_t>& sizes,
                           std::uint64_t already, std::uint64_t stride) {
  const std::uint64_t steps = steps_of(image, sizes);
  REQUIRE(steps > 50);
  for (std::uint64_t step = 1; step <= steps; step += stride) {
    for (std::uint64_t seed = 0; seed < 2; ++seed) {
      INFO("power off at step " << step << " of " << steps << ", seed " << seed);
      TestPool test(image.clone(), 3);
      test.open();
      test.files->faults().arm(Fault::power_off, step);
      Acknowledged done{already, already};
      work(test, sizes, done, false);
      test.pool.reset();
      if (seed == 0) {
        test.files->crash();
      } else {
        test.files->crash(seed * 1000 + step);
      }
      check_reopened(test, done);
    }
  }
}

}  // namespace

TEST_CASE("a log survives power loss between any two steps", "[every-step]") {
  lose_power_everywhere(*greffe::testing::fresh_volumes(3), kSmall, 0, 1);
}

TEST_CASE("a writer killed between any two steps, then another one at work, then power loss", "[every-step]") {
  const auto image = greffe::testing::fresh_volumes(3);
  const std::uint64_t steps = steps_of(*image, kSmall);
  for (std::uint64_t step = 1; step <= steps; ++step) {
    INFO("killed at step " << step << " of " << steps);
    TestPool test(image->clone(), 3);
    test.open();
    test.files->faults().arm(Fault::power_off, step);
    Acknowledged done;
    work(test, kSmall, done, false);
    test.pool.reset();
    test.files->faults().disarm();
    test.open();
    const std::uint64_t before = done.size;
    work(test, kSmall, done, false);
    REQUIRE(done.size >= before);
    test.pool.reset();
    test.files->crash();
    check_reopened(test, done);
  }
}

TEST_CASE("a log survives power loss at any step, and again at a step of what follows", "[every-step]") {
  const auto image = greffe::testing::fresh_volumes(3);
  const std::uint64_t steps = steps_of(*image, kSmall);
  for (std::uint64_t step = 1; step <= steps; step += 2) {
    const std::uint64_t second = 1 + step * 5 % 61;
    INFO("power off at step " << step << " of " << steps << ", then at step " << second);
    TestPool test(image->clone(), 3);
    test.open();
    test.files->faults().arm(Fault::power_off, step);
    Acknowledged done;
    work(test, kSmall, done, false);
    test.pool.reset();
    test.files->crash(step);
    test.files->faults().arm(Fault::power_off, second);
    if (test.try_open()) work(test, kSmall, done, false);
    test.pool.reset();
    test.files->crash(step + 1);
    check_reopened(test, done);
  }
}

TEST_CASE("a log survives power loss at the edge of the second level", "[long]") {
  TestPool made(3);
  const Signer signer;
  auto writer = open_writer(*made.pool);
  REQUIRE(append_up_to(*writer, signer, 65'520));
  const auto image = made.files->clone();
  lose_power_everywhere(*image, kLarge, 65'520, 1);
}

TEST_CASE("a log survives any step failing on one volume, and does not stop for it", "[every-step]") {
  const auto image = greffe::testing::fresh_volumes(3);
  const std::uint64_t steps = steps_of(*image, kSmall) / 3 + 2;
  for (const Fault fault : greffe::testing::kFailures) {
    for (const bool for_ever : {false, true}) {
      if (for_ever && fault == Fault::fails_half) continue;  // for ever, no write succeeds either way
      for (std::uint64_t step = 1; step <= steps; ++step) {
        INFO("step " << step << ", fault " << static_cast<int>(fault) << ", for ever " << for_ever);
        TestPool test(image->clone(), 3);
        test.open();
        test.files->faults().arm(fault, step, for_ever, Errc::io_error, "/disk2");
        Acknowledged done;
        work(test, kSmall, done, false);
        REQUIRE(done.size == kSmall.back());
        test.pool.reset();
        test.files->crash();
        check_reopened(test, done);
      }
    }
  }
}

namespace {

void fail_everywhere(std::uint64_t stride) {
  const auto image = greffe::testing::fresh_volumes(3);
  const std::uint64_t steps = steps_of(*image, kSmall);
  for (const Errc code : {Errc::io_error, Errc::no_space}) {
    for (const Fault fault : greffe::testing::kFailures) {
      for (const bool for_ever : {false, true}) {
        if (for_ever && fault == Fault::fails_half) continue;  // for ever, no write succeeds either way
        for (std::uint64_t step = 1 + (for_ever ? 1 : 0); step <= steps; step += stride) {
          INFO("step " << step << ", fault " << static_cast<int>(fault) << ", for ever " << for_ever);
          TestPool test(image->clone(), 3);
          test.open();
          test.files->faults().arm(fault, step, for_ever, code);
          Acknowledged done;
          work(test, kSmall, done, true);
          test.pool.reset();
          test.files->crash();
          check_reopened(test, done);
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("a log survives steps failing on any volume", "[every-step]") { fail_everywhere(7); }
TEST_CASE("a log survives any step failing on any volume", "[long]") { fail_everywhere(1); }
