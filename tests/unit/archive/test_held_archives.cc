// Finding hearings in several archives of which one site keeps copies.
#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>

#include "archive/held_archives.h"
#include "tests/unit/archive/copied_archive.h"
#include "tests/unit/archive/sample_archive.h"

using greffe::HearingId;
using greffe::UtcTime;
using greffe::archive::HeldArchives;
using greffe::testing::Copied;
using greffe::testing::kStartMs;
using greffe::testing::own_shares;
using greffe::testing::SampleArchive;
namespace accounts = greffe::accounts;
namespace catalogue = greffe::catalogue;

namespace {

struct Site {
  SampleArchive archive;
  HeldArchives held{archive.clock, archive.files, archive.log, archive.stores(), *archive.main_log, archive.keys->log.public_key(), archive.folder.path + "/state"};

  void wait_for(const std::function<bool()>& condition) const {
    for (int i = 0; i < 200 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    REQUIRE(condition());
  }
  // Every page of `limit` rows, one after the other.
  std::vector<HearingId> find(const accounts::Account& account, const std::string& text = {}, std::size_t limit = 50, const std::string& court = {}) const {
    std::vector<HearingId> out;
    catalogue::HearingQuery query;
    query.text = text;
    query.limit = limit;
    query.court = court;
    for (;;) {
      const auto page = held.find(query, account);
      REQUIRE(page);
      CHECK(page->hearings.size() <= limit);
      for (const HeldArchives::Row& row : page->hearings) out.push_back(row.row.id);
      if (!page->next_cursor) return out;
      query.cursor = *page->next_cursor;
    }
  }
};

accounts::Account clerk_of(std::vector<std::string> courts) {
  accounts::Account out;
  out.roles = {accounts::Role::clerk};
  out.all_courts = courts.empty();
  out.courts = std::move(courts);
  return out;
}

HearingId file_own(SampleArchive& archive, std::int64_t after_s) {
  greffe::testing::SampleHearing hearing(archive.name, UtcTime{kStartMs + after_s * 1000});
  hearing.close();
  greffe::testing::deposit_all_objects(archive, hearing);
  REQUIRE(greffe::testing::append_range(archive, hearing, 0, hearing.entries.size()));
  return hearing.id;
}

}  // namespace

TEST_CASE("hearings of several archives are found together, newest first, and no page leaves one out or shows it twice") {
  Site site;
  Copied lyon(site.archive, "archive.lyon.example");
  Copied wuhan(site.archive, "archive.wuhan.example");
  std::vector<HearingId> oldest_first;
  for (int i = 0; i < 4; ++i) {
    // In the same second in all three: within it the archives in their order, its own first.
    oldest_first.push_back(wuhan.file("W " + std::to_string(i), i * 10));
    oldest_first.push_back(lyon.file("L " + std::to_string(i), i * 10));
    oldest_first.push_back(file_own(site.archive, i * 10));
  }
  const std::vector<HearingId> expected(oldest_first.rbegin(), oldest_first.rend());
  site.held.start();
  site.wait_for([&] { return site.held.all().size() == 3; });
  for (const std::size_t limit : {1, 2, 3, 5, 12, 50}) {
    INFO("pages of " << limit);
    CHECK(site.find(clerk_of({}), "", limit) == expected);
  }
  catalogue::HearingQuery query;
  const auto page = site.held.find(query, clerk_of({}));
  CHECK(page->count == 12);
  CHECK(page->count_is_exact);
  CHECK(page->hearings[0].archive.empty());
  CHECK(page->hearings[1].archive == "archive.lyon.example");
  CHECK(page->hearings[1].row.court == "archive.lyon.example/court-1");
  query.cursor = "t1";  // a page of one catalogue is none of ours
  CHECK(site.held.find(query, clerk_of({})).error().code == greffe::Errc::invalid);
}

TEST_CASE("the hearing with exactly this number comes first, in whichever archive it is") {
  Site site;
  Copied lyon(site.archive, "archive.lyon.example");
  Copied wuhan(site.archive, "archive.wuhan.example");
  const HearingId exact = lyon.file("RG 26/01234", 0);
  const HearingId longer = wuhan.file("RG 26/012345", 100);
  site.held.start();
  site.wait_for([&] { return site.held.all().size() == 3; });
  CHECK(site.find(clerk_of({}), "RG 26/01234") == std::vector<HearingId>{exact, longer});
  CHECK(site.find(clerk_of({}), "RG 26/01234", 1) == std::vector<HearingId>{exact, longer});
}

TEST_CASE("an account sees the courts that it names, of the archive that it names") {
  Site site;
  Copied lyon(site.archive, "archive.lyon.example");
  Copied wuhan(site.archive, "archive.wuhan.example");
  const HearingId own = file_own(site.archive, 0);
  const HearingId lyon_1 = lyon.file("L 1", 1, "court-1");
  const HearingId lyon_2 = lyon.file("L 2", 2, "court-2");
  const HearingId wuhan_1 = wuhan.file("W 1", 3, "court-1");
  site.held.start();
  site.wait_for([&] { return site.held.all().size() == 3; });
  using Ids = std::vector<HearingId>;
  CHECK(site.find(clerk_of({})) == Ids{wuhan_1, lyon_2, lyon_1, own});
  CHECK(site.find(clerk_of({"court-1"})) == Ids{own});
  CHECK(site.find(clerk_of({"archive.lyon.example/court-2"})) == Ids{lyon_2});
  CHECK(site.find(clerk_of({"archive.lyon.example/*", "court-1"})) == Ids{lyon_2, lyon_1, own});
  CHECK(site.find(clerk_of({}), "", 50, "archive.lyon.example/court-1") == Ids{lyon_1});
  CHECK(site.find(clerk_of({}), "", 50, "court-1") == Ids{own});

  const accounts::Account of_lyon = clerk_of({"archive.lyon.example/*"});
  const auto found = site.held.hearing(lyon_2, of_lyon);
  REQUIRE(found);
  CHECK(found->archive.name == "archive.lyon.example");
  CHECK_FALSE(found->archive.own);
  CHECK(found->record.row.court == "archive.lyon.example/court-2");
  CHECK(accounts::may_play(of_lyon, found->record.row.court));
  CHECK_FALSE(accounts::may_play(of_lyon, "archive.wuhan.example/court-1"));
  CHECK_FALSE(accounts::may_play(of_lyon, "court-1"));
  CHECK_FALSE(accounts::may_play(clerk_of({"court-1"}), "archive.lyon.example/court-1"));
  CHECK(site.held.hearing(own, of_lyon).error().code == greffe::Errc::not_found);
  CHECK(site.held.hearing(wuhan_1, of_lyon).error().code == greffe::Errc::not_found);
}

TEST_CASE("what arrives later is found; an archive whose copies are ended is not; another start begins where the last one was") {
  Site site;
  Copied lyon(site.archive, "archive.lyon.example");
  const HearingId first = lyon.file("L 1", 1);
  site.held.start();
  site.wait_for([&] { return site.held.all().size() == 2; });
  const HearingId later = lyon.file("L 2", 2);
  site.wait_for([&] { return site.find(clerk_of({})).size() == 2; });
  CHECK(site.find(clerk_of({})) == std::vector<HearingId>{later, first});
  site.held.stop();

  HeldArchives again(site.archive.clock, site.archive.files, site.archive.log, site.archive.stores(), *site.archive.main_log, site.archive.keys->log.public_key(),
                     site.archive.folder.path + "/state");
  again.start();
  site.wait_for([&] { return again.all().size() == 2; });
  CHECK(again.find({}, clerk_of({}))->hearings.size() == 2);
  lyon.revoke();
  site.wait_for([&] { return again.all().size() == 1; });
  CHECK(again.find({}, clerk_of({}))->hearings.empty());
}

TEST_CASE("what one archive shares with a court of another is seen at the site that holds both, and where that court is at home") {
  Site site;
  Copied lyon(site.archive, "archive.lyon.example");
  Copied wuhan(site.archive, "archive.wuhan.example");
  const HearingId first = lyon.file("L 1", 1);
  const HearingId second = lyon.file("L 2", 2);
  lyon.file("L 3", 3);
  const HearingId theirs = wuhan.file("W 1", 4);
  lyon.share(first, "archive.wuhan.example/civil");
  lyon.share(second, site.archive.name + "/appeal");
  lyon.share(second, "court-9");
  site.held.start();
  site.wait_for([&] { return site.held.all().size() == 3; });
  using Ids = std::vector<HearingId>;
  CHECK(site.find(clerk_of({"archive.wuhan.example/civil"})) == Ids{first});
  CHECK(site.find(clerk_of({"archive.wuhan.example/*"})) == Ids{theirs, first});
  CHECK(site.find(clerk_of({"archive.wuhan.example/penal"})).empty());
  CHECK(site.find(clerk_of({"appeal"})) == Ids{second});
  CHECK(site.find(clerk_of({"archive.lyon.example/court-9"})) == Ids{second});
  CHECK(site.find(clerk_of({"court-9"})).empty());
  const auto found = site.held.hearing(second, clerk_of({"appeal"}));
  REQUIRE(found);
  CHECK(found->record.row.court == "archive.lyon.example/court-1");
  REQUIRE(found->record.row.shared);
  CHECK(found->archive.court_here(found->record.row.shared->court) == "appeal");
  CHECK(found->archive.court_here("court-9") == "archive.lyon.example/court-9");
  CHECK(found->archive.court_here("archive.wuhan.example/civil") == "archive.wuhan.example/civil");

  lyon.share(second, site.archive.name + "/appeal", "revoked");
  site.wait_for([&] { return site.find(clerk_of({"appeal"})).empty(); });
  CHECK(site.held.hearing(second, clerk_of({"appeal"})).error().code == greffe::Errc::not_found);
}

TEST_CASE("shares with courts here are filed here as well, each once, whatever a stop cut short") {
  Site site;
  Copied lyon(site.archive, "archive.lyon.example");
  const HearingId id = lyon.file("L 1", 1);
  std::vector<std::string> expected;
  expected.push_back(greffe::write_main_entry(lyon.share(id, site.archive.name + "/appeal")));
  lyon.share(id, "court-9");                      // a matter of its own
  lyon.share(id, "archive.wuhan.example/civil");  // and of another archive's
  // Before a stop one of them was filed already.
  REQUIRE(site.archive.main_log->append(*greffe::parse_main_entry(expected.front())));
  expected.push_back(greffe::write_main_entry(lyon.share(id, site.archive.name + "/appeal", "revoked")));
  expected.push_back(greffe::write_main_entry(lyon.share(id, site.archive.name + "/penal")));
  site.held.start();
  site.wait_for([&] { return own_shares(site.archive).size() == expected.size(); });
  CHECK(own_shares(site.archive) == expected);
  expected.push_back(greffe::write_main_entry(lyon.share(id, site.archive.name + "/penal", "revoked")));
  site.wait_for([&] { return own_shares(site.archive).size() == expected.size(); });
  CHECK(own_shares(site.archive) == expected);
  site.held.stop();

  HeldArchives again(site.archive.clock, site.archive.files, site.archive.log, site.archive.stores(), *site.archive.main_log,
                     site.archive.keys->log.public_key(), site.archive.folder.path + "/state");
  again.start();
  site.wait_for([&] { return again.all().size() == 2; });
  expected.push_back(greffe::write_main_entry(lyon.share(id, site.archive.name + "/civil")));
  site.wait_for([&] { return own_shares(site.archive).size() == expected.size(); });
  CHECK(own_shares(site.archive) == expected);
  CHECK(site.archive.main_log->catalogue().shares({})->empty());  // they open nothing here
}
