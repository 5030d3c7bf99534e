// C2SP signed-note, tlog-checkpoint, tlog-cosignature: parse, sign, verify. Pure. See docs/formats/checkpoint.md.
#ifndef GREFFE_ARCHIVE_FORMAT_SIGNED_NOTE_H
#define GREFFE_ARCHIVE_FORMAT_SIGNED_NOTE_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/base/clock.h"
#include "archive/format/digest.h"
#include "archive/format/ed25519.h"

namespace greffe {

struct NoteSignature {
  std::string name;
  std::uint32_t key_id = 0;
  Bytes signature;  // without the key id
  auto operator<=>(const NoteSignature&) const = default;
};

struct SignedNote {
  std::string text;  // ends with a newline; what is signed
  std::vector<NoteSignature> signatures;
  std::string write() const;
};
constexpr std::size_t kMaxNoteBytes = 64 * 1024;
constexpr std::size_t kMaxNoteSignatures = 32;

// invalid with the reason: anything that is not exactly a signed note; two lines of one (name, id); CR; too large.
Result<SignedNote> parse_signed_note(std::string_view bytes);

// Three lines: origin, size, root. Extension lines are refused (ML-DSA cosignatures would not sign them), and so is an
// empty tree with another root than SHA-256("").
struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Digest root;
  std::string text() const;
  auto operator<=>(const Checkpoint&) const = default;
};
Result<Checkpoint> parse_checkpoint(std::string_view note_text);

// A checkpoint as it is stored and sent: the note and what its text says.
struct SignedCheckpoint {
  Checkpoint checkpoint;
  SignedNote note;
};
Result<SignedCheckpoint> parse_signed_checkpoint(std::string_view bytes);

// The log's own signature (type 01, key name = origin).
NoteSignature sign_checkpoint(const Checkpoint& checkpoint, const PrivateKey& key);
// cosignature/v1 (type 04): `time` is stated in whole seconds.
NoteSignature cosign_checkpoint(const Checkpoint& checkpoint, std::string_view cosigner_name, const PrivateKey& key,
                                UtcTime time);

// ok: exactly this key signed this note (matched on name and id). not_found: no line by this key. corrupt: a line by
// this key that does not verify: refuse the whole note. invalid: a key of the other type.
Status verify_note(const SignedNote& note, const VerifierKey& key);
// The same for a cosignature; the time at which it was given.
Result<UtcTime> verify_cosignature(const SignedNote& note, const VerifierKey& cosigner);

// Adds or replaces the line of the same (name, id).
void put_signature(SignedNote& note, NoteSignature signature);

}  // namespace greffe

#endif
