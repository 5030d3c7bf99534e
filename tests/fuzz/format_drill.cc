// Reports of drills: written and read again they are the same, but for the salt.
#include <cstdint>

#include "archive/base/result.h"
#include "archive/format/documents.h"
#include "archive/format/drill.h"

namespace {

std::string without_salt(const std::string& document) {
  greffe::Json json = *greffe::parse_json(document);
  json.as_object()->erase("salt");
  return greffe::write_json(json);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  if (const auto report = greffe::parse_drill_report(text)) {
    const std::string written = greffe::write_drill_report(*report);
    const auto again = greffe::parse_drill_report(written);
    GREFFE_CHECK(again && without_salt(greffe::write_drill_report(*again)) == without_salt(written));
  }
  // Whatever a failure says, its report can be read.
  greffe::DrillReport told;
  told.archive = "a.example";
  told.site = "b.example";
  told.fail("object", text);
  GREFFE_CHECK(greffe::parse_drill_report(greffe::write_drill_report(told)));
  return 0;
}
