#include "archive/verify/main_check.h"

#include <algorithm>

namespace greffe::verify {

Finding main_finding(Verdict verdict, const char* code, std::string what, const std::string& file) {
  Finding f;
  f.verdict = verdict;
  f.code = code;
  f.what = std::move(what);
  f.log = "main";
  f.file = file;
  return f;
}

const VerifierKey* trusted_log(const Policy& policy, const std::string& origin) {
  const auto found = std::find_if(policy.logs.begin(), policy.logs.end(), [&](const VerifierKey& key) { return key.name == origin; });
  return found == policy.logs.end() ? nullptr : &*found;
}

std::optional<NoteCopy> choose_main(const Policy& policy, const std::vector<NoteCopy>& notes, Report& report) {
  std::optional<NoteCopy> chosen;
  for (const NoteCopy& copy : notes) {
    const std::string& origin = copy.signed_checkpoint.checkpoint.origin;
    Status good = fail(Errc::denied, "the policy does not name the log " + origin);
    for (const VerifierKey& key : policy.logs) {
      if (key.name == origin && !good) good = verify_note(copy.signed_checkpoint.note, key);
    }
    if (!good) {
      report.add(main_finding(Verdict::tampered, "main-signature",
                              "the main log's checkpoint is not signed by a log that your policy trusts: " + good.error().message,
                              copy.file));
    } else if (!chosen) {
      chosen = copy;
    }
  }
  return chosen;
}

void Cosignatures::add(const NoteCopy& copy, Report& report) {
  for (const Policy::Witness& witness : policy_.witnesses) {
    const auto time = verify_cosignature(copy.signed_checkpoint.note, witness.key);
    if (!time && time.error().code == Errc::corrupt) {
      report.add(main_finding(Verdict::tampered, "cosignature-bad", "a cosignature of " + witness.name + " does not hold", copy.file));
    }
    if (!time) continue;
    Cosigned& newest = by_witness_[witness.name];
    const std::uint64_t size = copy.signed_checkpoint.checkpoint.size;
    if (size > newest.size || (size == newest.size && *time > newest.time)) newest = {size, *time};
  }
}

bool Cosignatures::met(const std::string& name, std::uint64_t size) const {
  const auto witness = by_witness_.find(name);
  if (witness != by_witness_.end() && witness->second.size >= size) return true;
  for (const Policy::Group& group : policy_.groups) {
    if (group.name != name) continue;
    const auto good = std::count_if(group.members.begin(), group.members.end(),
                                    [&](const std::string& member) { return met(member, size); });
    return static_cast<std::size_t>(good) >= group.needed;
  }
  return false;
}

std::uint64_t Cosignatures::covered(std::uint64_t size) const {
  if (policy_.quorum == "none") return size;
  std::uint64_t best = 0;
  for (const auto& [name, cosigned] : by_witness_) {
    if (cosigned.size > best && cosigned.size > 0 && met(policy_.quorum, cosigned.size)) best = cosigned.size;
  }
  return std::min(best, size);
}

}  // namespace greffe::verify
