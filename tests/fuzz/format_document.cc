// Notes and names of places: what was read can be stored and read again.
#include <cstdint>

#include "archive/format/documents.h"
#include "archive/base/result.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  if (const auto note = greffe::parse_note(text)) {
    const auto again = greffe::parse_note(greffe::write_note("mark", *note));
    GREFFE_CHECK(again && *again == *note);
  }
  if (const auto names = greffe::parse_place_names(text)) {
    const auto again = greffe::parse_place_names(greffe::write_place_names(*names));
    GREFFE_CHECK(again && *again == *names);
  }
  return 0;
}
