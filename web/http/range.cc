#include "web/http/range.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace greffe::http {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Digits only. A number beyond 64 bits is the largest one: it is still a valid position past the end.
std::optional<std::uint64_t> position(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc::result_out_of_range ? std::numeric_limits<std::uint64_t>::max() : value;
}

bool has_unit(std::string_view header) {
  constexpr std::string_view kUnit = "bytes=";
  if (header.size() < kUnit.size()) return false;
  return std::equal(kUnit.begin(), kUnit.end(), header.begin(),
                    [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b - 'A' + 'a' : b); });
}

}  // namespace

ByteRange parse_range(std::string_view header, std::uint64_t file_size) {
  const ByteRange whole{RangeKind::whole, 0, file_size};
  const ByteRange unsatisfiable{RangeKind::unsatisfiable, 0, 0};
  header = trimmed(header);
  if (!has_unit(header)) return whole;
  const std::string_view range = trimmed(header.substr(6));
  const auto dash = range.find('-');
  if (dash == std::string_view::npos || range.find(',') != std::string_view::npos) return whole;
  const std::string_view first_text = trimmed(range.substr(0, dash));
  const std::string_view last_text = trimmed(range.substr(dash + 1));

  if (first_text.empty()) {  // "-N": the last N bytes
    const auto count = position(last_text);
    if (!count) return whole;
    if (*count == 0 || file_size == 0) return unsatisfiable;
    const std::uint64_t size = std::min(*count, file_size);
    return {RangeKind::part, file_size - size, size};
  }
  const auto first = position(first_text);
  if (!first) return whole;
  std::uint64_t last = std::numeric_limits<std::uint64_t>::max();
  if (!last_text.empty()) {
    const auto given = position(last_text);
    if (!given || *given < *first) return whole;
    last = *given;
  }
  if (*first >= file_size) return unsatisfiable;
  return {RangeKind::part, *first, std::min(last, file_size - 1) - *first + 1};
}

bool names_etag(std::string_view if_none_match, std::string_view etag) {
  if (trimmed(if_none_match) == "*") return true;
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  // Tags may contain commas within their quotes.
  std::string_view rest = if_none_match;
  for (;;) {
    const auto open = rest.find('"');
    if (open == std::string_view::npos) return false;
    const auto close = rest.find('"', open + 1);
    if (close == std::string_view::npos) return false;
    if (rest.substr(open, close - open + 1) == etag) return true;
    rest.remove_prefix(close + 1);
  }
}

bool if_range_holds(std::string_view if_range, std::string_view etag) {
  const std::string_view value = trimmed(if_range);
  return value.empty() || (value == etag && !etag.starts_with("W/"));
}

}  // namespace greffe::http
