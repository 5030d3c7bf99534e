#include "archive/format/officers.h"

#include <fmt/format.h>

#include <set>

namespace greffe {

void Officers::take(const KeyEntry& entry) {
  if (entry.role != "officer") return;
  if (entry.action != "revoked") {
    keys_[entry.name] = entry.key;
  } else if (const auto held = keys_.find(entry.name); held != keys_.end() && held->second == entry.key) {
    keys_.erase(held);
  }
}

void Officers::take(std::string_view entry) {
  if (!concerns(entry)) return;
  const auto parsed = parse_main_entry(entry);
  const auto* key = parsed ? std::get_if<KeyEntry>(&*parsed) : nullptr;
  if (key != nullptr) take(*key);
}

Status Officers::check(std::string_view statement, const std::vector<std::string>& names, const std::vector<Signature>& signatures,
                       std::string_view what) const {
  if (names.size() < kOfficersNeeded || signatures.size() != names.size()) {
    return fail(Errc::denied, fmt::format("{} needs the signatures of two officers", what));
  }
  std::set<PublicKey> keys;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto officer = keys_.find(names[i]);
    if (officer == keys_.end()) return fail(Errc::denied, fmt::format("{} is not an officer of this archive", names[i]));
    if (!verify_signature(officer->second, as_bytes(statement), signatures[i])) {
      return fail(Errc::denied, fmt::format("the signature of the officer {} is not over {}", names[i], what));
    }
    keys.insert(officer->second);
  }
  if (keys.size() < kOfficersNeeded) return fail(Errc::denied, "the two officers have the same key: that is one person's signature");
  return ok();
}

}  // namespace greffe
