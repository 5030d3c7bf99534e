#include "archive/catalogue/query.h"

#include <catch2/catch.hpp>
#include <random>

#include "archive/catalogue/catalogue.h"
#include "archive/catalogue/schema.h"
#include "archive/catalogue/tokenizer.h"

using greffe::Errc;
using greffe::catalogue::Connection;
using greffe::catalogue::Cursor;
using greffe::catalogue::kMaxQueryCharacters;
using greffe::catalogue::match_all;
using greffe::catalogue::match_any_scope;
using greffe::catalogue::match_word;
using greffe::catalogue::parse_cursor;
using greffe::catalogue::searchable_words;
using greffe::catalogue::words_of;
using Words = std::vector<std::string>;

TEST_CASE("a query is cut into distinct words") {
  CHECK(*words_of("  王伟　张秀英 ") == Words{"王伟", "张秀英"});
  CHECK(*words_of("Dupont, Jean; 李四、张三") == Words{"Dupont", "Jean", "李四", "张三"});
  CHECK(*words_of("a a  A") == Words{"a", "A"});
  CHECK(words_of("")->empty());
  CHECK(words_of(" ,; ")->empty());
  CHECK(*words_of("１２３４") == Words{"1234"});
  CHECK(words_of("\xff").error().code == Errc::invalid);
  CHECK(words_of(std::string(kMaxQueryCharacters, 'a')));
  CHECK(words_of(std::string(kMaxQueryCharacters + 1, 'a')).error().code == Errc::invalid);
  std::string many;
  for (int i = 0; i < 33; ++i) many += std::to_string(i) + " ";
  CHECK(words_of(many).error().code == Errc::invalid);
}

TEST_CASE("only words with something to look for are searched") {
  Connection db = *Connection::open(":memory:", Connection::Mode::create, false);
  REQUIRE(greffe::catalogue::register_tokenizer(db));
  CHECK(searchable_words(db, "\"'();--%*")->empty());
  CHECK(searchable_words(db, " - ")->empty());
  CHECK(*searchable_words(db, "- 王伟 \"\" (x)") == Words{"王伟", "(x)"});
}

TEST_CASE("a star stands only where the last piece may go on") {
  CHECK(match_word("王伟") == "\"王伟\"");
  CHECK(match_word("王") == "\"王\"*");
  CHECK(match_word("Lefevre") == "\"Lefevre\"*");
  CHECK(match_word("民初1234") == "\"民初1234\"*");
  CHECK(match_word("王伟)") == "\"王伟\"");
  CHECK(match_word("a\"b") == "\"a\"\"b\"*");
}

TEST_CASE("a case number in another spelling is searched in its one spelling too") {
  CHECK(match_word("民初01234") == "(\"民初01234\"* OR \"民初1234\"*)");
  CHECK(match_word("民初1234号") == "(\"民初1234号\"* OR \"民初1234\")");  // complete: no star on the key
  CHECK(match_word("第1234号") == "(\"第1234号\"* OR \"1234\")");
  CHECK(match_word("24/00123") == "\"24/00123\"*");
}

TEST_CASE("words are joined by AND, courts by OR") {
  CHECK(match_all({"王伟", "a"}) == "\"王伟\" AND \"a\"*");
  CHECK(match_all({}).empty());
  CHECK(match_any_scope('c', {"a", "b"}) == "(\"\x01" "c=a\" OR \"\x01" "c=b\")");
  CHECK(match_any_scope('c', {"a"}) == "\"\x01" "c=a\"");
  CHECK(match_any_scope('c', {}).empty());
}

TEST_CASE("a cursor is exactly what was given out") {
  CHECK(parse_cursor(Cursor{true, 17}.text())->exact);
  CHECK(parse_cursor(Cursor{false, 42}.text())->row == 42);
  for (const char* bad : {"", "t", "x1", "t-1", "t01", "t1 ", "t99999999999999999999", "e1;DROP TABLE hearing"}) {
    CHECK(parse_cursor(bad).error().code == Errc::invalid);
  }
}

TEST_CASE("no text makes an expression that the index refuses") {
  Connection db = *Connection::open(":memory:", Connection::Mode::create, false);
  REQUIRE(greffe::catalogue::register_tokenizer(db));
  REQUIRE(greffe::catalogue::create_schema(db));
  const auto runs = [&db](const std::string& text) {
    const auto words = searchable_words(db, text);
    if (!words) return;  // too long, or not UTF-8
    if (words->empty()) return;
    auto rows = db.query("SELECT count(*) FROM search_index WHERE search_index MATCH ?", match_all(*words));
    INFO(text);
    REQUIRE(rows);
    REQUIRE(rows->next());
  };
  for (const char* text :
       {"' OR 1=1 --", "\"", "\"\"\"", "AND", "OR NOT", "NEAR(a b, 2)", "cases:x", "{cases parties}:x", "-cases:x", "^a",
        "a*", "a**", "(a", "a)", "a AND", "* a", "+", "a + b", "x'00'", "%", "_", "\\", "王*\"", "scope:\"\x01" "c=lyon\"",
        "'; DROP TABLE hearing; --", "a\nb", "${jndi}", "1 OR 1", "\xE2\x80\x8B", "　"}) {
    runs(text);
  }
  std::mt19937 random(11);
  const std::string alphabet = "\"'*()-+:^{}aA1 ANDORNEAR,;\\%_";
  const char* wide[] = {"王", "号", "é", "（", "１", "𠮷", "\u0301", "ﬁ", "œ"};
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (unsigned n = random() % 14; n > 0; --n) {
      if (random() % 3 == 0) {
        text += wide[random() % std::size(wide)];
      } else {
        text += alphabet[random() % alphabet.size()];
      }
    }
    runs(text);
  }
}
