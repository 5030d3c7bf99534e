// C2SP tlog-policy: which logs and which cosigners make a checkpoint acceptable. And C2SP tlog-proof. Pure.
#ifndef GREFFE_ARCHIVE_FORMAT_POLICY_H
#define GREFFE_ARCHIVE_FORMAT_POLICY_H

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "archive/format/signed_note.h"

namespace greffe {

struct Policy {
  struct Witness {
    std::string name;
    VerifierKey key;
  };
  struct Group {
    std::string name;
    std::size_t needed = 0;
    std::vector<std::string> members;  // witnesses or groups defined before
  };
  std::vector<VerifierKey> logs;
  std::vector<Witness> witnesses;
  std::vector<Group> groups;
  std::string quorum;  // name of a witness or group, or "none"
};
Result<Policy> parse_policy(std::string_view text);  // invalid with the line
std::string write_policy(const Policy& policy);

struct PolicyVerdict {
  std::string log;                                 // name of the log key that signed
  std::vector<std::pair<std::string, UtcTime>> cosigned;  // witness name, time
  bool quorum_met = false;
};
// denied: no listed log signed it under its own origin. corrupt: a known line that does not verify.
Result<PolicyVerdict> apply_policy(const Policy& policy, const SignedNote& note);

struct TlogProof {
  std::uint64_t index = 0;
  std::vector<Digest> hashes;
  std::string checkpoint;  // signed note, verbatim
};
std::string write_tlog_proof(const TlogProof& proof);
Result<TlogProof> parse_tlog_proof(std::string_view text);

}  // namespace greffe

#endif
