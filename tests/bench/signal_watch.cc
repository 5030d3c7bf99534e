// bench_signal_watch FILE demux|levels|watch: reads the first track of a file to its end, as the process of a live stream
// does but as fast as it can, and prints what that took as JSON.
//   demux    packets only
//   levels   sound: decoded for the level peaks, which are kept with or without the watch
//   watch    that and the signal watch, a thumbnail every two seconds
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "ingest/audio.h"
#include "ingest/picture_decoder.h"
#include "ingest/sound_watch.h"

using namespace greffe;
using namespace greffe::ingest;

namespace {

[[noreturn]] void give_up(const std::string& words) {
  std::fprintf(stderr, "bench_signal_watch: %s\n", words.c_str());
  std::exit(2);
}

void must(const Status& status) {
  if (!status) give_up(status.error().message);
}

struct Count : SignalSink {
  Status levels(const SoundLevels&) override { return ++levels_seen, ok(); }
  Status alarm(const AlarmChange& change) override { give_up("alarm " + std::string(name_of(change.alarm))); }
  Status thumbnail(const Thumbnail&) override { return ++thumbnails, ok(); }
  std::size_t levels_seen = 0;
  std::size_t thumbnails = 0;
};

double seconds(const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; }

}  // namespace

int main(int count, char** words) {
  if (count != 3) give_up("FILE demux|levels|watch");
  const std::string mode = words[2];
  av_log_set_level(AV_LOG_QUIET);
  AVFormatContext* opened = nullptr;
  if (avformat_open_input(&opened, words[1], nullptr, nullptr) < 0) give_up("cannot open " + std::string(words[1]));
  const InputPtr input(opened);
  if (avformat_find_stream_info(opened, nullptr) < 0) give_up("cannot read " + std::string(words[1]));
  const AVStream& track = *input->streams[0];
  const bool video = track.codecpar->codec_type == AVMEDIA_TYPE_VIDEO;

  Count sink;
  PictureWatch pictures(sink, false);
  PictureDecoder decoder(*track.codecpar, pictures);
  SoundWatch sound(sink);
  PeakMeter meter({}, [](FinishedPeaks) { return ok(); });
  auto samples = AudioDecoder::open(*track.codecpar, track.time_base);
  rusage before{};
  ::getrusage(RUSAGE_SELF, &before);
  const PacketPtr packet(av_packet_alloc());
  std::size_t packets = 0;
  std::int64_t at_us = 0;
  for (; av_read_frame(opened, packet.get()) >= 0; av_packet_unref(packet.get())) {
    ++packets;
    at_us = av_rescale_q(packet->dts, track.time_base, kMicroseconds);
    if (mode == "demux") continue;
    if (video) {
      pictures.request_thumbnail();
      must(decoder.add(at_us, *packet));
      continue;
    }
    must((*samples)->decode(packet.get(), [&](AVFrame& frame) {
      must(meter.add(at_us, frame));
      return mode == "watch" ? sound.add(at_us, frame) : ok();
    }));
  }
  rusage after{};
  ::getrusage(RUSAGE_SELF, &after);
  std::printf("{\"cpu\":%.4f,\"media\":%.3f,\"packets\":%zu,\"thumbnails\":%zu,\"levels\":%zu,\"rss_kb\":%ld}\n",
              seconds(after.ru_utime) + seconds(after.ru_stime) - seconds(before.ru_utime) - seconds(before.ru_stime),
              static_cast<double>(at_us) / 1e6, packets, sink.thumbnails, sink.levels_seen, after.ru_maxrss);
  return 0;
}
