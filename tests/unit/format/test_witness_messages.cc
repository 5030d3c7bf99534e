// What logs and witnesses send one another.
#include <catch2/catch.hpp>

#include "archive/format/merkle.h"
#include "archive/format/witness_messages.h"

using greffe::AddCheckpoint;
using greffe::Checkpoint;
using greffe::Errc;
using greffe::PrivateKey;
using greffe::SignedCheckpoint;
using greffe::VerifierKey;

namespace {

const greffe::UtcTime kNow{1'795'338'000'000};

SignedCheckpoint signed_checkpoint(std::uint64_t size, const PrivateKey& key) {
  const Checkpoint tree{"archive.court.example", size, size == 0 ? greffe::empty_root() : greffe::sha256(greffe::as_bytes(std::to_string(size)))};
  return {tree, {tree.text(), {greffe::sign_checkpoint(tree, key)}}};
}

VerifierKey witness_of(const PrivateKey& key) { return {"city.court.example/witness", greffe::KeyType::cosignature_v1, key.public_key()}; }

}  // namespace

TEST_CASE("a request to a witness is written and read, byte by byte") {
  const PrivateKey key = PrivateKey::generate();
  const SignedCheckpoint checkpoint = signed_checkpoint(17, key);
  const AddCheckpoint request{9, {greffe::empty_root(), checkpoint.checkpoint.root}, checkpoint};
  const std::string text = greffe::write_add_checkpoint(request);
  CHECK(text == "old 9\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n" + greffe::to_base64(checkpoint.checkpoint.root.bytes) + "\n\n" + checkpoint.note.write());
  const auto read = greffe::parse_add_checkpoint(text);
  REQUIRE(read);
  CHECK(read->old_size == 9);
  CHECK(read->proof == request.proof);
  CHECK(read->checkpoint.checkpoint == checkpoint.checkpoint);
  CHECK(read->checkpoint.note.signatures == checkpoint.note.signatures);
  CHECK(greffe::write_add_checkpoint(*read) == text);
}

TEST_CASE("what is not exactly a request to a witness is refused") {
  const PrivateKey key = PrivateKey::generate();
  const std::string note = signed_checkpoint(17, key).note.write();
  const std::string hash = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
  REQUIRE(greffe::parse_add_checkpoint("old 0\n\n" + note));
  const auto hashes = [&hash](int count) {
    std::string out;
    for (int i = 0; i < count; ++i) out += hash;
    return out;
  };
  CHECK(greffe::parse_add_checkpoint("old 3\n" + hashes(63) + "\n" + note));
  for (const std::string& bad : {std::string(), "old 0\n" + note.substr(0, 5), "old 0\n" + note, "old  0\n\n" + note, "Old 0\n\n" + note, "old\n\n" + note,
                                 "old 00\n\n" + note, "old -1\n\n" + note, "old 9223372036854775808\n\n" + note, "old 3\n" + hashes(64) + "\n" + note,
                                 "old 3\nAAAA\n\n" + note, "old 3\r\n\n" + note, "old 0\n\n\n" + note, "old 0\n\n" + note + "\n",
                                 "old 0\n\n" + note.substr(0, note.size() - 1), std::string("old 0\n\narchive.court.example\n17\n")}) {
    INFO(bad);
    const auto read = greffe::parse_add_checkpoint(bad);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == Errc::invalid);
  }
  CHECK_FALSE(greffe::parse_add_checkpoint("old 0\n\n" + note + std::string(greffe::kMaxAddCheckpointBytes, 'x')));
}

TEST_CASE("a checkpoint of the empty tree with another root is told apart from a malformed one") {
  const PrivateKey key = PrivateKey::generate();
  Checkpoint tree{"archive.court.example", 0, greffe::empty_root()};
  greffe::SignedNote note{tree.text(), {greffe::sign_checkpoint(tree, key)}};
  CHECK(greffe::parse_add_checkpoint("old 0\n\n" + note.write()));
  tree.root = greffe::sha256(greffe::as_bytes("other"));
  note.text = tree.text();
  const auto other = greffe::parse_add_checkpoint("old 0\n\n" + note.write());
  REQUIRE_FALSE(other);
  CHECK(other.error().code == Errc::corrupt);
  note.text += "extension\n";
  CHECK(greffe::parse_add_checkpoint("old 0\n\n" + note.write()).error().code == Errc::invalid);
}

TEST_CASE("of a witness's answer its own line is taken and nothing else") {
  const PrivateKey log = PrivateKey::generate();
  const PrivateKey mine = PrivateKey::generate();
  const PrivateKey other = PrivateKey::generate();
  const VerifierKey witness = witness_of(mine);
  const SignedCheckpoint sent = signed_checkpoint(17, log);
  const greffe::NoteSignature own = greffe::cosign_checkpoint(sent.checkpoint, witness.name, mine, kNow);
  const greffe::NoteSignature strange = greffe::cosign_checkpoint(sent.checkpoint, "somebody.example", other, kNow);
  const auto taken = greffe::read_cosignatures(sent, greffe::write_cosignatures({strange, own}), witness);
  REQUIRE(taken);
  CHECK(taken->note.signatures.size() == 2);
  CHECK(taken->note.signatures.front() == sent.note.signatures.front());
  CHECK(greffe::verify_cosignature(taken->note, witness)->ms == kNow.ms);

  const auto refused = [&](const std::string& answer) { return greffe::read_cosignatures(sent, answer, witness).error().code; };
  CHECK(refused("") == Errc::invalid);
  CHECK(refused("no\n") == Errc::invalid);
  CHECK(refused(greffe::write_cosignatures({strange})) == Errc::denied);
  CHECK(refused(greffe::write_cosignatures({greffe::cosign_checkpoint(signed_checkpoint(18, log).checkpoint, witness.name, mine, kNow)})) == Errc::denied);
  CHECK(refused(greffe::write_cosignatures({greffe::cosign_checkpoint(sent.checkpoint, witness.name, other, kNow)})) == Errc::denied);
  // Another checkpoint with the lines behind it is no answer.
  CHECK(refused("more\n\n" + greffe::write_cosignatures({own})) == Errc::invalid);
}

TEST_CASE("the size that a witness names is a decimal and a newline") {
  CHECK(greffe::write_witness_size(70000) == "70000\n");
  CHECK(*greffe::parse_witness_size("70000\n") == 70000);
  for (const char* bad : {"", "\n", "70000", "07\n", "7\n\n", " 7\n", "-1\n", "9223372036854775808\n"}) CHECK_FALSE(greffe::parse_witness_size(bad));
}
