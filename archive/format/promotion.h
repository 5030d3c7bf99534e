// The certificate with which an archive goes on at another site: the first entry of the main log of a new epoch. Pure. See
// docs/formats/main-log.md, docs/decisions/0018-epochs.md.
#ifndef GREFFE_ARCHIVE_FORMAT_PROMOTION_H
#define GREFFE_ARCHIVE_FORMAT_PROMOTION_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format/canonical_json.h"
#include "archive/format/ed25519.h"
#include "archive/format/signed_note.h"

namespace greffe {

constexpr std::uint64_t kEpochMax = 1'000'000;

// The main log of an epoch: the archive's name, or "<archive>/epoch/<n>" from the second one on. Its key is named like it.
struct EpochName {
  std::string archive;
  std::uint64_t epoch = 1;
  auto operator<=>(const EpochName&) const = default;
};
std::string epoch_origin(const EpochName& name);
Result<EpochName> parse_epoch_origin(std::string_view origin);  // invalid: not exactly one of those

struct PromotionEntry {
  EpochName name;            // of the new epoch: the second or a later one
  Checkpoint previous;       // the end of the epoch before: all that its successor held
  PublicKey log_key;         // signs the new log
  VerifierKey holder;        // gives receipts from now on (type 04)
  std::string machine_url;   // where stations and other sites go from now on
  PublicKey machine_key;     // that answers there
  std::vector<std::string> officers;
  std::vector<Signature> signatures;  // of each of them, over promotion_statement
  UtcTime utc;

  VerifierKey log_verifier() const { return {epoch_origin(name), KeyType::ed25519, log_key}; }
};

// The text that each officer signs (Ed25519 over exactly these bytes). Signatures and time are not in it.
std::string promotion_statement(const PromotionEntry& entry);

Json to_json(const PromotionEntry& entry);
std::string write_promotion(const PromotionEntry& entry);  // canonical
// invalid with the member. Whether the signatures are the officers', and whether `previous` is a state of that log, is the caller's to check.
Result<PromotionEntry> parse_promotion(std::string_view bytes);
Result<PromotionEntry> read_promotion(const Json& json);  // the same for JSON that is known to be canonical and of this kind

}  // namespace greffe

#endif
