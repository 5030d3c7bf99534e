#include <catch2/catch.hpp>

#include "archive/base/progress.h"
#include "tests/unit/support/manual_clock.h"

using greffe::Progress;
using greffe::ProgressUnit;

TEST_CASE("a bar says how much is done, how quickly, and what is left of it") {
  greffe::testing::ManualClock clock;
  Progress bar(clock, "copying", 1'000'000, ProgressUnit::bytes);
  clock.pass_ms(10'000);
  bar.add(250'000);
  CHECK(bar.line() == "copying [======                  ] 250 kB of 1.0 MB  25.0 kB/s  30 s left");
}

TEST_CASE("a bar of what somebody else does shows what is known of it now") {
  greffe::testing::ManualClock clock;
  Progress bar(clock, "reading", 0, ProgressUnit::bytes);
  clock.pass_ms(10'000);
  bar.show(100'000, 0);
  CHECK(bar.line() == "reading 100 kB  10.0 kB/s");
  bar.show(200'000, 400'000);
  CHECK(bar.line() == "reading [============            ] 200 kB of 400 kB  20.0 kB/s  10 s left");
  clock.pass_ms(10'000);
  bar.show(400'000, 400'000);
  CHECK(bar.line() == "reading [========================] 400 kB of 400 kB  20.0 kB/s  0 s left");
}
