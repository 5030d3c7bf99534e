// How long a file says that it is: what a copy that broke off no longer holds. Reads only what is there; says nothing
// where a format does not tell. In the sandboxed child. One thread.
#ifndef GREFFE_INGEST_PROMISED_LENGTH_H
#define GREFFE_INGEST_PROMISED_LENGTH_H

#include <cstdint>
#include <optional>

#include "ingest/libav_owners.h"

namespace greffe::ingest {

struct MediaFile {
  int descriptor = -1;  // not owned
  std::uint64_t bytes = 0;
};

// Where the track ends, in microseconds of the file's own time, as its headers state it.
std::optional<std::int64_t> promised_end_us(const MediaFile& file, const AVFormatContext& format, const AVStream& track);

// The file ends before its last page, chunk or box does; how much is missing may not be known.
bool ends_early(const MediaFile& file, const AVFormatContext& format);

}  // namespace greffe::ingest

#endif
