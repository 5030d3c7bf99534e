#include "archive/client/archive_client.h"

namespace greffe::client {
namespace {

constexpr std::size_t kMaxCodeBytes = 16 * 1024;
constexpr std::size_t kMaxAddressBytes = 300;
constexpr std::size_t kMaxCosigners = 16;

Error unreadable(const Error& why) {
  return fail(why.code, "This is not an enrolment code; copy it whole from where it was made: " + why.message);
}

Result<std::string> name_member(const Json& json, std::string_view key) {
  std::string name = GREFFE_TRY(json.string(key));
  if (!is_valid_name(name)) return fail(Errc::invalid, std::string(key) + " is not a name");
  return name;
}

Result<EnrolmentCode> parse_members(const Json& json) {
  EnrolmentCode code;
  code.address = GREFFE_TRY(json.string("address"));
  if (!code.address.starts_with("https://") || code.address.size() > kMaxAddressBytes ||
      code.address.find_first_of(" \t\r\n@?#") != std::string::npos) {
    return fail(Errc::invalid, "the address is not https://host:port");
  }
  code.server_spki = GREFFE_TRY(json.digest("server_key"));
  const std::string log = GREFFE_TRY(json.string("log"));
  code.log = GREFFE_TRY(parse_verifier_key(log));
  const std::vector<std::string> cosigners = GREFFE_TRY(json.strings("cosigners"));
  if (cosigners.size() > kMaxCosigners) return fail(Errc::invalid, "it names more than 16 cosigners");
  for (const std::string& text : cosigners) code.cosigners.push_back(GREFFE_TRY(parse_verifier_key(text)));
  code.name = GREFFE_TRY(json.string("name"));
  code.role = GREFFE_TRY(json.string("role"));
  if (code.role == "station") {
    if (!is_valid_name(code.name)) return fail(Errc::invalid, "name is not a name");
    code.court = GREFFE_TRY(name_member(json, "court"));
    code.room = GREFFE_TRY(name_member(json, "room"));
  } else if (code.role == "returning") {
    GREFFE_TRY(parse_epoch_origin(code.name));
  } else if (code.role != "replicator" && code.role != "reader") {
    return fail(Errc::invalid, "role is none of station, replicator, returning and reader");
  } else if (!is_valid_archive_name(code.name) && !is_valid_name(code.name)) {
    return fail(Errc::invalid, "name is not a name");
  }
  code.secret = GREFFE_TRY(json.string("secret"));
  const Bytes secret = GREFFE_TRY(from_base64url(code.secret));
  if (secret.size() != 32) return fail(Errc::invalid, "the secret does not have 32 bytes");
  return code;
}

}  // namespace

std::string write_enrolment_code(const EnrolmentCode& code) {
  Json::Array cosigners;
  for (const VerifierKey& key : code.cosigners) cosigners.emplace_back(key.text());
  Json json;
  json.set("address", code.address).set("cosigners", std::move(cosigners)).set("log", code.log.text());
  json.set("name", code.name).set("role", code.role).set("secret", code.secret).set("server_key", code.server_spki);
  if (code.role == "station") json.set("court", code.court).set("room", code.room);
  return to_base64url(as_bytes(write_json(json)));
}

Result<EnrolmentCode> parse_enrolment_code(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  if (text.size() > kMaxCodeBytes) return unreadable(fail(Errc::invalid, "it is too long"));
  const Result<Bytes> bytes = from_base64url(text);
  if (!bytes) return unreadable(bytes.error());
  const Result<Json> json = parse_canonical_json(as_text(*bytes));
  if (!json) return unreadable(json.error());
  Result<EnrolmentCode> code = parse_members(*json);
  if (!code) return unreadable(code.error());
  return code;
}

Digest spki_digest(const PublicKey& key) {
  // RFC 8410: SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING (32 bytes) }
  static constexpr std::uint8_t kPrefix[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
  Bytes spki(std::begin(kPrefix), std::end(kPrefix));
  spki.insert(spki.end(), key.bytes.begin(), key.bytes.end());
  return sha256(spki);
}

}  // namespace greffe::client
