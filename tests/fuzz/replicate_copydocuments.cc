// What lies with a copy that nobody answers for, its label and its grade: what is taken is written back as it was.
#include <cstdint>

#include "archive/base/result.h"
#include "replicate/copy_grade.h"
#include "replicate/copy_label.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto label = greffe::replicate::parse_copy_label(text);
  if (label) GREFFE_CHECK(greffe::replicate::write_copy_label(*label) == text);
  const auto grade = greffe::replicate::parse_copy_grade(text);
  if (grade) GREFFE_CHECK(greffe::replicate::write_copy_grade(*grade) == text);
  if (grade) GREFFE_CHECK(!grade->words().empty());
  return 0;
}
