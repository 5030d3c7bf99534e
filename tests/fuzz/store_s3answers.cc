// Any bytes as the answer of an S3 service: what is read of a listing is in order and bounded, and nothing crashes.
#include <cstdint>
#include <string_view>

#include "archive/base/result.h"
#include "archive/store/s3_answers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto listing = greffe::store::parse_s3_listing(text);
  if (listing) {
    GREFFE_CHECK(listing->objects.size() <= 1000);
    GREFFE_CHECK(!listing->truncated || !listing->objects.empty());
    for (std::size_t i = 0; i < listing->objects.size(); ++i) {
      GREFFE_CHECK(!listing->objects[i].key.empty() && listing->objects[i].key.size() <= 4096);
      GREFFE_CHECK(i == 0 || listing->objects[i - 1].key < listing->objects[i].key);
    }
  }
  const auto fault = greffe::store::parse_s3_fault(text);
  GREFFE_CHECK(!fault || !fault->code.empty());
  GREFFE_CHECK(!(fault && listing));  // one document is one of them
  return 0;
}
