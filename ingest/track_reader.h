// The packets of a track with times that can be relied on: dts and pts always set, audio counted in samples, video from
// its first key frame on. One thread.
#ifndef GREFFE_INGEST_TRACK_READER_H
#define GREFFE_INGEST_TRACK_READER_H

#include <cstdint>
#include <deque>
#include <memory>

#include "ingest/packet_source.h"

namespace greffe::ingest {

class TrackReader {
 public:
  // Reads until the first packet that can be kept is known. invalid: there is none (no key frame, nothing but headers).
  static Result<std::unique_ptr<TrackReader>> open(PacketSource& source);  // `source` must outlive it
  ~TrackReader();

  const AVCodecParameters& parameters() const { return *parameters_; }
  AVRational time_base() const { return time_base_; }
  std::int64_t frame_us() const;    // the usual length of a packet
  AVRational frame_rate() const;    // of video, as the source says it; 0/1: it does not
  std::int64_t first_us() const;    // dts of the first packet, from the file's origin
  Result<PacketPtr> next();         // null at the end

 private:
  explicit TrackReader(PacketSource& source);
  Status open_filter();
  Result<PacketPtr> read_raw();     // null at the end
  Status fill();                    // until the head of the queue has a dts, or nothing more can be learnt
  void date_queue();
  Status skip_to_key_frame();
  Status check_presentation_times();
  void finish_times(AVPacket& packet);
  void count_samples(AVPacket& packet);

  PacketSource& source_;
  ParametersPtr parameters_;
  BitstreamFilterPtr filter_;       // ADTS to the form that MP4 wants
  AVRational time_base_;
  std::int64_t frame_ticks_ = 1;    // of the source's time base
  std::int64_t last_dts_ = AV_NOPTS_VALUE;
  std::int64_t next_sample_ = AV_NOPTS_VALUE;  // audio: where the next packet is expected, in samples
  std::int64_t arrival_end_ = AV_NOPTS_VALUE;  // of the last packet, as a source that dates by arrival dated it, in samples
  std::deque<PacketPtr> queue_;
  bool ended_ = false;
};

}  // namespace greffe::ingest

#endif
