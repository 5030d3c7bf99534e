// Sealed texts under a code that is right and under input that is the code.
#include <cstdint>

#include "archive/format/sealed_text.h"
#include "archive/base/result.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const std::string_view code = "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF-GGGG-HHHH";
  GREFFE_CHECK(!greffe::open_sealed_text(text, code));  // nobody seals by chance
  const auto opened = greffe::open_sealed_text(greffe::seal_text(text, code), code);
  GREFFE_CHECK(opened && *opened == text);
  GREFFE_CHECK(!greffe::open_sealed_text("{}", text));
  return 0;
}
