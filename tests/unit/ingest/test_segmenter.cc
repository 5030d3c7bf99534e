// Clocks of cameras that jump, stand still or go back: nothing is dropped, and no run has a hole or goes back in time.
#include <fcntl.h>
#include <unistd.h>

#include <functional>

#include "ingest/track_reader.h"
#include "tests/unit/ingest/file_sink.h"

using namespace greffe;
using namespace greffe::ingest;
using greffe::testing::check_segments;
using greffe::testing::FileSink;
using greffe::testing::MediaFolder;
using greffe::testing::Recorded;
using greffe::testing::RecordedSegment;

namespace {

constexpr std::int64_t kFrameUs = 40'000;

// Twenty seconds, a key frame each second, with the times that `change` makes of the n-th packet's (microseconds).
struct Camera {
  MediaFolder folder;
  std::size_t packets = 0;

  Camera() { folder.ffmpeg("-f lavfi -i testsrc2=s=160x90:r=25:d=20 -c:v libx264 -preset ultrafast -bf 0 -g 25 in.mp4"); }

  Recorded record(const std::function<std::int64_t(std::size_t, std::int64_t)>& change) {
    const int media = ::open(folder.path("in.mp4").c_str(), O_RDONLY | O_CLOEXEC);
    REQUIRE(media >= 0);
    const auto source = MediaSource::open(media, std::filesystem::file_size(folder.path("in.mp4")), {});
    REQUIRE(source);
    const auto reader = TrackReader::open(**source);
    REQUIRE(reader);
    FileSink sink(folder.path("segment.mp4"));
    Segmenter segmenter(sink, {}, (*reader)->parameters(), kMicroseconds, 0, kFrameUs, false);
    packets = 0;
    for (;;) {
      auto packet = (*reader)->next();
      REQUIRE(packet);
      if (!*packet) break;
      const std::int64_t at = av_rescale_q((*packet)->dts, (*reader)->time_base(), kMicroseconds);
      (*packet)->dts = (*packet)->pts = change(packets, at);
      (*packet)->duration = 0;
      REQUIRE(segmenter.add(std::move(*packet)));
      ++packets;
    }
    REQUIRE(segmenter.finish());
    ::close(media);
    sink.recorded.facts.medium = "video";
    check_segments(sink.recorded);
    return std::move(sink.recorded);
  }
};

// Every packet of the camera is in some run, in order and unchanged.
bool holds_all(const Camera& camera, const Recorded& recorded) {
  std::vector<std::string> out;
  for (std::uint64_t run = 0; run <= recorded.segments.back().said.start.run; ++run) {
    greffe::testing::join_run(camera.folder, recorded, run, "run.mp4");
    const std::vector<std::string> of_run = camera.folder.hashes("run.mp4", "-c copy -copyinkf");
    out.insert(out.end(), of_run.begin(), of_run.end());
  }
  return out.size() == camera.packets && out == camera.folder.hashes("in.mp4", "-c copy -copyinkf");
}

double seconds(const Recorded& recorded) {
  std::int64_t ticks = 0;
  for (const auto& one : recorded.segments) ticks += one.said.duration_90k;
  return static_cast<double>(ticks) / 90'000;
}

}  // namespace

TEST_CASE("jitter of the decoding times, also backwards by less than a fifth of a second, stays one run") {
  Camera camera;
  const Recorded recorded = camera.record([](std::size_t n, std::int64_t at) {
    if (n == 100) return at - kFrameUs - 10;  // before the one before it
    if (n == 200) return at - kFrameUs;       // the same time twice
    if (n == 300) return at - 190'000;
    return at;
  });
  CHECK(recorded.segments.back().said.start.run == 0);
  CHECK(recorded.segments.size() == 2);
  CHECK(holds_all(camera, recorded));
  CHECK(std::abs(seconds(recorded) - 20) < 0.05);
}

TEST_CASE("a clock that jumps forward leaves a hole of that length between two runs") {
  Camera camera;
  const Recorded recorded = camera.record([](std::size_t n, std::int64_t at) { return n >= 130 ? at + 7'000'000 : at; });
  REQUIRE(recorded.segments.back().said.start.run == 1);
  const auto first = std::find_if(recorded.segments.begin(), recorded.segments.end(), [](const auto& s) { return s.said.start.run == 1; });
  CHECK(first->said.start.media_us == 130 * kFrameUs + 7'000'000);
  // What is there lasts as long as it did: the hole is in no segment.
  CHECK(std::abs(seconds(recorded) - 20) < 0.05);
  CHECK(holds_all(camera, recorded));
}

TEST_CASE("a clock that is set back, or forward by hours, begins a run where the time of the recording stands") {
  for (const std::int64_t jump : {std::int64_t{-3'000'000}, std::int64_t{-4'000'000'000}, std::int64_t{7'200'000'000}}) {
    CAPTURE(jump);
    Camera camera;
    const Recorded recorded = camera.record([&](std::size_t n, std::int64_t at) { return n >= 130 ? at + jump : at; });
    REQUIRE(recorded.segments.back().said.start.run == 1);
    const auto first = std::find_if(recorded.segments.begin(), recorded.segments.end(), [](const auto& s) { return s.said.start.run == 1; });
    CHECK(first->said.start.media_us == 130 * kFrameUs);
    CHECK(std::abs(seconds(recorded) - 20) < 0.05);
    CHECK(holds_all(camera, recorded));
  }
}

TEST_CASE("a clock that jumps with every picture costs a run each and loses none") {
  Camera camera;
  const Recorded recorded = camera.record([](std::size_t n, std::int64_t at) { return n < 60 && n % 2 == 1 ? at - 5'000'000 : at; });
  CHECK(recorded.segments.back().said.start.run == 60);
  CHECK(holds_all(camera, recorded));
}

TEST_CASE("a declared gap begins a run at its place, on a key frame that comes within a second") {
  const MediaFolder folder;
  folder.ffmpeg("-f lavfi -i testsrc2=s=160x90:r=25:d=20 -c:v libx264 -preset ultrafast -bf 2 -b_strategy 0 -g 50 -keyint_min 50 -sc_threshold 0 in.mp4");
  CutRules rules;
  rules.cuts_us = {5'500'000, 12'500'000};  // the next key frames: at 6 s, within reach; at 14 s, too late
  const Recorded recorded = greffe::testing::record(folder, "in.mp4", rules);
  check_segments(recorded);
  std::vector<const RecordedSegment*> firsts;
  for (const auto& one : recorded.segments) {
    if (firsts.empty() || firsts.back()->said.start.run != one.said.start.run) firsts.push_back(&one);
  }
  REQUIRE(firsts.size() == 3);
  CHECK(firsts[1]->said.start.cut == 1);
  CHECK(std::abs(firsts[1]->said.start.media_us - 6'000'000) < 100'000);
  CHECK(firsts[1]->said.flags.empty());
  CHECK(firsts[2]->said.start.cut == 2);
  CHECK(std::abs(firsts[2]->said.start.media_us - 13'500'000) < 100'000);
  CHECK(firsts[2]->said.flags == std::vector<std::string>{"no-key-frame"});
}
