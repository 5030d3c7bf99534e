// What an archive tells its stations for the day on which it is lost: its officers, proved, and the sites where it may go on. Pure. See
// docs/formats/machine-protocol.md, docs/decisions/0018-epochs.md.
#ifndef GREFFE_ARCHIVE_FORMAT_SUCCESSORS_H
#define GREFFE_ARCHIVE_FORMAT_SUCCESSORS_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format/canonical_json.h"
#include "archive/format/promotion.h"

namespace greffe {

constexpr std::uint64_t kSuccessorsBytesMax = 4 * 1024 * 1024;
constexpr std::size_t kSuccessorEntriesMax = 1024;
constexpr std::size_t kSuccessorSitesMax = 8;
constexpr std::size_t kSuccessorEndsMax = 64;

// An entry of the main log with the proof that it is there: in the tree of the newest epoch's checkpoint, or in the state that the
// promotion of the next epoch pins.
struct ProvedEntry {
  std::string entry;  // verbatim
  std::uint64_t epoch = 1;
  std::uint64_t index = 0;  // in the log of that epoch
  std::vector<Digest> inclusion;
  bool operator==(const ProvedEntry&) const = default;
};

struct SuccessorSite {
  std::string address;  // https://host:port of its machine listener
  Digest server_key;    // SHA-256 of the SubjectPublicKeyInfo that answers there
  auto operator<=>(const SuccessorSite&) const = default;
};

struct Successors {
  std::string checkpoint;            // of the newest epoch's main log, signed
  std::vector<ProvedEntry> entries;  // `key` entries of officers, and the promotion of each epoch but the first; in the order of the log
  std::vector<SuccessorSite> sites;  // that hold copies of it
  std::vector<std::string> ends = {};  // signed checkpoints of earlier epochs, in order, each of the state that the next one goes on from; some may lack
};

std::string write_successors(const Successors& successors);  // canonical
// invalid with the member. Whether anything in it is true is check_successors's to say.
Result<Successors> parse_successors(std::string_view text);

// ok: `log` signed the checkpoint, and every entry is proved to stand in that log or in an epoch before it. denied: another log, or not its
// signature. invalid: an entry that is neither an officer's nor a promotion, or not in order. corrupt: a proof that does not hold.
Status check_successors(const Successors& successors, const VerifierKey& log);

// What somebody knows who knew `known`, of this epoch, and slept through promotions since, step by step up to the epoch before `newest`: each promotion
// in between signed by officers who are known by then, each epoch's officers by an end of it in `told` that its promotion's key signed and the
// next promotion pins. `told` need not be checked before. With that check_promotion(…, newest) can be asked. denied: in words, which
// step does not count, or lacks. invalid, corrupt: an entry that is not proved.
Result<Successors> known_after(const Successors& known, std::uint64_t epoch, const Successors& told, const PromotionEntry& newest);

// ok: two officers signed this promotion, whom the part of the log that it pins names and had not revoked, as far as `known` (that was
// checked before) says, and of whom `known` says no later revocation either. denied: in words.
Status check_promotion(const Successors& known, const PromotionEntry& promotion);

}  // namespace greffe

#endif
