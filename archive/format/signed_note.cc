#include "archive/format/signed_note.h"

#include <algorithm>

#include "archive/format/merkle.h"

namespace greffe {
namespace {

constexpr std::string_view kDash = "\xE2\x80\x94 ";  // U+2014 and a space begin every signature line
constexpr std::uint64_t kEndOfYear9999 = 253'402'300'800;  // POSIX seconds; UtcTime ends there

Error not_a_note(std::string_view why) { return fail(Errc::invalid, "not a signed note: " + std::string(why)); }

Result<NoteSignature> parse_signature_line(std::string_view line) {
  if (!line.starts_with(kDash)) return not_a_note("a signature line must begin with a dash (U+2014) and a space");
  line.remove_prefix(kDash.size());
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return not_a_note("a signature line must have a name and a signature");
  NoteSignature out;
  out.name = line.substr(0, space);
  if (!is_valid_key_name(out.name)) return not_a_note("a signature line has an impossible key name");
  const auto bytes = from_base64(line.substr(space + 1));
  if (!bytes || bytes->size() < 5) return not_a_note("a signature is not base64 of a key id and a signature");
  const Bytes& b = *bytes;
  out.key_id = std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | std::uint32_t{b[3]};
  out.signature.assign(b.begin() + 4, b.end());
  return out;
}

Bytes with_key_id(std::uint32_t id, ByteView signature) {
  Bytes out{static_cast<std::uint8_t>(id >> 24), static_cast<std::uint8_t>(id >> 16), static_cast<std::uint8_t>(id >> 8),
            static_cast<std::uint8_t>(id)};
  out.insert(out.end(), signature.begin(), signature.end());
  return out;
}

// tlog-cosignature: what an Ed25519 cosigner signs.
std::string cosigned_message(std::uint64_t seconds, std::string_view checkpoint_text) {
  return "cosignature/v1\ntime " + std::to_string(seconds) + "\n" + std::string(checkpoint_text);
}

const NoteSignature* line_of(const SignedNote& note, const VerifierKey& key) {
  const std::uint32_t id = key.id();
  const auto found = std::find_if(note.signatures.begin(), note.signatures.end(),
                                  [&](const NoteSignature& s) { return s.name == key.name && s.key_id == id; });
  return found == note.signatures.end() ? nullptr : &*found;
}

Error no_line_by(const VerifierKey& key) { return fail(Errc::not_found, "there is no signature by " + key.name); }
Error bad_line_by(const VerifierKey& key) {
  return fail(Errc::corrupt, "the signature by " + key.name + " does not verify");
}

}  // namespace

std::string SignedNote::write() const {
  std::string out = text + "\n";
  for (const NoteSignature& s : signatures) {
    out += std::string(kDash) + s.name + " " + to_base64(with_key_id(s.key_id, s.signature)) + "\n";
  }
  return out;
}

Result<SignedNote> parse_signed_note(std::string_view bytes) {
  if (bytes.size() > kMaxNoteBytes) return not_a_note("it has more than 65,536 bytes");
  if (!is_valid_utf8(bytes)) return not_a_note("it is not valid UTF-8");
  if (std::any_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; })) {
    return not_a_note("it has a control character");
  }
  const std::size_t split = bytes.rfind("\n\n");
  if (split == std::string_view::npos) return not_a_note("there is no empty line before the signatures");
  if (bytes.back() != '\n') return not_a_note("the last newline is missing");
  SignedNote out;
  out.text = bytes.substr(0, split + 1);
  std::string_view rest = bytes.substr(split + 2);
  if (rest.empty()) return not_a_note("it has no signature");
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    NoteSignature line = GREFFE_TRY(parse_signature_line(rest.substr(0, end)));
    for (const NoteSignature& other : out.signatures) {
      if (other.name == line.name && other.key_id == line.key_id) return not_a_note("one key signed it twice");
    }
    out.signatures.push_back(std::move(line));
    if (out.signatures.size() > kMaxNoteSignatures) return not_a_note("it has more than 32 signatures");
    rest.remove_prefix(end + 1);
  }
  return out;
}

std::string Checkpoint::text() const {
  return origin + "\n" + std::to_string(size) + "\n" + to_base64(root.bytes) + "\n";
}

Result<Checkpoint> parse_checkpoint(std::string_view note_text) {
  std::string_view lines[3];
  std::string_view rest = note_text;
  for (std::string_view& line : lines) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return fail(Errc::invalid, "a checkpoint has three lines: origin, size, root");
    line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
  }
  if (!rest.empty()) return fail(Errc::invalid, "a checkpoint with extension lines is refused: not every cosigner signs them");
  Checkpoint out;
  out.origin = lines[0];
  if (!is_valid_key_name(out.origin)) return fail(Errc::invalid, "a checkpoint's origin is empty, too long or has a space");
  const auto size = parse_decimal(lines[1]);
  if (!size) return fail(Errc::invalid, "a checkpoint's size: " + size.error().message);
  out.size = *size;
  const Bytes root = GREFFE_TRY(from_base64(lines[2]));
  out.root = GREFFE_TRY(digest_from_bytes(root));
  if (out.size == 0 && out.root != empty_root()) {
    return fail(Errc::invalid, "a checkpoint of the empty tree must have the root SHA-256(\"\")");
  }
  return out;
}

Result<SignedCheckpoint> parse_signed_checkpoint(std::string_view bytes) {
  SignedNote note = GREFFE_TRY(parse_signed_note(bytes));
  Checkpoint checkpoint = GREFFE_TRY(parse_checkpoint(note.text));
  return SignedCheckpoint{std::move(checkpoint), std::move(note)};
}

NoteSignature sign_checkpoint(const Checkpoint& checkpoint, const PrivateKey& key) {
  const VerifierKey verifier{checkpoint.origin, KeyType::ed25519, key.public_key()};
  const std::string text = checkpoint.text();
  const Signature signature = key.sign(as_bytes(text));
  return NoteSignature{verifier.name, verifier.id(), Bytes(signature.begin(), signature.end())};
}

NoteSignature cosign_checkpoint(const Checkpoint& checkpoint, std::string_view cosigner_name, const PrivateKey& key,
                                UtcTime time) {
  const VerifierKey verifier{std::string(cosigner_name), KeyType::cosignature_v1, key.public_key()};
  const auto seconds = static_cast<std::uint64_t>(time.ms / 1000);
  const std::string message = cosigned_message(seconds, checkpoint.text());
  const Signature signature = key.sign(as_bytes(message));
  Bytes line;
  for (int shift = 56; shift >= 0; shift -= 8) line.push_back(static_cast<std::uint8_t>(seconds >> shift));
  line.insert(line.end(), signature.begin(), signature.end());
  return NoteSignature{verifier.name, verifier.id(), std::move(line)};
}

Status verify_note(const SignedNote& note, const VerifierKey& key) {
  if (key.type != KeyType::ed25519) return fail(Errc::invalid, "the key " + key.name + " is a cosigner's, not a log's");
  const NoteSignature* line = line_of(note, key);
  if (line == nullptr) return no_line_by(key);
  return verify_signature(key.key, as_bytes(note.text), line->signature) ? ok() : Status(bad_line_by(key));
}

Result<UtcTime> verify_cosignature(const SignedNote& note, const VerifierKey& cosigner) {
  if (cosigner.type != KeyType::cosignature_v1) {
    return fail(Errc::invalid, "the key " + cosigner.name + " is a log's, not a cosigner's");
  }
  const NoteSignature* line = line_of(note, cosigner);
  if (line == nullptr) return no_line_by(cosigner);
  if (line->signature.size() != 8 + 64) return bad_line_by(cosigner);
  std::uint64_t seconds = 0;
  for (std::size_t i = 0; i < 8; ++i) seconds = seconds << 8 | line->signature[i];
  if (seconds >= kEndOfYear9999) return bad_line_by(cosigner);
  const std::string message = cosigned_message(seconds, note.text);
  if (!verify_signature(cosigner.key, as_bytes(message), ByteView(line->signature).subspan(8))) return bad_line_by(cosigner);
  return UtcTime{static_cast<std::int64_t>(seconds) * 1000};
}

void put_signature(SignedNote& note, NoteSignature signature) {
  for (NoteSignature& line : note.signatures) {
    if (line.name == signature.name && line.key_id == signature.key_id) {
      line = std::move(signature);
      return;
    }
  }
  note.signatures.push_back(std::move(signature));
}

}  // namespace greffe
