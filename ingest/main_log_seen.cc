#include "ingest/main_log_seen.h"

#include <fmt/format.h>

#include "archive/format/merkle.h"
#include "archive/format/promotion.h"

namespace greffe::ingest {
namespace {

Result<SignedCheckpoint> verified(std::string_view note, const Enrolment& enrolment) {
  const VerifierKey key = GREFFE_TRY(parse_verifier_key(enrolment.log_vkey));
  SignedCheckpoint out = GREFFE_TRY(parse_signed_checkpoint(note));
  if (out.checkpoint.origin != key.name) return fail(Errc::denied, "it is of the log " + out.checkpoint.origin + ", not of " + key.name);
  GREFFE_TRY(verify_note(out.note, key));
  return out;
}

Error conflict(const Enrolment& enrolment, const std::string& directory, std::string_view what) {
  return fail(Errc::conflict, fmt::format("the main log of {} is not the one that this station knows: {}. The archive was restored from an "
                                          "older state, or somebody is tampering with it; tell the court's IT. Only when they say why: "
                                          "greffe-ingest accept-archive --station-dir {}. Until then nothing is removed here", enrolment.archive,
                                          what, directory));
}

Error not_signed(const Enrolment& enrolment, const Error& why) {
  return fail(Errc::denied, fmt::format("what {} shows as its main log's checkpoint does not count: {}", enrolment.archive, why.message));
}

Status continues(const Checkpoint& known, const Checkpoint& shown, const Enrolment& enrolment, const std::string& directory,
                 client::ArchiveClient& archive) {
  if (shown.size < known.size) {
    return conflict(enrolment, directory, fmt::format("it has {} entries now, and had {} before", shown.size, known.size));
  }
  if (shown.size == known.size && shown.root == known.root) return ok();
  if (shown.size > known.size) {
    const std::vector<Digest> proof = GREFFE_TRY(archive.main_consistency(known.size, shown.size));
    if (verify_consistency(known.size, shown.size, known.root, shown.root, proof)) return ok();
  }
  return conflict(enrolment, directory, fmt::format("its first {} entries are other ones than before", known.size));
}

// In its place. What was seen of the log of an earlier epoch stays beside it.
Status keep(FileSystem& files, const std::string& directory, const SignedCheckpoint& shown, std::string_view note) {
  const std::string path = main_checkpoint_path(directory);
  const auto bytes = files.read_file(path, kMaxNoteBytes);
  const auto before = bytes ? parse_signed_checkpoint(as_text(*bytes)) : Result<SignedCheckpoint>(bytes.error());
  const auto name = before ? parse_epoch_origin(before->checkpoint.origin) : Result<EpochName>(before.error());
  if (name && before->checkpoint.origin != shown.checkpoint.origin) {
    GREFFE_TRY(files.rename(path, fmt::format("{}-epoch-{}", path, name->epoch)));
    GREFFE_TRY(files.sync_directory(directory));
  }
  return files.replace(path, as_bytes(note), 0640);
}

}  // namespace

std::string main_checkpoint_path(const std::string& directory) { return join(directory, "main-checkpoint"); }

std::optional<Checkpoint> newest_seen(FileSystem& files, const std::string& directory, const Enrolment& enrolment) {
  const auto note = files.read_file(main_checkpoint_path(directory), kMaxNoteBytes);
  const auto kept = note ? verified(as_text(*note), enrolment) : Result<SignedCheckpoint>(note.error());
  return kept ? std::optional(kept->checkpoint) : std::nullopt;
}

Result<AcceptedMainLog> accept_main_log(FileSystem& files, const std::string& directory, const Enrolment& enrolment, client::ArchiveClient& archive) {
  const std::string note = GREFFE_TRY(archive.main_checkpoint());
  const auto shown = verified(note, enrolment);
  if (!shown) return not_signed(enrolment, shown.error());
  const auto lock = GREFFE_TRY(files.lock(main_checkpoint_path(directory) + ".lock"));
  AcceptedMainLog out;
  out.now = shown->checkpoint.size;
  if (const auto known = newest_seen(files, directory, enrolment)) {
    out.before = known->size;
    const Status same = continues(*known, shown->checkpoint, enrolment, directory, archive);
    if (!same && same.error().code != Errc::conflict) return same.error();
    out.continues = static_cast<bool>(same);
  }
  GREFFE_TRY(keep(files, directory, *shown, note));
  return out;
}

Status look_at_main_log(FileSystem& files, const std::string& directory, const Enrolment& enrolment, client::ArchiveClient& archive) {
  const auto note = archive.main_checkpoint();
  if (!note && note.error().code == Errc::not_found) return ok();  // an archive that does not tell
  if (!note) return note.error();
  const auto shown = verified(*note, enrolment);
  if (!shown) return not_signed(enrolment, shown.error());
  // Two processes of this station must not put an older one over a newer one.
  const auto lock = files.lock(main_checkpoint_path(directory) + ".lock");
  if (!lock) return lock.error().code == Errc::unavailable ? ok() : Status(lock.error());
  const std::optional<Checkpoint> known = newest_seen(files, directory, enrolment);
  if (known) GREFFE_TRY(continues(*known, shown->checkpoint, enrolment, directory, archive));
  if (known && known->size == shown->checkpoint.size) return ok();
  return keep(files, directory, *shown, *note);
}

}  // namespace greffe::ingest
