// Details documents, from people and from the store: what was read can be stored and read again.
#include <cstdint>

#include "archive/format/documents.h"
#include "archive/base/result.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto details = greffe::parse_details(text);
  if (!details) return 0;
  const auto again = greffe::parse_details(greffe::write_details(*details));
  GREFFE_CHECK(again && again->cases == details->cases && again->judges == details->judges);
  GREFFE_CHECK(again->clerk == details->clerk && again->title == details->title && again->language == details->language);
  GREFFE_CHECK(again->scheduled == details->scheduled && again->is_public == details->is_public);
  GREFFE_CHECK(again->parties.size() == details->parties.size() && again->parts.size() == details->parts.size());
  for (std::size_t i = 0; i < details->parties.size(); ++i) {
    GREFFE_CHECK(again->parties[i].name == details->parties[i].name && again->parties[i].role == details->parties[i].role);
    GREFFE_CHECK(again->parties[i].spellings == details->parties[i].spellings);
  }
  return 0;
}
