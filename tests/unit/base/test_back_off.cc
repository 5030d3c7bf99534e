#include <catch2/catch.hpp>

#include <algorithm>

#include "archive/base/back_off.h"

TEST_CASE("a pause doubles up to a minute, is never the same for all, and keeps to its limit") {
  greffe::BackOff pause;
  std::int64_t most = greffe::kFirstPauseMs;
  for (int i = 0; i < 20; ++i) {
    const std::int64_t next = pause.next_ms();
    CHECK(next >= most / 2);
    CHECK(next <= most);
    most = std::min(2 * most, greffe::kLongestPauseMs);
  }
  CHECK(most == 60'000);
  CHECK(pause.next_ms(3'000) <= 3'000);
  pause.succeeded();
  CHECK(pause.next_ms() <= greffe::kFirstPauseMs);
}
