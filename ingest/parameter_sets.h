// Parameter sets (SPS, PPS, VPS) inside the packets of H.264 and H.265 video: when a camera changes them in the middle,
// the segments that follow need another init. Pure.
#ifndef GREFFE_INGEST_PARAMETER_SETS_H
#define GREFFE_INGEST_PARAMETER_SETS_H

#include "archive/base/bytes.h"
#include "ingest/libav_owners.h"

namespace greffe::ingest {

// The parameter sets of this packet, each behind a start code, in their order; empty when there are none.
Bytes parameter_sets_in(const AVCodecParameters& parameters, const AVPacket& packet);
// What describes a track with these sets, in the form that the track's packets have. Empty when it cannot be made.
Bytes extradata_of(const AVCodecParameters& parameters, const Bytes& sets);
void set_extradata(AVCodecParameters& parameters, const Bytes& extradata);

}  // namespace greffe::ingest

#endif
