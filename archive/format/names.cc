#include "archive/format/names.h"

#include <algorithm>

#include "archive/format/characters.h"

namespace greffe {
namespace {

constexpr std::size_t kMaxNameBytes = 32;
constexpr std::size_t kMaxArchiveNameBytes = 120;
constexpr std::size_t kMaxCaseNumberCharacters = 200;
constexpr std::size_t kMaxOriginBytes = 200;
constexpr std::string_view kHttps = "https://";

bool is_small_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// "2026/11/22": the UTC date inside the UUIDv7.
std::string date_path(const HearingId& id) {
  std::string date = to_date(id.time());
  std::replace(date.begin(), date.end(), '-', '/');
  return date;
}

}  // namespace

bool is_valid_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_small_letter_or_digit(c) || c == '-'; });
}

bool is_valid_archive_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxArchiveNameBytes) return false;
  if (name.front() == '.' || name.back() == '.' || name.find("..") != std::string_view::npos) return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return is_small_letter_or_digit(c) || c == '-' || c == '.'; });
}

bool is_https_origin(std::string_view text) {
  if (text.size() > kMaxOriginBytes || !text.starts_with(kHttps)) return false;
  const std::string_view host = text.substr(kHttps.size());
  if (host.empty() || host.front() == ':' || host.back() == ':') return false;
  return std::all_of(host.begin(), host.end(), [](char c) {
    return is_small_letter_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == ':' || c == '[' || c == ']';
  });
}

Status check_case_number(std::string_view text) {
  if (!is_valid_utf8(text)) return fail(Errc::invalid, "a case number is not valid UTF-8 text");
  if (has_control_character(text)) {
    return fail(Errc::invalid, "a case number has a control character (a line break or tab, perhaps); take it out");
  }
  std::string_view rest = text;
  while (const std::size_t space = leading_space_bytes(rest)) rest.remove_prefix(space);
  if (rest.empty()) return fail(Errc::invalid, "a case number is empty; give the number as it stands on the file");
  const auto characters = static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  if (characters > kMaxCaseNumberCharacters) {
    return fail(Errc::invalid, "a case number has " + std::to_string(characters) + " characters; at most 200 are kept");
  }
  return ok();
}

std::string HearingId::text() const {
  const std::string hex = to_hex(bytes);
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" + hex.substr(20);
}

UtcTime HearingId::time() const {
  std::int64_t ms = 0;
  for (std::size_t i = 0; i < 6; ++i) ms = ms << 8 | bytes[i];
  return UtcTime{ms};
}

Result<HearingId> parse_hearing_id(std::string_view text) {
  const Error wrong = fail(Errc::invalid, "\"" + std::string(text.substr(0, 64)) + "\" is not a hearing id (a version 7 UUID in small letters)");
  if (text.size() != 36) return wrong;
  std::string hex;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash != (text[i] == '-')) return wrong;
    if (!dash) hex += text[i];
  }
  const auto bytes = from_hex(hex);
  if (!bytes || (*bytes)[6] >> 4 != 7 || (*bytes)[8] >> 6 != 2) return wrong;
  HearingId id;
  std::copy(bytes->begin(), bytes->end(), id.bytes.begin());
  constexpr std::int64_t kEndOfYear9999 = 253'402'300'800'000;
  if (id.time().ms >= kEndOfYear9999) return wrong;  // its path has a date
  return id;
}

HearingId make_hearing_id(UtcTime now) {
  HearingId id;
  fill_random(id.bytes);
  for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(now.ms >> (40 - 8 * i));
  id.bytes[6] = static_cast<std::uint8_t>(0x70 | (id.bytes[6] & 0x0F));
  id.bytes[8] = static_cast<std::uint8_t>(0x80 | (id.bytes[8] & 0x3F));
  return id;
}

std::string hearing_origin(std::string_view archive_name, const HearingId& id) {
  return std::string(archive_name) + "/hearing/" + id.text();
}

Result<HearingOrigin> parse_hearing_origin(std::string_view origin) {
  constexpr std::string_view kMiddle = "/hearing/";
  const std::size_t at = origin.find(kMiddle);
  if (at == std::string_view::npos || !is_valid_archive_name(origin.substr(0, at))) {
    return fail(Errc::invalid, "not the origin of a hearing log");
  }
  const HearingId id = GREFFE_TRY(parse_hearing_id(origin.substr(at + kMiddle.size())));
  return HearingOrigin{std::string(origin.substr(0, at)), id};
}

std::string object_key(const Digest& digest) {
  const std::string hex = digest.hex();
  return "sha256/" + hex.substr(0, 2) + "/" + hex.substr(2, 2) + "/" + hex;
}

Result<Digest> parse_object_key(std::string_view key) {
  constexpr std::size_t kPrefixBytes = 13;  // "sha256/ab/cd/"
  if (key.size() != kPrefixBytes + 64) return fail(Errc::invalid, "not the key of an object");
  const Digest digest = GREFFE_TRY(digest_from_hex(key.substr(kPrefixBytes)));
  if (object_key(digest) != key) return fail(Errc::invalid, "not the key of an object");
  return digest;
}

std::string main_log_path() { return "log/main"; }
std::string hearing_log_path(const HearingId& id) { return "log/hearing/" + date_path(id) + "/" + id.text(); }
std::string foreign_log_path(std::string_view origin) { return "log/from/" + sha256(as_bytes(origin)).hex(); }
std::string open_marker_path(const HearingId& id) { return "log/open/" + id.text(); }
std::string checkpoint_path(std::string_view log_path) { return std::string(log_path) + "/checkpoint"; }

std::string cosigned_path(std::string_view log_path, std::uint32_t key_id) {
  const std::uint8_t id[] = {static_cast<std::uint8_t>(key_id >> 24), static_cast<std::uint8_t>(key_id >> 16),
                             static_cast<std::uint8_t>(key_id >> 8), static_cast<std::uint8_t>(key_id)};
  return std::string(log_path) + "/cosigned/" + to_hex(id);
}

std::string StageName::text() const { return std::to_string(first) + "-" + std::to_string(size) + "-" + root.hex(); }

Result<StageName> parse_stage_name(std::string_view text) {
  const std::size_t a = text.find('-');
  const std::size_t b = a == std::string_view::npos ? a : text.find('-', a + 1);
  if (b == std::string_view::npos) return fail(Errc::invalid, "not the name of a stage");
  StageName out;
  out.first = GREFFE_TRY(parse_decimal(text.substr(0, a)));
  out.size = GREFFE_TRY(parse_decimal(text.substr(a + 1, b - a - 1)));
  out.root = GREFFE_TRY(digest_from_hex(text.substr(b + 1)));
  if (out.first > out.size) return fail(Errc::invalid, "a stage that ends before it begins");
  return out;
}

std::string stage_path(std::string_view log_path, const StageName& stage) {
  return std::string(log_path) + "/stage/" + stage.text();
}

}  // namespace greffe
