// The brightness of decoded pictures, reduced to what can be judged: how bright, and how alike two of them are. One thread.
#ifndef GREFFE_INGEST_LUMA_H
#define GREFFE_INGEST_LUMA_H

#include <cstdint>
#include <vector>

#include "archive/base/bytes.h"
#include "archive/base/result.h"
#include "ingest/libav_owners.h"

namespace greffe::ingest {

// Whether black is 0 and white 255 in it, not 16 and 235.
bool has_full_range(const AVFrame& frame);

struct Brightness {  // in levels of 16 (black) … 235 (white), whatever the picture's own range is
  double mean = 0;
  double deviation = 0;  // of the means of 64 by 36 cells: noise does not count, bright spots do
};

struct LumaSample {
  std::uint64_t digest = 0;   // of every pixel; not against forgers
  int width = 0;
  int height = 0;
  Bytes rows;                 // every eighth row
  std::vector<float> cells;   // the means of 64 by 36 cells, in the picture's own levels
};
struct Difference {
  // Of the pixels, 0 … 1. Those that are black or white in both count nowhere, because there noise does not show.
  double changed = 0;
  // Mean squares of 16 by 9 blocks: of the block in the middle when they are sorted, which is background whoever walks
  // through the picture, and of that above nine tenths.
  double middle = 0;
  double high = 0;
  // The largest of a cell's mean, in levels: something moved there.
  double most = 0;
};
// Pictures of different sizes differ as much as can be.
Difference difference(const LumaSample& a, const LumaSample& b);

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
