// Every step of a commit fails once; what is on the disk afterwards, before and after a power cut.
#include "tests/unit/ingest/spool_fixture.h"

using greffe::testing::Fault;
using greffe::testing::signed_entries;
using greffe::testing::Station;

namespace {

bool is_prefix(const std::vector<std::string>& some, const std::vector<std::string>& all) {
  return some.size() <= all.size() && std::equal(some.begin(), some.end(), all.begin());
}

}  // namespace

TEST_CASE("a commit that failed is never tried again on the same files, and its entries stand in the log once") {
  for (const Fault fault : {Fault::fails_before, Fault::fails_after}) {
    for (std::uint64_t step = 1;; ++step) {
      CAPTURE(static_cast<int>(fault), step);
      Station station;
      std::vector<std::string> wanted;
      {
        const auto spool = station.open();
        station.record(*spool);
        REQUIRE(spool->commit());
        station.record(*spool);
        wanted = spool->entries();
        station.files.faults().arm(fault, step);
        const auto failed = spool->commit();
        const bool happened = station.files.faults().happened();
        station.files.faults().disarm();
        if (!happened) {
          CHECK(failed);
          break;
        }
        REQUIRE_FALSE(failed);
        // As an import does that ends: what came before is to be kept, if it can be.
        const std::uint64_t before = station.files.faults().counted();
        CHECK_FALSE(spool->commit());
        CHECK(station.files.faults().counted() == before);
      }
      station.open();
      const std::vector<std::string> signed_now = signed_entries(station);
      CHECK(is_prefix(signed_now, wanted));
      CHECK(signed_now.size() >= 3);
      // The power goes: what the next start has signed must survive, also where the failed sync left it in memory.
      station.files.crash();
      const auto spool = station.open();
      CHECK(is_prefix(signed_now, signed_entries(station)));
      CHECK(is_prefix(spool->entries(), wanted));
      station.record(*spool);
      REQUIRE(spool->commit());
      CHECK(signed_entries(station).size() == spool->entries().size());
    }
  }
}

TEST_CASE("the power goes at any step of a commit: the signed part stays, the rest is whole or absent") {
  for (std::uint64_t step = 1;; ++step) {
    CAPTURE(step);
    Station station;
    std::vector<std::string> wanted;
    bool happened = false;
    {
      const auto spool = station.open();
      station.record(*spool);
      REQUIRE(spool->commit());
      station.record(*spool);
      wanted = spool->entries();
      station.files.faults().arm(Fault::power_off, step);
      const auto committed = spool->commit();
      happened = station.files.faults().happened();
      CHECK(static_cast<bool>(committed) == !happened);
    }
    station.files.faults().disarm();
    if (!happened) break;
    station.files.crash(step);
    const auto spool = station.open();
    CHECK(is_prefix(spool->entries(), wanted));
    CHECK(spool->entries().size() >= 3);
    CHECK(signed_entries(station) == spool->entries());
  }
}
