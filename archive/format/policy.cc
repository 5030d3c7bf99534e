#include "archive/format/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

namespace greffe {
namespace {

constexpr std::size_t kMaxPolicyBytes = 256 * 1024;
constexpr std::size_t kMaxItems = 1024;
constexpr std::size_t kMaxProofHashes = 63;
constexpr std::string_view kProofHeader = "c2sp.org/tlog-proof@v1";

std::vector<std::string_view> split_items(std::string_view line) {
  std::vector<std::string_view> out;
  std::size_t at = 0;
  while (at < line.size()) {
    const std::size_t begin = line.find_first_not_of(" \t", at);
    if (begin == std::string_view::npos) break;
    const std::size_t end = std::min(line.find_first_of(" \t", begin), line.size());
    out.push_back(line.substr(begin, end - begin));
    at = end;
  }
  return out;
}

// Reads a policy line by line; what was defined before is known.
class PolicyReader {
 public:
  Status line(const std::vector<std::string_view>& items) {
    if (items[0] == "log") return log(items);
    if (items[0] == "witness") return witness(items);
    if (items[0] == "group") return group(items);
    if (items[0] == "quorum") return quorum(items);
    return fail(Errc::invalid, "unknown word \"" + std::string(items[0].substr(0, 40)) + "\"");
  }
  Result<Policy> finish() && {
    if (policy_.logs.empty()) return fail(Errc::invalid, "the policy names no log");
    if (policy_.quorum.empty()) return fail(Errc::invalid, "the policy has no quorum line");
    return std::move(policy_);
  }

 private:
  Status new_key(const VerifierKey& key) {
    if (keys_.insert(key.key).second) return ok();
    return fail(Errc::invalid, "the public key of " + key.name + " stands twice");
  }
  Status new_name(const std::string& name) {
    if (name == "none") return fail(Errc::invalid, "\"none\" cannot be the name of a witness or group");
    if (names_.insert(name).second) return ok();
    return fail(Errc::invalid, "the name " + name + " stands twice");
  }

  Status log(const std::vector<std::string_view>& items) {
    if (items.size() < 2 || items.size() > 3) return fail(Errc::invalid, "a log line is: log <vkey> [url]");
    VerifierKey key = GREFFE_TRY(parse_verifier_key(items[1]));
    if (key.type != KeyType::ed25519) return fail(Errc::invalid, "a log's key must be of type 01");
    GREFFE_TRY(new_key(key));
    policy_.logs.push_back(std::move(key));
    return ok();
  }

  Status witness(const std::vector<std::string_view>& items) {
    if (items.size() < 3 || items.size() > 4) return fail(Errc::invalid, "a witness line is: witness <name> <vkey> [url]");
    Policy::Witness out;
    out.name = items[1];
    out.key = GREFFE_TRY(parse_verifier_key(items[2]));
    if (out.key.type != KeyType::cosignature_v1) return fail(Errc::invalid, "a witness's key must be of type 04");
    GREFFE_TRY(new_name(out.name));
    GREFFE_TRY(new_key(out.key));
    policy_.witnesses.push_back(std::move(out));
    return ok();
  }

  Status group(const std::vector<std::string_view>& items) {
    if (items.size() < 4) return fail(Errc::invalid, "a group line is: group <name> all|any|<k> <member>…");
    Policy::Group out;
    out.name = items[1];
    for (std::size_t i = 3; i < items.size(); ++i) {
      const std::string member(items[i]);
      if (!names_.contains(member)) return fail(Errc::invalid, "the member " + member + " is not defined before this line");
      if (!members_.insert(member).second) return fail(Errc::invalid, "the member " + member + " is in a group already");
      out.members.push_back(member);
    }
    GREFFE_TRY(new_name(out.name));
    if (items[2] == "all") {
      out.needed = out.members.size();
    } else if (items[2] == "any") {
      out.needed = 1;
    } else {
      out.needed = GREFFE_TRY(parse_decimal(items[2]));
    }
    if (out.needed < 1 || out.needed > out.members.size()) {
      return fail(Errc::invalid, "a group's number must be from 1 to the number of its members");
    }
    policy_.groups.push_back(std::move(out));
    return ok();
  }

  Status quorum(const std::vector<std::string_view>& items) {
    if (items.size() != 2) return fail(Errc::invalid, "a quorum line is: quorum <name>|none");
    if (!policy_.quorum.empty()) return fail(Errc::invalid, "there is a second quorum line");
    policy_.quorum = items[1];
    if (policy_.quorum != "none" && !names_.contains(policy_.quorum)) {
      return fail(Errc::invalid, "the quorum " + policy_.quorum + " is not defined before this line");
    }
    return ok();
  }

  Policy policy_;
  std::set<std::string> names_;
  std::set<std::string> members_;
  std::set<PublicKey> keys_;
};

bool is_met(const Policy& policy, const std::string& name, const std::set<std::string>& cosigned) {
  if (name == "none" || cosigned.contains(name)) return true;
  const auto found = std::find_if(policy.groups.begin(), policy.groups.end(),
                                  [&](const Policy::Group& g) { return g.name == name; });
  if (found == policy.groups.end()) return false;
  const auto met = std::count_if(found->members.begin(), found->members.end(),
                                 [&](const std::string& member) { return is_met(policy, member, cosigned); });
  return static_cast<std::size_t>(met) >= found->needed;
}

}  // namespace

Result<Policy> parse_policy(std::string_view text) {
  if (text.size() > kMaxPolicyBytes) return fail(Errc::invalid, "the policy has more than 256 KiB");
  PolicyReader reader;
  std::size_t number = 0;
  std::size_t items_in_all = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    ++number;
    const bool allowed = std::all_of(line.begin(), line.end(), [](char c) {
      const auto b = static_cast<unsigned char>(c);
      return b == 0x09 || (b >= 0x20 && b <= 0x7E) || b >= 0x80;
    });
    if (!allowed) return fail(Errc::invalid, fmt::format("policy line {}: a control character", number));
    const std::vector<std::string_view> items = split_items(line);
    if (items.empty() || items[0].starts_with('#')) continue;
    items_in_all += items.size();
    if (items_in_all > kMaxItems) return fail(Errc::invalid, "the policy has more than 1,024 words");
    const Status read = reader.line(items);
    if (!read) return read.error().within(fmt::format("policy line {}", number));
  }
  return std::move(reader).finish();
}

std::string write_policy(const Policy& policy) {
  std::string out;
  for (const VerifierKey& log : policy.logs) out += "log " + log.text() + "\n";
  for (const Policy::Witness& witness : policy.witnesses) out += "witness " + witness.name + " " + witness.key.text() + "\n";
  for (const Policy::Group& group : policy.groups) {
    out += fmt::format("group {} {}", group.name, group.needed);
    for (const std::string& member : group.members) out += " " + member;
    out += "\n";
  }
  return out + "quorum " + policy.quorum + "\n";
}

Result<PolicyVerdict> apply_policy(const Policy& policy, const SignedNote& note) {
  PolicyVerdict out;
  const std::string_view origin = std::string_view(note.text).substr(0, note.text.find('\n'));
  for (const VerifierKey& log : policy.logs) {
    if (log.name != origin) continue;  // a log signs its own origin only
    const Status signed_by = verify_note(note, log);
    if (!signed_by && signed_by.error().code == Errc::corrupt) return signed_by.error();
    if (signed_by) out.log = log.name;
  }
  if (out.log.empty()) return fail(Errc::denied, "no log that the policy names signed this checkpoint");
  std::set<std::string> cosigned;
  for (const Policy::Witness& witness : policy.witnesses) {
    const auto time = verify_cosignature(note, witness.key);
    if (!time && time.error().code == Errc::corrupt) return time.error();
    if (!time) continue;
    out.cosigned.emplace_back(witness.name, *time);
    cosigned.insert(witness.name);
  }
  out.quorum_met = is_met(policy, policy.quorum, cosigned);
  return out;
}

std::string write_tlog_proof(const TlogProof& proof) {
  std::string out = std::string(kProofHeader) + "\nindex " + std::to_string(proof.index) + "\n";
  for (const Digest& hash : proof.hashes) out += to_base64(hash.bytes) + "\n";
  return out + "\n" + proof.checkpoint;
}

Result<TlogProof> parse_tlog_proof(std::string_view text) {
  if (text.size() > kMaxNoteBytes + 8192) return fail(Errc::invalid, "the proof is too large");
  const auto next_line = [&text]() -> std::optional<std::string_view> {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    return line;
  };
  if (next_line() != kProofHeader) return fail(Errc::invalid, "a proof begins with the line " + std::string(kProofHeader));
  auto line = next_line();
  if (line && line->starts_with("extra ")) {  // never trusted: only its form is checked
    GREFFE_TRY(from_base64(line->substr(6)));
    line = next_line();
  }
  if (!line || !line->starts_with("index ")) return fail(Errc::invalid, "a proof's index line is missing");
  TlogProof out;
  out.index = GREFFE_TRY(parse_decimal(line->substr(6)));
  for (;;) {
    line = next_line();
    if (!line) return fail(Errc::invalid, "a proof is cut short");
    if (line->empty()) break;
    if (out.hashes.size() == kMaxProofHashes) return fail(Errc::invalid, "a proof has at most 63 hashes");
    const Bytes hash = GREFFE_TRY(from_base64(*line));
    out.hashes.push_back(GREFFE_TRY(digest_from_bytes(hash)));
  }
  const auto checkpoint = parse_signed_checkpoint(text);
  if (!checkpoint) return checkpoint.error().within("the proof's checkpoint");
  out.checkpoint = text;
  return out;
}

}  // namespace greffe
