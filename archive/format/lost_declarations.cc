#include "archive/format/lost_declarations.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/format/merkle.h"
#include "archive/format/policy.h"

namespace greffe {

// The first line is no origin of a log: what is signed here can never be taken for a checkpoint, nor the other way round.
std::string lost_statement(std::string_view archive, const std::optional<HearingId>& hearing, const std::vector<Digest>& objects) {
  std::vector<Digest> sorted = objects;
  std::sort(sorted.begin(), sorted.end());
  std::string out = fmt::format("greffe declares lost v1\n{}\n{}\n", archive, hearing ? hearing->text() : "main");
  for (const Digest& digest : sorted) out += digest.hex() + "\n";
  return out;
}

Result<std::uint64_t> check_shown(const ShownEntry& shown, const VerifierKey& log) {
  const TlogProof proof = GREFFE_TRY(parse_tlog_proof(shown.proof));
  const SignedCheckpoint stated = GREFFE_TRY(parse_signed_checkpoint(proof.checkpoint));
  if (stated.checkpoint.origin != log.name) return fail(Errc::denied, "the proof is of the log " + stated.checkpoint.origin + ", not of " + log.name);
  const Status by_log = verify_note(stated.note, log);
  if (!by_log) return fail(Errc::denied, "the checkpoint of the proof is not signed by " + log.name + ": " + by_log.error().message);
  GREFFE_TRY(verify_inclusion(proof.index, stated.checkpoint.size, leaf_hash(as_bytes(shown.entry)), proof.hashes, stated.checkpoint.root));
  return proof.index;
}

bool LostDeclarations::concerns(std::string_view entry) {
  return entry.find("\"kind\":\"lost\"") != std::string_view::npos || Officers::concerns(entry);
}

Status LostDeclarations::take(const MainEntry& entry) {
  if (const auto* key = std::get_if<KeyEntry>(&entry)) officers_.take(*key);
  const auto* lost = std::get_if<MainLostEntry>(&entry);
  if (lost == nullptr) return ok();
  GREFFE_TRY(check(*lost));
  lost_[lost->hearing].insert(lost->objects.begin(), lost->objects.end());
  return ok();
}

Status LostDeclarations::check(const MainLostEntry& entry) const {
  return officers_.check(lost_statement(archive_, entry.hearing, entry.objects), entry.officers, entry.signatures, "what is declared lost");
}

bool LostDeclarations::covers(const std::optional<HearingId>& hearing, const Digest& digest) const { return of(hearing).contains(digest); }

bool LostDeclarations::names(const Digest& digest) const {
  return std::any_of(lost_.begin(), lost_.end(), [&](const auto& one) { return one.second.contains(digest); });
}

const std::set<Digest>& LostDeclarations::of(const std::optional<HearingId>& hearing) const {
  static const std::set<Digest> none;
  const auto found = lost_.find(hearing);
  return found == lost_.end() ? none : found->second;
}

}  // namespace greffe
