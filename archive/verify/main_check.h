// The main checkpoint against the auditor's policy: signature, cosignatures, quorum, freshness.
#ifndef GREFFE_ARCHIVE_VERIFY_MAIN_CHECK_H
#define GREFFE_ARCHIVE_VERIFY_MAIN_CHECK_H

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "archive/format/policy.h"
#include "archive/verify/log_files.h"

namespace greffe::verify {

// A key of the policy for this origin; nullptr: the policy does not name this log.
const VerifierKey* trusted_log(const Policy& policy, const std::string& origin);

// The largest of these checkpoints that a log of the policy signed. Findings for the others: `main-signature`.
std::optional<NoteCopy> choose_main(const Policy& policy, const std::vector<NoteCopy>& notes, Report& report);

// How far each witness of the policy has cosigned: name -> size and time of its newest good cosignature.
struct Cosigned {
  std::uint64_t size = 0;
  UtcTime time;
};
class Cosignatures {
 public:
  explicit Cosignatures(const Policy& policy) : policy_(policy) {}
  // Takes every witness's line of this note, when its root is right. Finding: `cosignature-bad`.
  void add(const NoteCopy& copy, Report& report);
  // The largest size that the quorum has cosigned; `size` when the policy asks for none.
  std::uint64_t covered(std::uint64_t size) const;
  const std::map<std::string, Cosigned>& by_witness() const { return by_witness_; }

 private:
  bool met(const std::string& name, std::uint64_t size) const;
  const Policy& policy_;
  std::map<std::string, Cosigned> by_witness_;
};

Finding main_finding(Verdict verdict, const char* code, std::string what, const std::string& file = {});

}  // namespace greffe::verify

#endif
