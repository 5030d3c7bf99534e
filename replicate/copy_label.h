// Whose copy a pool is that has nobody behind it: "log/copy/label.json", written once, before anything is copied there. A pool without
// it is never taken for a copy, and one with another archive's name in it never written to. See docs/formats/passive-copy.md.
#ifndef GREFFE_REPLICATE_COPY_LABEL_H
#define GREFFE_REPLICATE_COPY_LABEL_H

#include <string>
#include <string_view>

#include "archive/base/clock.h"
#include "archive/format/ed25519.h"

namespace greffe::replicate {

inline constexpr std::string_view kCopyLabelKey = "log/copy/label.json";

struct CopyLabel {
  std::string archive;  // origin of the main log that is copied
  VerifierKey log;      // the key that signs it, as enrolment at the archive said
  UtcTime began;        // when the pool was made one
};

std::string write_copy_label(const CopyLabel& label);
Result<CopyLabel> parse_copy_label(std::string_view text);  // invalid with the reason: anything but what write_copy_label gives

}  // namespace greffe::replicate

#endif
