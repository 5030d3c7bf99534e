// Strict readers of the members of an entry: each checks the type, the range and the spelling, and its error names the
// key. Pure. Only for the entries of logs; documents allow free text, logs never do.
#ifndef GREFFE_ARCHIVE_FORMAT_MEMBERS_H
#define GREFFE_ARCHIVE_FORMAT_MEMBERS_H

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format/canonical_json.h"
#include "archive/format/ed25519.h"
#include "archive/format/names.h"

namespace greffe {

constexpr std::int64_t kEntryVersion = 1;

// An entry as it was read: canonical JSON of at most 65,535 bytes with "kind" and "v".
struct RawEntry {
  Json json;
  std::string kind;
  std::int64_t version = 0;
};
Result<RawEntry> read_raw_entry(std::string_view bytes);

Result<std::string> name_member(const Json& json, std::string_view key);           // is_valid_name
Result<std::string> optional_name_member(const Json& json, std::string_view key);  // empty when absent
Result<std::vector<std::string>> name_list_member(const Json& json, std::string_view key);  // none twice
// 1 to 255 printable ASCII characters without spaces: boot ids, codec strings, volume ids.
Result<std::string> token_member(const Json& json, std::string_view key);
Result<std::string> optional_token_member(const Json& json, std::string_view key);
// 1 to 64 of A-Z a-z 0-9 - _: account pseudonyms and session ids, random ids of ours, never names.
Result<std::string> id_member(const Json& json, std::string_view key);
Result<std::string> choice_member(const Json& json, std::string_view key,
                                  std::initializer_list<std::string_view> choices);
Result<std::int64_t> duration_member(const Json& json, std::string_view key);  // >= 0
Result<std::string> archive_name_member(const Json& json, std::string_view key);
Result<HearingId> hearing_member(const Json& json, std::string_view key);
Result<PublicKey> key_member(const Json& json, std::string_view key);

// "objects":[{"sha256":…}] of both kinds of `lost`.
Json::Array write_objects(const std::vector<Digest>& objects);
Result<std::vector<Digest>> objects_member(const Json& json, std::string_view key);  // at least one, none twice

Json list_of(const std::vector<std::string>& texts);

// Ed25519 signatures in base64.
Json signature_list(const std::vector<Signature>& signatures);
Result<std::vector<Signature>> signatures_member(const Json& json, std::string_view key);

}  // namespace greffe

#endif
