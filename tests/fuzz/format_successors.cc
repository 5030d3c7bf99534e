// What an archive tells its stations of its officers, and what a station keeps of it: written and read again it is the same.
#include <cstdint>

#include "archive/base/result.h"
#include "archive/format/successors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto told = greffe::parse_successors({reinterpret_cast<const char*>(bytes), size});
  if (!told) return 0;
  const std::string written = greffe::write_successors(*told);
  const auto again = greffe::parse_successors(written);
  GREFFE_CHECK(again && greffe::write_successors(*again) == written);
  (void)greffe::check_successors(*told, {"archive.court.example", greffe::KeyType::ed25519, {}});
  return 0;
}
