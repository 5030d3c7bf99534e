// JSON of the profile: what is read can be written and read again, and has one canonical form.
#include <cstdint>

#include "archive/format/canonical_json.h"
#include "archive/base/result.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto json = greffe::parse_json(text);
  const auto canonical = greffe::parse_canonical_json(text);
  if (!json) {
    GREFFE_CHECK(!canonical);
    return 0;
  }
  const std::string written = greffe::write_json(*json);
  GREFFE_CHECK(canonical.has_value() == (written == text));
  const auto again = greffe::parse_canonical_json(written);
  GREFFE_CHECK(again && *again == *json);
  GREFFE_CHECK(greffe::named_objects(*again) == greffe::named_objects(*json));
  return 0;
}
