#include "archive/catalogue/search_text.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>

#include "archive/catalogue/tokenizer.h"

namespace greffe::catalogue {

namespace {

// Two lines of equal length: a character of the first becomes the one below it. NFKC leaves these alone.
constexpr std::u32string_view kBracketsFrom = U"〔〕【】〈〉《》「」『』［］[]{}";
constexpr std::u32string_view kBracketsTo = U"()()()()()()()()()";
static_assert(kBracketsFrom.size() == kBracketsTo.size());

// The dots inside names of peoples who write them: 阿卜杜·热合曼. All become U+00B7, which parts words.
constexpr std::u32string_view kDots = U"・•‧∙⋅";

// Traditional forms that occur in case numbers, and their simplified ones.
constexpr std::u32string_view kTraditional = U"號執終審訴請調監財賠償訟強認國際復複減釋異滬蘇遼晉雲貴陝寧瓊閩魯粵贛臺協區權產";
constexpr std::u32string_view kSimplified = U"号执终审诉请调监财赔偿讼强认国际复复减释异沪苏辽晋云贵陕宁琼闽鲁粤赣台协区权产";
static_assert(kTraditional.size() == kSimplified.size());

// The first character of a court code such as 浙01: digits after it are never a serial number.
constexpr std::u32string_view kProvinces = U"京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新兵";

bool is_digit(char32_t c) { return c >= U'0' && c <= U'9'; }

std::string map_text(std::string_view text, int options) {
  utf8proc_uint8_t* out = nullptr;
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                 static_cast<utf8proc_ssize_t>(text.size()), &out,
                                 static_cast<utf8proc_option_t>(options));
  if (size < 0) return {};
  std::string result(reinterpret_cast<const char*>(out), static_cast<std::size_t>(size));
  std::free(out);
  return result;
}

// Appends what stands for `c` in normalised text.
void append_normalised(std::u32string& out, char32_t c) {
  switch (c) {
    case U'œ': out += U"oe"; return;
    case U'Œ': out += U"OE"; return;
    case U'æ': out += U"ae"; return;
    case U'Æ': out += U"AE"; return;
    default: break;
  }
  if (const auto at = kBracketsFrom.find(c); at != std::u32string_view::npos) {
    out += kBracketsTo[at];
    return;
  }
  if (kDots.find(c) != std::u32string_view::npos) {
    out += U'·';
    return;
  }
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_CF:  // zero-width, direction marks, soft hyphens: pasted along, never meant
      return;
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      out += U' ';
      return;
    default:
      out += c;
  }
}

// 第 says "number" and is left out as often as it is written.
void drop_ordinal_marks(std::u32string& key) {
  for (std::size_t i = key.size(); i-- > 0;) {
    if (key[i] == U'第' && i + 1 < key.size() && is_digit(key[i + 1])) key.erase(i, 1);
  }
}

// Leading zeros of the serial: the last run of digits, at the end or before 号, and not the digits of a court code.
void drop_serial_zeros(std::u32string& key) {
  std::size_t end = key.size();
  while (end > 0 && !is_digit(key[end - 1])) --end;
  if (end == 0 || (end < key.size() && key[end] != U'号')) return;
  std::size_t begin = end;
  while (begin > 0 && is_digit(key[begin - 1])) --begin;
  if (begin > 0 && kProvinces.find(key[begin - 1]) != std::u32string_view::npos) return;
  std::size_t zeros = begin;
  while (zeros + 1 < end && key[zeros] == U'0') ++zeros;
  key.erase(begin, zeros - begin);
}

}  // namespace

std::u32string code_points(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  const auto* data = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  auto left = static_cast<utf8proc_ssize_t>(text.size());
  while (left > 0) {
    utf8proc_int32_t c = 0;
    const auto bytes = utf8proc_iterate(data, left, &c);
    if (bytes <= 0) break;
    out += static_cast<char32_t>(c);
    data += bytes;
    left -= bytes;
  }
  return out;
}

std::string utf8(std::u32string_view text) {
  std::string out;
  out.reserve(text.size() * 3);
  for (const char32_t c : text) {
    utf8proc_uint8_t bytes[4];
    const auto size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), bytes);
    out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  }
  return out;
}

bool is_word_character(char32_t c) {
  if (is_cjk(c)) return true;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:  // not known to this library; the tokenizer takes it for a letter
      return true;
    default:
      return false;
  }
}

std::string normalise(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= 'z' && c != '[' && c != ']'; });
  if (plain) return std::string(text);
  std::u32string out;
  for (const char32_t c : code_points(map_text(text, UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_STABLE))) {
    append_normalised(out, c);
  }
  return utf8(out);
}

std::string case_key(std::string_view text) {
  const std::string folded = map_text(normalise(text), UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_STABLE);
  std::u32string key;
  bool chinese = false;
  for (char32_t c : code_points(folded)) {
    if (c == U' ') continue;
    if (const auto at = kTraditional.find(c); at != std::u32string_view::npos) c = kSimplified[at];
    chinese = chinese || is_cjk(c);
    key += c;
  }
  if (!chinese) return utf8(key);
  drop_ordinal_marks(key);
  drop_serial_zeros(key);
  if (key.size() > 1 && key.back() == U'号' && is_digit(key[key.size() - 2])) key.pop_back();
  return utf8(key);
}

std::string case_key_without_brackets(std::string_view key) {
  std::string out;
  for (const char c : key) {
    if (c != '(' && c != ')') out += c;
  }
  return out;
}

std::string fold(std::string_view text) {
  return map_text(normalise(text), UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK | UTF8PROC_STABLE);
}

bool has_word(std::string_view folded, std::string_view word) {
  if (word.empty()) return false;
  const std::u32string first = code_points(word.substr(0, 4));
  const bool anywhere = !first.empty() && is_cjk(first.front());
  // UTF-8 synchronises itself: a match of bytes is a match of characters.
  for (std::size_t at = folded.find(word); at != std::string_view::npos; at = folded.find(word, at + 1)) {
    if (anywhere || at == 0) return true;
    std::size_t before = at - 1;
    while (before > 0 && (static_cast<unsigned char>(folded[before]) & 0xC0) == 0x80) --before;
    const std::u32string previous = code_points(folded.substr(before, at - before));
    if (previous.empty() || !is_word_character(previous.front()) || is_cjk(previous.front())) return true;
  }
  return false;
}

}  // namespace greffe::catalogue
