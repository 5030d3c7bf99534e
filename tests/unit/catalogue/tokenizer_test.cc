#include "archive/catalogue/tokenizer.h"

#include <catch2/catch.hpp>
#include <random>

using greffe::catalogue::Connection;
using greffe::catalogue::register_tokenizer;
using greffe::catalogue::tokens_of;
using Tokens = std::vector<std::string>;

namespace {

Connection connection() {
  Connection db = *Connection::open(":memory:", Connection::Mode::create, false);
  REQUIRE(register_tokenizer(db));
  return db;
}

}  // namespace

TEST_CASE("CJK text becomes overlapping pairs, and its last character stands alone where something may follow") {
  Connection db = connection();
  CHECK(*tokens_of(db, "张秀英", false) == Tokens{"张秀", "秀英", "英"});
  CHECK(*tokens_of(db, "张秀英", true) == Tokens{"张秀", "秀英"});
  CHECK(*tokens_of(db, "王", false) == Tokens{"王"});
  CHECK(*tokens_of(db, "王", true) == Tokens{"王"});
  CHECK(*tokens_of(db, "王伟、李强", false) == Tokens{"王伟", "伟", "李强", "强"});
  CHECK(*tokens_of(db, "王伟(李强", true) == Tokens{"王伟", "伟", "李强"});
  CHECK(*tokens_of(db, "王伟a李强", true) == Tokens{"王伟", "伟", "a", "李强"});
  CHECK(*tokens_of(db, "a\nb", false) == Tokens{"a", "\x02", "b"});
  CHECK(*tokens_of(db, "𠮷野家", false) == Tokens{"𠮷野", "野家", "家"});
  CHECK(*tokens_of(db, "ひらカナ한글", true).value().begin() == "ひら");
}

TEST_CASE("other text becomes folded words") {
  Connection db = connection();
  CHECK(*tokens_of(db, "Zoé LEFÈVRE c/ O'Brien", false) == Tokens{"zoe", "lefevre", "c", "o", "brien"});
  CHECK(*tokens_of(db, "RG 24/00123", true) == Tokens{"rg", "24", "00123"});
  CHECK(tokens_of(db, "", false)->empty());
  CHECK(tokens_of(db, "\"*()-^:", true)->empty());
}

TEST_CASE("a case number is cut where its scripts change") {
  Connection db = connection();
  CHECK(*tokens_of(db, "(2026)浙01民初1234号", false) == Tokens{"2026", "浙", "01", "民初", "初", "1234", "号"});
  CHECK(*tokens_of(db, "浙01民初1234号", true) == Tokens{"浙", "01", "民初", "初", "1234", "号"});
}

TEST_CASE("a scope word is taken as it is") {
  Connection db = connection();
  CHECK(*tokens_of(db, "\x01" "c=lyon-2 \x01" "s=open", false) == Tokens{"\x01" "c=lyon-2", "\x01" "s=open"});
}

TEST_CASE("no bytes make the tokenizer read beyond them or fail") {
  Connection db = connection();
  std::mt19937 random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 12, '\0');
    for (char& c : bytes) c = static_cast<char>(random() % 3 == 0 ? 0xE4 + random() % 6 : random());
    const std::string exact(bytes);  // its own allocation: a sanitizer sees one byte too far
    REQUIRE(tokens_of(db, exact, i % 2 == 0));
  }
}
