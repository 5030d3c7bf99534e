// Looks at a few of a stream's pictures: alarms for a black, a frozen, a missing and an undecodable picture, and small
// pictures on request. PictureDecoder feeds it from a stream that is stored as it came, VideoEncoder's pictures from a
// source that is encoded here. One thread; keeps no picture, only an eighth of the luma of two (260 kB each at 1080p).
//
// Black: the mean luma is at most 28 of 16 … 235 and even all over the picture. Frozen: nothing moves, not even noise. Both
// are raised within 10 s, as late as that allows, if looks are at most 4.8 s apart; PictureDecoder says when they are not.
//
// How little moves in an empty room says nothing, but its noise does: two pictures of a live sensor, each coded by
// itself, never come out alike, and what an encoder makes of one and the same picture soon does. A key frame is still
// beside the last one if no part of it became brighter or darker and either at most 12 % of the pixels differ or the
// background differs by a third at most (mean squares) of what it did while this stream was live in the last minutes.
// Measured with x264 and x265 on real pictures (the unit tests repeat it): with noise of half a grey level and coarse
// quantisation 15 % and more differ, with more noise or bits 40 to 85 %. Of a frozen picture x265 and constant
// quantisers give the same bytes; x264 goes on adapting its quality for many seconds, so that 20 to 70 % still differ,
// but the squares fall below a third in two to four seconds. Between two key frames, where an encoder leaves out what is
// too small to show, only pictures that are equal bit for bit count. Limits: a camera that smooths all noise away, or
// codes nothing for 6 s of a long group, alarms in an empty room; so may a room that goes dark, for five minutes; in the
// first ten seconds of a stream an encoder that adapts itself delays the alarm; a running clock in a frozen picture is a
// moving picture. What is meant to stand still, a screen or a slide, is not judged (`may_stand_still`).
#ifndef GREFFE_INGEST_PICTURE_WATCH_H
#define GREFFE_INGEST_PICTURE_WATCH_H

#include <deque>
#include <optional>

#include "ingest/luma.h"
#include "ingest/signal_watch.h"
#include "ingest/thumbnail.h"

namespace greffe::ingest {

class PictureWatch {
 public:
  PictureWatch(SignalSink& sink, bool may_stand_still);  // `sink` must outlive it

  // The next picture that stands by itself also goes to the sink as a thumbnail.
  void request_thumbnail() { thumbnail_requested_ = true; }

  enum class Coding {
    whole,      // by itself: a key frame, or a raw picture of a source that is encoded here
    predicted,  // between key frames
  };
  // True: see() would look at such a picture of this time.
  bool wants(std::int64_t now_us, Coding coding) const;
  // `now_us`: when it arrived, in any clock that does not go back. A picture that is not wanted is passed over.
  Status see(std::int64_t now_us, const AVFrame& frame, Coding coding);

  // For each packet of the stream, before what is in it is seen; without them a pause looks like a picture that stood still.
  // A packet of a source that is encoded here counts as a key frame.
  Status packet(std::int64_t now_us, bool key);
  // A picture that was wanted could not be decoded. The recording goes on all the same.
  Status cannot_decode(std::int64_t now_us);

 private:
  Status judge(HeldAlarm& alarm, std::int64_t at_us, HeldAlarm::Look look, std::int64_t raise_by_us);
  Status judge_brightness(std::int64_t now_us, const Brightness& brightness);
  Status judge_movement(std::int64_t now_us, const LumaSample& sample);
  Status judge_within_group(std::int64_t now_us, const LumaSample& sample);
  bool is_quieter(const Difference& moved, double part, std::int64_t now_us) const;
  Status give_thumbnail(std::int64_t now_us, const AVFrame& frame);

  // The picture that the next one of its kind is compared with.
  struct Earlier {
    std::int64_t at_us = 0;
    LumaSample sample;
  };

  SignalSink& sink_;
  const bool may_stand_still_;
  bool thumbnail_requested_ = false;
  LumaReader luma_;
  HeldAlarm black_;
  HeldAlarm frozen_;
  HeldAlarm no_key_frame_;
  HeldAlarm undecodable_;
  bool is_black_ = false;                        // the last picture
  std::optional<std::int64_t> last_packet_us_;
  std::int64_t last_key_us_ = 0;                 // of all packets
  std::optional<std::int64_t> last_picture_us_;
  std::optional<Earlier> whole_;                 // the last one
  std::deque<Difference> lively_;                // of the last whole pictures with noise
  std::int64_t lively_us_ = 0;                   // the last of them
  std::optional<Earlier> predicted_;             // the first of this group that came after its key frame, or after a movement
};

}  // namespace greffe::ingest

#endif
