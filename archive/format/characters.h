// Which characters a line of text may have: white space and control characters, in UTF-8.
#ifndef GREFFE_ARCHIVE_FORMAT_CHARACTERS_H
#define GREFFE_ARCHIVE_FORMAT_CHARACTERS_H

#include <string_view>

namespace greffe {

// Unicode's White_Space beyond ASCII.
inline constexpr std::string_view kWideSpaces[] = {
    "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82", "\xE2\x80\x83",
    "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86", "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A",
    "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};

// The number of bytes of the white space (not a line break or tab) that `text` begins with; 0: it begins with none.
inline std::size_t leading_space_bytes(std::string_view text) {
  if (text.starts_with(' ')) return 1;
  for (const std::string_view space : kWideSpaces) {
    if (text.starts_with(space)) return space.size();
  }
  return 0;
}

// C0, DEL, and C1 (U+0080 to U+009F, written C2 80 to C2 9F). `text` is valid UTF-8.
inline bool has_control_character(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7F) return true;
    if (byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) return true;
  }
  return false;
}

}  // namespace greffe

#endif
