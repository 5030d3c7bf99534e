#include "archive/format/members.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "archive/format/tiles.h"

namespace greffe {
namespace {

constexpr std::size_t kMaxTokenBytes = 255;
constexpr std::size_t kMaxIdBytes = 64;

Error bad(std::string_view key, std::string_view should_be) {
  return fail(Errc::invalid, fmt::format("\"{}\" must be {}", key, should_be));
}

bool is_id_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

}  // namespace

Result<RawEntry> read_raw_entry(std::string_view bytes) {
  if (bytes.size() > kMaxEntryBytes) return fail(Errc::invalid, "an entry has at most 65,535 bytes");
  RawEntry out;
  out.json = GREFFE_TRY(parse_canonical_json(bytes));
  // Also of a kind that is not known: it is shown to people, and a log never holds free text.
  out.kind = GREFFE_TRY(name_member(out.json, "kind"));
  out.version = GREFFE_TRY(out.json.integer("v"));
  if (out.version < 1) return bad("v", "1 or more");
  return out;
}

Result<std::string> name_member(const Json& json, std::string_view key) {
  std::string name = GREFFE_TRY(json.string(key));
  if (!is_valid_name(name)) return bad(key, "1 to 32 small letters, digits and '-'");
  return name;
}

Result<std::string> optional_name_member(const Json& json, std::string_view key) {
  return json.has(key) ? name_member(json, key) : Result<std::string>(std::string());
}

Result<std::vector<std::string>> name_list_member(const Json& json, std::string_view key) {
  std::vector<std::string> out = GREFFE_TRY(json.strings(key));
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!is_valid_name(out[i])) return bad(key, "a list of names of 1 to 32 small letters, digits and '-'");
  }
  if (std::set<std::string_view>(out.begin(), out.end()).size() != out.size()) return bad(key, "a list that names nothing twice");
  return out;
}

Result<std::string> token_member(const Json& json, std::string_view key) {
  std::string text = GREFFE_TRY(json.string(key));
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (text.empty() || text.size() > kMaxTokenBytes || !plain) {
    return bad(key, "1 to 255 ASCII characters without spaces");
  }
  return text;
}

Result<std::string> optional_token_member(const Json& json, std::string_view key) {
  return json.has(key) ? token_member(json, key) : Result<std::string>(std::string());
}

Result<std::string> id_member(const Json& json, std::string_view key) {
  std::string id = GREFFE_TRY(json.string(key));
  if (id.empty() || id.size() > kMaxIdBytes || !std::all_of(id.begin(), id.end(), is_id_character)) {
    return bad(key, "an id of 1 to 64 letters, digits, '-' and '_'");
  }
  return id;
}

Result<std::string> choice_member(const Json& json, std::string_view key,
                                  std::initializer_list<std::string_view> choices) {
  std::string text = GREFFE_TRY(json.string(key));
  if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
    return bad(key, fmt::format("one of: {}", fmt::join(choices, ", ")));
  }
  return text;
}

Result<std::int64_t> duration_member(const Json& json, std::string_view key) {
  const std::int64_t value = GREFFE_TRY(json.integer(key));
  if (value < 0) return bad(key, "a whole number that is not negative");
  return value;
}

Result<std::string> archive_name_member(const Json& json, std::string_view key) {
  std::string name = GREFFE_TRY(json.string(key));
  if (!is_valid_archive_name(name)) return bad(key, "the name of an archive");
  return name;
}

Result<HearingId> hearing_member(const Json& json, std::string_view key) {
  const std::string text = GREFFE_TRY(json.string(key));
  const auto id = parse_hearing_id(text);
  if (!id) return bad(key, "a version 7 UUID in lower case");
  return *id;
}

Result<PublicKey> key_member(const Json& json, std::string_view key) {
  const std::string text = GREFFE_TRY(json.string(key));
  const auto out = public_key_from_hex(text);
  if (!out) return bad(key, "an Ed25519 public key: 64 lower-case hexadecimal digits");
  return *out;
}

Json::Array write_objects(const std::vector<Digest>& objects) {
  Json::Array out;
  for (const Digest& digest : objects) {
    Json object;
    object.set("sha256", digest);
    out.push_back(std::move(object));
  }
  return out;
}

Result<std::vector<Digest>> objects_member(const Json& json, std::string_view key) {
  const Json::Array objects = GREFFE_TRY(json.array(key));
  std::vector<Digest> out;
  for (const Json& object : objects) out.push_back(GREFFE_TRY(object.digest("sha256")));
  if (out.empty()) return bad(key, "a list with at least one object");
  if (std::set<Digest>(out.begin(), out.end()).size() != out.size()) return bad(key, "a list that names nothing twice");
  return out;
}

Json list_of(const std::vector<std::string>& texts) {
  Json::Array out;
  for (const std::string& text : texts) out.push_back(text);
  return out;
}

Json signature_list(const std::vector<Signature>& signatures) {
  std::vector<std::string> texts;
  for (const Signature& signature : signatures) texts.push_back(to_base64(signature));
  return list_of(texts);
}

Result<std::vector<Signature>> signatures_member(const Json& json, std::string_view key) {
  std::vector<Signature> out;
  const std::vector<std::string> texts = GREFFE_TRY(json.strings(key));
  for (const std::string& text : texts) {
    const auto bytes = from_base64(text);
    if (!bytes || bytes->size() != Signature().size()) return bad(key, "a list of Ed25519 signatures in base64");
    std::copy(bytes->begin(), bytes->end(), out.emplace_back().begin());
  }
  return out;
}

}  // namespace greffe
