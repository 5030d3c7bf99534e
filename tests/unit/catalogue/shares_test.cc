// Hearings that are shared with another court: who finds them, until when, and that a catalogue made anew says the same.
#include <catch2/catch.hpp>

#include <algorithm>

#include "archive/catalogue/catalogue.h"
#include "tests/unit/catalogue/world.h"

using greffe::Errc;
using greffe::HearingId;
using greffe::UtcTime;
using greffe::catalogue::Catalogue;
using greffe::catalogue::CatalogueBuilder;
using greffe::catalogue::CourtSet;
using greffe::catalogue::HearingQuery;
using greffe::testing::Directory;
using greffe::testing::NewHearing;
using greffe::testing::World;

namespace {

const UtcTime kNow{1'795'000'000'000};
const UtcTime kLater{kNow.ms + 86'400'000};

// People of `court`, asking at `now`.
CourtSet people_of(const std::string& court, UtcTime now = kNow) {
  CourtSet out;
  if (court.find('/') == std::string::npos) out.names = {court};
  out.guests = {court};
  out.now = now;
  return out;
}

struct Archive {
  World world;
  Directory directory;
  CatalogueBuilder builder = *CatalogueBuilder::create(directory.file("c"), world.sources());
  Catalogue catalogue = *Catalogue::open(directory.file("c"));
  int filed = 0;

  Archive() {
    greffe::GenesisEntry genesis;
    genesis.archive = "archive.court.example";
    genesis.role = "primary";
    genesis.log_key = world.key.public_key();
    genesis.holder = greffe::VerifierKey{"archive.court.example/holder", greffe::KeyType::cosignature_v1, world.key.public_key()};
    world.log(genesis);
  }
  HearingId file(const std::string& court, const std::string& number = "RG 26/01234") {
    NewHearing hearing;
    hearing.court = court;
    hearing.case_number = number;
    hearing.start = UtcTime{1'780'000'000'000 + 60'000 * filed++};
    const HearingId id = world.file(hearing);
    apply();
    return id;
  }
  void share(const HearingId& id, const std::string& court, std::optional<UtcTime> until = {}, const std::string& action = "granted",
             const std::string& archive = "archive.court.example") {
    greffe::ShareEntry entry;
    entry.action = action;
    entry.archive = archive;
    entry.hearing = id;
    entry.court = court;
    entry.until = until;
    entry.reason = world.document(greffe::write_note("reason", action + " for the appeal"));
    entry.account = "u-7";
    entry.utc = kNow;
    world.log(entry);
    apply();
  }
  void apply() { REQUIRE(world.apply_all(builder)); }
  std::vector<HearingId> find(const CourtSet& courts, const std::string& text = {}, std::size_t limit = 50) {
    std::vector<HearingId> out;
    HearingQuery query;
    query.text = text;
    query.limit = limit;
    for (;;) {
      const auto page = catalogue.find(query, courts);
      REQUIRE(page);
      for (const auto& row : page->hearings) out.push_back(row.id);
      if (query.cursor.empty() && !page->next_cursor) CHECK(page->count == out.size());
      if (!page->next_cursor) return out;
      query.cursor = *page->next_cursor;
    }
  }
  bool sees(const CourtSet& courts, const HearingId& id) {
    const bool opened = catalogue.hearing(id, courts).has_value();
    CHECK(catalogue.marks(id, courts).has_value() == opened);
    CHECK(catalogue.sittings(id, courts).has_value() == opened);
    const std::vector<HearingId> found = find(courts);
    CHECK((std::find(found.begin(), found.end(), id) != found.end()) == opened);
    return opened;
  }
};

using Ids = std::vector<HearingId>;

}  // namespace

TEST_CASE("a shared hearing is found and opened by the other court, says so, and nothing else of the court is") {
  Archive a;
  const HearingId other = a.file("lyon");
  const HearingId shared = a.file("lyon");
  const HearingId own = a.file("appeal");
  CHECK(a.find(people_of("appeal")) == Ids{own});
  a.share(shared, "appeal");
  CHECK(a.find(people_of("appeal")) == Ids{own, shared});
  CHECK(a.find(people_of("appeal"), "RG 26/01234") == Ids{own, shared});
  CHECK(a.find(people_of("appeal"), "RG 26/01234", 1) == Ids{own, shared});
  CHECK(a.sees(people_of("appeal"), shared));
  CHECK_FALSE(a.sees(people_of("appeal"), other));
  CHECK_FALSE(a.sees(people_of("nantes"), shared));
  CHECK(a.catalogue.hearing(shared, people_of("appeal"))->row.shared);
  CHECK_FALSE(a.catalogue.hearing(shared, people_of("lyon"))->row.shared);
  CHECK_FALSE(a.catalogue.hearing(shared, CourtSet::everything())->row.shared);
  const auto page = a.catalogue.find({}, people_of("appeal"));
  CHECK_FALSE(page->hearings[0].shared);
  REQUIRE(page->hearings[1].shared);
  CHECK(page->hearings[1].shared->court == "appeal");
  CHECK_FALSE(page->hearings[1].shared->until);

  const auto shares = a.catalogue.shares(shared);
  REQUIRE(shares->size() == 1);
  CHECK(shares->front().reason == "granted for the appeal");
  CHECK(shares->front().account == "u-7");
  CHECK(shares->front().holds_at(kLater));
  CHECK(a.catalogue.shares(other)->empty());
  CHECK(a.catalogue.shares({})->size() == 1);
}

TEST_CASE("what is ended is ended at once, and a new grant opens it again") {
  Archive a;
  const HearingId id = a.file("lyon");
  a.share(id, "appeal");
  a.share(id, "nantes");
  a.share(id, "appeal", {}, "revoked");
  CHECK_FALSE(a.sees(people_of("appeal"), id));
  CHECK(a.sees(people_of("nantes"), id));
  const auto shares = a.catalogue.shares(id);
  REQUIRE(shares->size() == 2);
  CHECK(shares->at(0).court == "nantes");
  REQUIRE(shares->at(1).revoked);
  CHECK(shares->at(1).revoked->reason == "revoked for the appeal");
  CHECK(shares->at(1).revoked->entry_index == shares->at(1).entry_index + 2);
  a.share(id, "appeal");
  CHECK(a.sees(people_of("appeal"), id));
  CHECK(a.catalogue.problems()->empty());
  a.share(id, "paris", {}, "revoked");
  CHECK(a.catalogue.problems()->size() == 1);
}

TEST_CASE("a share ends by its time without an entry, in rows, counts and pages") {
  Archive a;
  std::vector<HearingId> ids;
  for (int i = 0; i < 9; ++i) ids.push_back(a.file(i % 3 == 0 ? "appeal" : "lyon"));
  for (int i = 0; i < 9; ++i) {
    if (i % 3 == 1) a.share(ids[static_cast<std::size_t>(i)], "appeal", kLater);
    if (i % 3 == 2) a.share(ids[static_cast<std::size_t>(i)], "appeal");
  }
  const Ids all(ids.rbegin(), ids.rend());
  const UtcTime before{kLater.ms - 1};
  Ids lasting;
  for (std::size_t i = 0; i < 9; ++i) {
    if (i % 3 != 1) lasting.insert(lasting.begin(), ids[i]);
  }
  for (const std::size_t limit : {1, 2, 4, 50}) {
    for (const std::string text : {"", "RG 26/01234"}) {
      INFO("pages of " << limit << ", \"" << text << "\"");
      CHECK(a.find(people_of("appeal", before), text, limit) == all);
      CHECK(a.find(people_of("appeal", kLater), text, limit) == lasting);
    }
  }
  CHECK(a.catalogue.find({}, people_of("appeal", kLater))->count == 6);
  CHECK(a.catalogue.hearing(ids[1], people_of("appeal", before))->row.shared->until == kLater);
  CHECK_FALSE(a.sees(people_of("appeal", kLater), ids[1]));
  CHECK(a.sees(people_of("lyon", kLater), ids[1]));
  // Prolonged.
  a.share(ids[1], "appeal", UtcTime{kLater.ms + 1});
  CHECK(a.sees(people_of("appeal", kLater), ids[1]));
}

TEST_CASE("courts of other archives are named with their archive, or all of it") {
  Archive a;
  const HearingId id = a.file("lyon");
  a.share(id, "archive.wuhan.example/civil");
  CHECK(a.sees(people_of("archive.wuhan.example/civil"), id));
  CHECK(a.sees(people_of("archive.wuhan.example/*"), id));
  CHECK_FALSE(a.sees(people_of("archive.wuhan.example/penal"), id));
  CHECK_FALSE(a.sees(people_of("archive.paris.example/*"), id));
  CHECK_FALSE(a.sees(people_of("civil"), id));
  a.share(id, "archive.court.example/appeal");  // this archive's own, written out
  CHECK(a.sees(people_of("appeal"), id));
  CHECK(a.catalogue.shares(id)->front().court == "appeal");
}

TEST_CASE("the counterpart of another archive's share opens nothing here") {
  Archive a;
  const HearingId id = a.file("lyon");
  a.share(id, "appeal", {}, "granted", "archive.wuhan.example");
  a.share(greffe::make_hearing_id(kNow), "archive.court.example/appeal", {}, "granted", "archive.wuhan.example");
  CHECK_FALSE(a.sees(people_of("appeal"), id));
  CHECK(a.catalogue.shares({})->empty());
  CHECK(a.catalogue.problems()->empty());
  greffe::catalogue::EntryQuery query;
  query.kind = "share";
  CHECK(a.catalogue.entries(query)->size() == 2);
  a.share(greffe::make_hearing_id(kNow), "appeal");  // of a hearing that this archive never had
  CHECK(a.catalogue.problems()->size() == 1);
}

TEST_CASE("shares are the same in a catalogue made anew, whatever the batches") {
  Archive a;
  const HearingId id = a.file("lyon");
  const HearingId other = a.file("lyon");
  a.share(id, "appeal", kLater);
  a.share(other, "archive.wuhan.example/civil");
  a.share(id, "appeal", {}, "revoked");
  a.share(id, "nantes");
  REQUIRE(a.builder.check_text_index());
  const std::string dump = *a.builder.dump();
  CHECK(dump.find("nantes") != std::string::npos);
  for (const std::size_t batch : {1, 2, 1000}) {
    const std::string path = a.directory.file("again-" + std::to_string(batch));
    CatalogueBuilder again = *CatalogueBuilder::create(path, a.world.sources());
    REQUIRE(a.world.apply_all(again, batch));
    CHECK(*again.dump() == dump);
    CHECK(again.check_text_index());
  }
}
