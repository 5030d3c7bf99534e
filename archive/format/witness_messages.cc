#include "archive/format/witness_messages.h"

#include <optional>

namespace greffe {
namespace {

constexpr std::string_view kOld = "old ";

Error not_a_request(std::string_view why) { return fail(Errc::invalid, "not an add-checkpoint request: " + std::string(why)); }

std::optional<std::string_view> next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

// A checkpoint in every way but that the empty tree has one root only.
bool is_false_empty_tree(std::string_view text) {
  const auto origin = next_line(text);
  const auto size = next_line(text);
  const auto root = next_line(text);
  if (!origin || !size || !root || !text.empty() || !is_valid_key_name(*origin) || *size != "0") return false;
  const auto bytes = from_base64(*root);
  return bytes && digest_from_bytes(*bytes);
}

}  // namespace

std::string write_add_checkpoint(const AddCheckpoint& request) {
  std::string out = std::string(kOld) + std::to_string(request.old_size) + "\n";
  for (const Digest& hash : request.proof) out += to_base64(hash.bytes) + "\n";
  return out + "\n" + request.checkpoint.note.write();
}

Result<AddCheckpoint> parse_add_checkpoint(std::string_view text) {
  if (text.size() > kMaxAddCheckpointBytes) return not_a_request("it is too large");
  AddCheckpoint out;
  auto line = next_line(text);
  if (!line || !line->starts_with(kOld)) return not_a_request("it does not begin with \"old\" and a size");
  const auto old_size = parse_decimal(line->substr(kOld.size()));
  if (!old_size) return not_a_request("the old size: " + old_size.error().message);
  out.old_size = *old_size;
  for (;;) {
    line = next_line(text);
    if (!line) return not_a_request("there is no empty line before the checkpoint");
    if (line->empty()) break;
    if (out.proof.size() == kMaxWitnessProof) return not_a_request("a proof has at most 63 hashes");
    const auto bytes = from_base64(*line);
    const auto hash = bytes ? digest_from_bytes(*bytes) : Result<Digest>(bytes.error());
    if (!hash) return not_a_request("a line of the proof is not the base64 of a hash");
    out.proof.push_back(*hash);
  }
  auto note = parse_signed_note(text);
  if (!note) return note.error().within("not an add-checkpoint request");
  auto checkpoint = parse_checkpoint(note->text);
  if (!checkpoint) {
    Error why = checkpoint.error().within("not an add-checkpoint request");
    if (is_false_empty_tree(note->text)) why.code = Errc::corrupt;
    return why;
  }
  out.checkpoint.checkpoint = *std::move(checkpoint);
  out.checkpoint.note = *std::move(note);
  return out;
}

std::string write_cosignatures(const std::vector<NoteSignature>& lines) {
  return SignedNote{"", lines}.write().substr(1);  // behind the empty line
}

Result<SignedCheckpoint> read_cosignatures(const SignedCheckpoint& sent, std::string_view answer, const VerifierKey& witness) {
  if (answer.size() > kMaxNoteBytes) return fail(Errc::invalid, "the witness's answer is too large");
  // As a note over the checkpoint that was sent, so that the one strict reader reads it.
  const auto note = parse_signed_note(sent.note.text + "\n" + std::string(answer));
  if (!note || note->text != sent.note.text) return fail(Errc::invalid, "the witness did not answer with signature lines");
  const auto time = verify_cosignature(*note, witness);
  if (!time) return fail(Errc::denied, "the witness did not answer with a cosignature of " + witness.name + ": " + time.error().message);
  SignedCheckpoint out = sent;
  for (const NoteSignature& line : note->signatures) {
    if (line.name == witness.name && line.key_id == witness.id()) put_signature(out.note, line);
  }
  return out;
}

std::string write_witness_size(std::uint64_t size) { return std::to_string(size) + "\n"; }

Result<std::uint64_t> parse_witness_size(std::string_view text) {
  if (!text.ends_with('\n')) return fail(Errc::invalid, "a witness's size is a decimal and a newline");
  text.remove_suffix(1);
  return parse_decimal(text);
}

}  // namespace greffe
