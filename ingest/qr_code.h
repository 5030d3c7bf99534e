// A text as a QR code for paper. The only home of libqrencode. Pure.
#ifndef GREFFE_INGEST_QR_CODE_H
#define GREFFE_INGEST_QR_CODE_H

#include <string>
#include <string_view>

#include "archive/base/result.h"

namespace greffe::ingest {

// An <svg> element with its quiet zone; one unit is one module. A quarter of the code may be lost to dirt and folds.
// invalid: the text does not fit into the largest code (about 1,600 bytes).
Result<std::string> qr_code_svg(std::string_view text, std::string_view label);

}  // namespace greffe::ingest

#endif
