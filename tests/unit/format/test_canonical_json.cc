#include "tests/unit/format/vectors.h"

using greffe::Json;
using greffe::parse_canonical_json;
using greffe::parse_json;
using greffe::testing::check_refused;
using greffe::testing::need;
using greffe::testing::vectors;

TEST_CASE("each text of the profile has one canonical form") {
  for (const Json& one : need(vectors("canonical-json.json").array("canonical"))) {
    const std::string text = need(one.string("text"));
    const std::string canonical = need(one.string("canonical"));
    INFO(text);
    CHECK(greffe::write_json(need(parse_json(text))) == canonical);
    CHECK(parse_canonical_json(canonical));
    CHECK(bool(parse_canonical_json(text)) == (text == canonical));
  }
}

TEST_CASE("what is not of the profile is refused") {
  for (const Json& one : need(vectors("canonical-json.json").array("refused"))) {
    const auto bytes = need(greffe::from_hex(need(one.string("text_hex"))));
    INFO(need(one.string("why")));
    CHECK_FALSE(parse_json(greffe::as_text(bytes)));
    CHECK_FALSE(parse_canonical_json(greffe::as_text(bytes)));
  }
}

TEST_CASE("a refusal says why and where") {
  check_refused(parse_json(R"({"a":1,"a":2})"), "a key stands twice in one object at byte 12");
  check_refused(parse_json("[null]"), "null is not used here: leave the member out at byte 5");
  check_refused(parse_json("[1.5]"), "only whole numbers are used here at byte 2");
  check_refused(parse_json("9007199254740992"), "a number of 2^53 or more");
  check_refused(parse_json("[-0]"), "a negative zero");
  check_refused(parse_json("[\"\xff\"]"), "not valid UTF-8");
  check_refused(parse_json(R"({"é":1})"), "a key that is not ASCII");
  check_refused(parse_json(R"(["\ud800"])"), "half of a surrogate pair");
  check_refused(parse_json(std::string(17, '[') + std::string(17, ']')), "nested deeper than 16 levels at byte 16");
  check_refused(parse_json("[\"a\nb\"]"), "a control character in a string");
  check_refused(parse_json("1 2"), "something follows the value at byte 2");
  check_refused(parse_canonical_json("{ }"), "not in its canonical form");
}

TEST_CASE("members are read strictly, and the error names the key") {
  const Json json = need(parse_json(R"({"b":true,"d":"00","list":["x",1],"n":-1,"o":{},"s":"text","t":"2026-11-22"})"));
  CHECK(need(json.string("s")) == "text");
  CHECK(need(json.integer("n")) == -1);
  CHECK(need(json.boolean("b")));
  check_refused(json.string("n"), "\"n\" must be a text");
  check_refused(json.string("absent"), "\"absent\" must be a text");
  check_refused(json.integer("s"), "\"s\" must be a whole number");
  check_refused(json.size("n"), "\"n\" must be a whole number that is not negative");
  check_refused(json.boolean("n"), "\"n\" must be true or false");
  check_refused(json.digest("d"), "\"d\" must be 64 lower-case hexadecimal digits");
  check_refused(json.utc("t"), "\"t\" must be a time like");
  check_refused(json.array("o"), "\"o\" must be a list");
  check_refused(json.object("list"), "\"list\" must be an object");
  check_refused(json.strings("list"), "\"list\" must be a list of texts");
  check_refused(Json(7).string("s"), "\"s\" must be a text");
}

TEST_CASE("objects are what sha256 and _sha256 name, at any depth, and nothing else") {
  const std::string a(64, 'a');
  const std::string b(64, 'b');
  const Json json = need(parse_json(R"({"note_sha256":")" + a + R"(","objects":[{"sha256":")" + b + R"("},{"sha256":"short"}],"root":")" +
                                    std::string(64, 'c') + R"(","sha256x":")" + std::string(64, 'd') + R"(","sha256":7})"));
  const auto found = greffe::named_objects(json);
  REQUIRE(found.size() == 2);
  CHECK(found[0].hex() == a);
  CHECK(found[1].hex() == b);
}

TEST_CASE("text that is not UTF-8 is written so that it can be read again") {
  const std::string text = greffe::write_json(Json("a\xffz\xc3\xa9\xe2\x82"));
  CHECK(text == "\"a\xEF\xBF\xBDz\xc3\xa9\xEF\xBF\xBD\xEF\xBF\xBD\"");
  CHECK(parse_canonical_json(text));
}
