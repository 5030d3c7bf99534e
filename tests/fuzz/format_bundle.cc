// Entry bundles and hash tiles: the bytes that are read are the bytes that are written.
#include <cstdint>

#include "archive/format/tiles.h"
#include "archive/base/result.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto entries = greffe::parse_bundle({bytes, size});
  if (entries) {
    GREFFE_CHECK(entries->size() <= greffe::kTileWidth);
    GREFFE_CHECK(greffe::write_bundle(*entries) == text);
  }
  const auto hashes = greffe::parse_tile({bytes, size});
  if (hashes) {
    const greffe::Bytes written = greffe::write_tile(*hashes);
    GREFFE_CHECK(greffe::as_text(written) == text);
    if (hashes->size() == greffe::kTileWidth) (void)greffe::tile_root(*hashes);
  }
  return 0;
}
