// Codec strings (RFC 6381) as players want them, read from what a segment says of itself. Pure.
#ifndef GREFFE_INGEST_CODEC_STRINGS_H
#define GREFFE_INGEST_CODEC_STRINGS_H

#include <string>

#include "archive/base/bytes.h"

namespace greffe::ingest {

// `init`: ftyp and moov of one of our segments. "unknown" when it names none of the codecs that are kept.
std::string codec_string(ByteView init);

}  // namespace greffe::ingest

#endif
