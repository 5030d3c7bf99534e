// The description of a track as a segment's init has it: read from files that the reading process wrote.
#include <cstdint>

#include "archive/base/result.h"
#include "ingest/codec_strings.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text = greffe::ingest::codec_string({bytes, size});
  GREFFE_CHECK(!text.empty() && text.size() < 64);
  for (const char c : text) GREFFE_CHECK(c > 0x20 && c < 0x7f && c != '"');
  return 0;
}
