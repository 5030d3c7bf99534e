// What a writer's lease says of where its holder is: what is taken is written back as it was.
#include <cstdint>

#include "archive/base/result.h"
#include "archive/store/writer_place.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  static const greffe::PrivateKey key = *greffe::PrivateKey::from_seed(greffe::Bytes(32, 7));
  const auto place = greffe::store::parse_writer_place(text, key.public_key());
  if (place) GREFFE_CHECK(greffe::store::write_writer_place(*place, key) == text);
  return 0;
}
