#include "archive/format/merkle.h"
#include "archive/format/policy.h"
#include "archive/format/signed_note.h"
#include "tests/unit/format/vectors.h"

using greffe::Checkpoint;
using greffe::Errc;
using greffe::Json;
using greffe::KeyType;
using greffe::parse_checkpoint;
using greffe::parse_signed_note;
using greffe::PrivateKey;
using greffe::SignedNote;
using greffe::UtcTime;
using greffe::VerifierKey;
using greffe::testing::check_refused;
using greffe::testing::need;
using greffe::testing::vectors;

namespace {

const std::string kDash = "\xE2\x80\x94 ";
const std::string kLine = kDash + "a AAAAAAA=\n";  // a key id and one byte of signature

Checkpoint some_checkpoint() { return {"archive.court.example", 42, greffe::sha256(greffe::as_bytes("root"))}; }

SignedNote signed_by(const Checkpoint& checkpoint, const PrivateKey& key) {
  SignedNote note{checkpoint.text(), {}};
  greffe::put_signature(note, greffe::sign_checkpoint(checkpoint, key));
  return note;
}

}  // namespace

TEST_CASE("notes made by another implementation") {
  for (const Json& one : need(vectors("notes.json").array("notes"))) {
    INFO(need(one.string("name")));
    const std::string bytes = need(one.string("note"));
    const auto parsed = need(greffe::parse_signed_checkpoint(bytes));
    CHECK(parsed.note.write() == bytes);
    CHECK(parsed.checkpoint.origin == need(one.string("origin")));
    CHECK(parsed.checkpoint.size == need(one.size("size")));
    CHECK(parsed.checkpoint.root == need(one.digest("root")));
    CHECK(parsed.checkpoint.text() == parsed.note.text);
    CHECK(greffe::verify_note(parsed.note, need(greffe::parse_verifier_key(need(one.string("signed_by"))))));
    const auto cosigner = need(greffe::parse_verifier_key(need(one.string("cosigned_by"))));
    CHECK(need(greffe::verify_cosignature(parsed.note, cosigner)) == need(one.utc("cosigned_utc")));
  }
}

TEST_CASE("what is not exactly a signed note is refused with the reason") {
  REQUIRE(parse_signed_note("text\n\n" + kLine));
  check_refused(parse_signed_note(""), "no empty line before the signatures");
  check_refused(parse_signed_note("text\n" + kLine), "no empty line before the signatures");
  check_refused(parse_signed_note("text\n\n"), "no signature");
  check_refused(parse_signed_note("text\n\n" + kLine.substr(0, kLine.size() - 1)), "last newline is missing");
  check_refused(parse_signed_note("text\n\n" + kLine + "x\n"), "must begin with a dash");
  check_refused(parse_signed_note("text\n\n" + kLine + "\n"), "no signature");
  check_refused(parse_signed_note("text\r\n\n" + kLine), "control character");
  check_refused(parse_signed_note("te\txt\n\n" + kLine), "control character");
  check_refused(parse_signed_note("te\xffxt\n\n" + kLine), "not valid UTF-8");
  check_refused(parse_signed_note("text\n\n" + kLine + kLine), "one key signed it twice");
  check_refused(parse_signed_note("text\n\n- a AAAAAAA=\n"), "must begin with a dash");
  check_refused(parse_signed_note("text\n\n" + kDash + "AAAAAAA=\n"), "a name and a signature");
  check_refused(parse_signed_note("text\n\n" + kDash + " AAAAAAA=\n"), "impossible key name");
  check_refused(parse_signed_note("text\n\n" + kDash + "a+b AAAAAAA=\n"), "impossible key name");
  check_refused(parse_signed_note("text\n\n" + kDash + "a AAAAAA==\n"), "not base64 of a key id and a signature");
  check_refused(parse_signed_note("text\n\n" + kDash + "a AAAAAAB=\n"), "not base64 of a key id and a signature");
  check_refused(parse_signed_note("text\n\n" + kDash + "a  AAAAAAA=\n"), "not base64 of a key id and a signature");
  check_refused(parse_signed_note("text\n\n" + kDash + "a AAAAAAA= \n"), "not base64 of a key id and a signature");
  check_refused(parse_signed_note(std::string(70'000, 'a') + "\n\n" + kLine), "more than 65,536 bytes");
  std::string many = "text\n\n";
  for (int i = 0; i < 32; ++i) many += kDash + "key" + std::to_string(i) + " AAAAAAA=\n";
  CHECK(parse_signed_note(many));
  check_refused(parse_signed_note(many + kLine), "more than 32 signatures");
  CHECK(need(parse_signed_note("a\n\nb\n\n" + kLine)).text == "a\n\nb\n");  // split at the last empty line
}

TEST_CASE("a checkpoint has exactly three lines") {
  const std::string root = "JrMFtGYT2swoXiJf8CTSJiXzRsxtANIdftEzHwZ6mLw=\n";
  CHECK(need(parse_checkpoint("o\n300\n" + root)).size == 300);
  CHECK(need(parse_checkpoint("o\n9223372036854775807\n" + root)).text() == "o\n9223372036854775807\n" + root);
  check_refused(parse_checkpoint(""), "three lines");
  check_refused(parse_checkpoint("o\n300\n"), "three lines");
  check_refused(parse_checkpoint("o\n300\n" + root.substr(0, root.size() - 1)), "three lines");
  check_refused(parse_checkpoint("o\n300\n" + root + "extension\n"), "extension lines");
  check_refused(parse_checkpoint("\n300\n" + root), "origin");
  check_refused(parse_checkpoint("o p\n300\n" + root), "origin");
  check_refused(parse_checkpoint("o\n0300\n" + root), "leading zero");
  check_refused(parse_checkpoint("o\n+300\n" + root), "not a decimal");
  check_refused(parse_checkpoint("o\n-1\n" + root), "not a decimal");
  check_refused(parse_checkpoint("o\n\n" + root), "not a decimal");
  check_refused(parse_checkpoint("o\n9223372036854775808\n" + root), "2^63");
  check_refused(parse_checkpoint("o\n300\nJrMF\n"), "32 bytes");
  check_refused(parse_checkpoint("o\n300\n" + root.substr(0, 43) + "\n"), "base64");
  check_refused(parse_checkpoint("o\n0\n" + root), "empty tree");
  CHECK(parse_checkpoint("o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"));
}

TEST_CASE("a log signature: by this key, under this name, over this text") {
  const PrivateKey key = PrivateKey::generate();
  const Checkpoint checkpoint = some_checkpoint();
  const VerifierKey verifier{checkpoint.origin, KeyType::ed25519, key.public_key()};
  const SignedNote note = signed_by(checkpoint, key);
  CHECK(greffe::verify_note(note, verifier));
  CHECK(greffe::verify_note(need(parse_signed_note(note.write())), verifier));

  const VerifierKey other_name{"other.example", KeyType::ed25519, key.public_key()};
  CHECK(greffe::verify_note(note, other_name).error().code == Errc::not_found);
  const VerifierKey other_key{checkpoint.origin, KeyType::ed25519, PrivateKey::generate().public_key()};
  CHECK(greffe::verify_note(note, other_key).error().code == Errc::not_found);
  CHECK(greffe::verify_note(note, {checkpoint.origin, KeyType::cosignature_v1, key.public_key()}).error().code == Errc::invalid);

  SignedNote altered = note;
  altered.text.replace(altered.text.find("42"), 2, "43");
  CHECK(greffe::verify_note(altered, verifier).error().code == Errc::corrupt);
  altered = note;
  altered.signatures[0].signature[5] ^= 1;
  CHECK(greffe::verify_note(altered, verifier).error().code == Errc::corrupt);
  altered = note;
  altered.signatures[0].signature.pop_back();
  CHECK(greffe::verify_note(altered, verifier).error().code == Errc::corrupt);
  altered = note;
  altered.signatures[0].key_id ^= 1;  // not this key's line any more
  CHECK(greffe::verify_note(altered, verifier).error().code == Errc::not_found);
}

TEST_CASE("a cosignature states its time and is of its own type") {
  const PrivateKey key = PrivateKey::generate();
  const Checkpoint checkpoint = some_checkpoint();
  const VerifierKey verifier{"dr.example", KeyType::cosignature_v1, key.public_key()};
  SignedNote note = signed_by(checkpoint, PrivateKey::generate());
  CHECK(greffe::verify_cosignature(note, verifier).error().code == Errc::not_found);
  greffe::put_signature(note, greffe::cosign_checkpoint(checkpoint, verifier.name, key, UtcTime{1'767'225'600'999}));
  CHECK(need(greffe::verify_cosignature(note, verifier)).ms == 1'767'225'600'000);
  CHECK(greffe::verify_cosignature(note, {verifier.name, KeyType::ed25519, verifier.key}).error().code == Errc::invalid);
  for (const std::size_t at : {std::size_t{0}, std::size_t{7}, std::size_t{8}, std::size_t{71}}) {
    SignedNote altered = note;
    altered.signatures[1].signature[at] ^= 1;
    CHECK(greffe::verify_cosignature(altered, verifier).error().code == Errc::corrupt);
  }
  for (const std::size_t size : {1, 7, 8, 71, 73}) {
    SignedNote other_size = note;
    other_size.signatures[1].signature.resize(size);
    CHECK(greffe::verify_cosignature(other_size, verifier).error().code == Errc::corrupt);
  }
  SignedNote other_tree = note;
  other_tree.text.replace(other_tree.text.find("42"), 2, "43");
  CHECK(greffe::verify_cosignature(other_tree, verifier).error().code == Errc::corrupt);
}

TEST_CASE("a second signature of the same key replaces the first") {
  const PrivateKey key = PrivateKey::generate();
  const Checkpoint checkpoint = some_checkpoint();
  SignedNote note = signed_by(checkpoint, PrivateKey::generate());
  greffe::put_signature(note, greffe::cosign_checkpoint(checkpoint, "dr.example", key, UtcTime{1000}));
  greffe::put_signature(note, greffe::cosign_checkpoint(checkpoint, "dr.example", key, UtcTime{2000}));
  REQUIRE(note.signatures.size() == 2);
  CHECK(need(greffe::verify_cosignature(note, {"dr.example", KeyType::cosignature_v1, key.public_key()})).ms == 2000);
  CHECK(parse_signed_note(note.write()));
}
