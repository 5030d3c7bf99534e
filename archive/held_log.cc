#include "archive/held_log.h"

#include <fmt/format.h>

namespace greffe::archive {

bool is_held(const tlog::LogWriter& writer, const Checkpoint& wanted) {
  return writer.size() > 0 && wanted.size == writer.size() && wanted.root == writer.root();
}

Result<std::optional<Unready>> check_growth(const tlog::LogWriter& writer, std::uint64_t first, const std::vector<std::string>& entries,
                                            const Checkpoint& wanted) {
  if (first != writer.size()) {
    return std::optional(Unready{writer.size(), {}, fmt::format("this archive holds {} entries of {}; send from entry {} on", writer.size(),
                                                                wanted.origin, writer.size())});
  }
  if (entries.empty()) return fail(Errc::invalid, "nothing was sent: at least one entry is needed");
  if (wanted.size != first + entries.size()) {
    return fail(Errc::invalid, fmt::format("the checkpoint is of {} entries; with what was sent there would be {}", wanted.size,
                                           first + entries.size()));
  }
  if (writer.preview(entries).root() != wanted.root) {
    std::string detail = fmt::format("the entries from {} on do not extend the tree of {} to the root that the checkpoint states", first, wanted.origin);
    // With nothing held, the sender contradicts itself and not us.
    if (first == 0) return fail(Errc::invalid, std::move(detail));
    return std::optional(Unready{std::nullopt, {}, std::move(detail), true});
  }
  return std::optional<Unready>();
}

Result<Receipt> cosign_head(Clock& clock, tlog::LogWriter& writer, const VerifierKey& holder, const PrivateKey& key) {
  SignedCheckpoint head = GREFFE_TRY(parse_signed_checkpoint(writer.head()));
  if (!verify_cosignature(head.note, holder)) {
    put_signature(head.note, cosign_checkpoint(head.checkpoint, holder.name, key, clock.utc_now()));
    GREFFE_TRY(writer.add_signatures(head.note.write()));
  }
  return Receipt{std::move(head)};
}

}  // namespace greffe::archive
