// The list of a pool's volumes and the label of one: what is taken is written back as it was.
#include <cstdint>

#include "archive/base/result.h"
#include "archive/store/pool_roster.h"
#include "archive/store/volume_label.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto without_end = [](std::string_view one) { return one.ends_with('\n') ? one.substr(0, one.size() - 1) : one; };
  const auto roster = greffe::store::parse_pool_roster(text);
  if (roster) GREFFE_CHECK(greffe::store::parse_pool_roster(greffe::store::write_pool_roster(*roster)));
  const auto label = greffe::store::parse_volume_label(text);
  if (label) GREFFE_CHECK(without_end(greffe::store::write_volume_label(*label)) == without_end(text));
  return 0;
}
