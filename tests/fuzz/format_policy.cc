// Policies: written and read again they say the same.
#include <cstdint>

#include "archive/format/policy.h"
#include "archive/base/result.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto policy = greffe::parse_policy(text);
  if (!policy) return 0;
  const std::string written = greffe::write_policy(*policy);
  const auto again = greffe::parse_policy(written);
  GREFFE_CHECK(again && greffe::write_policy(*again) == written);
  GREFFE_CHECK(again->quorum == policy->quorum && again->logs == policy->logs);
  greffe::SignedNote note{policy->logs[0].name + "\n", {{policy->logs[0].name, policy->logs[0].id(), greffe::Bytes(64)}}};
  // A key of low order may accept even a signature of zeros; then the verdict names that log and no other.
  const auto verdict = greffe::apply_policy(*policy, note);
  if (verdict) GREFFE_CHECK(verdict->log == policy->logs[0].name && verdict->cosigned.empty());
  return 0;
}
