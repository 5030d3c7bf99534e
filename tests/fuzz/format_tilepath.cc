// Paths of tiles: one spelling for each.
#include <cstdint>

#include "archive/format/tiles.h"
#include "archive/base/result.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto name = greffe::parse_tile_path(text);
  if (name) GREFFE_CHECK(name->path() == text);
  return 0;
}
