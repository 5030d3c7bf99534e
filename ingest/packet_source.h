// Where the packets of one track come from: a recording that somebody brought, or a camera or microphone that is live.
// One thread.
#ifndef GREFFE_INGEST_PACKET_SOURCE_H
#define GREFFE_INGEST_PACKET_SOURCE_H

#include <cstdint>

#include "archive/base/result.h"
#include "ingest/libav_owners.h"

namespace greffe::ingest {

class PacketSource {
 public:
  virtual ~PacketSource() = default;
  virtual const AVStream& track() const = 0;
  bool is_video() const { return track().codecpar->codec_type == AVMEDIA_TYPE_VIDEO; }
  virtual std::int64_t origin_us() const = 0;  // where its time begins, in its own timestamps
  // False at the end, or where the rest cannot be read. dts may be AV_NOPTS_VALUE.
  virtual Result<bool> read(AVPacket& packet) = 0;
  // The packets are dated by a clock of this machine when they are read, and not by counting samples: sound that goes on is
  // dated a little early or late then.
  virtual bool dates_by_arrival() const { return false; }
};

// What is done with a codec: kept as it is, decoded and stored as FLAC, or refused.
enum class CodecTreatment { keep, to_flac, refuse };
CodecTreatment treatment_of(AVCodecID codec);

}  // namespace greffe::ingest

#endif
