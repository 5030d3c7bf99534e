// What is heard as silence and as clipping, and what is not: measured on real speech.
#include "tests/unit/ingest/signal_fixture.h"

using namespace greffe;
using namespace greffe::ingest;
using greffe::testing::hear;
using greffe::testing::kSpeech;
using greffe::testing::MediaFolder;
using greffe::testing::RecordingSink;

namespace {

// Four minutes of read French.
const std::string kRead = [] {
  std::string out;
  int count = 0;
  for (const char* name : {"demo-instruct", "demo-congrats", "priv-callee-options", "conf-adminmenu-18", "vm-msginstruct"}) {
    out += fmt::format("-i {}/{}.wav ", kSpeech, name);
    ++count;
  }
  return out + fmt::format("-filter_complex concat=n={}:v=0:a=1,", count);
}();

}  // namespace

TEST_CASE("levels come twice a second and are the same in every sample format") {
  const MediaFolder folder;
  // A tone at -12 dBFS in the left channel only.
  for (const std::string how : {"-c:a pcm_u8 a.wav", "-c:a pcm_s16le a.wav", "-c:a pcm_s24le a.wav", "-c:a pcm_f32le a.wav",
                                "-c:a pcm_f64le a.wav", "-c:a flac a.flac", "-c:a aac -b:a 192k a.mp4", "-c:a pcm_alaw a.wav",
                                "-c:a libopus -b:a 192k a.ogg"}) {
    CAPTURE(how);
    folder.ffmpeg("-f lavfi -i \"aevalsrc='0.251*sin(2*PI*440*t)|0':s=48000:d=5\" " + how);
    const RecordingSink said = hear(folder.path(how.substr(how.rfind(' ') + 1)));
    REQUIRE(said.all_levels.size() >= 9);
    CHECK(said.all_levels.size() <= 10);
    for (std::size_t i = 1; i + 1 < said.all_levels.size(); ++i) {
      CHECK(said.all_levels[i].media_us == static_cast<std::int64_t>(i) * 500'000);
      CHECK(std::abs(said.all_levels[i].peak_db + 12) <= 1);
      CHECK(std::abs(said.all_levels[i].rms_db + 15) <= 1);
      CHECK(said.all_levels[i].clipped_runs == 0);
    }
    CHECK(said.alarms.empty());
  }
}

TEST_CASE("read speech with its pauses raises nothing") {
  const MediaFolder folder;
  const auto check = [&](const std::string& filter, const std::string& coding, const std::string& name) {
    CAPTURE(filter, coding);
    folder.ffmpeg(kRead + filter + " " + coding + " " + name);
    const RecordingSink said = hear(folder.path(name));
    CHECK(said.all_levels.size() > 300);
    CHECK(said.words() == "");
  };
  check("anull", "", "a.wav");
  check("volume=-20dB", "", "a.wav");                 // a low setting
  check("anull", "-c:a pcm_alaw", "a.wav");
  check("anull", "-ar 48000 -c:a libopus -b:a 24k -dtx 1", "a.ogg");
  // As loud as can be without cutting off.
  folder.ffmpeg(kRead + "volumedetect -f null - 2> loudness.txt; true");
  folder.shell("ffmpeg -nostdin -hide_banner " + kRead + "volumedetect -f null - 2> loudness.txt");
  folder.shell("sed -n 's/.*max_volume: -\\([0-9.]*\\) dB.*/\\1/p' loudness.txt > room.txt; test -s room.txt");
  const std::string room = folder.read("room.txt");
  check("volume=" + room.substr(0, room.find('\n')) + "dB", "", "a.wav");
}

TEST_CASE("a line without sound is heard as silence within ten seconds, and only that long") {
  const MediaFolder folder;
  // Eight seconds of speech, fifteen of what `dead` gives, seven of speech.
  const auto check = [&](const std::string& dead, const std::string& coding, const std::string& name) {
    CAPTURE(dead, coding);
    folder.ffmpeg(fmt::format("-i {0}/demo-instruct.wav -f lavfi -i \"{1}\" -filter_complex \"[0]asplit[x][y];[x]atrim=0:8[a];"
                              "[1]atrim=0:15,aformat=sample_rates=8000[b];[y]atrim=8:15,asetpts=PTS-STARTPTS[c];"
                              "[a][b][c]concat=n=3:v=0:a=1\" {2} {3}", kSpeech, dead, coding, name));
    hear(folder.path(name)).check_only(Alarm::silence, 8, 23);
  };
  const std::string zeros = "anullsrc=r=8000:cl=mono";
  check(zeros, "", "a.wav");
  check(zeros, "-c:a pcm_alaw", "a.wav");
  check(zeros, "-c:a pcm_mulaw", "a.wav");
  check(zeros, "-ar 48000 -c:a libopus", "a.ogg");
  check(zeros, "-c:a aac", "a.mp4");
  // A preamplifier without a microphone: noise of -80 dBFS r.m.s. on a constant voltage.
  check("aevalsrc='0.02+0.00017*(random(0)*2-1)':s=8000", "-c:a pcm_s24le", "a.wav");
}

TEST_CASE("a quiet room, a jump of the clock and a short silence are no dead line") {
  const MediaFolder folder;
  SECTION("noise of -60 dBFS r.m.s. is a room") {
    folder.ffmpeg("-f lavfi -i anoisesrc=c=white:a=0.00173:r=16000:d=40 a.wav");
    const RecordingSink said = hear(folder.path("a.wav"));
    CHECK(said.all_levels.at(20).rms_db <= -59);
    CHECK(said.words() == "");
  }
  SECTION("seven seconds of zeros between sounds") {
    folder.ffmpeg("-f lavfi -i \"aevalsrc='if(lt(mod(t,8),1),0.1*sin(2000*t),0)':s=16000:d=48\" a.wav");
    CHECK(hear(folder.path("a.wav")).words() == "");
  }
  SECTION("five seconds of silence, an hour that is missing, five seconds of silence") {
    RecordingSink sink;
    SoundWatch watch(sink);
    FramePtr frame(av_frame_alloc());
    frame->sample_rate = 16'000;
    frame->nb_samples = 1'600;
    frame->format = AV_SAMPLE_FMT_S16;
    av_channel_layout_default(&frame->ch_layout, 1);
    REQUIRE(av_frame_get_buffer(frame.get(), 0) >= 0);
    av_samples_set_silence(frame->extended_data, 0, 1'600, 1, AV_SAMPLE_FMT_S16);
    const auto feed = [&](std::int64_t from_us) {
      for (int i = 0; i < 50; ++i) REQUIRE(watch.add(from_us + i * 100'000, *frame));
    };
    feed(0);
    feed(3'600'000'000);
    CHECK(sink.words() == "");
    feed(3'605'000'000);
    CHECK(sink.words() == "+silence@3608 ");
    // Back in time, and silent all the while: it has been said.
    feed(1'000'000);
    feed(6'000'000);
    CHECK(sink.words() == "+silence@3608 ");
  }
}

TEST_CASE("speech that is cut off is heard as clipping, whatever it was coded with") {
  const MediaFolder folder;
  // Ten seconds as it is, fifteen 24 dB louder, fifteen as it is.
  for (const std::string how : {"a.wav", "-c:a pcm_alaw a.wav", "-c:a aac -b:a 64k a.mp4", "-ar 48000 -c:a libopus -b:a 32k a.ogg",
                                "-c:a pcm_f32le a.wav"}) {
    CAPTURE(how);
    folder.ffmpeg(fmt::format("-i {}/demo-instruct.wav -af \"atrim=0:40,volume='if(between(t,10,25),16,1)':eval=frame,"
                              "aformat=sample_fmts=s16\" {}", kSpeech, how));
    hear(folder.path(how.substr(how.rfind(' ') + 1))).check_only(Alarm::clipping, 10, 25, 10);
  }
}

TEST_CASE("a bang is no clipping") {
  const MediaFolder folder;
  folder.ffmpeg("-f lavfi -i \"aevalsrc='clip(if(lt(mod(t,7),0.3),5,0.05)*sin(1500*t),-1,1)':s=16000:d=30\" a.wav");
  const RecordingSink said = hear(folder.path("a.wav"));
  CHECK(said.all_levels.at(0).clipped_runs > 20);
  CHECK(said.words() == "");
}
