// Looks at a few of a stream's pictures: alarms for a black, a frozen, a missing and an undecodable picture, and small
// pictures on request. PictureDecoder feeds it from a stream that is stored as it came, VideoEncoder's pictures from a
// source that is encoded here. One thread; keeps no picture, only a thinned copy of one picture's luma (260 kB at 1080p).
//
// Black: the mean luma is at most 28 of 16 … 235 and even all over the picture, raised 9 s after the last picture that was
// not black. Frozen: raised 9 s after the picture was last seen moving. Both within 10 s if the source sends a key frame
// every 4 s or more often; PictureDecoder says what happens otherwise.
//
// Frozen is not a matter of how little moves in an empty room, but of noise: two pictures of a live sensor, each coded by
// itself, never come out alike, and what an encoder makes twice of one and the same picture nearly does. Measured
// (the unit tests repeat it): of a still scene with sensor noise between 15 % (half a grey level of
// noise, coarse quantisation) and 75 % of all pixels differ from one key frame to the next, of a frozen one 12 % at most from
// the second pair on, and soon below 3 %. So 12 % is the line. Between two key frames, where an encoder leaves out
// what is too small to show, only pictures that are equal bit for bit count. Limits: a camera that smooths away all noise alarms
// in an empty room; an encoder that goes on refining a frozen picture (x265 does) delays the alarm by some key frames; a
// clock that the camera writes into a frozen picture is a moving picture if the picture is encoded here.
// What is meant to stand still, a screen or a slide, is not judged (`may_stand_still`).
#ifndef GREFFE_INGEST_PICTURE_WATCH_H
#define GREFFE_INGEST_PICTURE_WATCH_H

#include <memory>
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
    raw,        // as the camera gave it: raw, or each picture compressed by itself without regard to the last one
    key,        // a key frame
    predicted,  // between key frames
  };
  // True: see() would look at such a picture of this time.
  bool wants(std::int64_t now_us, Coding coding) const;
  // `now_us`: when it arrived, in any clock that does not go back. A picture that is not wanted is passed over.
  Status see(std::int64_t now_us, const AVFrame& frame, Coding coding);

  // For each packet of a stream that is stored as it came.
  Status packet(std::int64_t now_us, bool key);
  // A picture that was wanted could not be decoded. The recording goes on all the same.
  Status cannot_decode(std::int64_t now_us);

 private:
  Status judge(HeldAlarm& alarm, std::int64_t at_us, HeldAlarm::Look look, std::int64_t raise_by_us);
  Status judge_brightness(std::int64_t now_us, const Brightness& brightness);
  Status judge_movement(std::int64_t now_us, LumaSample sample, Coding coding);
  Status judge_within_group(std::int64_t now_us, const LumaSample& sample);
  Status give_thumbnail(std::int64_t now_us, const AVFrame& frame);

  SignalSink& sink_;
  const bool may_stand_still_;
  bool thumbnail_requested_ = false;
  LumaReader luma_;
  HeldAlarm black_;
  HeldAlarm frozen_;
  HeldAlarm no_key_frame_;
  HeldAlarm undecodable_;
  std::optional<std::int64_t> last_packet_us_;
  std::int64_t last_key_us_ = 0;
  std::optional<std::int64_t> last_picture_us_;  // that was looked at
  std::optional<LumaSample> whole_;              // the last raw picture or key frame looked at
  std::int64_t whole_us_ = 0;
  std::optional<std::uint64_t> within_;          // digest of a picture of this group of pictures, after its key frame
  std::int64_t within_us_ = 0;                   // when it was last seen so
};

}  // namespace greffe::ingest

#endif
