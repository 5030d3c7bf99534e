#include "archive/format/canonical_json.h"

#include <fmt/format.h>

namespace greffe {
namespace {

constexpr std::int64_t kIntegerLimit = std::int64_t{1} << 53;

bool is_ascii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

// ---- writing: RFC 8785 ----

bool needs_escape(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

void write_escaped(char c, std::string& out) {
  switch (c) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\b': out += "\\b"; break;
    case '\f': out += "\\f"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    default: out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
  }
}

// Each byte that is not part of valid UTF-8 becomes U+FFFD: what is written can always be read.
std::string with_replacements(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::size_t good = 1;
    while (good <= 4 && good <= text.size() && !is_valid_utf8(text.substr(0, good))) ++good;
    const bool valid = good <= 4 && good <= text.size();
    out += valid ? text.substr(0, good) : std::string_view("\xEF\xBF\xBD");
    text.remove_prefix(valid ? good : 1);
  }
  return out;
}

void write_string(std::string_view text, std::string& out) {
  std::string repaired;
  if (!is_ascii(text) && !is_valid_utf8(text)) {
    repaired = with_replacements(text);
    text = repaired;
  }
  out += '"';
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!needs_escape(text[i])) continue;
    out += text.substr(begin, i - begin);
    write_escaped(text[i], out);
    begin = i + 1;
  }
  out += text.substr(begin);
  out += '"';
}

void write_value(const Json& value, std::string& out) {
  if (const auto* text = value.as_string()) {
    write_string(*text, out);
  } else if (const auto* number = value.as_integer()) {
    GREFFE_CHECK(*number > -kIntegerLimit && *number < kIntegerLimit);
    out += std::to_string(*number);
  } else if (const auto* flag = value.as_bool()) {
    out += *flag ? "true" : "false";
  } else if (const auto* array = value.as_array()) {
    out += '[';
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (i != 0) out += ',';
      write_value((*array)[i], out);
    }
    out += ']';
  } else if (const auto* object = value.as_object()) {
    out += '{';
    bool first = true;
    for (const auto& [key, member] : *object) {
      if (!first) out += ',';
      first = false;
      write_string(key, out);
      out += ':';
      write_value(member, out);
    }
    out += '}';
  }
}

// ---- reading ----

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Json> whole() {
    if (!is_valid_utf8(text_)) return fail(Errc::invalid, "JSON: the text is not valid UTF-8");
    Json value = GREFFE_TRY(read_value(0));
    skip_space();
    if (at_ != text_.size()) return wrong("something follows the value");
    return value;
  }

 private:
  Error wrong(std::string_view why) const { return fail(Errc::invalid, fmt::format("JSON: {} at byte {}", why, at_)); }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) ++at_;
  }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  Result<Json> read_value(int depth) {
    skip_space();
    if (at_ >= text_.size()) return wrong("the text ends where a value is expected");
    const char c = text_[at_];
    if (c == '"') {
      std::string text = GREFFE_TRY(read_string());
      return Json(std::move(text));
    }
    if ((c == '{' || c == '[') && depth == kMaxJsonDepth) return wrong("nested deeper than 16 levels");
    if (c == '{') return read_object(depth);
    if (c == '[') return read_array(depth);
    if (c == '-' || (c >= '0' && c <= '9')) return read_integer();
    if (take_word("true")) return Json(true);
    if (take_word("false")) return Json(false);
    if (take_word("null")) return wrong("null is not used here: leave the member out");
    return wrong("an unexpected character");
  }

  Result<Json> read_object(int depth) {
    ++at_;
    Json::Object out;
    skip_space();
    if (take('}')) return Json(std::move(out));
    for (;;) {
      skip_space();
      if (at_ >= text_.size() || text_[at_] != '"') return wrong("a key in quotes is expected");
      std::string key = GREFFE_TRY(read_string());
      if (!is_ascii(key)) return wrong("a key that is not ASCII");
      skip_space();
      if (!take(':')) return wrong("a ':' is expected");
      Json value = GREFFE_TRY(read_value(depth + 1));
      if (!out.try_emplace(std::move(key), std::move(value)).second) return wrong("a key stands twice in one object");
      skip_space();
      if (take('}')) return Json(std::move(out));
      if (!take(',')) return wrong("a ',' or '}' is expected");
    }
  }

  Result<Json> read_array(int depth) {
    ++at_;
    Json::Array out;
    skip_space();
    if (take(']')) return Json(std::move(out));
    for (;;) {
      out.push_back(GREFFE_TRY(read_value(depth + 1)));
      skip_space();
      if (take(']')) return Json(std::move(out));
      if (!take(',')) return wrong("a ',' or ']' is expected");
    }
  }

  Result<Json> read_integer() {
    const bool negative = take('-');
    const std::size_t begin = at_;
    std::int64_t value = 0;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      value = value * 10 + (text_[at_] - '0');
      if (value >= kIntegerLimit) return wrong("a number of 2^53 or more");
      ++at_;
    }
    const std::size_t digits = at_ - begin;
    if (digits == 0) return wrong("digits are expected");
    if (digits > 1 && text_[begin] == '0') return wrong("a number with a leading zero");
    if (at_ < text_.size() && (text_[at_] == '.' || text_[at_] == 'e' || text_[at_] == 'E')) {
      return wrong("a fraction or exponent: only whole numbers are used here");
    }
    if (negative && value == 0) return wrong("a negative zero");
    return Json(negative ? -value : value);
  }

  Result<unsigned> read_hex4() {
    if (at_ + 4 > text_.size()) return wrong("an escape that is cut short");
    unsigned value = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = text_[at_++];
      const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
      if (digit < 0) return wrong("an escape that is not hexadecimal");
      value = value * 16 + static_cast<unsigned>(digit);
    }
    return value;
  }

  Status read_escape(std::string& out) {
    if (at_ >= text_.size()) return wrong("an escape that is cut short");
    switch (text_[at_++]) {
      case '"': out += '"'; return ok();
      case '\\': out += '\\'; return ok();
      case '/': out += '/'; return ok();
      case 'b': out += '\b'; return ok();
      case 'f': out += '\f'; return ok();
      case 'n': out += '\n'; return ok();
      case 'r': out += '\r'; return ok();
      case 't': out += '\t'; return ok();
      case 'u': break;
      default: return wrong("an unknown escape");
    }
    unsigned c = GREFFE_TRY(read_hex4());
    if (c >= 0xDC00 && c <= 0xDFFF) return wrong("half of a surrogate pair");
    if (c >= 0xD800 && c <= 0xDBFF) {
      if (!take('\\') || !take('u')) return wrong("half of a surrogate pair");
      const unsigned low = GREFFE_TRY(read_hex4());
      if (low < 0xDC00 || low > 0xDFFF) return wrong("half of a surrogate pair");
      c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(c, out);
    return ok();
  }

  static void append_utf8(unsigned c, std::string& out) {
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else if (c < 0x800) {
      out += static_cast<char>(0xC0 | c >> 6);
      out += static_cast<char>(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
      out += static_cast<char>(0xE0 | c >> 12);
      out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
      out += static_cast<char>(0x80 | (c & 0x3F));
    } else {
      out += static_cast<char>(0xF0 | c >> 18);
      out += static_cast<char>(0x80 | (c >> 12 & 0x3F));
      out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
      out += static_cast<char>(0x80 | (c & 0x3F));
    }
  }

  Result<std::string> read_string() {
    ++at_;
    std::string out;
    for (;;) {
      const std::size_t begin = at_;
      while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' && static_cast<unsigned char>(text_[at_]) >= 0x20) ++at_;
      out += text_.substr(begin, at_ - begin);
      if (at_ >= text_.size()) return wrong("a string without its end");
      if (take('"')) return out;
      if (!take('\\')) return wrong("a control character in a string");
      GREFFE_TRY(read_escape(out));
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

Error bad_member(std::string_view key, std::string_view should_be) {
  return fail(Errc::invalid, fmt::format("\"{}\" must be {}", key, should_be));
}

void collect_objects(const Json& value, std::vector<Digest>& out) {
  if (const auto* array = value.as_array()) {
    for (const Json& element : *array) collect_objects(element, out);
  } else if (const auto* object = value.as_object()) {
    for (const auto& [key, member] : *object) {
      if (key == "sha256" || key.ends_with("_sha256")) {
        const auto* text = member.as_string();
        const auto digest = text != nullptr ? digest_from_hex(*text) : Result<Digest>(fail(Errc::invalid, ""));
        if (digest) out.push_back(*digest);
      } else {
        collect_objects(member, out);
      }
    }
  }
}

}  // namespace

const Json* Json::find(std::string_view key) const {
  const Object* object = as_object();
  if (object == nullptr) return nullptr;
  const auto found = object->find(key);
  return found == object->end() ? nullptr : &found->second;
}

Result<std::string> Json::string(std::string_view key) const {
  const Json* member = find(key);
  if (member == nullptr || member->as_string() == nullptr) return bad_member(key, "a text");
  return *member->as_string();
}

Result<std::int64_t> Json::integer(std::string_view key) const {
  const Json* member = find(key);
  if (member == nullptr || member->as_integer() == nullptr) return bad_member(key, "a whole number");
  return *member->as_integer();
}

Result<std::uint64_t> Json::size(std::string_view key) const {
  const auto number = integer(key);
  if (!number || *number < 0) return bad_member(key, "a whole number that is not negative");
  return static_cast<std::uint64_t>(*number);
}

Result<bool> Json::boolean(std::string_view key) const {
  const Json* member = find(key);
  if (member == nullptr || member->as_bool() == nullptr) return bad_member(key, "true or false");
  return *member->as_bool();
}

Result<Digest> Json::digest(std::string_view key) const {
  const auto text = string(key);
  const auto digest = text ? digest_from_hex(*text) : Result<Digest>(text.error());
  if (!digest) return bad_member(key, "64 lower-case hexadecimal digits");
  return *digest;
}

Result<UtcTime> Json::utc(std::string_view key) const {
  const auto text = string(key);
  const auto time = text ? parse_utc(*text) : Result<UtcTime>(text.error());
  if (!time) return bad_member(key, "a time like 2026-11-22T09:00:00.000Z");
  return *time;
}

Result<Json::Array> Json::array(std::string_view key) const {
  const Json* member = find(key);
  if (member == nullptr || member->as_array() == nullptr) return bad_member(key, "a list");
  return *member->as_array();
}

Result<Json> Json::object(std::string_view key) const {
  const Json* member = find(key);
  if (member == nullptr || member->as_object() == nullptr) return bad_member(key, "an object");
  return *member;
}

Result<std::vector<std::string>> Json::strings(std::string_view key) const {
  const auto list = array(key);
  if (!list) return bad_member(key, "a list of texts");
  std::vector<std::string> out;
  for (const Json& element : *list) {
    if (element.as_string() == nullptr) return bad_member(key, "a list of texts");
    out.push_back(*element.as_string());
  }
  return out;
}

Json& Json::set(std::string key, Json value) {
  if (as_object() == nullptr) value_ = Object{};
  as_object()->insert_or_assign(std::move(key), std::move(value));
  return *this;
}

Json& Json::push(Json value) {
  if (as_array() == nullptr) value_ = Array{};
  as_array()->push_back(std::move(value));
  return *this;
}

std::string write_json(const Json& value) {
  std::string out;
  out.reserve(512);  // most entries
  write_value(value, out);
  return out;
}

Result<Json> parse_json(std::string_view text) { return Parser(text).whole(); }

Result<Json> parse_canonical_json(std::string_view text) {
  Json value = GREFFE_TRY(parse_json(text));
  if (write_json(value) != text) {
    return fail(Errc::invalid, "JSON: not in its canonical form (RFC 8785: sorted keys, no spaces, shortest escapes)");
  }
  return value;
}

std::vector<Digest> named_objects(const Json& value) {
  std::vector<Digest> out;
  collect_objects(value, out);
  return out;
}

}  // namespace greffe
