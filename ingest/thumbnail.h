// A small JPEG of a decoded picture. Pure; any thread.
#ifndef GREFFE_INGEST_THUMBNAIL_H
#define GREFFE_INGEST_THUMBNAIL_H

#include "archive/base/bytes.h"
#include "archive/base/result.h"
#include "ingest/libav_owners.h"

namespace greffe::ingest {

constexpr int kThumbnailWidth = 320;                     // or less: never larger than the picture, never taller than wide
constexpr std::size_t kThumbnailBytes = 24 * 1024;       // at most; the quality is lowered until it fits, then the width

// invalid: the picture cannot be converted. unavailable: not enough memory, or this libavcodec has no JPEG encoder.
Result<Bytes> make_thumbnail(const AVFrame& frame);

}  // namespace greffe::ingest

#endif
