#include "web/officer_verbs.h"

#include "archive/format/ed25519.h"
#include "archive/format/lost_declarations.h"
#include "archive/format/names.h"
#include "archive/format/promotion.h"

namespace greffe::web {
namespace {

constexpr std::uint64_t kMaxKeyBytes = 4096;
constexpr std::uint64_t kMaxStatementBytes = 1024 * 1024;
constexpr std::uint64_t kMaxSignatureBytes = 4096;

// Empty: the last line has no end.
std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string_view::npos) return {};
    lines.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

bool says_what_is_lost(std::string_view text, const std::vector<std::string>& lines) {
  if (lines.size() < 4) return false;
  const auto id = parse_hearing_id(lines[2]);
  std::vector<Digest> objects;
  for (std::size_t i = 3; i < lines.size(); ++i) {
    const auto digest = digest_from_hex(lines[i]);
    if (!digest) return false;
    objects.push_back(*digest);
  }
  const std::optional<HearingId> hearing = id ? std::optional(*id) : std::nullopt;
  return lost_statement(lines[1], hearing, objects) == text;
}

bool promotes(std::string_view text, const std::vector<std::string>& lines) {
  if (lines.size() != 10) return false;
  const auto epoch = parse_decimal(lines[2]);
  const auto size = parse_decimal(lines[4]);
  const auto root = digest_from_hex(lines[5]);
  const auto log = parse_verifier_key(lines[6]);
  const auto holder = parse_verifier_key(lines[7]);
  const auto machine_key = public_key_from_hex(lines[9]);
  if (!epoch || !size || !root || !log || !holder || !machine_key) return false;
  PromotionEntry entry;
  entry.name = {lines[1], *epoch};
  entry.previous = {lines[3], *size, *root};
  entry.log_key = log->key;
  entry.holder = *holder;
  entry.machine_url = lines[8];
  entry.machine_key = *machine_key;
  return promotion_statement(entry) == text;
}

// What is signed is exactly what lost_statement or promotion_statement writes: nobody is made to sign something else with this key.
Status check_statement(std::string_view text) {
  const std::vector<std::string> lines = lines_of(text);
  if (says_what_is_lost(text, lines) || promotes(text, lines)) return ok();
  return fail(Errc::invalid, "this is not a statement for officers, as `greffe-archive declare-lost` and `greffe-archive promote` print them");
}

}  // namespace

Result<std::string> make_officer_key(FileSystem& files, const std::string& path) {
  if (files.stat(path)) return fail(Errc::already_exists, path + " is there already; name a file that does not exist");
  const PrivateKey key = PrivateKey::generate();
  GREFFE_TRY(files.replace(path, as_bytes(key.to_pem()), 0600));
  return key.public_key().hex();
}

Result<std::string> sign_statement(FileSystem& files, const std::string& name, const std::string& key_path, const std::string& statement_path,
                                        const std::string& out) {
  if (!is_valid_name(name)) return fail(Errc::invalid, "an officer is named with 1 to 32 small letters, digits and '-'");
  const Bytes pem = GREFFE_TRY(files.read_file(key_path, kMaxKeyBytes));
  const PrivateKey key = GREFFE_TRY(PrivateKey::from_pem(as_text(pem)));
  const Bytes statement = GREFFE_TRY(files.read_file(statement_path, kMaxStatementBytes));
  GREFFE_TRY(check_statement(as_text(statement)));
  GREFFE_TRY(files.replace(out, as_bytes(name + " " + to_base64(key.sign(statement)) + "\n"), 0644));
  return std::string(as_text(statement));
}

Result<Json> read_officer_signature(FileSystem& files, const std::string& path) {
  const Bytes bytes = GREFFE_TRY(files.read_file(path, kMaxSignatureBytes));
  std::string_view line = as_text(bytes);
  if (line.ends_with('\n')) line.remove_suffix(1);
  const std::size_t blank = line.find(' ');
  const auto signature = blank == std::string_view::npos ? Result<Bytes>(fail(Errc::invalid, "")) : from_base64(line.substr(blank + 1));
  if (!signature || !is_valid_name(line.substr(0, blank))) {
    return fail(Errc::invalid, path + " is not the signature of an officer: one line with his name and the signature in base64");
  }
  Json out;
  out.set("officer", line.substr(0, blank)).set("signature", line.substr(blank + 1));
  return out;
}

}  // namespace greffe::web
