// What logs and witnesses send one another: a request that is read is written again byte by byte; of an answer nothing is taken but a line
// of the witness that was asked.
#include <cstdint>

#include "archive/base/result.h"
#include "archive/format/merkle.h"
#include "archive/format/witness_messages.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  if (const auto request = greffe::parse_add_checkpoint(text)) {
    GREFFE_CHECK(greffe::write_add_checkpoint(*request) == text);
    GREFFE_CHECK(request->proof.size() <= greffe::kMaxWitnessProof);
    GREFFE_CHECK(request->checkpoint.checkpoint.text() == request->checkpoint.note.text);
  } else {
    GREFFE_CHECK(request.error().code == greffe::Errc::invalid || request.error().code == greffe::Errc::corrupt);
  }
  if (const auto named = greffe::parse_witness_size(text)) GREFFE_CHECK(greffe::write_witness_size(*named) == text);

  const greffe::Checkpoint tree{"archive.court.example", 0, greffe::empty_root()};
  const auto secret = greffe::PrivateKey::from_seed(greffe::empty_root().bytes);
  const greffe::VerifierKey witness{"witness.example/w1", greffe::KeyType::cosignature_v1, secret->public_key()};
  const greffe::SignedCheckpoint sent{tree, {tree.text(), {greffe::sign_checkpoint(tree, *secret)}}};
  // Nobody signs by chance.
  GREFFE_CHECK(!greffe::read_cosignatures(sent, text, witness));
  // Among whatever lines there are, the witness's own is found, or the answer is refused whole.
  const std::string line = greffe::write_cosignatures({greffe::cosign_checkpoint(tree, witness.name, *secret, greffe::UtcTime{1'795'338'000'000})});
  const auto taken = greffe::read_cosignatures(sent, line + std::string(text), witness);
  if (taken) GREFFE_CHECK(taken->note.signatures.size() == 2 && greffe::verify_cosignature(taken->note, witness));
  return 0;
}
