// Media segments: what is found good is good on its own, and its hash boxes hold. The first byte says whether the hash
// boxes are put right first: without that no mutation would get behind them.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "archive/base/result.h"
#include "archive/format/segment.h"

namespace {

// Puts right the hash in every place that looks like a hash box.
void rehash(greffe::Bytes& bytes) {
  const std::string_view type = greffe::as_text(greffe::kHashBoxType);
  std::size_t at = 0;
  for (int boxes = 0; boxes < 16; ++boxes) {
    at = greffe::as_text(bytes).find(type, at);
    if (at == std::string_view::npos || at < 8 || bytes.size() - (at - 8) < greffe::kHashBoxBytes) return;
    const auto box = greffe::hash_box(greffe::sha256(greffe::ByteView(bytes).first(at - 8)));
    std::copy(box.begin(), box.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at) - 8);
    at += type.size();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  if (size == 0) return 0;
  greffe::Bytes bytes(input + 1, input + size);
  if (input[0] % 2 == 1) rehash(bytes);
  const auto layout = greffe::read_segment(bytes);
  if (!layout) return 0;
  GREFFE_CHECK(layout->init_bytes <= layout->good_bytes && layout->good_bytes <= bytes.size());
  const greffe::ByteView good = greffe::ByteView(bytes).first(layout->good_bytes);
  GREFFE_CHECK(greffe::sha256(good) == layout->good_digest);
  std::uint64_t end = layout->init_bytes;
  for (const greffe::Fragment& fragment : layout->fragments) {
    GREFFE_CHECK(fragment.offset == end && fragment.decode_time >= 0 && fragment.duration >= 0);
    end += fragment.bytes;
    const std::size_t at = end - greffe::kHashBoxBytes;
    const auto box = greffe::hash_box(greffe::sha256(good.first(at)));
    GREFFE_CHECK(std::equal(box.begin(), box.end(), good.begin() + static_cast<std::ptrdiff_t>(at)));
  }
  GREFFE_CHECK(end == layout->good_bytes);
  const auto again = greffe::read_segment(good);
  GREFFE_CHECK(again && again->good_bytes == layout->good_bytes && again->fragments.size() == layout->fragments.size());
  return 0;
}
