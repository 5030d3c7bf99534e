#include "archive/epoch_end.h"

#include <fmt/format.h>

#include "archive/tlog/kept_checkpoints.h"

namespace greffe::archive {
namespace {

Result<SignedCheckpoint> kept_end(store::ObjectStore& objects, const tlog::LogChain::Link& link, std::uint64_t size) {
  const std::string path = tlog::kept_checkpoint_path(link.path, size);
  const auto note = objects.get(path);
  if (!note && note.error().code == Errc::not_found) {
    return fail(Errc::not_found, fmt::format("the signed checkpoint of the {} entries of {} that the next epoch goes on from is not in this pool: copy {} from "
                                             "the site that was promoted", size, epoch_origin(link.name), path));
  }
  if (!note) return note.error();
  SignedCheckpoint out = GREFFE_TRY(parse_signed_checkpoint(as_text(*note)));
  const Digest root = GREFFE_TRY(link.reader.root_at(size));
  if (out.checkpoint == Checkpoint{epoch_origin(link.name), size, root}) return out;
  return fail(Errc::corrupt, path + " is a checkpoint of another log");
}

}  // namespace

Result<SignedCheckpoint> end_of_epoch(Stores stores, const catalogue::Catalogue& catalogue, const tlog::LogChain& chain, const tlog::LogChain::Link& link) {
  const tlog::LogChain::Link& next = chain.links().at(static_cast<std::size_t>(&link - chain.links().data()) + 1);
  const std::uint64_t size = next.first - link.first;
  SignedCheckpoint end = GREFFE_TRY(link.reader.checkpoint());
  if (end.checkpoint.size != size) end = GREFFE_TRY(kept_end(stores.objects, link, size));
  const std::vector<VerifierKey> keys = GREFFE_TRY(cosigning_keys(catalogue, {"cosigner", "witness"}));
  for (const VerifierKey& key : keys) {
    const auto newest = newest_cosigned(stores.heads, link.path, key);
    if (newest && newest->checkpoint == end.checkpoint) put_line(*newest, key, end);
  }
  return end;
}

Status keep_end_of_epoch(store::ObjectStore& objects, const tlog::LogChain::Link& link, const SignedCheckpoint& end) {
  const std::string note = end.note.write();
  const Status kept = objects.put(tlog::kept_checkpoint_path(link.path, end.checkpoint.size), as_bytes(note));
  return kept || kept.error().code == Errc::conflict ? ok() : kept;  // conflict: it is kept with other lines beside the log's
}

void put_line(const SignedCheckpoint& from, const VerifierKey& key, SignedCheckpoint& to) {
  for (const NoteSignature& line : from.note.signatures) {
    if (line.name == key.name && line.key_id == key.id()) put_signature(to.note, line);
  }
}

}  // namespace greffe::archive
