#include "archive/verify/main_check.h"

#include <algorithm>

#include "archive/format/entries.h"

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

void NamedCosigners::take(std::string_view entry) {
  if (entry.find("\"role\":\"cosigner\"") == std::string_view::npos) return;
  const auto parsed = parse_main_entry(entry);
  const auto* key = parsed ? std::get_if<KeyEntry>(&*parsed) : nullptr;
  if (key == nullptr || key->role != "cosigner") return;
  if (key->action == "revoked") {
    std::erase_if(keys_, [key](const auto& one) { return one.second.key == key->key; });
  } else if (const auto cosigner = parse_verifier_key(key->cosigner)) {
    keys_[key->name] = *cosigner;
  }
}

bool NamedCosigners::has(const VerifierKey& key) const {
  return std::any_of(keys_.begin(), keys_.end(), [&key](const auto& one) { return one.second == key; });
}

Policy asked_of_epoch(const Policy& policy, const NamedCosigners& named) {
  Policy out = policy;
  std::erase_if(out.witnesses, [&named](const Policy::Witness& one) { return !named.has(one.key); });
  std::set<std::string> known;
  for (const Policy::Witness& one : out.witnesses) known.insert(one.name);
  out.groups.clear();
  for (Policy::Group group : policy.groups) {  // members are defined before
    std::erase_if(group.members, [&known](const std::string& member) { return !known.contains(member); });
    group.needed = std::min(group.needed, group.members.size());
    if (group.members.empty()) continue;
    known.insert(group.name);
    out.groups.push_back(std::move(group));
  }
  if (!known.contains(out.quorum)) out.quorum = "none";
  return out;
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
    std::uint64_t& reach = reach_[witness.name];
    reach = std::max(reach, size);
  }
}

void Cosignatures::add_later(const std::set<std::string>& witnesses, std::uint64_t size) {
  for (const std::string& witness : witnesses) {
    std::uint64_t& reach = reach_[witness];
    reach = std::max(reach, size);
  }
}

void carry_back(std::vector<Cosignatures>& epochs, const std::vector<std::uint64_t>& counted) {
  std::set<std::string> later;
  for (std::size_t i = epochs.size(); i-- > 0;) {
    epochs[i].add_later(later, counted[i]);
    for (const auto& [name, cosigned] : epochs[i].by_witness()) later.insert(name);
  }
}

bool Cosignatures::met(const Policy& asked, const std::string& name, std::uint64_t size) const {
  const auto witness = reach_.find(name);
  if (witness != reach_.end() && witness->second >= size) return true;
  for (const Policy::Group& group : asked.groups) {
    if (group.name != name) continue;
    const auto good = std::count_if(group.members.begin(), group.members.end(),
                                    [&](const std::string& member) { return met(asked, member, size); });
    return static_cast<std::size_t>(good) >= group.needed;
  }
  return false;
}

std::uint64_t Cosignatures::covered(std::uint64_t size, const Policy& asked) const {
  if (asked.quorum == "none") return size;
  std::uint64_t best = 0;
  for (const auto& [name, reach] : reach_) {
    if (reach > best && met(asked, asked.quorum, reach)) best = reach;
  }
  return std::min(best, size);
}

}  // namespace greffe::verify
