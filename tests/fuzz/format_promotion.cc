// Certificates of promotions: written and read again they are the same, and name an epoch of their archive.
#include <cstdint>

#include "archive/base/result.h"
#include "archive/format/promotion.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto name = greffe::parse_epoch_origin(text);
  if (name) GREFFE_CHECK(greffe::epoch_origin(*name) == text);
  const auto entry = greffe::parse_promotion(text);
  if (!entry) return 0;
  const std::string written = greffe::write_promotion(*entry);  // without members of the future
  const auto again = greffe::parse_promotion(written);
  GREFFE_CHECK(again && greffe::write_promotion(*again) == written);
  GREFFE_CHECK(greffe::promotion_statement(*again) == greffe::promotion_statement(*entry));
  return 0;
}
