// The boxes of a media segment: ftyp moov (moof mdat uuid)*. After each mdat a 56-byte uuid box carries the SHA-256 of
// all bytes of the object before it, so that a torn tail is found exactly. Pure. See docs/formats/segment.md.
#ifndef GREFFE_ARCHIVE_FORMAT_SEGMENT_H
#define GREFFE_ARCHIVE_FORMAT_SEGMENT_H

#include <array>
#include <cstdint>
#include <vector>

#include "archive/base/bytes.h"
#include "archive/format/digest.h"

namespace greffe {

constexpr std::size_t kHashBoxBytes = 56;
extern const std::array<std::uint8_t, 16> kHashBoxType;  // never change: it is in every segment
std::array<std::uint8_t, kHashBoxBytes> hash_box(const Digest& bytes_before);

struct Fragment {
  std::uint64_t offset = 0;  // of the moof
  std::uint64_t bytes = 0;   // moof + mdat + uuid
  std::int64_t decode_time = 0;  // tfdt, in the track's time scale
  std::int64_t duration = 0;     // sum of the sample durations, in the track's time scale
  bool key = false;              // starts with a sync sample
};
struct SegmentLayout {
  std::uint64_t init_bytes = 0;
  std::uint32_t time_scale = 0;
  std::vector<Fragment> fragments;
  std::uint64_t good_bytes = 0;  // end of the last fragment whose hash box holds
  Digest good_digest;            // SHA-256 of [0, good_bytes)
};

// Walks a segment and checks every hash box. Never fails on a torn tail: good_bytes says where the good part ends
// (fragments after it are not listed). corrupt: no whole init, or a box that cannot be.
Result<SegmentLayout> read_segment(ByteView bytes);

// The same for who writes the hash boxes himself: reads each fragment as it comes, so that no whole segment is ever in memory.
class SegmentScan {
 public:
  // What was appended since the last hash box: moof and mdat, the first time with ftyp and moov in front; the caller
  // appends the hash box behind it. corrupt: it is not exactly that.
  Status take(ByteView piece);
  const SegmentLayout& layout() const { return layout_; }  // good_digest is not set
  const Bytes& init() const { return init_; }

 private:
  SegmentLayout layout_;
  Bytes init_;
  std::uint32_t default_duration_ = 0;
  std::uint32_t default_flags_ = 0;
};

}  // namespace greffe

#endif
