#include "archive/format/documents.h"

#include "tests/unit/format/vectors.h"

using greffe::Details;
using greffe::parse_details;
using greffe::testing::check_refused;
using greffe::testing::need;
using greffe::testing::vectors;

namespace {

std::string without_salt(const std::string& document) {
  auto json = need(greffe::parse_json(document));
  json.as_object()->erase("salt");
  return greffe::write_json(json);
}

}  // namespace

TEST_CASE("stored documents are read") {
  const auto json = vectors("documents.json");
  const Details details = need(parse_details(need(json.string("details"))));
  CHECK(details.cases == std::vector<std::string>{"RG 24/01234", "（2026）沪01民初123号"});
  REQUIRE(details.parties.size() == 1);
  CHECK((details.parties[0].name == "王伟" && details.parties[0].role == "原告"));
  CHECK(details.parties[0].spellings == std::vector<std::string>{"Wang Wei"});
  CHECK(details.judges == std::vector<std::string>{"Mme Lefèvre"});
  CHECK((details.clerk == "M. Petit" && details.title == "Audience du matin" && details.language == "fr" && !details.is_public));
  CHECK(details.scheduled == need(greffe::parse_utc("2026-11-22T09:00:00.000Z")));
  REQUIRE(details.parts.size() == 1);
  CHECK(details.parts[0].cases == std::vector<std::string>{"RG 24/01234"});
  CHECK(need(greffe::parse_note(need(json.string("note")))) == "Témoin 2");
  CHECK(need(greffe::parse_place_names(need(json.string("place_names")))).at("zh") == "第三法庭");

  // Written again, only the salt differs: the same words never have the same digest.
  const std::string once = greffe::write_details(details);
  const std::string twice = greffe::write_details(details);
  CHECK(once != twice);
  CHECK(greffe::parse_canonical_json(once));
  CHECK(without_salt(once) == without_salt(need(json.string("details"))));
  CHECK(without_salt(once) == without_salt(twice));
}

TEST_CASE("notes and names of places survive being stored") {
  const std::string note = greffe::write_note("mark", "two\nlines \"quoted\" 王");
  CHECK(greffe::parse_canonical_json(note));
  CHECK(need(greffe::parse_note(note)) == "two\nlines \"quoted\" 王");
  CHECK(greffe::write_note("mark", "same") != greffe::write_note("mark", "same"));
  const std::map<std::string, std::string> names{{"en", "Room 3"}, {"fr", "Salle 3"}};
  CHECK(need(greffe::parse_place_names(greffe::write_place_names(names))) == names);
  check_refused(greffe::parse_note(R"({"kind":"mark","text":"x","v":1})"), "\"salt\" must be");
  check_refused(greffe::parse_note(R"({"kind":"mark","salt":"00","text":"x","v":1})"), "\"salt\" must be 64 hexadecimal digits");
  check_refused(greffe::parse_note(" " + note), "canonical form");
  check_refused(greffe::parse_place_names(note), "\"kind\" must be \"place-names\"");
  check_refused(greffe::parse_note(std::string(300'000, ' ')), "more than 256 KiB");
}

TEST_CASE("what a person wrote: lists may be absent, mistakes are named") {
  const Details little = need(parse_details(R"({ "cases": ["A 1"] })"));
  CHECK((little.cases.size() == 1 && little.is_public && little.parties.empty() && little.scheduled.ms == 0));
  CHECK(need(parse_details(greffe::write_details(little))).cases == little.cases);
  CHECK(need(parse_details("{}")).cases.empty());
  check_refused(parse_details(R"({"case":["A 1"]})"), "\"case\" is not a member of the details; these are: cases, clerk");
  check_refused(parse_details(R"({"parties":[{"name":"A","Role":"x"}]})"), "\"Role\" is not a member");
  check_refused(parse_details(R"({"parts":[{"from":"2026-11-22T09:00:00.000Z","till":"x"}]})"), "\"till\" is not a member");
  check_refused(parse_details(R"({"parties":["A"]})"), "must be a JSON object");
  check_refused(parse_details("[]"), "must be a JSON object");
  check_refused(parse_details("{"), "a key in quotes is expected");
  check_refused(parse_details(R"({"cases":"A 1"})"), "\"cases\" must be a list of texts");
  check_refused(parse_details(R"({"cases":[""]})"), "\"cases\" has an empty item");
  check_refused(parse_details(R"({"cases":["  "]})"), "a case number is empty");
  check_refused(parse_details(R"({"cases":[")" + std::string(201, '1') + R"("]})"), "has 201 characters");
  check_refused(parse_details(R"({"cases":["A\u00071"]})"), "control character");
  check_refused(parse_details(R"({"title":"two\nlines"})"), "\"title\" has a control character");
  check_refused(parse_details(R"({"judges":["a\tb"]})"), "\"judges\" has a control character");
  check_refused(parse_details(R"({"clerk":")" + std::string(2001, 'x') + R"("})"), "\"clerk\" is longer than 2,000 bytes");
  check_refused(parse_details(R"({"parties":[{"role":"x"}]})"), "\"name\" must be a text");
  check_refused(parse_details(R"({"parties":[{"name":""}]})"), "a party's \"name\" is empty");
  check_refused(parse_details(R"({"language":"français"})"), "\"language\" must be a language tag");
  check_refused(parse_details(R"({"scheduled":"tomorrow"})"), "\"scheduled\" must be a time");
  check_refused(parse_details(R"({"public":"yes"})"), "\"public\" must be true or false");
  check_refused(parse_details(R"({"parts":[{"cases":[],"from":"2026-11-22T10:00:00.000Z","to":"2026-11-22T09:00:00.000Z"}]})"), "ends before it begins");
  check_refused(parse_details(R"({"kind":"mark"})"), "\"kind\" must be \"details\"");
  check_refused(parse_details(R"({"kind":"details","v":2})"), "version 2");
  check_refused(parse_details(R"({"salt":"xyz"})"), "\"salt\" must be 64 hexadecimal digits");
  check_refused(parse_details(std::string(300'000, ' ')), "more than 256 KiB");
  std::string wide = R"({"cases":["1"])" + std::string(128 * 1024, ' ') + "}";
  check_refused(parse_details(wide), "more than 128 KiB");
  std::string many = R"({"judges":["a")";
  for (int i = 0; i < 1000; ++i) many += R"(,"a")";
  check_refused(parse_details(many + "]}"), "more than 1,000 items");
}

TEST_CASE("a stored document may have members of the future") {
  auto json = need(greffe::parse_json(greffe::write_details({})));
  json.set("seating", "left");
  CHECK(parse_details(greffe::write_json(json)));
  json.set("v", 2);
  check_refused(parse_details(greffe::write_json(json)), "version 2 of \"details\" is not known to this program");
}
