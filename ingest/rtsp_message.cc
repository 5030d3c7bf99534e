#include "ingest/rtsp_message.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/base/bytes.h"

namespace greffe::ingest {
namespace {

constexpr std::size_t kMaxFields = 128;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

Error no_message(std::string_view why) { return fail(Errc::invalid, fmt::format("what it says is not RTSP: {}", why)); }

// The next line without its end; none while it has not come whole.
std::optional<std::string_view> take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

Status read_first(std::string_view line, RtspMessage& out) {
  const std::size_t space = line.find(' ');
  const std::string_view first = line.substr(0, space);
  const std::string_view rest = space == std::string_view::npos ? "" : line.substr(space + 1);
  if (first.substr(0, 5) != "RTSP/") {
    const bool word = !first.empty() && std::all_of(first.begin(), first.end(), [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; });
    if (!word || rest.find(" RTSP/") == std::string_view::npos) return no_message("neither an answer nor a request");
    out.method = first;
    return ok();
  }
  const bool status = rest.size() >= 3 && is_digit(rest[0]) && is_digit(rest[1]) && is_digit(rest[2]) && (rest.size() == 3 || rest[3] == ' ');
  if (!status || rest[0] < '1' || rest[0] > '5') return no_message("an answer without a status");
  out.status = (rest[0] - '0') * 100 + (rest[1] - '0') * 10 + (rest[2] - '0');
  return ok();
}

Status read_field(std::string_view line, RtspMessage& out) {
  if (line.front() == ' ' || line.front() == '\t') {  // the field before goes on
    if (!out.fields.empty()) out.fields.back().second += fmt::format(" {}", trimmed(line));
    return ok();
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return ok();
  if (out.fields.size() == kMaxFields) return no_message("too many fields");
  std::string name(trimmed(line.substr(0, colon)));
  std::transform(name.begin(), name.end(), name.begin(), lower);
  out.fields.emplace_back(std::move(name), trimmed(line.substr(colon + 1)));
  return ok();
}

Result<std::size_t> body_size(const RtspMessage& message) {
  const std::string_view text = message.field("content-length");
  if (text.empty()) return std::size_t{0};
  const auto size = parse_decimal(text);
  if (!size || *size > kMaxRtspBodyBytes) return no_message("a length that cannot be");
  return static_cast<std::size_t>(*size);
}

}  // namespace

std::string_view RtspMessage::field(std::string_view name) const {
  for (const auto& [its_name, value] : fields) {
    if (its_name == name) return value;
  }
  return "";
}

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

Result<std::optional<RtspMessageRead>> read_rtsp_message(std::string_view bytes) {
  RtspMessageRead out;
  std::string_view rest = bytes;
  bool any = false;
  for (;;) {
    const std::optional<std::string_view> line = take_line(rest);
    if (bytes.size() - rest.size() > kMaxRtspHeadBytes || (!line && bytes.size() > kMaxRtspHeadBytes)) return no_message("its head does not end");
    if (!line) return std::optional<RtspMessageRead>();
    if (any && line->empty()) break;
    GREFFE_TRY(any ? read_field(*line, out.message) : read_first(*line, out.message));
    any = true;
  }
  const std::size_t body = GREFFE_TRY(body_size(out.message));
  if (rest.size() < body) return std::optional<RtspMessageRead>();
  out.message.body = rest.substr(0, body);
  out.size = bytes.size() - rest.size() + body;
  return std::optional<RtspMessageRead>(std::move(out));
}

}  // namespace greffe::ingest
