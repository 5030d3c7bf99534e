#include "archive/catalogue/query.h"

#include <algorithm>

#include "archive/base/bytes.h"
#include "archive/catalogue/catalogue.h"
#include "archive/catalogue/search_text.h"
#include "archive/catalogue/tokenizer.h"

namespace greffe::catalogue {

namespace {

// Marks between words of a list: "张三、李四", "Dupont, Jean". After normalise(), so no full-width forms.
bool parts_words(char32_t c) { return c == U' ' || c == U',' || c == U';' || c == U'、' || c == U'。'; }

bool has_digit(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Without the punctuation at its end, after which nothing is looked for.
std::u32string_view trimmed(std::u32string_view word) {
  while (!word.empty() && !is_word_character(word.back())) word.remove_suffix(1);
  return word;
}

// Whether the last piece of the phrase must be searched as a prefix: always when it is a word or a number still being
// typed; of a CJK run only when it is one character, which the index knows only as the start of pairs.
bool needs_star(std::u32string_view word) {
  if (word.empty() || !is_cjk(word.back())) return true;
  return word.size() < 2 || !is_cjk(word[word.size() - 2]);
}

}  // namespace

Result<std::vector<std::string>> words_of(std::string_view text) {
  if (!is_valid_utf8(text)) return fail(Errc::invalid, "the search text is not valid UTF-8");
  if (code_points(text).size() > kMaxQueryCharacters) {
    return fail(Errc::invalid, "the search text is longer than " + std::to_string(kMaxQueryCharacters) +
                                   " characters: search for fewer words");
  }
  std::vector<std::string> words;
  std::u32string word;
  const auto finish = [&words, &word] {
    std::string done = utf8(word);
    if (!done.empty() && std::find(words.begin(), words.end(), done) == words.end()) words.push_back(std::move(done));
    word.clear();
  };
  for (const char32_t c : code_points(normalise(text))) {
    if (parts_words(c)) {
      finish();
    } else {
      word += c;
    }
  }
  finish();
  if (words.size() > kMaxQueryWords) {
    return fail(Errc::invalid, "the search text has more than " + std::to_string(kMaxQueryWords) +
                                   " words: search for fewer of them");
  }
  return words;
}

Result<std::vector<std::string>> searchable_words(Connection& db, std::string_view text) {
  const std::vector<std::string> words = GREFFE_TRY(words_of(text));
  std::vector<std::string> out;
  for (const std::string& word : words) {
    const std::vector<std::string> tokens = GREFFE_TRY(tokens_of(db, word, true));
    if (!tokens.empty()) out.push_back(word);
  }
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string match_word(std::string_view word) {
  const std::u32string all = code_points(word);
  const std::u32string_view characters = trimmed(all).empty() ? std::u32string_view(all) : trimmed(all);
  const std::string out = quoted(utf8(characters)) + (needs_star(characters) ? "*" : "");
  if (!has_digit(word)) return out;

  const std::string key = case_key(word);
  if (key == fold(word)) return out;  // the same pieces: nothing to gain
  const std::u32string all_of_key = code_points(key);
  const std::u32string_view key_characters = trimmed(all_of_key);
  if (key_characters.empty()) return out;
  // A number that ended in 号 is complete: 民初1234号 must not find 12340.
  const bool complete = characters.back() == U'号' || characters.back() == U'號';
  return "(" + out + " OR " + quoted(utf8(key_characters)) + (!complete && needs_star(key_characters) ? "*" : "") + ")";
}

std::string match_both(std::string_view left, std::string_view right) {
  if (left.empty()) return std::string(right);
  if (right.empty()) return std::string(left);
  return std::string(left) + " AND " + std::string(right);
}

std::string match_either(std::string_view left, std::string_view right) {
  if (left.empty()) return std::string(right);
  if (right.empty()) return std::string(left);
  return "(" + std::string(left) + " OR " + std::string(right) + ")";
}

std::string match_all(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out = match_both(out, match_word(word));
  return out;
}

std::string scope_word(char kind, std::string_view name) {
  return std::string{kScopeMark, kind, '='} + std::string(name);
}

std::string match_any_scope(char kind, const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    if (!out.empty()) out += " OR ";
    out += quoted(scope_word(kind, name));
  }
  return names.size() > 1 ? "(" + out + ")" : out;
}

std::string Cursor::text() const { return (exact ? "e" : "t") + std::to_string(row); }

Result<Cursor> parse_cursor(std::string_view text) {
  Error refused = fail(Errc::invalid, "this is not a cursor of a result page: start again from the first page");
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 't')) return refused;
  const auto row = parse_decimal(text.substr(1));
  if (!row || *row > static_cast<std::uint64_t>(INT64_MAX)) return refused;
  return Cursor{text[0] == 'e', static_cast<std::int64_t>(*row)};
}

}  // namespace greffe::catalogue
