// The brightness of decoded pictures, reduced to what can be judged: how bright, and how alike two of them are. One thread.
#ifndef GREFFE_INGEST_LUMA_H
#define GREFFE_INGEST_LUMA_H

#include <cstdint>

#include "archive/base/bytes.h"
#include "archive/base/result.h"
#include "ingest/libav_owners.h"

namespace greffe::ingest {

struct Brightness {  // in levels of 16 (black) … 235 (white), whatever the picture's own range is
  double mean = 0;
  double deviation = 0;  // of the means of 64 by 36 cells: noise does not count, bright spots do
};

struct LumaSample {
  std::uint64_t digest = 0;  // of every pixel; not against forgers
  int width = 0;
  int height = 0;
  Bytes rows;                // every eighth row
};
// How many of the pixels differ: 0 … 1. Pixels that are black or white in both do not count, because there noise does not
// show; 0 when there are no others. Pictures of different sizes differ everywhere.
double changed_part(const LumaSample& a, const LumaSample& b);

class LumaReader {
 public:
  struct Seen {
    Brightness brightness;
    LumaSample sample;
  };
  // invalid: a pixel format that libswscale cannot read. unavailable: not enough memory.
  Result<Seen> read(const AVFrame& frame);

 private:
  ScalerPtr scaler_;  // only for formats whose luma is not a plane of bytes
  FramePtr grey_;
};

}  // namespace greffe::ingest

#endif
