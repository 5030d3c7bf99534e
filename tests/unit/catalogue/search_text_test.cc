#include "archive/catalogue/search_text.h"

#include <catch2/catch.hpp>

using greffe::catalogue::case_key;
using greffe::catalogue::case_key_without_brackets;
using greffe::catalogue::fold;
using greffe::catalogue::has_word;
using greffe::catalogue::normalise;

TEST_CASE("text is made comparable before it is indexed or searched") {
  CHECK(normalise("（２０２６）浙０１民初１２３４号") == "(2026)浙01民初1234号");
  CHECK(normalise("〔2026〕【浙】［01］〈民〉") == "(2026)(浙)(01)(民)");
  CHECK(normalise("王　伟") == "王 伟");
  CHECK(normalise("a\tb\nc\x01" "d\x7f") == "a b c d ");
  CHECK(normalise("Cœur Œuvre") == "Coeur OEuvre");
  CHECK(normalise("阿卜杜・热合曼") == normalise("阿卜杜•热合曼"));
  CHECK(normalise("zero\u200Bwidth\u00AD") == "zerowidth");
  CHECK(normalise("ﾀﾅｶ") == "タナカ");
  CHECK(normalise("plain ASCII 24/00123") == "plain ASCII 24/00123");
  CHECK(normalise("[x]{y}") == "(x)(y)");
  CHECK(normalise("\xff\xfe").empty());
  CHECK(normalise("").empty());
  CHECK(normalise(normalise("（Ｚoé）〔Ⅳ〕ﬁ")) == normalise("（Ｚoé）〔Ⅳ〕ﬁ"));
}

TEST_CASE("every spelling of one case number has one key") {
  const std::string key = "(2026)浙01民初1234";
  for (const char* spelling :
       {"(2026)浙01民初1234号", "（２０２６）浙０１民初１２３４号", "〔2026〕浙01民初1234号", "(2026)浙01民初1234",
        " (2026) 浙01民初第01234号", "【2026】浙01民初1234號", "[2026]浙01 民初 1234 号", "(2026)浙01民初　第１２３４号"}) {
    CHECK(case_key(spelling) == key);
  }
  CHECK(case_key_without_brackets(key) == case_key("2026浙01民初1234号"));
  CHECK(case_key("RG 24/00123") == "rg24/00123");
  CHECK(case_key("rg  24/00123") == "rg24/00123");
  CHECK(case_key("(2025)最高法知民終12號") == "(2025)最高法知民终12");
}

TEST_CASE("a key keeps what makes another case") {
  CHECK(case_key("(2026)浙01民初1234号之一") == "(2026)浙01民初1234号之一");
  CHECK(case_key("(2026)浙01民初1234号之一") != case_key("(2026)浙01民初1234号"));
  CHECK(case_key("(2026)浙01民初1234") != case_key("(2026)浙1民初1234"));  // a court code keeps its zero
  CHECK(case_key("浙01") == "浙01");
  CHECK(case_key("浙0102") == "浙0102");
  CHECK(case_key("RG 24/00123") != case_key("RG 24/123"));  // zeros count outside Chinese numbers
  CHECK(case_key("民初0") == "民初0");
  CHECK(case_key("民初000") == "民初0");
  CHECK(case_key("第1234号") == "1234");
  CHECK(case_key("号").size() == 3);
  CHECK(case_key("").empty());
}

TEST_CASE("a word is found at the start of a word, a CJK text anywhere") {
  CHECK(fold("Zoé LEFÈVRE") == "zoe lefevre");
  CHECK(has_word(fold("Audition de M. Lefèvre"), fold("lefev")));
  CHECK_FALSE(has_word(fold("Audition de M. Lefèvre"), fold("efev")));
  CHECK(has_word(fold("证人王伟出庭"), fold("王伟")));
  CHECK(has_word(fold("出示第3号证据exhibit"), fold("exhib")));
  CHECK(has_word(fold("xab ab"), fold("ab")));
  CHECK_FALSE(has_word("abc", ""));
  CHECK_FALSE(has_word("", "a"));
}
