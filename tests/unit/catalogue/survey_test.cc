// A catalogue looked at as a whole: its sum, its hearings by their start, what is about one of them.
#include <catch2/catch.hpp>

#include "archive/catalogue/survey.h"
#include "tests/unit/catalogue/world.h"

using greffe::Errc;
using greffe::HearingId;
using greffe::UtcTime;
using greffe::catalogue::CatalogueBuilder;
using greffe::catalogue::Survey;
using greffe::catalogue::SurveyedHearing;
using greffe::testing::Directory;
using greffe::testing::World;

namespace {

constexpr std::int64_t kStartMs = 1'780'000'000'000;
constexpr std::int64_t kDayMs = 86'400'000;

struct Made {
  World world;
  Directory directory;
  std::vector<HearingId> filed;  // one a day

  explicit Made(int hearings = 4) {
    for (int i = 0; i < hearings; ++i) {
      greffe::testing::NewHearing hearing;
      hearing.case_number = "RG 26/" + std::to_string(i);
      hearing.start = UtcTime{kStartMs + i * kDayMs};
      filed.push_back(world.file(hearing));
    }
  }
  // All of the main log, in batches of so many.
  CatalogueBuilder build(const std::string& name, std::size_t batch) {
    auto builder = CatalogueBuilder::create(directory.file(name), world.sources());
    REQUIRE(builder);
    REQUIRE(world.apply_all(*builder, batch));
    return *std::move(builder);
  }
  Survey survey(const std::string& name) {
    auto opened = Survey::open(directory.file(name));
    REQUIRE(opened);
    return *std::move(opened);
  }
};

std::vector<HearingId> ids(const Survey& survey, std::optional<UtcTime> from, std::optional<UtcTime> to) {
  std::vector<HearingId> out;
  const greffe::Status walked = survey.hearings(from, to, [&](const SurveyedHearing& hearing) {
    out.push_back(hearing.id);
    return true;
  });
  REQUIRE(walked);
  return out;
}

}  // namespace

TEST_CASE("equal catalogues have equal sums, however they were made; one word of difference shows") {
  Made made;
  const CatalogueBuilder one = made.build("one", 1);
  const CatalogueBuilder all = made.build("all", 1000);
  const auto sum = made.survey("one").sum({});
  REQUIRE(sum);
  CHECK(sum->applied.size == made.world.main_log.size());
  CHECK(sum->sum == made.survey("all").sum({})->sum);
  const auto dump = one.dump();
  REQUIRE(dump);
  CHECK(sum->sum == greffe::sha256(greffe::as_bytes(*dump)));

  auto spoilt = greffe::catalogue::Connection::open(made.directory.file("one"), greffe::catalogue::Connection::Mode::write, false);
  REQUIRE(spoilt);
  REQUIRE(spoilt->run("UPDATE hearing SET room = 'room-9' WHERE id = ?", made.filed[2].text()));
  CHECK(made.survey("one").sum({})->sum != sum->sum);
  std::stop_source stop;
  stop.request_stop();
  CHECK(made.survey("one").sum(stop.get_token()).error().code == Errc::cancelled);
}

TEST_CASE("a survey sees one moment while the catalogue is written, and the next one later") {
  Made made;
  CatalogueBuilder builder = made.build("one", 1);
  const Survey survey = made.survey("one");
  const auto before = survey.sum({});
  REQUIRE(before);
  made.filed.push_back(made.world.file({"RG 26/9"}));
  bool wrote = false;
  // While the hearings are walked another one is filed: it is not among them.
  std::size_t seen = 0;
  const greffe::Status walked = survey.hearings({}, {}, [&](const SurveyedHearing&) {
    ++seen;
    wrote = made.world.apply_all(builder).has_value();
    return wrote;
  });
  REQUIRE(walked);
  CHECK(wrote);
  CHECK(seen == 4);
  CHECK(ids(survey, {}, {}).size() == 5);
  CHECK(survey.sum({})->sum != before->sum);
  CHECK(survey.applied()->size == made.world.main_log.size());
}

TEST_CASE("hearings are found by the day on which they begin") {
  Made made;
  const CatalogueBuilder builder = made.build("one", 1000);
  const Survey survey = made.survey("one");
  CHECK(ids(survey, {}, {}) == made.filed);
  CHECK(ids(survey, UtcTime{kStartMs + kDayMs}, UtcTime{kStartMs + 3 * kDayMs}) == std::vector<HearingId>{made.filed[1], made.filed[2]});
  CHECK(ids(survey, UtcTime{kStartMs + 4 * kDayMs}, {}).empty());
  const auto span = survey.span();
  REQUIRE(span);
  REQUIRE(*span);
  CHECK((*span)->first == UtcTime{kStartMs});
  CHECK((*span)->last == UtcTime{kStartMs + 3 * kDayMs});
  CHECK(*survey.next_start(UtcTime{kStartMs + 1000}) == UtcTime{kStartMs + kDayMs});
  CHECK_FALSE(*survey.next_start(UtcTime{kStartMs + 3 * kDayMs + 1000}));
  const auto extent = survey.extent();
  REQUIRE(extent);
  CHECK(extent->hearings == 4);
  std::uint64_t entries = 0;
  bool as_filed = true;
  const greffe::Status walked = survey.hearings({}, {}, [&](const SurveyedHearing& hearing) {
    as_filed = as_filed && hearing.station_key == made.world.key.public_key() && hearing.log_size == made.world.hearings[hearing.id].size();
    entries += hearing.log_size;
    return true;
  });
  REQUIRE(walked);
  CHECK(as_filed);
  CHECK(extent->entries == entries);
  std::size_t visited = 0;
  const greffe::Status cut_short = survey.hearings({}, {}, [&](const SurveyedHearing&) { return ++visited < 2; });
  REQUIRE(cut_short);
  CHECK(visited == 2);
}

TEST_CASE("without hearings there is nothing to find, and without a catalogue nothing to survey") {
  Made made(0);
  const CatalogueBuilder builder = made.build("empty", 1);
  const Survey survey = made.survey("empty");
  CHECK_FALSE(*survey.span());
  CHECK(survey.extent()->hearings == 0);
  CHECK(survey.extent()->entries == 0);
  CHECK(Survey::open(made.directory.file("nothing")).error().code == Errc::not_found);
}

TEST_CASE("what the main log says about a hearing is found, and nothing of another one") {
  Made made;
  made.world.correct(made.filed[1], greffe::testing::details_of({"RG 26/77"}), "typing error");
  made.world.archive_mark(made.filed[2], UtcTime{kStartMs}, "witness");
  made.world.archive_mark(made.filed[1], UtcTime{kStartMs}, "verdict");
  const CatalogueBuilder builder = made.build("one", 1000);
  const Survey survey = made.survey("one");
  CHECK(*survey.entries_about(made.filed[1]) == std::vector<std::uint64_t>{4, 6});
  CHECK(*survey.entries_about(made.filed[2]) == std::vector<std::uint64_t>{5});
  CHECK(survey.entries_about(made.filed[0])->empty());
}
