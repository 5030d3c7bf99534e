#include "archive/format/documents.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/format/characters.h"
#include "archive/format/names.h"

namespace greffe {
namespace {

constexpr std::size_t kSaltBytes = 32;
constexpr std::size_t kMaxWrittenBytes = kMaxDocumentBytes / 2;  // by a person; stored, it has a salt and every member
constexpr std::size_t kMaxListItems = 1000;
constexpr std::size_t kMaxNameBytes = 2000;

std::string fresh_salt() {
  std::array<std::uint8_t, kSaltBytes> salt{};
  fill_random(salt);
  return to_hex(salt);
}

Json list(const std::vector<std::string>& texts) {
  Json::Array out;
  for (const std::string& text : texts) out.push_back(text);
  return out;
}

// One line that people read: names, titles, roles.
Status check_line(std::string_view text, std::string_view key) {
  if (text.size() > kMaxNameBytes) return fail(Errc::invalid, fmt::format("\"{}\" is longer than 2,000 bytes", key));
  if (has_control_character(text)) {
    return fail(Errc::invalid, fmt::format("\"{}\" has a control character (a line break or tab, perhaps); take it out", key));
  }
  return ok();
}

Result<std::string> text_or_empty(const Json& json, std::string_view key) {
  std::string text = json.has(key) ? GREFFE_TRY(json.string(key)) : std::string();
  GREFFE_TRY(check_line(text, key));
  return text;
}

Result<std::vector<std::string>> texts_or_none(const Json& json, std::string_view key) {
  std::vector<std::string> out;
  if (json.has(key)) out = GREFFE_TRY(json.strings(key));
  if (out.size() > kMaxListItems) return fail(Errc::invalid, fmt::format("\"{}\" has more than 1,000 items", key));
  for (const std::string& text : out) {
    if (text.empty()) return fail(Errc::invalid, fmt::format("\"{}\" has an empty item", key));
    GREFFE_TRY(check_line(text, key));
  }
  return out;
}

// What a person wrote must not lose a member to a spelling mistake. A stored document may have members of the future.
Status refuse_unknown(const Json& json, std::initializer_list<std::string_view> known) {
  if (json.as_object() == nullptr) return fail(Errc::invalid, "the details, each party and each part must be a JSON object");
  for (const auto& [key, member] : *json.as_object()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      return fail(Errc::invalid, fmt::format("\"{}\" is not a member of the details; these are: {}", key.substr(0, 40),
                                             fmt::join(known, ", ")));
    }
  }
  return ok();
}

Status refuse_unknown_in_each(const Json& json, std::string_view key, std::initializer_list<std::string_view> known) {
  if (!json.has(key)) return ok();
  const Json::Array list = GREFFE_TRY(json.array(key));
  for (const Json& one : list) GREFFE_TRY(refuse_unknown(one, known));
  return ok();
}

Status refuse_mistakes(const Json& json) {
  GREFFE_TRY(refuse_unknown(json, {"cases", "clerk", "judges", "kind", "language", "parties", "parts", "public",
                                   "scheduled", "title", "v"}));
  GREFFE_TRY(refuse_unknown_in_each(json, "parties", {"name", "role", "spellings"}));
  return refuse_unknown_in_each(json, "parts", {"cases", "from", "to"});
}

Status check_kind(const Json& json, std::string_view kind) {
  const std::string found = GREFFE_TRY(json.string("kind"));
  if (found != kind) return fail(Errc::invalid, fmt::format("\"kind\" must be \"{}\"", kind));
  const std::int64_t version = GREFFE_TRY(json.integer("v"));
  if (version != 1) return fail(Errc::invalid, fmt::format("version {} of \"{}\" is not known to this program", version, kind));
  return ok();
}

bool is_language(std::string_view text) {  // BCP 47, by its characters
  return text.size() <= 35 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

Status check_cases(const std::vector<std::string>& cases) {
  for (const std::string& number : cases) GREFFE_TRY(check_case_number(number));
  return ok();
}

Result<Party> read_party(const Json& json) {
  Party party;
  party.name = GREFFE_TRY(json.string("name"));
  if (party.name.empty()) return fail(Errc::invalid, "a party's \"name\" is empty");
  GREFFE_TRY(check_line(party.name, "name"));
  party.role = GREFFE_TRY(text_or_empty(json, "role"));
  party.spellings = GREFFE_TRY(texts_or_none(json, "spellings"));
  return party;
}

Result<HearingPart> read_part(const Json& json) {
  HearingPart part;
  part.from = GREFFE_TRY(json.utc("from"));
  part.to = GREFFE_TRY(json.utc("to"));
  part.cases = GREFFE_TRY(texts_or_none(json, "cases"));
  if (part.to < part.from) return fail(Errc::invalid, "a part ends before it begins");
  GREFFE_TRY(check_cases(part.cases));
  return part;
}

Status check_salt(const Json& json) {
  const std::string salt = GREFFE_TRY(json.string("salt"));
  const auto bytes = from_hex(salt);
  if (!bytes || bytes->size() != kSaltBytes) return fail(Errc::invalid, "\"salt\" must be 64 hexadecimal digits");
  return ok();
}

}  // namespace

std::string write_details(const Details& details) {
  Json out;
  Json::Array parties;
  for (const Party& party : details.parties) {
    Json p;
    p.set("name", party.name).set("role", party.role).set("spellings", list(party.spellings));
    parties.push_back(std::move(p));
  }
  Json::Array parts;
  for (const HearingPart& part : details.parts) {
    Json p;
    p.set("cases", list(part.cases)).set("from", part.from).set("to", part.to);
    parts.push_back(std::move(p));
  }
  out.set("cases", list(details.cases)).set("clerk", details.clerk).set("judges", list(details.judges));
  out.set("kind", "details").set("language", details.language).set("parties", std::move(parties));
  out.set("parts", std::move(parts)).set("public", details.is_public).set("salt", fresh_salt());
  if (details.scheduled.ms != 0) out.set("scheduled", details.scheduled);
  out.set("title", details.title).set("v", 1);
  return write_json(out);
}

Result<Details> parse_details(std::string_view text) {
  if (text.size() > kMaxDocumentBytes) return fail(Errc::invalid, "the details have more than 256 KiB");
  const Json json = GREFFE_TRY(parse_json(text));
  if (json.as_object() == nullptr) return fail(Errc::invalid, "the details must be a JSON object");
  const bool stored = json.has("salt");
  if (stored) GREFFE_TRY(check_salt(json));
  if (stored || json.has("kind") || json.has("v")) GREFFE_TRY(check_kind(json, "details"));
  if (!stored && text.size() > kMaxWrittenBytes) return fail(Errc::invalid, "the details have more than 128 KiB");
  if (!stored) GREFFE_TRY(refuse_mistakes(json));
  Details out;
  out.cases = GREFFE_TRY(texts_or_none(json, "cases"));
  GREFFE_TRY(check_cases(out.cases));
  if (json.has("parties")) {
    const Json::Array parties = GREFFE_TRY(json.array("parties"));
    if (parties.size() > kMaxListItems) return fail(Errc::invalid, "\"parties\" has more than 1,000 items");
    for (const Json& party : parties) out.parties.push_back(GREFFE_TRY(read_party(party)));
  }
  out.judges = GREFFE_TRY(texts_or_none(json, "judges"));
  out.clerk = GREFFE_TRY(text_or_empty(json, "clerk"));
  out.title = GREFFE_TRY(text_or_empty(json, "title"));
  if (json.has("scheduled")) out.scheduled = GREFFE_TRY(json.utc("scheduled"));
  if (json.has("public")) out.is_public = GREFFE_TRY(json.boolean("public"));
  if (json.has("parts")) {
    const Json::Array parts = GREFFE_TRY(json.array("parts"));
    if (parts.size() > kMaxListItems) return fail(Errc::invalid, "\"parts\" has more than 1,000 items");
    for (const Json& part : parts) out.parts.push_back(GREFFE_TRY(read_part(part)));
  }
  out.language = GREFFE_TRY(text_or_empty(json, "language"));
  if (!is_language(out.language)) return fail(Errc::invalid, "\"language\" must be a language tag like fr or zh-CN");
  return out;
}

std::string write_note(std::string_view kind, std::string_view text) {
  Json out;
  out.set("kind", kind).set("salt", fresh_salt()).set("text", text).set("v", 1);
  return write_json(out);
}

Result<std::string> parse_note(std::string_view document) {
  if (document.size() > kMaxDocumentBytes) return fail(Errc::invalid, "a note has more than 256 KiB");
  const Json json = GREFFE_TRY(parse_canonical_json(document));
  GREFFE_TRY(check_salt(json));
  return json.string("text");
}

std::string write_place_names(const std::map<std::string, std::string>& name_by_language) {
  Json names;
  for (const auto& [language, name] : name_by_language) names.set(language, name);
  Json out;
  out.set("kind", "place-names").set("names", std::move(names)).set("salt", fresh_salt()).set("v", 1);
  return write_json(out);
}

Result<std::map<std::string, std::string>> parse_place_names(std::string_view document) {
  if (document.size() > kMaxDocumentBytes) return fail(Errc::invalid, "a list of names has more than 256 KiB");
  const Json json = GREFFE_TRY(parse_canonical_json(document));
  GREFFE_TRY(check_kind(json, "place-names"));
  GREFFE_TRY(check_salt(json));
  const Json names = GREFFE_TRY(json.object("names"));
  std::map<std::string, std::string> out;
  for (const auto& [language, name] : *names.as_object()) {
    if (name.as_string() == nullptr || language.empty() || !is_language(language)) {
      return fail(Errc::invalid, "\"names\" must map language tags to texts");
    }
    GREFFE_TRY(check_line(*name.as_string(), "names"));
    out.emplace(language, *name.as_string());
  }
  return out;
}

}  // namespace greffe
