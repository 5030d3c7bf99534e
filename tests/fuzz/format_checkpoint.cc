// Checkpoints, alone and signed: the bytes that are read are the bytes that are written.
#include <cstdint>

#include "archive/format/signed_note.h"
#include "archive/base/result.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  if (const auto checkpoint = greffe::parse_checkpoint(text)) GREFFE_CHECK(checkpoint->text() == text);
  const auto found = greffe::parse_signed_checkpoint(text);
  if (!found) return 0;
  GREFFE_CHECK(found->note.write() == text);
  GREFFE_CHECK(found->checkpoint.text() == found->note.text);
  return 0;
}
