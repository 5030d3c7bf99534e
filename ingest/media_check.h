// Whether a recording plays: every packet of its track is decoded, and what comes out is counted. One thread.
#ifndef GREFFE_INGEST_MEDIA_CHECK_H
#define GREFFE_INGEST_MEDIA_CHECK_H

#include <cstdint>
#include <string>

#include "archive/format/canonical_json.h"
#include "ingest/media_source.h"

namespace greffe::ingest {

struct DecodedMedia {
  std::uint64_t packets = 0;
  std::uint64_t frames = 0;    // pictures, or pieces of sound
  std::uint64_t errors = 0;    // packets that were refused, and frames that came out damaged
  std::int64_t media_us = 0;   // of pictures the packets' own lengths, of sound that of the decoded samples, added up
  bool damaged = false;        // the file ends in the middle
  std::string problem() const; // a sentence that goes on after "FILE: "; empty: it plays
};

// Runs in the sandboxed child. unavailable: not enough memory. invalid: this system cannot decode it.
Result<DecodedMedia> decode_all(MediaSource& source);

// What the child says to the process that started it.
Json write_decoded(const DecodedMedia& media);
Result<DecodedMedia> parse_decoded(const Json& said);

}  // namespace greffe::ingest

#endif
