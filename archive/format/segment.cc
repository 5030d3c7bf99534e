#include "archive/format/segment.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace greffe {

// "greffe-hash-box1" as bytes.
const std::array<std::uint8_t, 16> kHashBoxType = {0x67, 0x72, 0x65, 0x66, 0x66, 0x65, 0x2d, 0x68,
                                                   0x61, 0x73, 0x68, 0x2d, 0x62, 0x6f, 0x78, 0x31};

std::array<std::uint8_t, kHashBoxBytes> hash_box(const Digest& bytes_before) {
  std::array<std::uint8_t, kHashBoxBytes> out{};
  out[3] = kHashBoxBytes;
  constexpr std::string_view kUuid = "uuid";
  std::copy(kUuid.begin(), kUuid.end(), out.begin() + 4);
  std::copy(kHashBoxType.begin(), kHashBoxType.end(), out.begin() + 8);
  std::copy(bytes_before.bytes.begin(), bytes_before.bytes.end(), out.begin() + 24);
  return out;
}

namespace {

constexpr std::uint64_t kMaxTicks = std::uint64_t{1} << 53;  // of a fragment; what the entries can state
constexpr std::uint32_t kNonSyncFlag = 0x00010000;  // sample_is_non_sync_sample

// Big-endian numbers that never read beyond the end: a short field reads as absent.
class Reader {
 public:
  explicit Reader(ByteView bytes) : bytes_(bytes) {}
  bool good() const { return good_; }
  std::size_t left() const { return bytes_.size(); }
  std::uint64_t number(std::size_t size) {
    if (bytes_.size() < size) {
      good_ = false;
      bytes_ = {};
      return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | bytes_[i];
    bytes_ = bytes_.subspan(size);
    return value;
  }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }

 private:
  ByteView bytes_;
  bool good_ = true;
};

struct Box {
  std::string_view type;
  ByteView whole;
  ByteView content;
};

// The first box of `bytes`; nothing when it is not whole or its size cannot be.
std::optional<Box> first_box(ByteView bytes) {
  if (bytes.size() < 8) return std::nullopt;
  Reader reader(bytes);
  std::uint64_t size = reader.u32();
  std::size_t header = 8;
  if (size == 1) {
    if (bytes.size() < 16) return std::nullopt;
    Reader large(bytes.subspan(8));
    size = large.u64();
    header = 16;
  }
  if (size < header || size > bytes.size()) return std::nullopt;
  const ByteView whole = bytes.first(static_cast<std::size_t>(size));
  return Box{as_text(bytes.subspan(4, 4)), whole, whole.subspan(header)};
}

// The first box of this type directly inside `content`.
std::optional<Box> find_box(ByteView content, std::string_view type) {
  while (const auto box = first_box(content)) {
    if (box->type == type) return box;
    content = content.subspan(box->whole.size());
  }
  return std::nullopt;
}

std::optional<Box> find_path(ByteView content, std::initializer_list<std::string_view> path) {
  std::optional<Box> box;
  for (const std::string_view type : path) {
    box = find_box(content, type);
    if (!box) return std::nullopt;
    content = box->content;
  }
  return box;
}

struct TrackDefaults {
  std::uint32_t time_scale = 0;
  std::uint32_t duration = 0;  // of a sample, trex
  std::uint32_t flags = 0;
};

std::optional<TrackDefaults> read_moov(const Box& moov) {
  TrackDefaults out;
  const auto mdhd = find_path(moov.content, {"trak", "mdia", "mdhd"});
  if (!mdhd) return std::nullopt;
  Reader head(mdhd->content);
  const std::uint32_t version = head.u32() >> 24;
  head.number(8);  // creation and modification time
  if (version == 1) head.u64();
  out.time_scale = head.u32();
  const auto trex = find_path(moov.content, {"mvex", "trex"});
  if (!head.good() || out.time_scale == 0 || !trex) return std::nullopt;
  Reader extends(trex->content);
  extends.u32();  // version and flags
  extends.u32();  // track
  extends.u32();  // sample description
  out.duration = extends.u32();
  extends.u32();  // size
  out.flags = extends.u32();
  return extends.good() ? std::optional(out) : std::nullopt;
}

// ISO 14496-12, 8.8.7: which optional fields follow is said by the flags, in this order.
bool read_tfhd(const Box& tfhd, TrackDefaults& defaults) {
  Reader reader(tfhd.content);
  const std::uint32_t flags = reader.u32() & 0xFFFFFF;
  reader.u32();  // track
  if (flags & 0x000001) reader.u64();
  if (flags & 0x000002) reader.u32();
  if (flags & 0x000008) defaults.duration = reader.u32();
  if (flags & 0x000010) reader.u32();
  if (flags & 0x000020) defaults.flags = reader.u32();
  return reader.good();
}

// 8.8.8: adds the durations of its samples; sets `key` from the first sample of the fragment.
bool read_trun(const Box& trun, const TrackDefaults& defaults, Fragment& fragment, bool is_first) {
  Reader reader(trun.content);
  const std::uint32_t flags = reader.u32() & 0xFFFFFF;
  const std::uint32_t count = reader.u32();
  if (flags & 0x000001) reader.u32();
  std::optional<std::uint32_t> first_flags;
  if (flags & 0x000004) first_flags = reader.u32();
  const std::size_t bytes_per_sample =
      4 * (((flags & 0x100) != 0) + ((flags & 0x200) != 0) + ((flags & 0x400) != 0) + ((flags & 0x800) != 0));
  if (!reader.good() || (bytes_per_sample != 0 && count > reader.left() / bytes_per_sample)) return false;
  if (bytes_per_sample == 0) {
    const std::uint64_t ticks = std::uint64_t{count} * defaults.duration;
    if (ticks >= kMaxTicks || fragment.duration >= static_cast<std::int64_t>(kMaxTicks)) return false;
    fragment.duration += static_cast<std::int64_t>(ticks);
    if (is_first && count > 0) fragment.key = (first_flags.value_or(defaults.flags) & kNonSyncFlag) == 0;
    return true;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    fragment.duration += (flags & 0x100) ? reader.u32() : defaults.duration;
    if (flags & 0x200) reader.u32();
    std::uint32_t sample_flags = (flags & 0x400) ? reader.u32() : defaults.flags;
    if (flags & 0x800) reader.u32();
    if (i == 0 && first_flags) sample_flags = *first_flags;
    if (i == 0 && is_first) fragment.key = (sample_flags & kNonSyncFlag) == 0;
  }
  return reader.good();
}

bool read_moof(const Box& moof, const TrackDefaults& track, Fragment& fragment) {
  const auto traf = find_box(moof.content, "traf");
  if (!traf) return false;
  TrackDefaults defaults = track;
  const auto tfhd = find_box(traf->content, "tfhd");
  const auto tfdt = find_box(traf->content, "tfdt");
  if (!tfhd || !tfdt || !read_tfhd(*tfhd, defaults)) return false;
  Reader time(tfdt->content);
  const std::uint32_t version = time.u32() >> 24;
  const std::uint64_t decode_time = version == 1 ? time.u64() : time.u32();
  if (!time.good() || decode_time >= kMaxTicks) return false;
  fragment.decode_time = static_cast<std::int64_t>(decode_time);
  bool is_first = true;
  ByteView rest = traf->content;
  while (const auto box = first_box(rest)) {
    if (box->type == "trun") {
      if (!read_trun(*box, defaults, fragment, is_first)) return false;
      is_first = false;
    }
    rest = rest.subspan(box->whole.size());
  }
  return !is_first && fragment.duration < static_cast<std::int64_t>(kMaxTicks);
}

bool is_hash_box(const Box& box, const Digest& before) {
  const auto wanted = hash_box(before);
  return std::equal(box.whole.begin(), box.whole.end(), wanted.begin(), wanted.end());
}

struct Init {
  std::size_t bytes = 0;
  TrackDefaults track;
};
Result<Init> read_init(ByteView bytes) {
  const auto ftyp = first_box(bytes);
  if (!ftyp || ftyp->type != "ftyp") return fail(Errc::corrupt, "the segment does not begin with a whole ftyp box");
  const auto moov = first_box(bytes.subspan(ftyp->whole.size()));
  if (!moov || moov->type != "moov") return fail(Errc::corrupt, "the segment has no whole moov box after ftyp");
  const auto track = read_moov(*moov);
  if (!track) return fail(Errc::corrupt, "the segment's moov box does not describe one fragmented track");
  return Init{ftyp->whole.size() + moov->whole.size(), *track};
}

// The moof and mdat at the front.
struct Media {
  Box moof;
  std::size_t bytes = 0;
};
std::optional<Media> first_media(ByteView bytes) {
  const auto moof = first_box(bytes);
  if (!moof || moof->type != "moof") return std::nullopt;
  const auto mdat = first_box(bytes.subspan(moof->whole.size()));
  if (!mdat || mdat->type != "mdat") return std::nullopt;
  return Media{*moof, moof->whole.size() + mdat->whole.size()};
}

}  // namespace

Result<SegmentLayout> read_segment(ByteView bytes) {
  SegmentLayout out;
  const Init init = GREFFE_TRY(read_init(bytes));
  out.init_bytes = init.bytes;
  out.time_scale = init.track.time_scale;
  out.good_bytes = out.init_bytes;
  Sha256 hash;
  hash.update(bytes.first(out.init_bytes));
  ByteView rest = bytes.subspan(out.init_bytes);
  while (const auto media = first_media(rest)) {
    const auto box = first_box(rest.subspan(media->bytes));
    if (!box || box->type != "uuid") break;
    Fragment fragment;
    fragment.offset = out.good_bytes;
    fragment.bytes = media->bytes + box->whole.size();
    hash.update(rest.first(media->bytes));
    if (!is_hash_box(*box, hash.peek())) break;
    if (!read_moof(media->moof, init.track, fragment)) {
      return fail(Errc::corrupt, "a fragment's hash holds, but its moof box cannot be read");
    }
    hash.update(box->whole);
    out.good_bytes += fragment.bytes;
    out.fragments.push_back(fragment);
    out.good_digest = hash.peek();
    rest = rest.subspan(fragment.bytes);
  }
  if (out.fragments.empty()) out.good_digest = sha256(bytes.first(out.good_bytes));
  return out;
}

Status SegmentScan::take(ByteView piece) {
  if (init_.empty()) {
    const Init init = GREFFE_TRY(read_init(piece));
    init_.assign(piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(init.bytes));
    layout_.init_bytes = init.bytes;
    layout_.time_scale = init.track.time_scale;
    layout_.good_bytes = init.bytes;
    default_duration_ = init.track.duration;
    default_flags_ = init.track.flags;
    piece = piece.subspan(init.bytes);
  }
  const auto media = first_media(piece);
  if (!media || media->bytes != piece.size()) return fail(Errc::corrupt, "a segment does not go on with exactly one whole fragment");
  Fragment fragment;
  fragment.offset = layout_.good_bytes;
  fragment.bytes = media->bytes + kHashBoxBytes;
  if (!read_moof(media->moof, {layout_.time_scale, default_duration_, default_flags_}, fragment)) {
    return fail(Errc::corrupt, "a fragment's moof box cannot be read");
  }
  layout_.good_bytes += fragment.bytes;
  layout_.fragments.push_back(fragment);
  return ok();
}

}  // namespace greffe
