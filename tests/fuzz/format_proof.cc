// Proof files: written and read again they say the same.
#include <cstdint>

#include "archive/format/policy.h"
#include "archive/base/result.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto proof = greffe::parse_tlog_proof(text);
  if (!proof) return 0;
  const std::string written = greffe::write_tlog_proof(*proof);
  const auto again = greffe::parse_tlog_proof(written);
  GREFFE_CHECK(again && again->index == proof->index && again->hashes == proof->hashes);
  GREFFE_CHECK(again->checkpoint == proof->checkpoint);
  return 0;
}
