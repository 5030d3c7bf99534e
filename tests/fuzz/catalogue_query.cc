// What people type into the search box: never an expression that the index refuses, whatever the bytes.
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "archive/catalogue/query.h"
#include "archive/catalogue/schema.h"
#include "archive/catalogue/search_text.h"
#include "archive/catalogue/tokenizer.h"

namespace {

using greffe::catalogue::Connection;

std::unique_ptr<Connection> empty_index() {
  auto db = Connection::open(":memory:", Connection::Mode::create, false);
  if (!db || !greffe::catalogue::register_tokenizer(*db) || !greffe::catalogue::create_schema(*db)) std::abort();
  return std::make_unique<Connection>(*std::move(db));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::unique_ptr<Connection> db = empty_index();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(greffe::catalogue::parse_cursor(text));
  static_cast<void>(greffe::catalogue::case_key(text));
  if (!greffe::catalogue::tokens_of(*db, text, size % 2 == 0)) std::abort();
  const auto words = greffe::catalogue::searchable_words(*db, text);
  if (!words || words->empty()) return 0;
  auto rows = db->query("SELECT rowid FROM search_index WHERE search_index MATCH ?",
                        greffe::catalogue::match_all(*words));
  if (!rows || !rows->next()) std::abort();
  return 0;
}
