// The day's list: what is right is read, what is wrong is named with line, column and remedy, and costs only itself.
#include <catch2/catch.hpp>

#include "ingest/csv.h"
#include "ingest/docket.h"
#include "tests/unit/support/forgetful_file_system.h"

using namespace greffe;
using namespace greffe::ingest;

namespace {

const std::string kHeader = "court,room,time,cases,parties,judge,clerk,public,title,language\n";

Zone paris() {
  auto zone = Zone::named("Europe/Paris");
  REQUIRE(zone);
  return *zone;
}

Docket read(const std::string& text) {
  const Zone zone = paris();
  return read_docket(text, &zone);
}

// One problem, and what a person reads of it.
void check_problem(const std::string& text, std::uint64_t line, const std::string& column, const std::string& words, std::size_t rows) {
  const Docket docket = read(text);
  INFO(text.substr(0, 400));
  REQUIRE(docket.problems.size() == 1);
  CHECK(docket.problems[0].line == line);
  CHECK(docket.problems[0].column == column);
  CHECK_THAT(docket.problems[0].what, Catch::Contains(words));
  CHECK(docket.rows.size() == rows);
}

std::string row(const std::string& time, const std::string& cases, const std::string& rest = ",,,,,") {
  return "montclair,salle-2," + time + "," + cases + "," + rest + "\n";
}

}  // namespace

TEST_CASE("a list as the registry writes it") {
  const Docket docket = read("\xEF\xBB\xBF" + kHeader +
                             "montclair,salle-2,2026-11-26 14:30,RG 26/01234 | RG 26/01243,\"Lefèvre, Camille:demandeur|Béranger:défendeur\","
                             "Mme Aubert|M. Roux,M. Petit,oui,\"Audience \"\"du soir\"\"\",fr\r\n"
                             "\r\n"
                             "江城市人民法院,第三法庭,2026-11-26T01:00Z,（2026）鄂01民初1234号,王伟：原告,陈法官,,不公开,合同纠纷,zh-CN\r\n"
                             ",,,,,,,,,\r\n");
  CHECK(docket.problems.empty());
  REQUIRE(docket.rows.size() == 2);
  const DocketRow& morning = docket.rows[0];  // by time, not as they stand in the file
  CHECK(morning.line == 4);
  CHECK(morning.court == "江城市人民法院");
  CHECK(morning.details.scheduled == *parse_utc("2026-11-26T01:00:00.000Z"));
  CHECK((morning.details.parties.size() == 1 && morning.details.parties[0].name == "王伟" && morning.details.parties[0].role == "原告"));
  CHECK_FALSE(morning.details.is_public);
  const DocketRow& evening = docket.rows[1];
  CHECK(evening.line == 2);
  CHECK(evening.details.scheduled == *parse_utc("2026-11-26T13:30:00.000Z"));  // 14:30 in Montclair
  CHECK(evening.details.cases == std::vector<std::string>{"RG 26/01234", "RG 26/01243"});
  REQUIRE(evening.details.parties.size() == 2);
  CHECK((evening.details.parties[0].name == "Lefèvre, Camille" && evening.details.parties[0].role == "demandeur"));
  CHECK(evening.details.judges == std::vector<std::string>{"Mme Aubert", "M. Roux"});
  CHECK(evening.details.clerk == "M. Petit");
  CHECK(evening.details.title == "Audience \"du soir\"");
  CHECK(evening.details.is_public);
  CHECK(evening.details.language == "fr");
}

TEST_CASE("semicolons, columns in another order, and only those that are needed") {
  const Docket docket = read("Cases;TIME;room;court\n\"A;1\";2026-11-26 09:00:30;r1;c1\nB 2;2026-11-26 08:00;r1;c1");
  CHECK(docket.problems.empty());
  REQUIRE(docket.rows.size() == 2);
  CHECK(docket.rows[0].details.cases == std::vector<std::string>{"B 2"});
  CHECK(docket.rows[1].details.cases == std::vector<std::string>{"A;1"});
  CHECK(docket.rows[1].details.scheduled == *parse_utc("2026-11-26T08:00:30.000Z"));
  CHECK(docket.rows[1].details.is_public);
}

TEST_CASE("wrong columns are named; without one that is needed nothing is read") {
  const std::string good = "c1,r1,2026-11-26 09:00,A 1";
  check_problem("court,room,time,cases,judgee\n" + good + ",X\n", 1, "judgee", "not known and was not read; the columns are: court, room", 1);
  check_problem("court,room,time,cases,judge,judge\n" + good + ",X,Y\n", 1, "judge", "stands there twice", 1);
  check_problem("court,room,time\nc1,r1,2026-11-26 09:00\n", 1, "cases", "missing", 0);
  const Docket none = read("a,b,c,d\n" + good + "\n");
  CHECK(none.rows.empty());
  CHECK(none.problems.size() == 8);  // four that are not known, four that are missing
  check_problem("\"court,room,time,cases\n" + good + "\n", 1, "", "never closed", 0);
}

TEST_CASE("a wrong row costs only itself") {
  const std::string before = kHeader + row("2026-11-26 09:00", "A 1");
  const std::string after = row("2026-11-26 10:00", "B 2") + row("2026-11-26 11:00", "C 3");
  const auto wrong = [&](const std::string& text, const std::string& column, const std::string& words) {
    check_problem(before + text + after, 3, column, words, 3);
  };
  wrong(row("", "X"), "time", "not a time; write it like");
  wrong(row("26/11/2026 9h", "X"), "time", "not a time");
  wrong(row("2026-02-30 09:00", "X"), "time", "not a date and time");
  wrong(row("2026-02-30T09:00Z", "X"), "time", "no such date and time");
  wrong(row("2026-03-29 02:30", "X"), "time", "skip 2026-03-29 02:30; write a time that there is");
  wrong(row("2026-10-25 02:30", "X"), "time", "twice; write it in UTC");
  wrong(row("2026-11-26 09:00", " "), "cases", "no case number");
  wrong(row("2026-11-26 09:00", std::string(201, '9')), "cases", "200");
  wrong(row("2026-11-26 09:00", "\"A\n1\""), "cases", "control character");
  wrong(row("2026-11-26 09:00", "X", ":demandeur,,,,,"), "parties", "no name; write name:role");
  wrong(row("2026-11-26 09:00", "X", ",,,perhaps,,"), "public", "yes or no");
  wrong(row("2026-11-26 09:00", "X", ",,,,,fr_FR"), "", "language tag");
  wrong(row("2026-11-26 09:00", "X", ",,,," + std::string(2001, 'x') + ","), "title", "longer than 2000 bytes");
  wrong(",salle-2,2026-11-26 09:00,X,,,,,,\n", "court", "empty");
  wrong("montclair,salle-2,2026-11-26 09:00,X\n", "", "4 fields and the first row has 10");
  wrong("montclair,salle-2,2026-11-26 09:00,X, \"a\",,,,,\n", "", "a quotation mark stands inside a field");
  wrong("montclair,salle-2,2026-11-26 09:00,\"X\" Y,,,,,,\n", "", "follows a closing quotation mark");
  wrong("montclair,salle-2,2026-11-26 09:00,\"X,,,,,,\n", "", "never closed");
  wrong("montclair,salle-2,2026-11-26 09:00,\xA3\xA8,,,,,,\n", "", "not UTF-8; save the list as \"CSV UTF-8\"");
  wrong("montclair,salle-2,2026-11-26 09:00," + std::string(17'000, 'x') + ",,,,,,\n", "", "more than 16 KiB");
}

TEST_CASE("every problem of a row is said, and lines are counted through line breaks in fields") {
  const Docket docket = read(kHeader + "c,r,2026-11-26 09:00,A,,,,,\"two\nlines\",\n" + row("soon", "") + row("2026-11-26 09:00", "B"));
  REQUIRE(docket.problems.size() == 3);
  CHECK((docket.problems[0].line == 2 && docket.problems[0].column == "title"));
  CHECK((docket.problems[1].line == 4 && docket.problems[1].column == "time"));
  CHECK((docket.problems[2].line == 4 && docket.problems[2].column == "cases"));
  REQUIRE(docket.rows.size() == 1);
  CHECK(docket.rows[0].line == 5);
}

TEST_CASE("wall times need the zone of the court's clock") {
  const Docket docket = read_docket(kHeader + row("2026-11-26 09:00", "A") + row("2026-11-26T08:00:00.000Z", "B"), nullptr);
  REQUIRE(docket.problems.size() == 1);
  CHECK_THAT(docket.problems[0].what, Catch::Contains("set zone in [place] of station.toml"));
  CHECK(docket.rows.size() == 1);
}

TEST_CASE("what is too much or no list at all") {
  check_problem("", 1, "", "empty; its first row names the columns", 0);
  check_problem("\n\n", 1, "", "empty", 0);
  check_problem("\xFF\xFE" + std::string("c\0o\0", 4), 1, "", "UTF-16", 0);
  check_problem(std::string(kMaxCsvBytes + 1, 'x'), 1, "", "4 MiB", 0);
  std::string many = kHeader;
  for (std::size_t i = 0; i < kMaxCsvRows + 5; ++i) many += "c,r,2026-11-26 09:00,A,,,,,,\n";
  check_problem(many, kMaxCsvRows + 2, "", "more than 10,000 rows", kMaxCsvRows);
  testing::ForgetfulFileSystem files;
  REQUIRE(files.make_directories("/d"));
  REQUIRE(files.write_new("/d/list.csv", as_bytes(std::string(kMaxCsvBytes + 1, 'x'))));
  CHECK_THAT(load_docket(files, "/d/list.csv", nullptr).error().message, Catch::Contains("/d/list.csv: the list has more than 4 MiB"));
  CHECK(load_docket(files, "/d/none.csv", nullptr).error().code == Errc::not_found);
}

TEST_CASE("a list of broken rows is read in a moment") {
  std::string hostile = kHeader;
  for (int i = 0; i < 200'000; ++i) hostile += "\"a\n";
  const Docket docket = read(hostile);
  CHECK(docket.rows.empty());
  CHECK(docket.problems.size() == kMaxCsvRows + 1);
}

TEST_CASE("the hearings of this room, by code or by name") {
  Enrolment enrolment;
  enrolment.court = "montclair";
  enrolment.room = "salle-2";
  PlaceSettings place;
  place.room_names = {{"fr", "Salle d’audience 2"}};
  const auto here = [&](const std::string& court, const std::string& room) { return is_here({1, court, room, {}}, enrolment, place); };
  CHECK(here("montclair", "salle-2"));
  CHECK(here("montclair", "Salle d’audience 2"));
  CHECK_FALSE(here("montclair", "salle-3"));
  CHECK_FALSE(here("jiangcheng", "salle-2"));
  CHECK_FALSE(here("", ""));
}
