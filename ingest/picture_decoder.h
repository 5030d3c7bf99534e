// Decodes as little as the watch over a coded stream needs: key frames, one every 1.6 s at most. Packets between them are
// never given to libavcodec, which would still parse them before it throws them away.
//
// Where the next key frame is late (4.5 s after the last picture), the packets since the last one, which are kept until
// then, are decoded as well, three for each that arrives, until the next key frame; where the group before was so long,
// from the key frame on. That costs nearly as much as playing the stream, so a camera should send a key frame every one
// to four seconds. With longer groups black is still said within 10 s, frozen 6 s after the encoder has stopped refining
// the picture, which takes it some seconds after each key frame.
//
// What cannot be decoded never stops a recording: the alarm "undecodable" is all that comes of it. One thread, and
// libavcodec makes none.
#ifndef GREFFE_INGEST_PICTURE_DECODER_H
#define GREFFE_INGEST_PICTURE_DECODER_H

#include <deque>

#include "ingest/libav_owners.h"
#include "ingest/picture_watch.h"

namespace greffe::ingest {

class PictureDecoder {
 public:
  // `watch` must outlive it. A codec that this system cannot decode is an alarm, not a failure.
  PictureDecoder(const AVCodecParameters& parameters, PictureWatch& watch);
  // Each packet in decoding order; `now_us`: when it arrived, never going back. Keeps references, copies no media. Fails
  // only as the watch's sink does.
  Status add(std::int64_t now_us, const AVPacket& packet);

 private:
  struct Waiting {
    std::int64_t arrived_us = 0;
    PacketPtr packet;
  };
  void begin_group(std::int64_t now_us);
  void keep(std::int64_t now_us, const AVPacket& packet);
  Status decode_key_frame(std::int64_t now_us, const AVPacket& packet);
  Status follow_group(std::int64_t now_us);
  Status decode_next();

  PictureWatch& watch_;
  CodecPtr codec_;                 // none: it cannot be decoded
  FramePtr frame_;
  bool any_key_ = false;
  bool long_groups_ = false;       // the last group was too long to wait for its end
  bool following_ = false;         // this group is decoded beyond its key frame
  bool followable_ = false;             // group_ holds all of it that is not decoded yet
  std::int64_t group_us_ = 0;      // when its key frame came
  std::int64_t last_tried_us_ = 0;
  std::deque<Waiting> group_;
  std::size_t group_bytes_ = 0;
};

}  // namespace greffe::ingest

#endif
