// Hearings that go on from one another, and who may see which of them.
#include <catch2/catch.hpp>

#include "archive/catalogue/catalogue.h"
#include "tests/unit/catalogue/world.h"

using greffe::Errc;
using greffe::HearingId;
using greffe::UtcTime;
using greffe::catalogue::Catalogue;
using greffe::catalogue::CatalogueBuilder;
using greffe::catalogue::CourtSet;
using greffe::testing::Directory;
using greffe::testing::NewHearing;
using greffe::testing::World;

namespace {

const CourtSet kAll = CourtSet::everything();
constexpr std::int64_t kWeekMs = 7 * 86'400'000;

struct Chain {
  World world;
  Directory directory;
  CatalogueBuilder builder = *CatalogueBuilder::create(directory.file("c"), world.sources());
  Catalogue catalogue = *Catalogue::open(directory.file("c"));
  int filed = 0;

  HearingId file(std::optional<HearingId> continues = {}, const std::string& court = "lyon", const std::string& room = "room-1") {
    NewHearing hearing;
    hearing.court = court;
    hearing.room = room;
    hearing.start = UtcTime{1'780'000'000'000 + kWeekMs * filed++};
    hearing.continues = continues;
    const HearingId id = world.file(hearing);
    REQUIRE(world.apply_all(builder));
    return id;
  }
  // Ids in order; "-" for one that may not be seen.
  std::vector<std::string> sittings(const HearingId& id, const CourtSet& courts = kAll) {
    const auto found = catalogue.sittings(id, courts);
    REQUIRE(found);
    std::vector<std::string> out;
    for (const auto& one : *found) out.push_back(one.row ? one.row->id.text() : "-");
    return out;
  }
};

}  // namespace

TEST_CASE("every sitting of a chain shows the whole chain in order") {
  Chain chain;
  const HearingId first = chain.file();
  const HearingId stranger = chain.file();
  const HearingId second = chain.file(first, "lyon", "room-2");
  const HearingId third = chain.file(second, "nantes", "room-9");
  const HearingId aside = chain.file(first);
  const std::vector<std::string> all{first.text(), second.text(), third.text(), aside.text()};
  for (const HearingId& one : {first, second, third, aside}) CHECK(chain.sittings(one) == all);
  CHECK(chain.sittings(stranger) == std::vector<std::string>{stranger.text()});
  const auto found = chain.catalogue.sittings(first, kAll);
  CHECK(((*found)[1].row->room == "room-2" && (*found)[1].row->continues == first && (*found)[1].row->duration_ms == 3'600'000));
}

TEST_CASE("a sitting in a court that may not be seen stands in its place and tells nothing") {
  Chain chain;
  const HearingId first = chain.file();
  const HearingId second = chain.file(first, "nantes");
  const HearingId third = chain.file(second);
  const CourtSet lyon{false, {"lyon"}};
  CHECK(chain.sittings(first, lyon) == std::vector<std::string>{first.text(), "-", third.text()});
  CHECK(chain.sittings(third, lyon) == std::vector<std::string>{first.text(), "-", third.text()});
  CHECK(chain.sittings(second, {false, {"nantes"}}) == std::vector<std::string>{"-", second.text(), "-"});
  CHECK(chain.catalogue.sittings(second, lyon).error().code == Errc::not_found);
  CHECK(chain.catalogue.sittings(first, {}).error().code == Errc::not_found);
}

TEST_CASE("an earlier sitting that the archive does not hold cannot be told from one that may not be seen") {
  Chain chain;
  const HearingId absent = greffe::make_hearing_id(UtcTime{1'790'000'000'000});
  const HearingId second = chain.file(absent);
  const HearingId third = chain.file(absent);
  CHECK(chain.sittings(third) == std::vector<std::string>{"-", second.text(), third.text()});
}

TEST_CASE("logs that name one another in a circle, or a chain without end, end the walk") {
  Chain chain;
  NewHearing hearing;
  const HearingId a = chain.world.open(hearing);
  hearing.continues = a;
  hearing.start.ms += kWeekMs;
  const HearingId b = chain.world.open(hearing);
  auto open = std::get<greffe::OpenEntry>(*greffe::parse_hearing_entry(chain.world.hearings[a][0]));
  open.continues = b;
  chain.world.hearings[a][0] = greffe::write_hearing_entry(open);
  chain.world.checkpoint(a);
  chain.world.checkpoint(b);
  REQUIRE(chain.world.apply_all(chain.builder));
  CHECK(chain.sittings(a) == std::vector<std::string>{a.text(), b.text()});

  chain.filed = 2;
  for (int i = 0; i < 250; ++i) chain.file(a);
  CHECK(chain.sittings(a).size() == greffe::catalogue::kMaxSittings);
  CHECK(chain.sittings(a).front() == a.text());
}
