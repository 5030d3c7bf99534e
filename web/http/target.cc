#include "web/http/target.h"

#include <algorithm>
#include <optional>

#include "archive/base/bytes.h"

namespace greffe::http {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

enum class Plus { stays, is_space };

std::optional<std::string> percent_decoded(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus == Plus::is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

// One decoded segment of the path, between two slashes.
Result<std::string> parse_segment(std::string_view raw) {
  auto segment = percent_decoded(raw, Plus::stays);
  if (!segment) return fail(Errc::invalid, "The address has a percent sign without two hexadecimal digits.");
  if (*segment == "." || *segment == "..") return fail(Errc::invalid, "The address has a dot segment.");
  if (segment->find('/') != std::string::npos || segment->find('\\') != std::string::npos) {
    return fail(Errc::invalid, "The address hides a slash.");
  }
  if (has_control(*segment)) return fail(Errc::invalid, "The address has a control character.");
  if (!is_valid_utf8(*segment)) return fail(Errc::invalid, "The address is not UTF-8.");
  return *std::move(segment);
}

Status parse_query(std::string_view text, std::multimap<std::string, std::string>& query) {
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    auto name = percent_decoded(pair.substr(0, equals), Plus::is_space);
    auto value = percent_decoded(pair.substr(std::min(equals + 1, pair.size())), Plus::is_space);
    if (!name || !value) return fail(Errc::invalid, "The query has a percent sign without two hexadecimal digits.");
    if (name->find('\0') != std::string::npos || value->find('\0') != std::string::npos) {
      return fail(Errc::invalid, "The query has a NUL character.");
    }
    if (!is_valid_utf8(*name) || !is_valid_utf8(*value)) return fail(Errc::invalid, "The query is not UTF-8.");
    query.emplace(*std::move(name), *std::move(value));
  }
  return ok();
}

}  // namespace

Result<Target> parse_target(std::string_view target) {
  if (target.empty() || target.front() != '/') {
    return fail(Errc::invalid, "The address of the request must be a path that starts with a slash.");
  }
  const bool visible = std::all_of(target.begin(), target.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!visible || target.find('#') != std::string_view::npos) {
    return fail(Errc::invalid, "The address has a character that must be written with a percent sign.");
  }
  const auto question = std::min(target.find('?'), target.size());
  Target out;
  std::string_view rest = target.substr(1, question - 1);
  for (;;) {
    const auto slash = rest.find('/');
    const std::string_view raw = rest.substr(0, slash);
    if (raw.empty() && slash != std::string_view::npos) {
      return fail(Errc::invalid, "The address has two slashes in a row.");
    }
    out.path += '/';
    out.path += GREFFE_TRY(parse_segment(raw));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (question < target.size()) GREFFE_TRY(parse_query(target.substr(question + 1), out.query));
  return out;
}

}  // namespace greffe::http
