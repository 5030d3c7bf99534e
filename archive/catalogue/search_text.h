// How text is made comparable before it is indexed or searched, and the many spellings of one case number. Pure.
// See docs/search.md.
#ifndef GREFFE_ARCHIVE_CATALOGUE_SEARCH_TEXT_H
#define GREFFE_ARCHIVE_CATALOGUE_SEARCH_TEXT_H

#include <string>
#include <string_view>
#include <vector>

namespace greffe::catalogue {

// What the index holds and what a query is turned into: NFKC (full-width digits and letters become plain), one kind of
// brackets and of middle dots, ligatures apart, invisible characters gone, every control character a space. Case and
// accents are left to the tokenizer. Text that is not UTF-8 gives an empty string.
std::string normalise(std::string_view text);

// One spelling for all ways of writing one case number: "(2026)浙01民初1234" of "〔２０２６〕浙01民初第01234號". Equal keys mean
// the same case for the exact match; a part of a number gives that part of the key.
std::string case_key(std::string_view text);
// The key without its brackets, for those who leave them out.
std::string case_key_without_brackets(std::string_view key);

// Lower case without accents, after normalise(): for comparing outside the index.
std::string fold(std::string_view text);
// Whether `folded` has `word` (also folded): anywhere when the word begins with a CJK character, else at the start of
// a word.
bool has_word(std::string_view folded, std::string_view word);

// Code points of UTF-8 text; what is not UTF-8 ends it.
std::u32string code_points(std::string_view text);
std::string utf8(std::u32string_view text);
// A letter or digit; very nearly in the sense of the tokenizer, whose tables are of another Unicode version.
bool is_word_character(char32_t character);

}  // namespace greffe::catalogue

#endif
