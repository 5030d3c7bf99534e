// A replica notices by itself that an archive whose copies it holds has fallen silent.
#include "archive/origin_watch.h"
#include "tests/unit/archive/sample_archive.h"
#include "tests/unit/support/manual_clock.h"

using greffe::archive::OriginFacts;
using greffe::archive::OriginWatch;
using greffe::testing::ManualClock;
using greffe::testing::SampleArchive;

namespace {

constexpr std::int64_t kAfterMs = 300'000;
constexpr const char* kCity = "archive.city.example";

struct Replica {
  SampleArchive archive{"replica"};
  ManualClock clock;

  Replica() {
    greffe::KeyEntry entry;
    entry.action = "added";
    entry.role = "origin";
    entry.name = kCity;
    entry.key = greffe::PrivateKey::generate().public_key();
    entry.utc = entry.since = clock.utc_now();
    REQUIRE(archive.main_log->append(entry));
  }
  std::unique_ptr<OriginWatch> watch() {
    return std::make_unique<OriginWatch>(clock, archive.log, *archive.pool, *archive.main_log, archive.holder(), kAfterMs);
  }
};

OriginFacts only(const OriginWatch& watch) {
  const auto all = watch.origins();
  REQUIRE(all);
  REQUIRE(all->size() == 1);
  return all->front();
}

}  // namespace

TEST_CASE("an origin that is not heard of for longer than it may be is an alarm, until it is") {
  Replica replica;
  const auto watch = replica.watch();
  CHECK(only(*watch).name == kCity);
  CHECK_FALSE(only(*watch).alarm);
  replica.clock.pass_ms(kAfterMs - 1);
  CHECK_FALSE(only(*watch).alarm);
  replica.clock.pass_ms(1);
  CHECK(only(*watch).alarm);
  CHECK(only(*watch).silent_ms == kAfterMs);
  watch->look();
  watch->heard("somebody.else.example");
  CHECK(only(*watch).alarm);
  watch->heard(kCity);
  CHECK_FALSE(only(*watch).alarm);
  CHECK(only(*watch).silent_ms == 0);
  CHECK(only(*watch).heard == replica.clock.utc_now());
}

TEST_CASE("after a start an origin has a moment to be heard, and then the time from before counts") {
  Replica replica;
  replica.clock.pass_ms(3'600'000);
  const auto watch = replica.watch();
  CHECK(only(*watch).silent_ms == 3'600'000);
  CHECK_FALSE(only(*watch).alarm);
  replica.clock.pass_ms(15'000);
  CHECK(only(*watch).alarm);
}

TEST_CASE("an archive that holds copies of nobody watches nobody") {
  SampleArchive archive;
  ManualClock clock;
  const OriginWatch watch(clock, archive.log, *archive.pool, *archive.main_log, archive.holder(), kAfterMs);
  CHECK(watch.origins()->empty());
}
