// What a site is asked, and tells, of hearings that are shared: written and read again it is the same, and keeps to the limits.
#include <cstdint>

#include "archive/base/result.h"
#include "archive/format/share_messages.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  if (const auto looked_at = greffe::parse_shares_question(text)) {
    const auto again = greffe::parse_shares_question(greffe::write_shares_question(*looked_at));
    GREFFE_CHECK(again && *again == *looked_at && again->size() <= greffe::kLookedAtArchivesMax);
  }
  if (const auto told = greffe::parse_shares_told(text)) {
    const std::string written = greffe::write_shares_told(*told);
    const auto again = greffe::parse_shares_told(written);
    GREFFE_CHECK(again && greffe::write_shares_told(*again) == written && again->shares.size() <= greffe::kToldSharesMax);
  }
  return 0;
}
