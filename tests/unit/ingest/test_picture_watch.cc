// What is seen as black and as frozen, and what is not: on pictures of real recordings, with the noise that a sensor adds.
#include "tests/unit/ingest/signal_fixture.h"

using namespace greffe;
using namespace greffe::ingest;
using greffe::testing::kRealPhone;
using greffe::testing::kRealVideo;
using greffe::testing::look_at;
using greffe::testing::MediaFolder;
using greffe::testing::OpenFile;
using greffe::testing::RecordingSink;
using greffe::testing::Watched;

namespace {

const std::string kX264 = "-c:v libx264 -preset superfast -threads 1 -bf 0 ";
const std::string kX265 = "-c:v libx265 -preset superfast -x265-params log-level=none:bframes=0:pools=none:frame-threads=1:keyint=20 ";

// A still picture of a real recording, as a camera with so much noise (in grey levels) shows it. Ten pictures a second.
std::string scene(const std::string& recording, int noise, int seconds) {
  return fmt::format("-ss 1 -i {} -vf \"select=eq(n\\,0),scale=640:360,loop=-1:1,setpts=N/10/TB,noise=alls={}:allf=t,trim=0:{},"
                     "format=yuv420p\" -an -r 10 ", recording, noise, seconds);
}

// Fourteen seconds of a noisy scene, twenty of one and the same noisy picture, eight of the scene, at ten pictures a second.
std::string that_freezes(const std::string& recording) {
  const std::string still = "select=eq(n\\,0),scale=640:360,loop=-1:1,setpts=N/10/TB";
  return fmt::format("-ss 1 -i {0} -ss 1 -i {0} -filter_complex \"[0]{1},noise=alls=4:allf=t,split[a][b];[a]trim=0:14[x];"
                     "[1]{1},noise=alls=4,trim=0:20[y];[b]trim=0:8[z];[x][y][z]concat=n=3,format=yuv420p\" -an -r 10 ", recording, still);
}

// The scene goes black from the eighth second to the twenty-fourth, with noise all the time.
std::string that_goes_black() {
  return fmt::format("-ss 1 -i {0} -vf \"select=eq(n\\,0),scale=320:180,loop=-1:1,setpts=N/10/TB,noise=alls=4:allf=t,trim=0:32,"
                     "eq=brightness='if(between(t,8,24),-2,0)':eval=frame,noise=alls=3:allf=t,format=yuv420p\" -an -r 10 ", kRealVideo);
}

}  // namespace

TEST_CASE("an empty room with a live camera is not frozen") {
  const MediaFolder folder;
  const auto check = [&](const std::string& recording, int noise, const std::string& coding) {
    CAPTURE(recording, noise, coding);
    folder.ffmpeg(scene(recording, noise, 24) + coding + " in.mp4");
    CHECK(look_at(folder.path("in.mp4")).words() == "");
  };
  check(kRealVideo, 1, kX264 + "-g 20 -crf 28");
  check(kRealPhone, 1, kX264 + "-g 20 -crf 28");
  check(kRealVideo, 2, kX264 + "-g 20 -crf 33");
  check(kRealVideo, 5, kX264 + "-g 10 -b:v 500k -maxrate 500k -bufsize 500k");
  check(kRealPhone, 4, kX264 + "-g 100 -crf 26");   // groups of ten seconds
  check(kRealVideo, 2, kX265 + "-crf 28");
}

TEST_CASE("real recordings raise nothing") {
  const MediaFolder folder;
  folder.ffmpeg("-stream_loop 3 -i " + kRealVideo + " -c copy -an in.mp4");
  CHECK(look_at(folder.path("in.mp4")).words() == "");
  folder.ffmpeg("-stream_loop 15 -i " + kRealPhone + " -c copy -an in.mp4");
  CHECK(look_at(folder.path("in.mp4")).words() == "");
}

TEST_CASE("a frozen picture is seen within ten seconds, and that it moves again") {
  const MediaFolder folder;
  const auto check = [&](const std::string& recording, const std::string& coding, double within, double end_within) {
    CAPTURE(recording, coding);
    folder.ffmpeg(that_freezes(recording) + coding + " in.mp4");
    look_at(folder.path("in.mp4")).check_only(Alarm::frozen, 14, 34, end_within, within);
    CHECK(look_at(folder.path("in.mp4"), {.may_stand_still = true}).words() == "");
  };
  SECTION("a key frame each second") { check(kRealVideo, kX264 + "-g 10 -crf 26", 10, 2.5); }
  SECTION("every two seconds") { check(kRealVideo, kX264 + "-g 20 -crf 23", 10, 2.5); }
  SECTION("every two seconds, another scene") { check(kRealPhone, kX264 + "-g 20 -crf 26", 10, 2.5); }
  SECTION("every four seconds") { check(kRealVideo, kX264 + "-g 40 -crf 26", 10, 4.5); }
  SECTION("every ten seconds") { check(kRealVideo, kX264 + "-g 100 -crf 23 -sc_threshold 0", 15, 10.5); }
  SECTION("coarsely coded") { check(kRealVideo, kX264 + "-g 20 -crf 30", 10, 2.5); }
  SECTION("at a constant bit rate") { check(kRealPhone, kX264 + "-g 20 -b:v 1M -maxrate 1M -bufsize 1M", 10, 2.5); }
  SECTION("H.265") { check(kRealVideo, kX265, 10, 2.5); }
}

TEST_CASE("a small thing that moves in a picture without any noise is movement") {
  const MediaFolder folder;
  folder.ffmpeg("-f lavfi -i color=c=gray:s=640x360:r=10:d=24 -f lavfi -i color=c=white:s=24x24:r=10:d=24 "
                "-filter_complex \"[0][1]overlay=x=mod(t*20\\,600):y=100,format=yuv420p\" " + kX264 + "-g 20 in.mp4");
  CHECK(look_at(folder.path("in.mp4")).words() == "");
}

TEST_CASE("black is seen within ten seconds, whatever the distance of key frames") {
  const MediaFolder folder;
  for (const std::string& coding : {kX264 + "-g 10", kX264 + "-g 20", kX264 + "-g 40", kX264 + "-g 100 -sc_threshold 0",
                                   kX264 + "-g 70 -sc_threshold 0 -bf 3", kX265,
                                   std::string("-c:v libx264 -preset ultrafast -threads 1 -pix_fmt yuvj420p -g 20")}) {
    CAPTURE(coding);
    folder.ffmpeg(that_goes_black() + coding + " in.mp4");
    look_at(folder.path("in.mp4")).check_only(Alarm::black, 8, 24, coding.find("-g 40") != std::string::npos ? 5 : 3.5);
  }
}

TEST_CASE("a dark room with one lamp is not black") {
  const MediaFolder folder;
  folder.ffmpeg("-f lavfi -i color=c=0x101010:s=640x360:r=10:d=24 -vf drawbox=x=300:y=20:w=40:h=40:c=white:t=fill,"
                "noise=alls=6:allf=t,format=yuv420p " + kX264 + "-g 20 in.mp4");
  CHECK(look_at(folder.path("in.mp4")).words() == "");
}

TEST_CASE("a pause of the packets is no frozen picture") {
  const MediaFolder folder;
  folder.ffmpeg(that_freezes(kRealVideo) + kX264 + "-g 20 in.mp4");
  // Of the frozen time only the first five seconds and the last five arrive.
  OpenFile file(folder.path("in.mp4"));
  RecordingSink sink;
  PictureWatch watch(sink, false);
  PictureDecoder decoder(*file.track().codecpar, watch);
  while (const auto packet = file.next()) {
    sink.now_us = file.us(*packet);
    if (sink.now_us > 19'000'000 && sink.now_us < 29'000'000) continue;
    REQUIRE(decoder.add(sink.now_us, *packet));
  }
  CHECK(sink.words() == "");
}

TEST_CASE("a camera that sends no key frame any more is named") {
  const MediaFolder folder;
  folder.ffmpeg(scene(kRealVideo, 4, 64) + kX264 +
                "-g 700 -crf 30 -force_key_frames 0,2,4,30,32,34,36,38,40,42,44,46,48,50,52,54,56,58,60,62 in.mp4");
  const RecordingSink said = look_at(folder.path("in.mp4"));
  CHECK(said.words() == "+no-key-frame@24 -no-key-frame@60 ");
}

TEST_CASE("what cannot be decoded is an alarm and no failure") {
  const MediaFolder folder;
  folder.ffmpeg(scene(kRealVideo, 4, 40) + kX264 + "-g 20 in.mp4");
  SECTION("key frames that are destroyed for fifteen seconds") {
    const auto destroy = [](std::size_t number, AVPacket& packet) {
      if (number < 100 || number >= 250) return;
      REQUIRE(av_packet_make_writable(&packet) >= 0);
      std::fill(packet.data + 6, packet.data + packet.size, 0xA5);
    };
    look_at(folder.path("in.mp4"), {.change = destroy}).check_only(Alarm::undecodable, 10, 25, 8);
  }
  SECTION("a codec that nobody knows") {
    OpenFile file(folder.path("in.mp4"));
    const ParametersPtr parameters(avcodec_parameters_alloc());
    REQUIRE(avcodec_parameters_copy(parameters.get(), file.track().codecpar) >= 0);
    parameters->codec_id = AV_CODEC_ID_PROBE;
    RecordingSink sink;
    PictureWatch watch(sink, false);
    PictureDecoder decoder(*parameters, watch);
    while (const auto packet = file.next()) {
      sink.now_us = file.us(*packet);
      REQUIRE(decoder.add(sink.now_us, *packet));
    }
    sink.check_only(Alarm::undecodable, 0, -1);
  }
}

TEST_CASE("thumbnails come when they are asked for, and open") {
  const MediaFolder folder;
  folder.ffmpeg(scene(kRealVideo, 2, 12) + kX264 + "-g 10 in.mp4");
  const RecordingSink said = look_at(folder.path("in.mp4"), {.thumbnail_every_us = 4'000'000});
  REQUIRE(said.thumbnails.size() == 3);
  CHECK(said.thumbnails[0].at_us == 0);
  CHECK(said.thumbnails[1].at_us >= 4'000'000);
  CHECK(said.thumbnails[1].at_us <= 6'000'000);
  folder.write("small.jpg", said.thumbnails[2].jpeg);
  CHECK(said.thumbnails[2].jpeg.size() <= kThumbnailBytes);
  // The same picture as the video's own, made small.
  folder.ffmpeg("-i small.jpg -i in.mp4 -frames:v 1 -filter_complex \"[1]scale=320:180:flags=area,format=yuv420p[b];[0]format=yuv420p[a];"
                "[a][b]psnr=stats_file=psnr.txt\" -f null -");
  const std::string line = folder.read("psnr.txt");
  CAPTURE(line);
  CHECK(std::stod(line.substr(line.find("psnr_y:") + 7)) > 30);
  CHECK(look_at(folder.path("in.mp4")).thumbnails.empty());
}

TEST_CASE("a thumbnail of any picture fits") {
  const MediaFolder folder;
  const auto check = [&](const std::string& source, const std::string& size) {
    CAPTURE(source, size);
    folder.ffmpeg(source + " -frames:v 1 -c:v ffv1 in.mkv");
    OpenFile file(folder.path("in.mkv"));
    const CodecPtr codec(avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_FFV1)));
    REQUIRE(avcodec_parameters_to_context(codec.get(), file.track().codecpar) >= 0);
    codec->thread_count = 1;
    codec->sample_aspect_ratio = file.track().sample_aspect_ratio;
    REQUIRE(avcodec_open2(codec.get(), nullptr, nullptr) >= 0);
    REQUIRE(avcodec_send_packet(codec.get(), file.next().get()) >= 0);
    const FramePtr frame(av_frame_alloc());
    REQUIRE(avcodec_receive_frame(codec.get(), frame.get()) >= 0);
    const auto jpeg = make_thumbnail(*frame);
    REQUIRE(jpeg);
    CHECK(jpeg->size() <= kThumbnailBytes);
    folder.write("small.jpg", *jpeg);
    folder.shell("ffprobe -v error -show_entries stream=codec_name,width,height -of csv=p=0 small.jpg > size.txt");
    CHECK(folder.read("size.txt") == "mjpeg," + size + "\n");
  };
  // Noise, which compresses worst, tall, tiny, odd, ten bits, RGB, and pixels that are not square.
  check("-f lavfi -i 'nullsrc=s=1920x1080,geq=random(1)*255:128:128'", "320,180");
  check("-f lavfi -i 'nullsrc=s=320x320,geq=random(1)*255:random(2)*255:random(3)*255'", "160,160");
  check("-f lavfi -i testsrc2=s=720x1280", "180,320");
  check("-f lavfi -i testsrc2=s=16x16", "16,16");
  check("-f lavfi -i testsrc2=s=640x360,scale=641:361,format=yuv444p", "320,180");
  check("-f lavfi -i testsrc2=s=640x360,format=yuv420p10", "320,180");
  check("-f lavfi -i testsrc2=s=640x360,format=bgr0", "320,180");
  check("-f lavfi -i testsrc2=s=720x576,setsar=64/45,format=yuv420p", "320,180");
}
