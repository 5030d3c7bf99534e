// Cuts the packets of one track into runs, segments and fragments (docs/formats/segment.md). Deterministic: the same
// packets and settings give the same bytes, so that a broken-off import can be done again and compared. One thread.
#ifndef GREFFE_INGEST_SEGMENTER_H
#define GREFFE_INGEST_SEGMENTER_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ingest/segment_file.h"

namespace greffe::ingest {

struct CutRules {
  std::int64_t video_ms = 10'000;  // cut at the first key frame from here on
  std::int64_t audio_ms = 30'000;
  std::uint64_t bytes_target = kSegmentBytesTarget;
  std::vector<std::int64_t> cuts_us;  // media times (from the file's origin) at which a declared gap begins a new run; sorted
  std::int64_t after_90k = 0;         // where the stream's earlier runs ended: media time never goes back within a stream
};

struct SegmentStart {
  std::uint64_t run = 0;      // 0, 1, 2 … of this track
  std::uint64_t cut = 0;      // how many of cuts_us lie before it
  std::int64_t media_us = 0;  // where it begins, from the file's origin
  auto operator<=>(const SegmentStart&) const = default;
};
struct FinishedSegment {
  SegmentStart start;
  std::uint64_t bytes = 0;
  std::uint64_t init_bytes = 0;
  Digest sha256;
  std::int64_t start_90k = 0;
  std::int64_t duration_90k = 0;
  std::string codecs;
  std::vector<std::string> flags;
};

// Where segments go. Called by the thread that calls the segmenter.
class SegmentSink : public FragmentSealer {
 public:
  // A descriptor to write the segment that begins here to, -1: compute it only. It stays the sink's until segment().
  virtual Result<int> file_for(const SegmentStart& start) = 0;
  virtual Status segment(const FinishedSegment& segment) = 0;  // every byte of it is durable
};

class Segmenter {
 public:
  // `time_base`: of the packets' timestamps. `origin_us`: what they show where the file begins.
  Segmenter(SegmentSink& sink, CutRules rules, const AVCodecParameters& parameters, AVRational time_base,
            std::int64_t origin_us, std::int64_t frame_us, bool transcoded);
  ~Segmenter();

  // Packets in decoding order with pts and dts. Keeps the packet.
  Status add(PacketPtr packet);
  Status finish();
  // Video: from the next key frame on, so that nothing is lost.
  void begin_new_run() { run_wanted_ = true; }
  // Where a packet with this dts stands, from the source's origin. Ask after it was added: its own clock may have jumped before it.
  std::int64_t media_us(std::int64_t dts) const;

 private:
  std::int64_t ticks(std::int64_t dts) const;       // media time of this run
  bool continues(const AVPacket& next) const;
  Status write(AVPacket& packet, std::int64_t next_dts);  // next_dts: where the packet ends
  bool takes_new_parameters(const AVPacket& packet);
  bool starts_run(const AVPacket& packet);
  bool starts_segment(const AVPacket& packet) const;
  Status begin_segment(const AVPacket& packet, bool new_run);
  Status end_segment();

  SegmentSink& sink_;
  const CutRules rules_;
  ParametersPtr parameters_;
  const AVRational time_base_;
  const std::int64_t origin_us_;
  const std::int64_t frame_us_;  // the usual length of a sample
  const bool video_;
  const bool transcoded_;
  const int time_scale_;
  const std::int64_t least_step_;  // from one dts to the next, in time_base

  PacketPtr held_;               // its length is known when the next one comes
  Bytes parameter_sets_;         // of the video as last seen inside the packets
  bool break_before_held_ = true;
  bool run_wanted_ = false;
  std::int64_t rebase_us_ = 0;   // added to media times after a jump of the file's own clock
  std::int64_t run_first_dts_ = 0;
  std::int64_t run_start_ = 0;   // ticks: one second behind the end of the run before
  std::uint64_t run_ = 0;
  bool any_run_ = false;
  std::uint64_t cut_ = 0;
  Bytes run_init_;

  std::unique_ptr<SegmentFile> file_;
  FinishedSegment current_;
  std::int64_t segment_start_ = 0;   // ticks
  std::int64_t fragment_start_ = 0;  // ticks
  std::int64_t end_ = 0;             // ticks: end of the last sample written
  std::uint64_t group_bytes_ = 0;    // since the last key frame
};

}  // namespace greffe::ingest

#endif
