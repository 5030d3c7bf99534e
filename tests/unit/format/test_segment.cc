#include "archive/format/segment.h"

#include "tests/unit/format/vectors.h"

using greffe::Bytes;
using greffe::ByteView;
using greffe::Errc;
using greffe::Json;
using greffe::read_segment;
using greffe::testing::need;
using greffe::testing::vectors;

namespace {

struct Golden {
  Bytes bytes;
  greffe::SegmentLayout layout;
};

Golden golden() {
  const Json one = need(vectors("segment.json").array("segments")).at(0);
  Golden out;
  out.bytes = need(greffe::from_hex(need(one.string("hex"))));
  out.layout.init_bytes = need(one.size("init_bytes"));
  out.layout.time_scale = static_cast<std::uint32_t>(need(one.size("time_scale")));
  for (const Json& f : need(one.array("fragments"))) {
    out.layout.fragments.push_back({need(f.size("offset")), need(f.size("bytes")), need(f.integer("decode_time")),
                                    need(f.integer("duration")), need(f.boolean("key"))});
  }
  out.layout.good_bytes = out.bytes.size();
  out.layout.good_digest = need(one.digest("sha256"));
  return out;
}

void put_u32(Bytes& bytes, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
}

std::size_t find(const Bytes& bytes, std::string_view what) {
  const std::size_t at = greffe::as_text(bytes).find(what);
  REQUIRE(at != std::string_view::npos);
  return at;
}

// The end of the good part of `bytes` cut or spoilt at `at`: the end of the last fragment that is whole before it.
std::uint64_t good_before(const Golden& whole, std::size_t at) {
  std::uint64_t good = whole.layout.init_bytes;
  for (const greffe::Fragment& f : whole.layout.fragments) {
    if (f.offset + f.bytes <= at) good = f.offset + f.bytes;
  }
  return good;
}

// Puts right hash boxes behind changed fragments, as somebody would who wants the hashes to hold.
Bytes rehashed(const Golden& from, Bytes bytes) {
  for (const greffe::Fragment& f : from.layout.fragments) {
    const std::size_t at = f.offset + f.bytes - greffe::kHashBoxBytes;
    const auto box = greffe::hash_box(greffe::sha256(ByteView(bytes).first(at)));
    std::copy(box.begin(), box.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return bytes;
}

}  // namespace

TEST_CASE("the fragments of a segment, as another implementation wrote it") {
  const Golden whole = golden();
  const auto layout = need(read_segment(whole.bytes));
  CHECK(layout.init_bytes == whole.layout.init_bytes);
  CHECK(layout.time_scale == whole.layout.time_scale);
  CHECK(layout.good_bytes == whole.bytes.size());
  CHECK(layout.good_digest == whole.layout.good_digest);
  REQUIRE(layout.fragments.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    const greffe::Fragment& found = layout.fragments[i];
    const greffe::Fragment& wanted = whole.layout.fragments[i];
    CHECK((found.offset == wanted.offset && found.bytes == wanted.bytes && found.decode_time == wanted.decode_time &&
           found.duration == wanted.duration && found.key == wanted.key));
  }
}

TEST_CASE("every torn tail is found exactly") {
  const Golden whole = golden();
  for (std::size_t at = whole.layout.init_bytes; at < whole.bytes.size(); ++at) {
    // cut, filled with zeros, and one bit flipped
    Bytes cut(whole.bytes.begin(), whole.bytes.begin() + static_cast<std::ptrdiff_t>(at));
    Bytes zeros = cut;
    zeros.resize(whole.bytes.size());
    Bytes flipped = whole.bytes;
    flipped[at] ^= 0x10;
    const std::uint64_t good = good_before(whole, at);
    for (const Bytes* torn : {&cut, &flipped}) {
      const auto layout = need(read_segment(*torn));
      if (layout.good_bytes != good) FAIL("torn at " << at << ": " << layout.good_bytes << " instead of " << good);
      CHECK(layout.good_digest == greffe::sha256(ByteView(whole.bytes).first(good)));
    }
    const auto layout = need(read_segment(zeros));
    const bool same = zeros == whole.bytes;  // the bytes behind were zeros anyway
    CHECK(layout.good_bytes == (same ? whole.bytes.size() : good_before(whole, at + static_cast<std::size_t>(std::distance(
        zeros.begin() + static_cast<std::ptrdiff_t>(at),
        std::mismatch(zeros.begin() + static_cast<std::ptrdiff_t>(at), zeros.end(), whole.bytes.begin() + static_cast<std::ptrdiff_t>(at)).first)))));
  }
}

TEST_CASE("without a whole init there is no segment") {
  const Golden whole = golden();
  for (std::size_t at = 0; at < whole.layout.init_bytes; ++at) {
    const auto layout = read_segment(ByteView(whole.bytes).first(at));
    REQUIRE_FALSE(layout);
    CHECK(layout.error().code == Errc::corrupt);
  }
  Bytes bytes = whole.bytes;
  bytes[find(bytes, "ftyp")] = 'x';
  CHECK_THAT(read_segment(bytes).error().message, Catch::Contains("does not begin with a whole ftyp box"));
  bytes = whole.bytes;
  bytes[find(bytes, "moov")] = 'x';
  CHECK_THAT(read_segment(bytes).error().message, Catch::Contains("no whole moov box"));
  for (const char* type : {"mdhd", "trex", "mdia"}) {
    bytes = whole.bytes;
    bytes[find(bytes, type)] = 'x';
    CHECK_THAT(read_segment(bytes).error().message, Catch::Contains("does not describe one fragmented track"));
  }
  bytes = whole.bytes;
  put_u32(bytes, find(bytes, "mdhd") + 16, 0);  // a time scale of zero
  CHECK(read_segment(bytes).error().code == Errc::corrupt);
}

TEST_CASE("hashes that hold over boxes that cannot be: corrupt, never a wrong layout") {
  const Golden whole = golden();
  REQUIRE(read_segment(rehashed(whole, whole.bytes)));
  for (const char* type : {"tfhd", "tfdt", "trun", "traf"}) {
    Bytes bytes = whole.bytes;
    bytes[find(bytes, type)] = 'x';
    INFO(type);
    const auto layout = read_segment(rehashed(whole, bytes));
    REQUIRE_FALSE(layout);
    CHECK(layout.error().code == Errc::corrupt);
  }
  const std::size_t trun = find(whole.bytes, "trun");
  Bytes many = whole.bytes;
  put_u32(many, trun + 8, 0xFFFFFFFF);  // more samples than the box can hold
  CHECK(read_segment(rehashed(whole, many)).error().code == Errc::corrupt);
  Bytes endless = whole.bytes;
  put_u32(endless, trun + 4, 0x000001);  // no fields per sample: the defaults count
  put_u32(endless, trun + 8, 0xFFFFFFFF);
  put_u32(endless, find(endless, "trex") + 16, 0xFFFFFFFF);
  CHECK(read_segment(rehashed(whole, endless)).error().code == Errc::corrupt);
  Bytes late = whole.bytes;
  put_u32(late, find(late, "tfdt") + 8, 0x00FFFFFF);  // a decode time of more than 2^53
  CHECK(read_segment(rehashed(whole, late)).error().code == Errc::corrupt);
}

TEST_CASE("the hash box") {
  const auto box = greffe::hash_box(greffe::sha256({}));
  CHECK(greffe::to_hex(box) ==
        "00000038"
        "75756964"
        "6772656666652d686173682d626f7831"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
