// What the program that decodes recordings says of them.
#include <cstdint>

#include "archive/media_checker.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  for (const std::size_t files : {1, 2}) {
    const auto checked = greffe::archive::parse_checked_media(text, files);
    if (!checked) continue;
    GREFFE_CHECK(checked->problems.size() <= files);
    GREFFE_CHECK(checked->media_ms >= 0 && (checked->errors == 0 || !checked->problems.empty()));
  }
  return 0;
}
