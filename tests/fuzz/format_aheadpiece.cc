// Pieces of entries ahead of their objects: the bytes that are read are the bytes that are written, and lead to the root that they state.
#include <cstdint>

#include "archive/base/result.h"
#include "archive/format/ahead_piece.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto read = greffe::parse_ahead_piece(text);
  if (read) {
    GREFFE_CHECK(greffe::write_ahead_piece(read->piece) == text);
    GREFFE_CHECK(read->after.root() == read->head.checkpoint.root && read->name().size == read->name().first + read->piece.entries.size());
  }
  const auto key = greffe::parse_ahead_key(text);
  if (key) GREFFE_CHECK(greffe::stage_path(key->folder, key->name) == text);
  return 0;
}
