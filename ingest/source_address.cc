#include "ingest/source_address.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace greffe::ingest {
namespace {

struct Scheme {
  std::string_view prefix;
  SourceAddress::Kind kind;
  std::vector<std::string_view> options;
};
const std::array<Scheme, 5>& schemes() {
  static const std::array<Scheme, 5> all{{{"rtsp://", SourceAddress::Kind::rtsp, {}},
                                          {"alsa:", SourceAddress::Kind::alsa, {"rate", "channels"}},
                                          {"v4l2:", SourceAddress::Kind::v4l2, {"size", "rate", "format"}},
                                          {"file:", SourceAddress::Kind::file, {}},
                                          {"test:", SourceAddress::Kind::test, {"size", "rate", "frequency"}}}};
  return all;
}

constexpr std::size_t kMaxTextBytes = 2048;

Error refused(std::string_view why) {
  return fail(Errc::invalid, fmt::format("{}. A source is rtsp://host/path, alsa:DEVICE, v4l2:/dev/videoN, file:PATH, test:bars or test:tone", why));
}

int hex_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_of(text[i + 1]);
    const int low = hex_of(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

// Only what names a value of ours may reach libav's option parsers.
bool is_plain(std::string_view value) {
  return !value.empty() && value.size() <= 32 && std::all_of(value.begin(), value.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '/' || c == '_';
  });
}

Status take_user(SourceAddress& out, std::string_view& rest) {
  const std::size_t end = std::min(rest.find('/'), rest.size());
  const std::size_t at = rest.substr(0, end).rfind('@');
  if (at == std::string_view::npos) return ok();
  const std::string_view both = rest.substr(0, at);
  rest.remove_prefix(at + 1);
  const std::size_t colon = both.find(':');
  const auto user = percent_decoded(both.substr(0, colon));
  const auto password = colon == std::string_view::npos ? std::optional<std::string>("") : percent_decoded(both.substr(colon + 1));
  if (!user || !password) return refused("the user or password of the camera is not percent-encoded");
  out.user = *user;
  out.password = *password;
  return ok();
}

Status take_options(SourceAddress& out, std::string_view& rest, const Scheme& scheme) {
  const std::size_t question = rest.find('?');
  if (question == std::string_view::npos) return ok();
  std::string_view options = rest.substr(question + 1);
  rest = rest.substr(0, question);
  while (!options.empty()) {
    const std::string_view one = options.substr(0, options.find('&'));
    options.remove_prefix(std::min(options.size(), one.size() + 1));
    const std::size_t equals = one.find('=');
    const std::string_view name = one.substr(0, equals);
    if (std::find(scheme.options.begin(), scheme.options.end(), name) == scheme.options.end()) {
      return refused(fmt::format("\"{}\" is not an option of {}", name, scheme.prefix));
    }
    const std::string_view value = equals == std::string_view::npos ? "" : one.substr(equals + 1);
    if (!is_plain(value)) return refused(fmt::format("\"{}\" is not a value of {}", value, name));
    out.options[std::string(name)] = value;
  }
  return ok();
}

Status check_place(const SourceAddress& address) {
  if (address.place.empty() || address.place[0] == '/') {
    if (address.kind == SourceAddress::Kind::rtsp) return refused("the camera's address names no host");
  }
  if (address.place.empty()) return refused("the source names nothing");
  if (address.kind == SourceAddress::Kind::v4l2 && address.place.rfind("/dev/", 0) != 0) return refused("a V4L2 device is a file in /dev");
  if (address.kind == SourceAddress::Kind::test && address.place != "bars" && address.place != "tone") {
    return refused(fmt::format("there is no test source \"{}\"", address.place));
  }
  const bool printable = std::all_of(address.place.begin(), address.place.end(), [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
  return printable || address.kind == SourceAddress::Kind::file ? ok() : Status(refused("a source has no spaces in it"));
}

}  // namespace

std::string SourceAddress::text() const {
  std::string out;
  for (const Scheme& scheme : schemes()) {
    if (scheme.kind == kind) out = scheme.prefix;
  }
  out += place;
  char mark = '?';
  for (const auto& [name, value] : options) {
    out += fmt::format("{}{}={}", mark, name, value);
    mark = '&';
  }
  return out;
}

Result<SourceAddress> parse_source_address(std::string_view text) {
  if (text.size() > kMaxTextBytes) return refused("the source is too long");
  for (const Scheme& scheme : schemes()) {
    if (text.substr(0, scheme.prefix.size()) != scheme.prefix) continue;
    SourceAddress out;
    out.kind = scheme.kind;
    std::string_view rest = text.substr(scheme.prefix.size());
    if (out.kind == SourceAddress::Kind::rtsp) GREFFE_TRY(take_user(out, rest));
    if (!scheme.options.empty()) GREFFE_TRY(take_options(out, rest, scheme));
    out.place = rest;
    GREFFE_TRY(check_place(out));
    return out;
  }
  return refused("this is not a source");
}

Json write_source_address(const SourceAddress& address) {
  Json out;
  out.set("source", address.text()).set("user", address.user).set("password", address.password);
  return out;
}

Result<SourceAddress> parse_source_message(const Json& json) {
  const std::string text = GREFFE_TRY(json.string("source"));
  SourceAddress out = GREFFE_TRY(parse_source_address(text));
  out.user = GREFFE_TRY(json.string("user"));
  out.password = GREFFE_TRY(json.string("password"));
  return out;
}

}  // namespace greffe::ingest
