// From what a person typed to an FTS5 expression, and the cursor of a page. No text can make an expression that
// FTS5 refuses: every word is quoted. See docs/search.md.
#ifndef GREFFE_ARCHIVE_CATALOGUE_QUERY_H
#define GREFFE_ARCHIVE_CATALOGUE_QUERY_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "archive/base/result.h"
#include "archive/catalogue/sqlite.h"

namespace greffe::catalogue {

constexpr std::size_t kMaxQueryWords = 32;

// The distinct words of a query, normalised, in order. invalid: not UTF-8, over kMaxQueryCharacters characters or
// kMaxQueryWords words.
Result<std::vector<std::string>> words_of(std::string_view text);
// Those of them that give the tokenizer of `db` something to look for. A word of punctuation would find nothing, and so
// hide what its neighbours find.
Result<std::vector<std::string>> searchable_words(Connection& db, std::string_view text);

// A quoted string of the expression language; the tokenizer makes a phrase of it.
std::string quoted(std::string_view text);
// Finds this word (as words_of gives it): a phrase, with a star where the last piece may go on, or, when it is part of
// a case number spelled in another way, that number in its one spelling.
std::string match_word(std::string_view word);
// All of the words; empty when there are none.
std::string match_all(const std::vector<std::string>& words);
// Any of these scope words (tokenizer.h); empty when there are none.
std::string match_any_scope(char kind, const std::vector<std::string>& names);
// One scope word as the index holds it: "\x01c=<court>", "\x01h=<court that it is shared with>", "\x01r=<room>",
// "\x01s=open", "\x01s=closed", "\x01s=gaps".
std::string scope_word(char kind, std::string_view name);
// Parts joined by AND; empty parts are left out.
std::string match_both(std::string_view left, std::string_view right);
std::string match_either(std::string_view left, std::string_view right);  // joined by OR, in parentheses

// Where a page ends: first come the hearings with exactly the case number typed, then the others.
struct Cursor {
  bool exact = false;
  std::int64_t row = 0;
  std::string text() const;
};
Result<Cursor> parse_cursor(std::string_view text);  // invalid: not a cursor of ours

}  // namespace greffe::catalogue

#endif
