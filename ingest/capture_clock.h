// When on the monotonic clock a piece of live media was captured. A packet arrives when it was captured plus what encoder
// and network took, which varies; so the least delay seen counts (the earliest arrival tells most), and from segment to
// segment the estimate follows a drifting camera slowly. Times of a run never jump. A value.
#ifndef GREFFE_INGEST_CAPTURE_CLOCK_H
#define GREFFE_INGEST_CAPTURE_CLOCK_H

#include <cstdint>
#include <deque>

#include "ingest/segmenter.h"

namespace greffe::ingest {

class CaptureClock {
 public:
  // A packet that stands at `media_us` was read at `mono_us`.
  void note(std::int64_t media_us, std::int64_t mono_us);
  // Where the finished segment begins. Forgets the packets before its end.
  std::int64_t start_us(const FinishedSegment& segment);
  // By the estimate of the run so far; nothing was captured before the first note.
  std::int64_t at_us(std::int64_t media_us) const;

 private:
  struct Note {
    std::int64_t media_us;
    std::int64_t delay_us;  // monotonic minus media time
  };
  std::deque<Note> notes_;
  bool known_ = false;
  std::uint64_t run_ = 0;
  std::int64_t delay_us_ = 0;
};

}  // namespace greffe::ingest

#endif
