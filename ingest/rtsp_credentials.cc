#include "ingest/rtsp_credentials.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "archive/base/bytes.h"
#include "archive/format/digest.h"

extern "C" {
#include <libavutil/md5.h>
}

namespace greffe::ingest {
namespace {

// The next `name=value` or `name="value"` of a challenge; commas stand between them.
bool take_parameter(std::string_view& rest, std::string_view& name, std::string& value) {
  const std::size_t begin = rest.find_first_not_of(" \t,");
  const std::size_t equals = rest.find('=');
  if (begin == std::string_view::npos || equals == std::string_view::npos || equals < begin) return false;
  name = trimmed(rest.substr(begin, equals - begin));
  rest.remove_prefix(equals + 1);
  value.clear();
  if (rest.empty() || rest.front() != '"') {
    const std::size_t end = std::min(rest.find(','), rest.size());
    value = trimmed(rest.substr(0, end));
    rest.remove_prefix(end);
    return true;
  }
  rest.remove_prefix(1);
  while (!rest.empty() && rest.front() != '"') {
    if (rest.front() == '\\' && rest.size() > 1) rest.remove_prefix(1);
    value += rest.front();
    rest.remove_prefix(1);
  }
  if (rest.empty()) return false;
  rest.remove_prefix(1);
  return true;
}

// Inside quotes (RFC 7230, section 3.2.6); what would end the line is left out.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\r' || c == '\n') continue;
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

bool has_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    if (same_word(trimmed(list.substr(0, end)), word)) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

std::string random_word() {
  std::array<std::uint8_t, 16> bytes{};
  fill_random(bytes);
  return to_hex(bytes);
}

}  // namespace

RtspCredentials::Challenge RtspCredentials::read(std::string_view field) {
  Challenge out;
  const std::size_t space = std::min(field.find(' '), field.size());
  const std::string_view scheme = field.substr(0, space);
  if (same_word(scheme, "Basic")) out.scheme = Scheme::basic;
  if (!same_word(scheme, "Digest")) return out;
  out.scheme = Scheme::md5;
  std::string_view rest = field.substr(space);
  std::string_view name;
  std::string value;
  while (take_parameter(rest, name, value)) {
    if (same_word(name, "realm")) out.realm = value;
    if (same_word(name, "nonce")) out.nonce = value;
    if (same_word(name, "opaque")) out.opaque = value;
    if (same_word(name, "stale")) out.stale = same_word(value, "true");
    if (same_word(name, "qop")) {
      out.counted = has_word(value, "auth");
      if (!out.counted) return Challenge();  // it wants the body in it too
    }
    if (same_word(name, "algorithm")) {
      if (!same_word(value, "MD5") && !same_word(value, "SHA-256")) return Challenge();
      out.scheme = same_word(value, "MD5") ? Scheme::md5 : Scheme::sha256;
    }
  }
  return out;
}

bool RtspCredentials::challenged(const RtspMessage& refusal) {
  Challenge best;
  for (const auto& [name, value] : refusal.fields) {
    if (name != "www-authenticate") continue;
    Challenge one = read(value);
    if (one.scheme > best.scheme) best = std::move(one);
  }
  const bool refused = challenge_.scheme != Scheme::none && !best.stale;
  if (best.scheme == Scheme::none || user_.empty() || refused) return false;
  challenge_ = std::move(best);
  count_ = 0;
  return true;
}

std::string RtspCredentials::hash(const std::string& text) const {
  if (challenge_.scheme == Scheme::sha256) return sha256(as_bytes(text)).hex();
  std::array<std::uint8_t, 16> out{};
  av_md5_sum(out.data(), as_bytes(text).data(), text.size());
  return to_hex(out);
}

std::string RtspCredentials::answer(std::string_view method, std::string_view url) {
  if (challenge_.scheme == Scheme::none) return "";
  if (challenge_.scheme == Scheme::basic) return "Basic " + to_base64(as_bytes(user_ + ":" + password_));
  const std::string secret = hash(fmt::format("{}:{}:{}", user_, challenge_.realm, password_));
  const std::string what = hash(fmt::format("{}:{}", method, url));
  std::string more, response;
  if (challenge_.counted) {
    const std::string count = fmt::format("{:08x}", ++count_);
    const std::string ours = random_word();
    response = hash(fmt::format("{}:{}:{}:{}:auth:{}", secret, challenge_.nonce, count, ours, what));
    more = fmt::format(", qop=auth, nc={}, cnonce=\"{}\"", count, ours);
  } else {
    response = hash(fmt::format("{}:{}:{}", secret, challenge_.nonce, what));
  }
  if (challenge_.scheme == Scheme::sha256) more += ", algorithm=SHA-256";
  if (!challenge_.opaque.empty()) more += ", opaque=" + quoted(challenge_.opaque);
  return fmt::format("Digest username={}, realm={}, nonce={}, uri={}, response=\"{}\"{}", quoted(user_), quoted(challenge_.realm),
                     quoted(challenge_.nonce), quoted(url), response, more);
}

}  // namespace greffe::ingest
