// The main log of an archive over two epochs, as far as it says who its officers are, and certificates of promotions.
#ifndef GREFFE_TESTS_UNIT_SUPPORT_SUCCESSOR_LOG_H
#define GREFFE_TESTS_UNIT_SUPPORT_SUCCESSOR_LOG_H

#include <map>
#include <string>
#include <vector>

#include "archive/format/entries.h"
#include "archive/format/lost_declarations.h"
#include "archive/format/merkle.h"
#include "archive/format/policy.h"
#include "archive/format/successors.h"

namespace greffe::testing {

inline PrivateKey labelled_key(std::string_view label) { return *PrivateKey::from_seed(sha256(as_bytes(label)).bytes); }

inline std::string officer_entry(const std::string& name, const std::string& key, const std::string& action = "added") {
  KeyEntry entry;
  entry.action = action;
  entry.role = "officer";
  entry.name = name;
  entry.key = labelled_key(key).public_key();
  if (action == "revoked") entry.why = "stolen";
  return write_main_entry(entry);
}

// The main log of one epoch.
struct EpochLog {
  EpochName name;
  PrivateKey key;
  std::vector<std::string> entries;

  Digest subtree_root(std::uint64_t first, std::uint64_t last) const {
    TreeEdge edge;
    for (std::uint64_t i = first; i < last; ++i) edge.append(leaf_hash(as_bytes(entries[i])));
    return edge.root();
  }
  Checkpoint state(std::uint64_t size) const { return {epoch_origin(name), size, subtree_root(0, size)}; }
  std::string note(std::uint64_t size) const {
    const Checkpoint then = state(size);
    return SignedNote{then.text(), {sign_checkpoint(then, key)}}.write();
  }
  std::string note() const { return note(entries.size()); }
  VerifierKey verifier() const { return {epoch_origin(name), KeyType::ed25519, key.public_key()}; }
  ProvedEntry proved(std::uint64_t index, std::uint64_t size) const {
    const auto subtree = [this](unsigned level, std::uint64_t at) -> Result<Digest> { return subtree_root(at << level, (at + 1) << level); };
    return {entries[index], name.epoch, index, inclusion_proof(index, size, subtree).value()};
  }
  // In the whole log.
  ShownEntry shown(std::uint64_t index) const {
    return {entries[index], write_tlog_proof({index, proved(index, entries.size()).inclusion, note()})};
  }
};

// By officers of these names, each with the key of that label.
inline void sign_promotion(PromotionEntry& promotion, const std::map<std::string, std::string>& signers) {
  promotion.officers.clear();
  promotion.signatures.clear();
  const std::string text = promotion_statement(promotion);
  for (const auto& [name, key] : signers) {
    promotion.officers.push_back(name);
    promotion.signatures.push_back(labelled_key(key).sign(as_bytes(text)));
  }
}

inline PromotionEntry promotion_of(const std::string& archive, std::uint64_t epoch, const Checkpoint& previous, const std::string& url,
                                   const std::map<std::string, std::string>& signers, const std::string& label = "new") {
  PromotionEntry out;
  out.name = {archive, epoch};
  out.previous = previous;
  out.log_key = labelled_key(label + " log").public_key();
  out.holder = {epoch_origin(out.name) + "/holder", KeyType::cosignature_v1, labelled_key(label + " holder").public_key()};
  out.machine_url = url;
  out.machine_key = labelled_key(label + " server").public_key();
  out.utc = UtcTime{1'795'683'600'000};
  sign_promotion(out, signers);
  return out;
}

}  // namespace greffe::testing

#endif
