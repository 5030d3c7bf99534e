// What a log and its witness say to one another: C2SP tlog-witness, `add-checkpoint`. The same bytes go over the network and on a USB
// stick. Pure. See docs/formats/witness.md.
#ifndef GREFFE_ARCHIVE_FORMAT_WITNESS_MESSAGES_H
#define GREFFE_ARCHIVE_FORMAT_WITNESS_MESSAGES_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format/signed_note.h"

namespace greffe {

constexpr std::size_t kMaxWitnessProof = 63;                         // hashes, as C2SP says
constexpr std::size_t kMaxAddCheckpointBytes = kMaxNoteBytes + 4096;  // the size, 63 hashes, the checkpoint

struct AddCheckpoint {
  std::uint64_t old_size = 0;  // that the witness cosigned last, as far as who asks knows
  std::vector<Digest> proof;   // from there to the checkpoint (RFC 6962 consistency); empty from 0
  SignedCheckpoint checkpoint;
};
std::string write_add_checkpoint(const AddCheckpoint& request);
// The one text that is written for what it says. invalid: anything else. corrupt: well formed, but a checkpoint of the empty tree with
// another root than that has, which C2SP answers otherwise.
Result<AddCheckpoint> parse_add_checkpoint(std::string_view text);

// The answer: signature lines as they stand in a note.
std::string write_cosignatures(const std::vector<NoteSignature>& lines);
// `sent` with this witness's line of the answer; lines of others are left out. invalid: the answer is not signature lines.
// denied: none of them is by this witness over this checkpoint.
Result<SignedCheckpoint> read_cosignatures(const SignedCheckpoint& sent, std::string_view answer, const VerifierKey& witness);

// The size that a witness names when it cosigned another one last: a decimal and a newline (text/x.tlog.size).
std::string write_witness_size(std::uint64_t size);
Result<std::uint64_t> parse_witness_size(std::string_view text);

}  // namespace greffe

#endif
