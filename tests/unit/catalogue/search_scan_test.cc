// The index against the slow obvious way: every query of thousands is answered by a plain scan too.
#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <set>

#include "archive/catalogue/catalogue.h"
#include "archive/catalogue/search_text.h"
#include "archive/catalogue/tokenizer.h"
#include "tests/unit/catalogue/world.h"

using greffe::HearingId;
using greffe::catalogue::case_key;
using greffe::catalogue::Catalogue;
using greffe::catalogue::CatalogueBuilder;
using greffe::catalogue::code_points;
using greffe::catalogue::CourtSet;
using greffe::catalogue::fold;
using greffe::catalogue::HearingQuery;
using greffe::catalogue::is_cjk;
using greffe::catalogue::is_word_character;
using greffe::catalogue::utf8;
using greffe::testing::Directory;
using greffe::testing::NewHearing;
using greffe::testing::World;

namespace {

struct Scanned {
  HearingId id;
  NewHearing hearing;
  std::vector<std::u32string> values;  // folded
};

// `query` stands in `value` as people mean it: a CJK text anywhere, a word or number from its start on.
bool stands_in(const std::u32string& value, const std::u32string& query, bool complete) {
  for (std::size_t at = value.find(query); at != std::u32string::npos; at = value.find(query, at + 1)) {
    const auto is_plain = [](char32_t c) { return is_word_character(c) && !is_cjk(c); };
    const bool begins = at == 0 || !is_plain(query.front()) || !is_plain(value[at - 1]);
    const std::size_t end = at + query.size();
    const bool ends = !complete || end == value.size() || !is_plain(query.back()) || !is_plain(value[end]);
    if (begins && ends) return true;
  }
  return false;
}

bool finds(const Scanned& one, const std::string& word) {
  const std::u32string query = code_points(fold(word));
  const std::u32string key = code_points(fold(case_key(word)));
  const bool has_digit = std::any_of(query.begin(), query.end(), [](char32_t c) { return c >= '0' && c <= '9'; });
  const bool complete = query.back() == U'号';
  return std::any_of(one.values.begin(), one.values.end(), [&](const std::u32string& value) {
    return stands_in(value, query, false) || (has_digit && stands_in(value, key, complete));
  });
}

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}
  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
  std::string from(const std::u32string& alphabet, unsigned least, unsigned most) {
    std::u32string out;
    for (unsigned n = least + below(most - least + 1); n > 0; --n) out += alphabet[below(static_cast<unsigned>(alphabet.size()))];
    return utf8(out);
  }
  // Few letters, so that nearly everything is part of something else.
  NewHearing hearing() {
    NewHearing out;
    out.start = {1'780'000'000'000 + below(100'000) * 1000LL};
    out.court = "court-" + std::to_string(below(4));
    if (below(3) != 0) {
      out.case_number = "(202" + std::to_string(below(3)) + ")浙0" + std::to_string(1 + below(3)) + (below(2) != 0 ? "民初" : "执") +
                        (below(4) == 0 ? "0" : "") + std::to_string(1 + below(300)) + (below(5) == 0 ? "号之一" : "号");
      out.parties = {from(U"王李伟丽", 2, 3), from(U"王李伟丽公司", 4, 6)};
      out.judge = from(U"王李伟丽", 2, 3);
      out.title = from(U"租赁王2", 2, 5);
    } else {
      out.case_number = "RG 2" + std::to_string(below(3)) + "/0" + std::to_string(below(300));
      out.parties = {from(U"éèab", 2, 4) + " " + from(U"Ébçc", 2, 5), from(U"ab", 1, 2) + from(U"王伟", 1, 2)};
      out.judge = from(U"abç", 2, 4);
      out.title = "Audience " + from(U"ab2", 1, 3);
    }
    return out;
  }
  // A piece of one value, without the punctuation that the index does not have.
  std::string query(const Scanned& one) {
    const std::u32string& value = one.values[below(static_cast<unsigned>(one.values.size()))];
    const std::size_t at = below(static_cast<unsigned>(value.size()));
    std::u32string piece = value.substr(at, 1 + below(8));
    const auto mark = std::find_if_not(piece.begin(), piece.end(), is_word_character);
    piece.erase(mark, piece.end());
    if (below(10) == 0 && !piece.empty()) piece.back() = U"王1a号"[below(4)];  // often found nowhere
    return utf8(piece);
  }

 private:
  std::mt19937 random_;
};

void compare_with_scans(unsigned seed, int hearings, int queries) {
  Generator generator(seed);
  World world;
  std::vector<Scanned> all;
  for (int i = 0; i < hearings; ++i) {
    Scanned one;
    one.hearing = generator.hearing();
    one.id = world.open(one.hearing);
    std::vector<std::string> values = one.hearing.parties;
    values.insert(values.end(), {one.hearing.case_number, case_key(one.hearing.case_number), one.hearing.judge, one.hearing.title});
    if (generator.below(4) == 0) {
      values.push_back(generator.from(U"证据王伟ab1", 2, 6));
      world.mark(one.id, one.hearing.start, values.back());
    }
    world.close(one.id, one.hearing.start);
    world.checkpoint(one.id);
    for (const std::string& value : values) one.values.push_back(code_points(fold(value)));
    all.push_back(std::move(one));
  }
  const Directory directory;
  auto builder = CatalogueBuilder::create(directory.file("c"), world.sources());
  REQUIRE(world.apply_all(*builder, 100));
  REQUIRE(builder->check_text_index());
  auto catalogue = Catalogue::open(directory.file("c"));

  std::size_t with_hits = 0, without_hits = 0;
  for (int i = 0; i < queries; ++i) {
    std::vector<std::string> words;
    for (unsigned n = generator.below(4) == 0 ? 2 : 1; n > 0; --n) {
      const std::string word = generator.query(all[generator.below(static_cast<unsigned>(all.size()))]);
      if (!word.empty()) words.push_back(word);
    }
    if (words.empty()) continue;
    CourtSet courts = CourtSet::everything();
    if (generator.below(2) == 0) courts = {false, {"court-0", "court-2"}};

    std::set<HearingId> expected;
    for (const Scanned& one : all) {
      const bool found = std::all_of(words.begin(), words.end(), [&](const std::string& word) { return finds(one, word); });
      if (found && courts.contains(one.hearing.court)) expected.insert(one.id);
    }
    HearingQuery query;
    for (const std::string& word : words) query.text += (query.text.empty() ? "" : " ") + word;
    query.limit = 1 + generator.below(200);
    query.count_limit = 10'000;
    std::set<HearingId> found;
    for (;;) {
      const auto page = catalogue->find(query, courts);
      REQUIRE(page);
      for (const auto& row : page->hearings) found.insert(row.id);
      if (page->count != expected.size() || !page->count_is_exact) {
        INFO(query.text);
        CHECK(page->count == expected.size());
        break;
      }
      if (!page->next_cursor) break;
      query.cursor = *page->next_cursor;
    }
    (expected.empty() ? without_hits : with_hits) += 1;
    if (found == expected) continue;
    INFO(query.text << ": index " << found.size() << ", scan " << expected.size());
    CHECK(found == expected);
  }
  CHECK(with_hits > static_cast<std::size_t>(queries) / 2);
  CHECK(without_hits > static_cast<std::size_t>(queries) / 80);
}

}  // namespace

TEST_CASE("every search finds what a scan finds, within the courts of the person") { compare_with_scans(21, 300, 500); }

TEST_CASE("thousands of searches find what scans find", "[long]") {
  for (unsigned seed = 22; seed < 24; ++seed) compare_with_scans(seed, 1500, 2000);
}
