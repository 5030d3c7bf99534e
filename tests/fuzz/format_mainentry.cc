// Entries of the main log: written and read again they are the same.
#include <cstdint>

#include "archive/format/entries.h"
#include "archive/base/result.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto entry = greffe::parse_main_entry(text);
  if (!entry || std::holds_alternative<greffe::UnknownEntry>(*entry)) return 0;
  const std::string written = greffe::write_main_entry(*entry);  // without members of the future
  const auto again = greffe::parse_main_entry(written);
  GREFFE_CHECK(again && again->index() == entry->index());
  GREFFE_CHECK(greffe::write_main_entry(*again) == written);
  return 0;
}
