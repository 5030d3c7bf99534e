// The limit of a line: never more than it gives, and nothing left unused by who asks again when told.
#include <catch2/catch.hpp>

#include "archive/base/token_bucket.h"

using greffe::TokenBucket;

namespace {

// What goes in so many milliseconds, by somebody who always wants more and asks when he is told to.
std::size_t sent_in(TokenBucket& line, std::uint64_t rate, std::int64_t from_ms, std::int64_t to_ms) {
  std::size_t sent = 0;
  for (std::int64_t now = from_ms; now < to_ms;) {
    const std::size_t took = line.take(1'000'000, rate, now);
    sent += took;
    if (took == 0) now += line.wait_ms(1'000'000, rate);
  }
  return sent;
}

}  // namespace

TEST_CASE("over a while a line takes what its limit gives, fast or slow") {
  for (const std::uint64_t rate : {2'000U, 100'000U, 10'000'000U}) {
    TokenBucket line;
    const std::size_t sent = sent_in(line, rate, 0, 60'000);
    INFO(rate);
    CHECK(sent <= 60 * rate);
    CHECK(sent >= 59 * rate);
  }
}

TEST_CASE("what is saved up while nothing goes is little") {
  TokenBucket line;
  CHECK(line.take(10, 1'000'000, 0) == 0);  // nothing yet
  CHECK(sent_in(line, 1'000'000, 3'600'000, 3'600'001) <= 100'000 + TokenBucket::kPieceBytes);
}

TEST_CASE("a piece of a slow line is half a second, and a small rest goes whole") {
  TokenBucket line;
  CHECK(line.take(1'000'000, 2'000, 0) == 0);
  CHECK(line.take(1'000'000, 2'000, 499) == 0);
  CHECK(line.take(1'000'000, 2'000, 500) == 1'000);
  CHECK(line.take(7, 2'000, 504) == 7);
  CHECK(line.wait_ms(1'000'000, 2'000) == 100);
  CHECK(line.wait_ms(9, 2'000) == 5);
}

TEST_CASE("of a limit of nothing, nothing goes, and who asks waits") {
  TokenBucket line;
  CHECK(line.take(100, 0, 0) == 0);
  CHECK(line.take(100, 0, 1'000'000) == 0);
  CHECK(line.wait_ms(100, 0) == 100);
}
