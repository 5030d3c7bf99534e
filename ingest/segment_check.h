// What the importing process itself finds in a segment that the reading process wrote. The reader has parsed foreign
// bytes, so nothing that it says about a segment is believed: it is all computed again from the file. Pure. A value.
#ifndef GREFFE_INGEST_SEGMENT_CHECK_H
#define GREFFE_INGEST_SEGMENT_CHECK_H

#include "archive/format/segment.h"
#include "ingest/segmenter.h"

namespace greffe::ingest {

class SegmentCheck {  // of one stream of one import
 public:
  // `after_90k`: media time at which the stream's earlier runs ended; 0 without any.
  SegmentCheck(bool video, bool transcoded, std::int64_t after_90k = 0) : video_(video), transcoded_(transcoded), end_90k_(after_90k) {}
  // The segment that follows the ones before. invalid: it cannot stand here; the message goes on after "its reader lies: ".
  Status follows(const FinishedSegment& said);
  // What this process sealed, piece by piece, is exactly what was said: digest, length, init, times, codec, flags.
  Status matches(const SegmentScan& sealed, const Digest& digest, const FinishedSegment& said);

 private:
  const bool video_;
  const bool transcoded_;
  bool any_ = false;
  SegmentStart last_;
  std::int64_t end_90k_;
  std::int64_t run_start_90k_ = 0;
  std::int64_t run_start_us_ = 0;  // the same moment on the file's own clock
  Digest run_init_;            // of ftyp and moov
  bool run_init_known_ = false;
};

}  // namespace greffe::ingest

#endif
