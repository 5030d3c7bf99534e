// Raw pictures and JPEG become H.264 that looks the same, at the same times, in segments that hold the rules.
#include <sys/wait.h>
#include <unistd.h>

#include "ingest/sandbox.h"
#include "ingest/video_encoder.h"
#include "tests/unit/ingest/file_sink.h"
#include "tests/unit/ingest/signal_fixture.h"

using namespace greffe;
using namespace greffe::ingest;
using greffe::testing::FileSink;
using greffe::testing::kRealVideo;
using greffe::testing::MediaFolder;
using greffe::testing::OpenFile;
using greffe::testing::RecordingSink;

namespace {

struct Encoded {
  std::vector<std::int64_t> pts;   // in the source's clock
  std::vector<std::int64_t> keys;
};

using Change = std::function<void(std::size_t, AVPacket&)>;

// The whole way of such a source: encoder, watch, segmenter.
Encoded encode(const std::string& path, SegmentSink& sink, RecordingSink& said, bool may_stand_still = false,
               const Change& change = {}) {
  OpenFile file(path);
  const auto encoder = VideoEncoder::open(*file.track().codecpar, file.track().time_base, file.track().avg_frame_rate);
  INFO((encoder ? std::string() : encoder.error().message));
  REQUIRE(encoder);
  PictureWatch watch(said, may_stand_still);
  Segmenter segmenter(sink, {}, (*encoder)->parameters(), (*encoder)->time_base(), 0, (*encoder)->frame_us(), true);
  Encoded out;
  const auto add = [&](PacketPtr packet) {
    out.pts.push_back(packet->pts);
    CHECK(packet->dts == packet->pts);
    if ((packet->flags & AV_PKT_FLAG_KEY) != 0) out.keys.push_back(packet->pts);
    return segmenter.add(std::move(packet));
  };
  std::size_t number = 0;
  while (const auto packet = file.next()) {
    if (change) change(number, *packet);
    ++number;
    said.now_us = file.us(*packet);
    REQUIRE(watch.packet(said.now_us, true));
    const Status status = (*encoder)->encode(*packet, add, [&](const AVFrame& frame) {
      return watch.see(said.now_us, frame, PictureWatch::Coding::whole);
    });
    REQUIRE(status);
  }
  REQUIRE((*encoder)->finish(add));
  REQUIRE(segmenter.finish());
  return out;
}

}  // namespace

TEST_CASE("raw pictures and JPEG are encoded without being changed to the eye") {
  const MediaFolder folder;
  const auto check = [&](const std::string& how) {
    CAPTURE(how);
    folder.ffmpeg(fmt::format("-t 5 -i {} -an -vf scale=640:360,fps=25 {} in.nut", kRealVideo, how));
    FileSink sink(folder.path("segment.mp4"));
    RecordingSink said;
    const Encoded encoded = encode(folder.path("in.nut"), sink, said);
    CHECK(said.words() == "");
    sink.recorded.facts.medium = "video";
    sink.recorded.facts.transcoded = true;
    greffe::testing::check_segments(sink.recorded);
    CHECK(sink.recorded.segments[0].said.flags == std::vector<std::string>{"transcoded"});
    greffe::testing::join_run(folder, sink.recorded, 0, "run.mp4");
    greffe::testing::check_same_times(folder.times("run.mp4"), folder.times("in.nut"), 0.0001);
    CHECK(encoded.pts.size() == 125);
    // A key frame every two seconds; where the scene changes there may be another.
    REQUIRE(encoded.keys.size() >= 3);
    const std::int64_t two_seconds = 2 * (encoded.pts[25] - encoded.pts[0]);
    for (std::size_t i = 1; i < encoded.keys.size(); ++i) CHECK(encoded.keys[i] - encoded.keys[i - 1] <= two_seconds);
    folder.ffmpeg("-i run.mp4 -i in.nut -filter_complex \"[0]format=gbrp[a];[1]format=gbrp[b];"
                  "[a][b]psnr=stats_file=psnr.txt\" -f null -");
    folder.shell("sed -n 's/.*psnr_avg:\\([0-9.]*\\).*/\\1/p' psnr.txt | sort -n | head -1 > least.txt");
    CHECK(std::stod(folder.read("least.txt")) > 30);
    folder.shell("ffprobe -v error -show_entries stream=pix_fmt,has_b_frames,profile -of csv=p=0 run.mp4 > what.txt");
    CHECK(folder.read("what.txt") == "High,0,yuv420p\n");
  };
  check("-c:v rawvideo -pix_fmt yuyv422");
  check("-c:v rawvideo -pix_fmt nv12");
  check("-c:v rawvideo -pix_fmt bgr0");
  check("-c:v mjpeg -q:v 3 -pix_fmt yuvj422p");
}

TEST_CASE("sizes that H.264 in 4:2:0 cannot have are cut by a pixel, absurd ones refused") {
  const MediaFolder folder;
  folder.ffmpeg("-f lavfi -i testsrc2=s=320x240:r=25:d=2 -vf scale=321:241 -c:v rawvideo -pix_fmt rgb24 in.nut");
  FileSink sink(folder.path("segment.mp4"));
  RecordingSink said;
  CHECK(encode(folder.path("in.nut"), sink, said).pts.size() == 50);
  greffe::testing::join_run(folder, sink.recorded, 0, "run.mp4");
  folder.shell("ffprobe -v error -show_entries stream=width,height -of csv=p=0 run.mp4 > what.txt");
  CHECK(folder.read("what.txt") == "320,240\n");

  OpenFile file(folder.path("in.nut"));
  const ParametersPtr parameters(avcodec_parameters_alloc());
  REQUIRE(avcodec_parameters_copy(parameters.get(), file.track().codecpar) >= 0);
  parameters->width = 5'000;
  const auto refused = VideoEncoder::open(*parameters, file.track().time_base, {25, 1});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::invalid);
  CHECK_THAT(refused.error().message, Catch::Contains("5000 by 241"));
}

TEST_CASE("a clock that jumps costs no picture") {
  const MediaFolder folder;
  folder.ffmpeg("-f lavfi -i testsrc2=s=160x90:r=25:d=12 -c:v mjpeg in.nut");
  const std::int64_t second = OpenFile(folder.path("in.nut")).track().time_base.den;
  REQUIRE(OpenFile(folder.path("in.nut")).track().time_base.num == 1);
  FileSink sink(folder.path("segment.mp4"));
  RecordingSink said;
  // An hour back after four seconds, ten seconds ahead after eight, one picture a little early after ten.
  const Encoded encoded = encode(folder.path("in.nut"), sink, said, false, [&](std::size_t number, AVPacket& packet) {
    if (number >= 100) packet.pts -= 3'600 * second;
    if (number >= 200) packet.pts += 10 * second;
    if (number == 250) packet.pts -= second / 25;
    packet.dts = packet.pts;
  });
  REQUIRE(encoded.pts.size() == 300);
  CHECK(encoded.pts[100] == encoded.pts[99] + second / 25 - 3'600 * second);
  CHECK(encoded.pts[200] == encoded.pts[199] + second / 25 + 10 * second);
  CHECK(encoded.pts[250] == encoded.pts[249] + 1);
  CHECK(encoded.pts[251] == encoded.pts[249] + 2 * second / 25);
  CHECK(std::count(encoded.keys.begin(), encoded.keys.end(), encoded.pts[100]) == 1);
  CHECK(std::count(encoded.keys.begin(), encoded.keys.end(), encoded.pts[200]) == 1);
  CHECK(sink.recorded.segments.back().said.start.run == 2);
  sink.recorded.facts.medium = "video";
  sink.recorded.facts.transcoded = true;
  greffe::testing::check_segments(sink.recorded);
}

TEST_CASE("a camera that is slower than it says still gets its key frames, and a broken JPEG costs one picture") {
  const MediaFolder folder;
  folder.ffmpeg("-f lavfi -i testsrc2=s=160x90:r=5:d=12 -c:v mjpeg in.nut");
  OpenFile file(folder.path("in.nut"));
  const auto encoder = VideoEncoder::open(*file.track().codecpar, file.track().time_base, {30, 1});
  REQUIRE(encoder);
  CHECK((*encoder)->frame_us() == 33'333);
  std::size_t packets = 0;
  std::vector<double> keys;
  const auto add = [&](PacketPtr packet) {
    ++packets;
    if ((packet->flags & AV_PKT_FLAG_KEY) != 0) keys.push_back(static_cast<double>(packet->pts) * av_q2d(file.track().time_base));
    return ok();
  };
  std::size_t number = 0;
  while (const auto packet = file.next()) {
    if (number++ == 17) std::fill(packet->data, packet->data + packet->size, 0);
    REQUIRE((*encoder)->encode(*packet, add, [](const AVFrame&) { return ok(); }));
  }
  REQUIRE((*encoder)->finish(add));
  CHECK(packets == 59);
  CHECK((*encoder)->undecodable_packets() == 1);
  CHECK(keys == std::vector<double>{0, 2, 4, 6, 8, 10});
}

TEST_CASE("a source that changes the size of its pictures is told so") {
  const MediaFolder folder;
  folder.ffmpeg("-f lavfi -i testsrc2=s=160x90:r=5:d=1 -c:v mjpeg a.nut");
  folder.ffmpeg("-f lavfi -i testsrc2=s=320x180:r=5:d=1 -c:v mjpeg b.nut");
  OpenFile first(folder.path("a.nut"));
  OpenFile second(folder.path("b.nut"));
  const auto encoder = VideoEncoder::open(*first.track().codecpar, first.track().time_base, {5, 1});
  REQUIRE(encoder);
  const auto add = [](PacketPtr) { return ok(); };
  const auto show = [](const AVFrame&) { return ok(); };
  REQUIRE((*encoder)->encode(*first.next(), add, show));
  const Status status = (*encoder)->encode(*second.next(), add, show);
  REQUIRE_FALSE(status);
  CHECK(status.error().code == Errc::invalid);
  CHECK_THAT(status.error().message, Catch::Contains("160 by 90 to 320 by 180"));
}

TEST_CASE("a frozen or black raw source is seen within ten seconds; a screen may stand still") {
  const MediaFolder folder;
  const auto see = [&](const std::string& filter, const std::string& coding, bool may_stand_still) {
    folder.ffmpeg("-f lavfi -i testsrc2=s=160x90:r=10:d=8 -vf \"" + filter + "\" " + coding + " in.nut");
    FileSink sink(folder.path("segment.mp4"));
    RecordingSink said;
    encode(folder.path("in.nut"), sink, said, may_stand_still);
    return said;
  };
  const std::string frozen = "tpad=stop_mode=clone:stop_duration=16";
  see(frozen, "-c:v rawvideo -pix_fmt yuyv422", false).check_only(Alarm::frozen, 8, -1);
  see(frozen, "-c:v mjpeg -q:v 4", false).check_only(Alarm::frozen, 8, -1);
  CHECK(see(frozen, "-c:v mjpeg -q:v 4", true).words() == "");
  see("tpad=stop_mode=add:stop_duration=16:color=black", "-c:v rawvideo -pix_fmt rgb24", false).check_only(Alarm::black, 8, -1);
  CHECK(see(frozen + ",noise=alls=2:allf=t", "-c:v rawvideo -pix_fmt yuyv422", false).words() == "");
}

TEST_CASE("encoding and watching live with what the sandbox allows") {
  const MediaFolder folder;
  folder.ffmpeg("-t 7 -i " + kRealVideo + " -an -vf fps=10 -c:v mjpeg in.nut");
  folder.ffmpeg("-t 8 -i " + kRealVideo + " -an -c copy in.mp4");
  folder.ffmpeg("-t 8 -i " + kRealVideo + " -an -vf scale=640:360 -c:v libx265 -x265-params log-level=none in.mkv");
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    OpenFile raw(folder.path("in.nut"));
    OpenFile coded(folder.path("in.mp4"));
    OpenFile coded_265(folder.path("in.mkv"));
    std::vector<PacketPtr> packets;
    while (auto packet = raw.next()) packets.push_back(std::move(packet));
    if (!enter_sandbox({})) ::_exit(3);
    const auto encoder = VideoEncoder::open(*raw.track().codecpar, raw.track().time_base, {10, 1});
    RecordingSink sink;
    PictureWatch watch(sink, false);
    bool good = static_cast<bool>(encoder);
    std::size_t count = 0;
    for (const PacketPtr& packet : packets) {
      watch.request_thumbnail();
      const auto see = [&](const AVFrame& frame) { return watch.see(raw.us(*packet), frame, PictureWatch::Coding::whole); };
      good = good && (*encoder)->encode(*packet, [&](PacketPtr) { return ++count, ok(); }, see);
    }
    good = good && (*encoder)->finish([&](PacketPtr) { return ++count, ok(); });
    good = good && count == packets.size() && sink.thumbnails.size() == 5;
    for (OpenFile* file : {&coded, &coded_265}) {
      PictureWatch other(sink, false);
      PictureDecoder decoder(*file->track().codecpar, other);
      other.request_thumbnail();
      std::int64_t now_us = 0;  // when they arrive: some of them have no time of their own
      while (const auto packet = file->next()) good = good && decoder.add(now_us += 33'000, *packet);
    }
    good = good && sink.thumbnails.size() == 7 && sink.alarms.empty();
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
