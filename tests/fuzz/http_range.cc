// The first eight bytes are the size of a file, the rest the value of a Range header and of the conditions.
#include <cstdint>
#include <cstring>
#include <string_view>

#include "archive/base/result.h"
#include "web/http/range.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 8) return 0;
  std::uint64_t file_size = 0;
  std::memcpy(&file_size, bytes, sizeof file_size);
  if (bytes[7] < 0x80) file_size &= 0xff;  // half of the inputs: a small file, so that its edges are met
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 8, size - 8);
  const auto range = greffe::http::parse_range(text, file_size);
  switch (range.kind) {
    case greffe::http::RangeKind::whole: GREFFE_CHECK(range.first == 0 && range.size == file_size); break;
    case greffe::http::RangeKind::part:
      GREFFE_CHECK(range.size > 0 && range.first < file_size && range.size <= file_size - range.first);
      break;
    case greffe::http::RangeKind::unsatisfiable: GREFFE_CHECK(range.size == 0); break;
  }
  const bool holds = greffe::http::if_range_holds(text, "\"tag\"");
  // Whoever may continue a download also has the current version.
  GREFFE_CHECK(!holds || text.find_first_not_of(" \t") == std::string_view::npos ||
               greffe::http::names_etag(text, "\"tag\""));
  return 0;
}
