// Decoding a recording to its last packet, in the sandboxed child: what plays, what does not, and what that child may say.
#include "tests/unit/ingest/media_fixture.h"

using greffe::Bytes;
using greffe::Errc;
using greffe::Json;
using greffe::ingest::DecodedMedia;
using greffe::ingest::MediaTask;
using greffe::ingest::MediaWorker;
using greffe::ingest::parse_decoded;
using greffe::testing::MediaFolder;
using greffe::testing::record;
using greffe::testing::Recorded;

namespace {

const std::string kPictures = "-f lavfi -i testsrc2=s=160x90:r=25:d=4 ";

greffe::Result<DecodedMedia> decode(const MediaFolder& folder, const std::string& name) {
  const auto worker = MediaWorker::start(folder.path(name), {}, MediaTask::decode);
  REQUIRE(worker);
  return (*worker)->decoded();
}

// Every byte of what is between the boxes' heads, turned round.
void spoil_media(Bytes& file) {
  for (std::size_t at = 0; at + 8 <= file.size();) {
    const std::size_t size = std::size_t{file[at]} << 24 | std::size_t{file[at + 1]} << 16 | std::size_t{file[at + 2]} << 8 | file[at + 3];
    REQUIRE(size >= 8);
    if (std::string(file.begin() + static_cast<std::ptrdiff_t>(at) + 4, file.begin() + static_cast<std::ptrdiff_t>(at) + 8) == "mdat") {
      for (std::size_t i = at + 8; i < std::min(at + size, file.size()); ++i) file[i] = static_cast<std::uint8_t>(~file[i]);
    }
    at += size;
  }
}

}  // namespace

TEST_CASE("every picture and every piece of sound of a segment is decoded") {
  const MediaFolder folder;
  folder.ffmpeg(kPictures + "-c:v libx264 -preset ultrafast -bf 2 pictures.mp4");
  folder.ffmpeg("-f lavfi -i sine=440:r=48000:d=4 -c:a aac sound.mp4");
  folder.ffmpeg("-f lavfi -i sine=440:r=8000:d=4 -c:a pcm_s16le telephone.wav");
  for (const std::string& name : {std::string("pictures.mp4"), std::string("sound.mp4"), std::string("telephone.wav")}) {
    INFO(name);
    const Recorded recorded = record(folder, name);
    REQUIRE(recorded.segments.size() == 1);
    folder.write("segment.mp4", recorded.segments[0].bytes);
    for (const std::string& file : {std::string("segment.mp4"), name}) {
      INFO(file);
      const auto decoded = decode(folder, file);
      REQUIRE(decoded);
      CHECK(decoded->problem().empty());
      CHECK(decoded->errors == 0);
      CHECK(decoded->frames > 0);
      CHECK(decoded->media_us > 3'900'000);
      CHECK(decoded->media_us < 4'200'000);
      if (name == "pictures.mp4") CHECK(decoded->frames == 100);
    }
  }
}

TEST_CASE("what cannot be decoded, is cut short, or is no recording is said in words") {
  const MediaFolder folder;
  folder.ffmpeg(kPictures + "-c:v libx264 -preset ultrafast pictures.mp4");
  const Recorded recorded = record(folder, "pictures.mp4");
  REQUIRE(recorded.segments.size() == 1);
  Bytes spoilt = recorded.segments[0].bytes;
  spoil_media(spoilt);
  folder.write("spoilt.mp4", spoilt);
  const auto other = decode(folder, "spoilt.mp4");
  CHECK((!other || !other->problem().empty()));

  const Bytes& whole = recorded.segments[0].bytes;
  folder.write("cut.mp4", greffe::ByteView(whole).first(whole.size() * 2 / 3));
  const auto cut = decode(folder, "cut.mp4");
  CHECK((!cut || !cut->problem().empty() || cut->frames < 100));

  folder.write("text.mp4", greffe::as_bytes("not a recording"));
  const auto text = decode(folder, "text.mp4");
  REQUIRE_FALSE(text);
  CHECK_THAT(text.error().message, Catch::Contains("text.mp4: this is not a recording"));
}

TEST_CASE("an account of a decoding that cannot be is refused") {
  Json said;
  said.set("damaged", false).set("errors", 0).set("frames", 1).set("media_us", 1000).set("packets", 1);
  CHECK(parse_decoded(said));
  CHECK(parse_decoded(Json(said).set("errors", 2))->problem() == "2 of its 1 packets cannot be decoded, or only in part");
  CHECK(parse_decoded(Json(said).set("frames", 0))->problem() == "nothing can be seen or heard of it");
  CHECK(parse_decoded(Json(said).set("damaged", true))->problem() == "it ends in the middle");
  CHECK_FALSE(parse_decoded(Json(said).set("media_us", -1)));
  CHECK_FALSE(parse_decoded(Json(said).set("media_us", std::int64_t{1} << 52)));
  CHECK_FALSE(parse_decoded(Json(said).set("frames", -1)));
  CHECK_FALSE(parse_decoded(Json(said).set("packets", "1")));
}
