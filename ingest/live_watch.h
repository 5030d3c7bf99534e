// The signal watch over one live stream, in the process that reads it: feeds it from what is recorded, and while nothing is
// recorded from what comes in, so that a dead microphone is seen before a hearing begins. One thread.
#ifndef GREFFE_INGEST_LIVE_WATCH_H
#define GREFFE_INGEST_LIVE_WATCH_H

#include <memory>
#include <optional>

#include "ingest/audio.h"
#include "ingest/channel.h"
#include "ingest/picture_decoder.h"
#include "ingest/sound_watch.h"
#include "ingest/track_reader.h"

namespace greffe::ingest {

class LiveWatch : private SignalSink {
 public:
  // Both must outlive it. `may_stand_still`: a screen, whose picture may be the same for hours.
  LiveWatch(Channel& channel, const TrackReader& reader, bool may_stand_still);

  // Every packet. `decoded_elsewhere`: the recording decodes it and shows what comes out below.
  Status packet(std::int64_t now_us, const AVPacket& packet, bool decoded_elsewhere);
  Status sound(std::int64_t media_us, const AVFrame& frame) { return sound_.add(media_us, frame); }
  Status picture(std::int64_t now_us, const AVFrame& frame);

 private:
  Status levels(const SoundLevels& levels) override;
  Status alarm(const AlarmChange& change) override;
  Status thumbnail(const Thumbnail& thumbnail) override;
  Status hear(const AVPacket& packet);

  Channel& channel_;
  const TrackReader& reader_;
  SoundWatch sound_;
  PictureWatch picture_;
  std::optional<PictureDecoder> pictures_;   // of coded video
  std::unique_ptr<AudioDecoder> decoder_;    // while nothing is recorded
  std::int64_t asked_us_ = 0;                // for the last thumbnail
};

}  // namespace greffe::ingest

#endif
