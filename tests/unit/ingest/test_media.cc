// From a file through the sandboxed reader to segments: nothing that was recorded is changed, and every segment is what
// docs/formats/segment.md says.
#include "tests/unit/ingest/media_fixture.h"

using namespace greffe;
using greffe::testing::check_same_times;
using greffe::testing::check_segments;
using greffe::testing::join_run;
using greffe::testing::MediaFolder;
using greffe::testing::record;
using greffe::testing::Recorded;

namespace {

const std::string kPictures = "-f lavfi -i testsrc2=s=160x90:r=25:d=24 ";
const std::string kSound = "-f lavfi -i aevalsrc='sin(440*t)*0.4+random(0)*0.3|sin(313*t)*0.5':s=48000:d=65 ";

// Picture for picture, each at its time.
void check_video(const MediaFolder& folder, const std::string& source, const Recorded& recorded, double tolerance = 0.0001) {
  check_segments(recorded);
  CHECK(recorded.segments.back().said.start.run == 0);
  join_run(folder, recorded, 0, "run.mp4");
  const auto ours = folder.hashes("run.mp4");
  CHECK(ours.size() > 100);
  CHECK((ours == folder.hashes(source)));
  check_same_times(folder.times("run.mp4"), folder.times(source), tolerance);
  for (const auto& one : recorded.segments) CHECK(one.said.flags.empty());
}

// Sample for sample.
void check_audio(const MediaFolder& folder, const std::string& source, const Recorded& recorded, const std::string& options = "") {
  check_segments(recorded);
  CHECK(recorded.segments.back().said.start.run == 0);
  join_run(folder, recorded, 0, "run.mp4");
  const std::string ours = folder.samples("run.mp4");
  CHECK(ours.size() > 4 * 8000 * 60);
  CHECK((ours == folder.samples(source, options)));
  // Ten levels a second of all that was heard.
  std::size_t levels = 0;
  for (const auto& peaks : recorded.peaks) levels += peaks.levels.size();
  CHECK(levels >= 640);
  CHECK(levels <= 660);
}

}  // namespace

TEST_CASE("H.264 with B frames is cut on key frames at ten seconds and stays the same") {
  const MediaFolder folder;
  folder.ffmpeg(kPictures + "-c:v libx264 -preset ultrafast -bf 3 -b_strategy 0 -g 25 in.mp4");
  folder.shell("test $(ffprobe -v error -show_entries stream=has_b_frames -of csv=p=0 in.mp4 | tr -d ,) -gt 0");
  const Recorded recorded = record(folder, "in.mp4");
  check_video(folder, "in.mp4", recorded);
  REQUIRE(recorded.segments.size() == 3);
  CHECK(recorded.segments[0].said.duration_90k == 900'000);
  CHECK(recorded.segments[1].said.start_90k == 990'000);
  CHECK(recorded.segments[0].layout.fragments.size() == 10);
  CHECK(recorded.segments[0].said.codecs.substr(0, 5) == "avc1.");
}

TEST_CASE("packets without decoding times, as Matroska, AVI and elementary streams give them") {
  const MediaFolder folder;
  SECTION("Matroska with B frames: milliseconds, no dts at the beginning") {
    folder.ffmpeg(kPictures + "-c:v libx264 -preset ultrafast -bf 2 -b_strategy 0 -g 25 in.mkv");
    check_video(folder, "in.mkv", record(folder, "in.mkv"), 0.0015);
  }
  SECTION("AVI: only decoding times") {
    folder.ffmpeg(kPictures + "-c:v libx264 -preset ultrafast -bf 0 -g 25 in.avi");
    check_segments(record(folder, "in.avi"));
    const Recorded recorded = record(folder, "in.avi");
    join_run(folder, recorded, 0, "run.mp4");
    CHECK((folder.hashes("run.mp4") == folder.hashes("in.avi")));
    const std::vector<double> times = folder.times("run.mp4");
    for (std::size_t i = 0; i < times.size(); ++i) REQUIRE(std::abs(times[i] - 0.04 * static_cast<double>(i)) < 0.0001);
  }
  SECTION("an elementary stream: no times at all") {
    folder.ffmpeg(kPictures + "-c:v libx264 -preset ultrafast -bf 0 -g 25 in.h264");
    check_segments(record(folder, "in.h264"));
    const Recorded recorded = record(folder, "in.h264");
    join_run(folder, recorded, 0, "run.mp4");
    CHECK((folder.hashes("run.mp4") == folder.hashes("in.h264")));
  }
  SECTION("with B frames nobody can know when each picture is shown") {
    folder.ffmpeg(kPictures + "-c:v libx264 -preset ultrafast -bf 2 -b_strategy 0 -g 25 in.h264");
    CHECK_THAT(record(folder, "in.h264").failure, Catch::Contains("does not say when each one is shown"));
  }
}

TEST_CASE("H.265 is stored as hvc1") {
  const MediaFolder folder;
  folder.ffmpeg(kPictures + "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=25:bframes=2:pools=1 in.mkv");
  const Recorded recorded = record(folder, "in.mkv");
  check_video(folder, "in.mkv", recorded, 0.0015);
  CHECK(recorded.segments[0].said.codecs.substr(0, 7) == "hvc1.1.");
  const std::string init(recorded.segments[0].bytes.begin(), recorded.segments[0].bytes.begin() + 1200);
  CHECK(init.find("hvc1") != std::string::npos);
}

TEST_CASE("sound that is stored as it came") {
  const MediaFolder folder;
  SECTION("AAC in MP4") {
    folder.ffmpeg(kSound + "-c:a aac in.mp4");
    const Recorded recorded = record(folder, "in.mp4");
    check_audio(folder, "in.mp4", recorded, "-ignore_editlist 1");
    CHECK(recorded.segments[0].said.codecs == "mp4a.40.2");
    CHECK(recorded.segments.size() == 3);
  }
  SECTION("AAC with ADTS headers") {
    folder.ffmpeg(kSound + "-c:a aac in.aac");
    check_audio(folder, "in.aac", record(folder, "in.aac"));
  }
  SECTION("MP3") {
    folder.ffmpeg(kSound + "-c:a libmp3lame -write_xing 0 in.mp3");
    const Recorded recorded = record(folder, "in.mp3");
    check_audio(folder, "in.mp3", recorded);
    CHECK(recorded.segments[0].said.codecs == "mp4a.6B");
  }
  SECTION("Opus") {
    folder.ffmpeg(kSound + "-c:a libopus -b:a 64k in.ogg");
    const Recorded recorded = record(folder, "in.ogg");
    check_segments(recorded);
    join_run(folder, recorded, 0, "run.mp4");
    CHECK((folder.hashes("run.mp4", "-c copy") == folder.hashes("in.ogg", "-c copy")));
    // Only the file's own end is shorter: it trims what the last packet has too much.
    const std::string ours = folder.samples("run.mp4");
    const std::string theirs = folder.samples("in.ogg");
    REQUIRE(ours.size() >= theirs.size());
    CHECK((ours.substr(0, theirs.size()) == theirs));
    CHECK(ours.size() - theirs.size() < 8 * 960);
    CHECK(recorded.segments[0].said.codecs == "opus");
  }
  SECTION("FLAC") {
    folder.ffmpeg(kSound + "-c:a flac in.flac");
    check_audio(folder, "in.flac", record(folder, "in.flac"));
  }
}

TEST_CASE("PCM and G.711 become FLAC of the same samples") {
  const MediaFolder folder;
  const auto check = [&](const std::string& options, const std::string& name) {
    CAPTURE(options);
    folder.ffmpeg(kSound + options + " " + name);
    const Recorded recorded = record(folder, name);
    check_audio(folder, name, recorded);
    CHECK(recorded.facts.transcoded);
    for (const auto& one : recorded.segments) {
      CHECK(one.said.flags == std::vector<std::string>{"transcoded"});
      CHECK(one.said.codecs == "flac");
    }
  };
  SECTION("16 bits") { check("-c:a pcm_s16le", "in.wav"); }
  SECTION("24 bits") { check("-c:a pcm_s24le", "in.wav"); }
  SECTION("mu-law") { check("-c:a pcm_mulaw -ar 8000 -ac 1", "in.wav"); }
  SECTION("A-law") { check("-c:a pcm_alaw -ar 8000 -ac 1", "in.wav"); }
  SECTION("16 bits in AVI") { check("-c:a pcm_s16le", "in.avi"); }
}

TEST_CASE("a camera that changes its picture size in the middle gets a new run with a new init") {
  const MediaFolder folder;
  for (const char* size : {"160x90", "320x180"}) {
    folder.ffmpeg(fmt::format("-f lavfi -i testsrc2=s={0}:r=25:d=5 -c:v libx264 -preset ultrafast -bf 0 -g 25 {0}.h264", size));
  }
  folder.shell("cat 160x90.h264 320x180.h264 > in.h264");
  const Recorded recorded = record(folder, "in.h264");
  check_segments(recorded);
  REQUIRE(recorded.segments.size() == 2);
  CHECK(recorded.segments[1].said.start.run == 1);
  // Media time runs on: a second behind the end of the run before.
  CHECK(recorded.segments[1].said.start_90k == recorded.segments[0].said.start_90k + recorded.segments[0].said.duration_90k + 90'000);
  CHECK(recorded.segments[0].said.sha256 != recorded.segments[1].said.sha256);
  for (const std::uint64_t run : {0u, 1u}) {
    join_run(folder, recorded, run, "run.mp4");
    CHECK((folder.hashes("run.mp4") == folder.hashes(run == 0 ? "160x90.h264" : "320x180.h264")));
  }
}

TEST_CASE("the same parameter sets again and again do not begin a run") {
  const MediaFolder folder;
  folder.ffmpeg(kPictures + "-c:v libx264 -preset ultrafast -bf 0 -g 25 -x264-params repeat-headers=1 in.ts");
  check_segments(record(folder, "in.ts"));
  const Recorded recorded = record(folder, "in.ts");
  CHECK(recorded.segments.back().said.start.run == 0);
  join_run(folder, recorded, 0, "run.mp4");
  CHECK((folder.hashes("run.mp4") == folder.hashes("in.ts")));
}

TEST_CASE("a camera with a key frame once a minute: segments of thirty seconds, those in the middle flagged") {
  const MediaFolder folder;
  folder.ffmpeg("-f lavfi -i testsrc2=s=160x90:r=5:d=80 -c:v libx264 -preset ultrafast -bf 0 -g 300 -sc_threshold 0 in.mp4");
  const Recorded recorded = record(folder, "in.mp4");
  check_segments(recorded);
  REQUIRE(recorded.segments.size() == 3);
  CHECK(recorded.segments[0].said.flags.empty());
  CHECK(recorded.segments[0].said.duration_90k == 30 * 90'000);
  CHECK(recorded.segments[1].said.flags == std::vector<std::string>{"no-key-frame"});
  CHECK(recorded.segments[2].said.flags.empty());  // the key frame after sixty seconds
  join_run(folder, recorded, 0, "run.mp4");
  CHECK((folder.hashes("run.mp4") == folder.hashes("in.mp4")));
}

TEST_CASE("a segment ends at 12 MiB at the latest, on a key frame where there is one") {
  const MediaFolder folder;
  const auto noise = [&](int group) {
    folder.ffmpeg(fmt::format("-f rawvideo -pix_fmt yuv420p -s 640x360 -r 25 -t 3.6 -i /dev/urandom -c:v libx264 -preset ultrafast -qp 0 "
                              "-bf 0 -g {} -sc_threshold 0 -keyint_min 1 in.mp4", group));
    const Recorded recorded = record(folder, "in.mp4");
    check_segments(recorded);
    REQUIRE(recorded.segments.size() >= 3);
    for (const auto& one : recorded.segments) CHECK(one.bytes.size() <= 12 * 1024 * 1024 + 64 * 1024);
    join_run(folder, recorded, 0, "run.mp4");
    CHECK((folder.hashes("run.mp4") == folder.hashes("in.mp4")));
    return recorded;
  };
  for (const auto& one : noise(10).segments) CHECK(one.said.flags.empty());
  const Recorded long_group = noise(500);
  CHECK(long_group.segments[0].said.flags.empty());
  CHECK(long_group.segments[1].said.flags == std::vector<std::string>{"no-key-frame"});
}

TEST_CASE("the first run of a later file begins a second behind what the stream has already, at any sample rate") {
  const MediaFolder folder;
  for (const int rate : {8'000, 11'025, 44'100}) {
    CAPTURE(rate);
    folder.ffmpeg(fmt::format("-f lavfi -i sine=r={}:d=3 -c:a pcm_s16le in.wav", rate));
    for (const std::int64_t after : std::initializer_list<std::int64_t>{0, 1, 90'001, 1'234'567, 2'700'000'007}) {
      CAPTURE(after);
      ingest::CutRules rules;
      rules.after_90k = after;
      const Recorded recorded = record(folder, "in.wav", rules);
      REQUIRE(recorded.failure.empty());
      REQUIRE(recorded.segments.size() == 1);
      const std::int64_t late = recorded.segments[0].said.start_90k - after - 90'000;
      CHECK(late >= 0);
      CHECK(late <= 90'000 / rate + 1);
      CHECK(ingest::SegmentCheck(false, true, after).follows(recorded.segments[0].said));
    }
  }
}

TEST_CASE("begun again behind any segment, an import writes the same bytes") {
  const MediaFolder folder;
  const auto check = [&](const std::string& name, const ingest::CutRules& rules) {
    const Recorded whole = record(folder, name, rules);
    check_segments(whole);
    REQUIRE(whole.segments.size() >= 4);
    for (std::size_t skip = 1; skip < whole.segments.size(); ++skip) {
      CAPTURE(name, skip);
      const Recorded again = record(folder, name, rules, skip);
      REQUIRE(again.segments.size() == whole.segments.size());
      for (std::size_t i = 0; i < again.segments.size(); ++i) {
        CHECK(again.segments[i].said.sha256 == whole.segments[i].said.sha256);
        CHECK(again.segments[i].said.start_90k == whole.segments[i].said.start_90k);
        if (i >= skip) CHECK((again.segments[i].bytes == whole.segments[i].bytes));
      }
      REQUIRE(again.peaks.size() == whole.peaks.size());
      for (std::size_t i = 0; i < again.peaks.size(); ++i) CHECK(again.peaks[i].levels == whole.peaks[i].levels);
    }
  };
  ingest::CutRules rules;
  rules.video_ms = 5'000;
  rules.audio_ms = 15'000;
  rules.cuts_us = {7'300'000};  // a declared gap
  folder.ffmpeg(kPictures + "-c:v libx264 -preset ultrafast -bf 2 -b_strategy 0 -g 25 in.mp4");
  check("in.mp4", rules);
  folder.ffmpeg(kSound + "-c:a pcm_s16le in.wav");
  check("in.wav", rules);
  folder.ffmpeg(kSound + "-c:a libopus in.ogg");
  check("in.ogg", rules);
}
