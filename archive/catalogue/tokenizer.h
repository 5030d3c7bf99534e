// The full-text tokenizer "greffe": overlapping pairs for Chinese, Japanese and Korean characters, so that a name of
// two characters is found anywhere in a text; unicode61 without diacritics for everything else; a boundary (the byte 02)
// at each line end, so that no phrase reaches from one value into the next; and scope words, which begin with the byte
// 01 and are taken as they are. See docs/search.md.
#ifndef GREFFE_ARCHIVE_CATALOGUE_TOKENIZER_H
#define GREFFE_ARCHIVE_CATALOGUE_TOKENIZER_H

#include <string>
#include <string_view>
#include <vector>

#include "archive/base/result.h"
#include "archive/catalogue/sqlite.h"

namespace greffe::catalogue {

// Text that people typed never contains this byte (search_text.h strips it), so nobody can search for a scope word.
constexpr char kScopeMark = '\x01';

bool is_cjk(char32_t character);  // Han with its extensions, kana, Hangul

// Makes the tokenizer known to this connection; every connection that touches the text index needs it.
Status register_tokenizer(Connection& db);

// What the index would hold for this text (`as_query` false) or look for (true), in order. On a connection with the
// tokenizer.
Result<std::vector<std::string>> tokens_of(Connection& db, std::string_view text, bool as_query);

}  // namespace greffe::catalogue

#endif
