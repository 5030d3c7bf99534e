// A short secret text under a random recovery code: AES-256-GCM, the key is SHA-256 over a label and the code (the code
// has 160 random bits, so nothing is gained by slowing a guesser down). Pure. See docs/formats/keys.md.
#ifndef GREFFE_ARCHIVE_FORMAT_SEALED_TEXT_H
#define GREFFE_ARCHIVE_FORMAT_SEALED_TEXT_H

#include <string>
#include <string_view>

#include "archive/base/result.h"

namespace greffe {

// Eight groups of four characters of A-Z2-7 (RFC 4648 base32), joined by '-': for paper.
std::string make_recovery_code();
std::string seal_text(std::string_view plain, std::string_view recovery_code);
// invalid: not a sealed text, or the code is not written like one. denied: wrong code, or the text was altered.
Result<std::string> open_sealed_text(std::string_view sealed, std::string_view recovery_code);

}  // namespace greffe

#endif
