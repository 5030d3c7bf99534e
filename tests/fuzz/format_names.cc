// Names that become paths: one spelling for each, and none leaves its folder.
#include <cstdint>

#include "archive/format/names.h"
#include "archive/base/result.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  if (const auto id = greffe::parse_hearing_id(text)) {
    GREFFE_CHECK(id->text() == text);
    GREFFE_CHECK(greffe::hearing_log_path(*id).size() == 12 + 11 + 36);  // "log/hearing/" "2026/11/22/" the id
  }
  if (const auto origin = greffe::parse_hearing_origin(text)) {
    GREFFE_CHECK(greffe::hearing_origin(origin->archive_name, origin->id) == text);
  }
  if (const auto digest = greffe::parse_object_key(text)) GREFFE_CHECK(greffe::object_key(*digest) == text);
  if (const auto stage = greffe::parse_stage_name(text)) GREFFE_CHECK(stage->text() == text);
  if (greffe::is_valid_name(text)) GREFFE_CHECK(text.find_first_of("./\\") == std::string_view::npos);
  if (greffe::is_valid_archive_name(text)) GREFFE_CHECK(text.find("..") == std::string_view::npos && text.find(0x2f) == text.npos);
  if (greffe::check_case_number(text)) GREFFE_CHECK(greffe::is_valid_utf8(text) && !text.empty());
  return 0;
}
