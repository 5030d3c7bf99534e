#include "archive/witness.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/format/canonical_json.h"
#include "archive/format/merkle.h"
#include "archive/format/witness_messages.h"

namespace greffe::archive {
namespace {

constexpr std::uint64_t kMaxKeyBytes = 4096;
constexpr std::uint64_t kMaxStateBytes = 2 * kMaxNoteBytes + 8192;  // a note as a JSON string, and the rest
constexpr std::string_view kEnding = ".json";

using Answer = Witness::Answer;

Answer refusal(Answer::Outcome outcome, std::string detail) {
  Answer out;
  out.outcome = outcome;
  out.detail = std::move(detail);
  return out;
}

std::string state_text(const Witness::WitnessedLog& log) {
  Json json;
  json.set("origin", log.key.name).set("v", 1).set("vkey", log.key.text()).set("witnessed", log.witnessed);
  if (log.newest) json.set("checkpoint", log.newest->note.write());
  return write_json(json) + "\n";
}

Result<Witness::WitnessedLog> parse_state(std::string_view text, const Digest& origin) {
  const Json json = GREFFE_TRY(parse_json(text));
  Witness::WitnessedLog out;
  const std::string vkey = GREFFE_TRY(json.string("vkey"));
  out.key = GREFFE_TRY(parse_verifier_key(vkey));
  if (out.key.type != KeyType::ed25519 || sha256(as_bytes(out.key.name)) != origin) return fail(Errc::invalid, "its key is not of this log");
  out.witnessed = GREFFE_TRY(json.boolean("witnessed"));
  if (json.has("checkpoint")) {
    const std::string note = GREFFE_TRY(json.string("checkpoint"));
    out.newest = GREFFE_TRY(parse_signed_checkpoint(note));
    if (out.newest->checkpoint.origin != out.key.name) return fail(Errc::invalid, "its checkpoint is of another log");
  }
  return out;
}

// The trusted key's signature and nothing else that came with the request.
SignedCheckpoint with_signature_of(const SignedCheckpoint& checkpoint, const VerifierKey& log) {
  SignedCheckpoint out = checkpoint;
  std::erase_if(out.note.signatures, [&](const NoteSignature& line) { return line.name != log.name || line.key_id != log.id(); });
  return out;
}

}  // namespace

VerifierKey witness_verifier(std::string_view archive_name, const PublicKey& key) {
  return VerifierKey{std::string(archive_name) + "/witness", KeyType::cosignature_v1, key};
}

Witness::Witness(FileSystem& files, Clock& clock, const std::string& state_directory, std::string archive_name)
    : files_(files), clock_(clock), directory_(join(state_directory, "witness")), key_path_(join(join(state_directory, "keys"), "witness.key")),
      archive_name_(std::move(archive_name)) {}

std::string Witness::path_of(const Digest& origin) const { return join(directory_, origin.hex() + std::string(kEnding)); }

Result<Witness::WitnessedLog> Witness::read(const Digest& origin) const {
  const std::string path = path_of(origin);
  const Bytes bytes = GREFFE_TRY(files_.read_file(path, kMaxStateBytes));
  auto log = parse_state(as_text(bytes), origin);
  // Signing on without it could put a second tree beside the first.
  if (!log) return fail(Errc::io_error, fmt::format("{} cannot be read, so that nothing is cosigned for this log: {}", path, log.error().message));
  return log;
}

Status Witness::write(const WitnessedLog& log) const {
  GREFFE_TRY(files_.make_directories(directory_));
  return files_.replace(path_of(sha256(as_bytes(log.key.name))), as_bytes(state_text(log)), 0600);
}

// With the lock. Durable before anything is signed with it.
Status Witness::make_key() {
  if (key_) return ok();
  const auto pem = files_.read_file(key_path_, kMaxKeyBytes);
  if (!pem && pem.error().code != Errc::not_found) return pem.error();
  if (!pem) {
    const PrivateKey made = PrivateKey::generate();
    GREFFE_TRY(files_.make_directories(parent_of(key_path_)));
    GREFFE_TRY(files_.replace(key_path_, as_bytes(made.to_pem()), 0600));
    key_ = GREFFE_TRY(PrivateKey::from_pem(made.to_pem()));
    return ok();
  }
  auto loaded = PrivateKey::from_pem(as_text(*pem));
  if (!loaded) return loaded.error().within(key_path_);
  key_ = std::move(*loaded);
  return ok();
}

Result<VerifierKey> Witness::key() {
  const std::lock_guard lock(mutex_);
  GREFFE_TRY(make_key());
  return witness_verifier(archive_name_, key_->public_key());
}

Status Witness::add_log(const VerifierKey& log) {
  if (log.type != KeyType::ed25519) return fail(Errc::invalid, "this is not the key of a log (type 01): a log's key is named as its origin");
  const std::lock_guard lock(mutex_);
  GREFFE_TRY(make_key());
  const auto held = read(sha256(as_bytes(log.name)));
  if (!held && held.error().code != Errc::not_found) return held.error();
  if (!held) {
    const auto names = files_.list(directory_);
    if (!names && names.error().code != Errc::not_found) return names.error();
    if (names && names->size() >= kMaxWitnessedLogs) return fail(Errc::no_space, "this witness knows 1,024 logs already");
  }
  WitnessedLog next = held ? *held : WitnessedLog{};
  next.key = log;
  next.witnessed = true;
  return write(next);
}

Status Witness::remove_log(const std::string& origin) {
  const std::lock_guard lock(mutex_);
  auto held = read(sha256(as_bytes(origin)));
  const bool unknown = held ? !held->witnessed : held.error().code == Errc::not_found;
  if (unknown) return fail(Errc::not_found, "this witness does not know the log " + origin + "; see greffe-archive witness logs");
  if (!held) return held.error();
  held->witnessed = false;
  return write(*held);
}

Result<std::vector<Witness::WitnessedLog>> Witness::logs() {
  const std::lock_guard lock(mutex_);
  std::vector<WitnessedLog> out;
  const auto names = files_.list(directory_);
  if (!names && names.error().code == Errc::not_found) return out;
  if (!names) return names.error();
  for (const std::string& name : *names) {
    if (!name.ends_with(kEnding)) continue;  // one that was being written when the power went
    const auto origin = digest_from_hex(std::string_view(name).substr(0, name.size() - kEnding.size()));
    if (!origin) continue;
    WitnessedLog log = GREFFE_TRY(read(*origin));
    if (log.witnessed) out.push_back(std::move(log));
  }
  std::sort(out.begin(), out.end(), [](const WitnessedLog& a, const WitnessedLog& b) { return a.key.name < b.key.name; });
  return out;
}

Result<Answer> Witness::add_checkpoint(std::string_view body) {
  using Outcome = Answer::Outcome;
  const auto request = parse_add_checkpoint(body);
  if (!request) {
    const bool false_root = request.error().code == Errc::corrupt;
    return refusal(false_root ? Outcome::not_consistent : Outcome::malformed, request.error().message);
  }
  const Checkpoint& wanted = request->checkpoint.checkpoint;
  const std::lock_guard lock(mutex_);
  auto held = read(sha256(as_bytes(wanted.origin)));
  if (!held && held.error().code != Errc::not_found) return held.error();
  if (!held || !held->witnessed) return refusal(Outcome::unknown_log, "this witness does not know the log " + wanted.origin);
  const Status by_log = verify_note(request->checkpoint.note, held->key);
  if (!by_log) return refusal(Outcome::not_signed, by_log.error().message);
  if (request->old_size > wanted.size) return refusal(Outcome::malformed, "the old size is larger than that of the checkpoint");
  const std::uint64_t size = held->newest ? held->newest->checkpoint.size : 0;
  if (request->old_size != size) {
    Answer other = refusal(Outcome::other_size, fmt::format("this witness cosigned {} entries of {} last, not {}", size, wanted.origin, request->old_size));
    other.size = size;
    other.newest = held->newest;
    return other;
  }
  const Digest root = held->newest ? held->newest->checkpoint.root : empty_root();
  const Status continues = verify_consistency(size, wanted.size, root, wanted.root, request->proof);
  if (!continues) {
    Answer other = refusal(Outcome::not_consistent, fmt::format("it is not shown that these {} entries continue the {} that this witness cosigned last: {}",
                                                                wanted.size, size, continues.error().message));
    other.size = size;
    other.newest = held->newest;
    return other;
  }
  GREFFE_TRY(make_key());
  NoteSignature line = cosign_checkpoint(wanted, witness_verifier(archive_name_, key_->public_key()).name, *key_, clock_.utc_now());
  SignedCheckpoint next = with_signature_of(request->checkpoint, held->key);
  put_signature(next.note, line);
  held->newest = next;
  // Power lost from here on: the cosignature is on the disk and nobody has it; who asks again is told the new size and gets it then.
  GREFFE_TRY(write(*held));
  Answer out;
  out.outcome = Outcome::cosigned;
  out.size = wanted.size;
  out.newest = std::move(next);
  out.lines.push_back(std::move(line));
  return out;
}

Result<SignedCheckpoint> Witness::newest(const Digest& origin) {
  const std::lock_guard lock(mutex_);
  const auto held = read(origin);
  if (!held && held.error().code != Errc::not_found) return held.error();
  if (!held || !held->newest) return fail(Errc::not_found, "this witness has cosigned nothing of that log");
  return *held->newest;
}

}  // namespace greffe::archive
