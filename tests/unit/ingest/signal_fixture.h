// A watch under test: what it said and when, and media files fed to it packet by packet.
#ifndef GREFFE_TESTS_UNIT_INGEST_SIGNAL_FIXTURE_H
#define GREFFE_TESTS_UNIT_INGEST_SIGNAL_FIXTURE_H

#include <functional>

#include "ingest/audio.h"
#include "ingest/picture_decoder.h"
#include "ingest/sound_watch.h"
#include "tests/unit/ingest/media_fixture.h"

namespace greffe::testing {

// A static scene as a camera sees it: one picture of a real recording, and the words of it.
inline const std::string kRealVideo = "/usr/share/forensics-samples/original-files/movie2/movie-hello.mp4";
inline const std::string kRealPhone = "/usr/share/forensics-samples/original-files/movie1/VID_20191220_170832.mp4";
inline const std::string kSpeech = "/usr/share/asterisk/sounds/fr_CA_f_June";

struct SaidAlarm {
  ingest::AlarmChange change;
  double at = 0;  // seconds: how far the watch had been fed when it said so
};

class RecordingSink : public ingest::SignalSink {
 public:
  Status levels(const ingest::SoundLevels& levels) override {
    all_levels.push_back(levels);
    now_us = levels.media_us + 500'000;
    return ok();
  }
  Status alarm(const ingest::AlarmChange& change) override {
    alarms.push_back({change, static_cast<double>(now_us) / 1e6});
    return ok();
  }
  Status thumbnail(const ingest::Thumbnail& thumbnail) override {
    thumbnails.push_back(thumbnail);
    return ok();
  }
  // "+black@14 -black@20 ": what was raised and ended, in whole seconds.
  std::string words() const {
    std::string out;
    for (const SaidAlarm& one : alarms) {
      out += fmt::format("{}{}@{:.0f} ", one.change.raised ? "+" : "-", ingest::name_of(one.change.alarm), one.at);
    }
    return out;
  }
  // Only this alarm, once: raised in the ten seconds after `from`, ended in those after `to` (negative: not ended).
  void check_only(ingest::Alarm alarm, double from, double to, double end_within = 5, double raise_within = 10) const {
    INFO(words());
    REQUIRE(alarms.size() == (to < 0 ? 1 : 2));
    CHECK(alarms[0].change.alarm == alarm);
    CHECK(alarms[0].change.raised);
    CHECK(alarms[0].at > from);
    CHECK(alarms[0].at <= from + raise_within);
    CHECK(static_cast<double>(alarms[0].change.since_us) / 1e6 <= alarms[0].at);
    if (to < 0) return;
    CHECK(alarms[1].change.alarm == alarm);
    CHECK_FALSE(alarms[1].change.raised);
    CHECK(alarms[1].at >= to);
    CHECK(alarms[1].at <= to + end_within);
  }

  std::vector<ingest::SoundLevels> all_levels;
  std::vector<SaidAlarm> alarms;
  std::vector<ingest::Thumbnail> thumbnails;
  std::int64_t now_us = 0;
};

// The first track of a file, opened by libav as a camera's stream is: nothing refuses raw video here.
class OpenFile {
 public:
  explicit OpenFile(const std::string& path) {
    av_log_set_level(AV_LOG_QUIET);
    AVFormatContext* input = nullptr;
    REQUIRE(avformat_open_input(&input, path.c_str(), nullptr, nullptr) >= 0);
    input_.reset(input);
    REQUIRE(avformat_find_stream_info(input, nullptr) >= 0);
    for (unsigned i = 1; i < input->nb_streams; ++i) input->streams[i]->discard = AVDISCARD_ALL;
  }
  const AVStream& track() const { return *input_->streams[0]; }
  // Nothing at the end.
  ingest::PacketPtr next() {
    ingest::PacketPtr packet(av_packet_alloc());
    do {
      if (av_read_frame(input_.get(), packet.get()) < 0) return nullptr;
    } while (packet->stream_index != 0 && (av_packet_unref(packet.get()), true));
    return packet;
  }
  std::int64_t us(const AVPacket& packet) const { return av_rescale_q(packet.dts, track().time_base, ingest::kMicroseconds); }

 private:
  ingest::InputPtr input_;
};

inline RecordingSink hear(const std::string& path) {
  OpenFile file(path);
  RecordingSink sink;
  ingest::SoundWatch watch(sink);
  const auto decoder = ingest::AudioDecoder::open(*file.track().codecpar, file.track().time_base);
  REQUIRE(decoder);
  std::int64_t samples = 0;
  const auto add = [&](AVFrame& frame) {
    const Status status = watch.add(av_rescale(samples, 1'000'000, frame.sample_rate), frame);
    samples += frame.nb_samples;
    return status;
  };
  while (const auto packet = file.next()) REQUIRE((*decoder)->decode(packet.get(), add));
  return sink;
}

struct Watched {
  bool may_stand_still = false;
  std::int64_t thumbnail_every_us = 0;
  std::function<void(std::size_t, AVPacket&)> change = {};  // the n-th packet, before it is seen
};

// As packets arrive: at their decoding times, from zero on.
inline RecordingSink look_at(const std::string& path, const Watched& how = {}) {
  OpenFile file(path);
  RecordingSink sink;
  ingest::PictureWatch watch(sink, how.may_stand_still);
  ingest::PictureDecoder decoder(*file.track().codecpar, watch);
  std::optional<std::int64_t> origin;
  std::size_t number = 0;
  std::int64_t asked_us = 0;
  while (const auto packet = file.next()) {
    if (!origin) origin = file.us(*packet);
    sink.now_us = file.us(*packet) - *origin;
    if (how.change) how.change(number, *packet);
    ++number;
    if (how.thumbnail_every_us > 0 && sink.now_us >= asked_us) {
      watch.request_thumbnail();
      asked_us += how.thumbnail_every_us;
    }
    REQUIRE(decoder.add(sink.now_us, *packet));
  }
  CHECK(number > 0);
  return sink;
}

}  // namespace greffe::testing

#endif
