#include "archive/catalogue/tokenizer.h"

#include <sqlite3.h>

#include <memory>
#include <new>

namespace greffe::catalogue {

namespace {

using TokenCallback = int (*)(void* context, int flags, const char* token, int size, int start, int end);

// unicode61 as this connection has it. Owned by the registration, freed by SQLite through forget_inner.
struct InnerTokenizer {
  fts5_tokenizer methods{};
  void* context = nullptr;
};

// One tokenizer of one FTS table. Owned by SQLite: create … destroy.
struct PairTokenizer {
  fts5_tokenizer inner{};
  Fts5Tokenizer* words = nullptr;  // unicode61
};

constexpr char32_t kScopeStart = static_cast<char32_t>(kScopeMark);
constexpr char kBoundary[] = "\x02";  // nobody can type it: search_text.h strips control characters

struct Character {
  char32_t code = 0;
  int bytes = 1;
};

// The character at text[at]. Bytes that are not UTF-8 are one character each; nothing at or beyond `size` is read.
Character character_at(const char* text, int at, int size) {
  const auto byte = [text, at](int i) { return static_cast<unsigned>(static_cast<unsigned char>(text[at + i])); };
  const unsigned lead = byte(0);
  if (lead < 0xC0) return {lead, 1};
  const int length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (at + length > size) return {lead, 1};
  if (length == 2) return {((lead & 0x1F) << 6) | (byte(1) & 0x3F), 2};
  if (length == 3) return {((lead & 0x0F) << 12) | ((byte(1) & 0x3F) << 6) | (byte(2) & 0x3F), 3};
  return {((lead & 0x07) << 18) | ((byte(1) & 0x3F) << 12) | ((byte(2) & 0x3F) << 6) | (byte(3) & 0x3F), 4};
}

// One pass over one text; hands the tokens to SQLite.
class Pass {
 public:
  Pass(const PairTokenizer& tokenizer, const char* text, int size, int flags, void* context, TokenCallback callback)
      : tokenizer_(tokenizer), text_(text), size_(size), flags_(flags), context_(context), callback_(callback) {}

  int run() {
    int at = 0;
    while (at < size_) {
      const char32_t first = character_at(text_, at, size_).code;
      const int rc = first == U'\n'       ? end_of_value(at)
                     : first == kScopeStart ? scope_word(at)
                     : is_cjk(first)        ? pairs(at)
                                            : words(at);
      if (rc != SQLITE_OK) return rc;
    }
    return SQLITE_OK;
  }

 private:
  int emit(int from, int to) { return callback_(context_, 0, text_ + from, to - from, from, to); }

  int end_of_value(int& at) {
    const int rc = callback_(context_, 0, kBoundary, 1, at, at + 1);
    ++at;
    return rc;
  }

  int scope_word(int& at) {
    const int from = at;
    while (at < size_ && text_[at] != ' ') ++at;
    return emit(from, at);
  }

  // A run A B C is stored as AB, BC and C: its last character begins no pair, but must be found too. A query has the
  // last character only where something follows, so that 民初1234 reads on where the stored text does, and 王伟 alone is
  // found in the middle of 王伟明.
  int pairs(int& at) {
    const int from = at;
    int previous = from;
    int count = 0;
    while (at < size_) {
      const Character c = character_at(text_, at, size_);
      if (!is_cjk(c.code)) break;
      if (count > 0) {
        if (const int rc = emit(previous, at + c.bytes); rc != SQLITE_OK) return rc;
      }
      previous = at;
      at += c.bytes;
      ++count;
    }
    const bool ends_query = (flags_ & FTS5_TOKENIZE_QUERY) != 0 && at == size_;
    return count > 1 && ends_query ? SQLITE_OK : emit(previous, at);
  }

  int words(int& at) {
    const int from = at;
    while (at < size_) {
      const Character c = character_at(text_, at, size_);
      if (is_cjk(c.code) || c.code == kScopeStart || c.code == U'\n') break;
      at += c.bytes;
    }
    base_ = from;
    return tokenizer_.inner.xTokenize(tokenizer_.words, this, flags_, text_ + from, at - from, &Pass::forward);
  }

  // unicode61 counts from the start of what it was given; highlight() needs places in the whole column.
  static int forward(void* self, int flags, const char* token, int size, int start, int end) {
    const auto* pass = static_cast<const Pass*>(self);
    return pass->callback_(pass->context_, flags, token, size, start + pass->base_, end + pass->base_);
  }

  const PairTokenizer& tokenizer_;
  const char* text_;
  int size_;
  int flags_;
  void* context_;
  TokenCallback callback_;
  int base_ = 0;  // where the text that unicode61 has begins
};

int create(void* context, const char** /*arguments*/, int /*count*/, Fts5Tokenizer** out) {
  const auto* inner = static_cast<const InnerTokenizer*>(context);
  auto tokenizer = std::unique_ptr<PairTokenizer>(new (std::nothrow) PairTokenizer);
  if (tokenizer == nullptr) return SQLITE_NOMEM;
  tokenizer->inner = inner->methods;
  const char* arguments[] = {"remove_diacritics", "2"};
  const int rc = inner->methods.xCreate(inner->context, arguments, 2, &tokenizer->words);
  if (rc != SQLITE_OK) return rc;
  *out = reinterpret_cast<Fts5Tokenizer*>(tokenizer.release());
  return SQLITE_OK;
}

void destroy(Fts5Tokenizer* handle) {
  auto* tokenizer = reinterpret_cast<PairTokenizer*>(handle);
  tokenizer->inner.xDelete(tokenizer->words);
  delete tokenizer;
}

int tokenize(Fts5Tokenizer* handle, void* context, int flags, const char* text, int size, TokenCallback callback) {
  const auto* tokenizer = reinterpret_cast<const PairTokenizer*>(handle);
  return Pass(*tokenizer, text, size, flags, context, callback).run();
}

void forget_inner(void* context) { delete static_cast<InnerTokenizer*>(context); }

fts5_api* api_of(sqlite3* db) {
  fts5_api* api = nullptr;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &statement, nullptr) != SQLITE_OK) return nullptr;
  sqlite3_bind_pointer(statement, 1, static_cast<void*>(&api), "fts5_api_ptr", nullptr);
  sqlite3_step(statement);
  sqlite3_finalize(statement);
  return api;
}

int collect(void* context, int /*flags*/, const char* token, int size, int /*start*/, int /*end*/) {
  static_cast<std::vector<std::string>*>(context)->emplace_back(token, static_cast<std::size_t>(size));
  return SQLITE_OK;
}

}  // namespace

bool is_cjk(char32_t c) {
  return (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||  // Han
         (c >= 0x20000 && c <= 0x3FFFF) || c == 0x3005 || c == 0x3007 ||  // extensions, 々, 〇 (a digit in years)
         (c >= 0x3040 && c <= 0x30FF && c != 0x30A0 && c != 0x30FB) || (c >= 0x31F0 && c <= 0x31FF) ||  // kana
         (c >= 0x1100 && c <= 0x11FF) || (c >= 0xAC00 && c <= 0xD7AF);    // Hangul
}

Status register_tokenizer(Connection& db) {
  fts5_api* api = api_of(db.handle());
  if (api == nullptr || api->iVersion < 2) {
    return fail(Errc::unavailable, "this SQLite has no full-text search (FTS5): install the Debian package libsqlite3-0");
  }
  auto inner = std::make_unique<InnerTokenizer>();
  int rc = api->xFindTokenizer(api, "unicode61", &inner->context, &inner->methods);
  fts5_tokenizer methods{create, destroy, tokenize};
  // From here on SQLite owns `inner` and frees it with the connection.
  if (rc == SQLITE_OK) rc = api->xCreateTokenizer(api, "greffe", inner.release(), &methods, forget_inner);
  if (rc != SQLITE_OK) return fail(Errc::unavailable, "the search tokenizer could not be registered with SQLite");
  return ok();
}

Result<std::vector<std::string>> tokens_of(Connection& db, std::string_view text, bool as_query) {
  fts5_api* api = api_of(db.handle());
  fts5_tokenizer methods{};
  void* context = nullptr;
  Fts5Tokenizer* tokenizer = nullptr;
  if (api == nullptr || api->xFindTokenizer(api, "greffe", &context, &methods) != SQLITE_OK ||
      methods.xCreate(context, nullptr, 0, &tokenizer) != SQLITE_OK) {
    return fail(Errc::unavailable, "the search tokenizer is not registered on this connection");
  }
  std::vector<std::string> out;
  methods.xTokenize(tokenizer, &out, as_query ? FTS5_TOKENIZE_QUERY : FTS5_TOKENIZE_DOCUMENT, text.data(),
                    static_cast<int>(text.size()), collect);
  methods.xDelete(tokenizer);
  return out;
}

}  // namespace greffe::catalogue
