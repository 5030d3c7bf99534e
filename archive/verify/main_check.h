// The main checkpoint against the auditor's policy: signature, cosignatures, quorum, freshness.
#ifndef GREFFE_ARCHIVE_VERIFY_MAIN_CHECK_H
#define GREFFE_ARCHIVE_VERIFY_MAIN_CHECK_H

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "archive/format/policy.h"
#include "archive/verify/log_files.h"

namespace greffe::verify {

// A key of the policy for this origin; nullptr: the policy does not name this log.
const VerifierKey* trusted_log(const Policy& policy, const std::string& origin);

// The largest of these checkpoints that a log of the policy signed. Findings for the others: `main-signature`.
std::optional<NoteCopy> choose_main(const Policy& policy, const std::vector<NoteCopy>& notes, Report& report);

// The sites that the log of one epoch names as cosigners itself. Filled with its entries, in order; a value.
class NamedCosigners {
 public:
  void take(std::string_view entry);
  bool has(const VerifierKey& key) const;

 private:
  std::map<std::string, VerifierKey> keys_;  // by name, those who are cosigners now
};

// What the policy asks of the log of a later epoch: only the sites that this epoch names had a part in it. Of a group as many as it asks for, or all
// of those where it has fewer. The quorum is "none" where none of its sites had.
Policy asked_of_epoch(const Policy& policy, const NamedCosigners& named);

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
  // The largest size that the quorum of this policy has cosigned, the one given or what of it is asked here; `size` when it asks for none.
  std::uint64_t covered(std::uint64_t size, const Policy& asked) const;
  const std::map<std::string, Cosigned>& by_witness() const { return by_witness_; }
  // These have signed a log that stands for so many entries of this one as well.
  void add_later(const std::set<std::string>& witnesses, std::uint64_t size);

 private:
  bool met(const Policy& asked, const std::string& name, std::uint64_t size) const;
  const Policy& policy_;
  std::map<std::string, Cosigned> by_witness_;
  std::map<std::string, std::uint64_t> reach_;  // how far each has signed
};

// Of the logs of all epochs, in order. A later one begins with the state of the one before that it goes on from: whoever signed any of it has signed the
// ones before up to there. `counted`: so many entries of each.
void carry_back(std::vector<Cosignatures>& epochs, const std::vector<std::uint64_t>& counted);

Finding main_finding(Verdict verdict, const char* code, std::string what, const std::string& file = {});

}  // namespace greffe::verify

#endif
