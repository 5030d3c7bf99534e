#include "archive/format/policy.h"

#include "archive/format/merkle.h"
#include "tests/unit/format/vectors.h"

using greffe::Checkpoint;
using greffe::Errc;
using greffe::KeyType;
using greffe::parse_policy;
using greffe::PrivateKey;
using greffe::SignedNote;
using greffe::UtcTime;
using greffe::VerifierKey;
using greffe::testing::check_refused;
using greffe::testing::need;

namespace {

struct Cosigner {
  std::string name;
  PrivateKey key = PrivateKey::generate();
  VerifierKey verifier() const { return {name, KeyType::cosignature_v1, key.public_key()}; }
  std::string line(const std::string& policy_name) const { return "witness " + policy_name + " " + verifier().text() + "\n"; }
};

struct World {
  PrivateKey log = PrivateKey::generate();
  Cosigner a{"a.example"};
  Cosigner b{"b.example"};
  Cosigner c{"c.example"};
  Checkpoint checkpoint{"log.example", 7, greffe::sha256({})};

  VerifierKey log_key() const { return {checkpoint.origin, KeyType::ed25519, log.public_key()}; }
  std::string head() const { return "log " + log_key().text() + "\n" + a.line("a") + b.line("b") + c.line("c"); }
  SignedNote note(std::initializer_list<const Cosigner*> cosigners) const {
    SignedNote out{checkpoint.text(), {greffe::sign_checkpoint(checkpoint, log)}};
    for (const Cosigner* one : cosigners) {
      greffe::put_signature(out, greffe::cosign_checkpoint(checkpoint, one->name, one->key, UtcTime{1'767'225'600'000}));
    }
    return out;
  }
  bool met(const std::string& rest, std::initializer_list<const Cosigner*> cosigners) const {
    return need(greffe::apply_policy(need(parse_policy(head() + rest)), note(cosigners))).quorum_met;
  }
};

}  // namespace

TEST_CASE("quorums: none, one, any, all, some, groups of groups") {
  const World w;
  CHECK(w.met("quorum none\n", {}));
  CHECK_FALSE(w.met("quorum a\n", {}));
  CHECK(w.met("quorum a\n", {&w.a}));
  CHECK_FALSE(w.met("quorum a\n", {&w.b}));
  CHECK(w.met("group g any a b\nquorum g\n", {&w.b}));
  CHECK_FALSE(w.met("group g any a b\nquorum g\n", {&w.c}));
  CHECK_FALSE(w.met("group g all a b\nquorum g\n", {&w.b}));
  CHECK(w.met("group g all a b\nquorum g\n", {&w.a, &w.b}));
  CHECK_FALSE(w.met("group g 2 a b c\nquorum g\n", {&w.c}));
  CHECK(w.met("group g 2 a b c\nquorum g\n", {&w.c, &w.a}));
  CHECK(w.met("group g any a b\ngroup h all g c\nquorum h\n", {&w.c, &w.a}));
  CHECK_FALSE(w.met("group g any a b\ngroup h all g c\nquorum h\n", {&w.b, &w.a}));
}

TEST_CASE("the verdict says who signed and when; foreign lines are ignored, false ones refuse the note") {
  const World w;
  const auto policy = need(parse_policy(w.head() + "quorum none\n"));
  SignedNote note = w.note({&w.a});
  greffe::put_signature(note, greffe::NoteSignature{"stranger.example", 7, greffe::Bytes(64)});
  const auto verdict = need(greffe::apply_policy(policy, note));
  CHECK(verdict.log == "log.example");
  REQUIRE(verdict.cosigned.size() == 1);
  CHECK(verdict.cosigned[0] == std::pair<std::string, UtcTime>("a", UtcTime{1'767'225'600'000}));

  SignedNote false_log = w.note({});
  false_log.signatures[0].signature[0] ^= 1;
  CHECK(greffe::apply_policy(policy, false_log).error().code == Errc::corrupt);
  SignedNote false_witness = w.note({&w.a});
  false_witness.signatures[1].signature[20] ^= 1;
  CHECK(greffe::apply_policy(policy, false_witness).error().code == Errc::corrupt);
  SignedNote unsigned_note = w.note({&w.a, &w.b});
  unsigned_note.signatures.erase(unsigned_note.signatures.begin());
  CHECK(greffe::apply_policy(policy, unsigned_note).error().code == Errc::denied);
}

TEST_CASE("a log's key signs nothing but its own origin") {
  const World w;
  const auto policy = need(parse_policy(w.head() + "quorum none\n"));
  Checkpoint other = w.checkpoint;
  other.origin = "other.example";
  SignedNote note{other.text(), {}};
  const auto text = other.text();
  const auto signature = w.log.sign(greffe::as_bytes(text));
  greffe::put_signature(note, {"log.example", w.log_key().id(), greffe::Bytes(signature.begin(), signature.end())});
  REQUIRE(greffe::verify_note(note, w.log_key()));  // the signature is good
  CHECK(greffe::apply_policy(policy, note).error().code == Errc::denied);
}

TEST_CASE("a policy is written as it was read") {
  const World w;
  const std::string text = "# comment\n\n  # another\n" + w.head() + "group\tg  any a b\ngroup h all g c\nquorum h\n";
  const auto policy = need(parse_policy(text));
  const std::string written = greffe::write_policy(policy);
  CHECK(written == w.head() + "group g 1 a b\ngroup h 2 g c\nquorum h\n");
  CHECK(greffe::write_policy(need(parse_policy(written))) == written);
  CHECK(parse_policy(w.head() + "quorum none"));  // the last newline may be missing
  CHECK(parse_policy("log " + w.log_key().text() + " https://log.example/\n" + "quorum none\n"));
}

TEST_CASE("forty logs, witnesses and groups are no trouble") {
  std::string text;
  for (int i = 0; i < 40; ++i) {
    const std::string n = std::to_string(i);
    text += "log " + VerifierKey{"log" + n, KeyType::ed25519, PrivateKey::generate().public_key()}.text() + "\n";
    text += Cosigner{"w" + n}.line("w" + n) + "group g" + n + " any w" + n + (i == 0 ? "" : " g" + std::to_string(i - 1)) + "\n";
  }
  CHECK(need(parse_policy(text + "quorum g39\n")).groups.size() == 40);
}

TEST_CASE("mistakes in a policy are refused with the line") {
  const World w;
  const std::string head = w.head();  // four lines
  check_refused(parse_policy(""), "names no log");
  check_refused(parse_policy(head), "no quorum line");
  check_refused(parse_policy(w.a.line("a") + "quorum a\n"), "names no log");
  check_refused(parse_policy(head + "quorum none\nquorum none\n"), "policy line 6: there is a second quorum line");
  check_refused(parse_policy(head + "quorum x\n"), "policy line 5: the quorum x is not defined");
  check_refused(parse_policy(head + "quorum a b\n"), "quorum <name>|none");
  check_refused(parse_policy(head + "group g any x\n"), "x is not defined before");
  check_refused(parse_policy(head + "group g any g\n"), "g is not defined before");
  check_refused(parse_policy(head + "group g any none\n"), "none is not defined before");
  check_refused(parse_policy(head + "group g any a a\n"), "a is in a group already");
  check_refused(parse_policy(head + "group g any a\ngroup h any a\n"), "policy line 6: the member a is in a group already");
  check_refused(parse_policy(head + "group g 0 a\n"), "from 1 to the number");
  check_refused(parse_policy(head + "group g 3 a b\n"), "from 1 to the number");
  check_refused(parse_policy(head + "group g 01 a b\n"), "leading zero");
  check_refused(parse_policy(head + "group g some a b\n"), "not a decimal");
  check_refused(parse_policy(head + "group g any\n"), "a group line is");
  check_refused(parse_policy(head + "group a any b\n"), "the name a stands twice");
  check_refused(parse_policy(head + "group none any b\n"), "\"none\" cannot be the name");
  check_refused(parse_policy(head + w.a.line("d")), "the public key of a.example stands twice");
  check_refused(parse_policy(head + Cosigner{"d.example"}.line("a")), "the name a stands twice");
  check_refused(parse_policy(head + "log " + w.a.verifier().text() + "\n"), "must be of type 01");
  check_refused(parse_policy(head + "witness d " + VerifierKey{"d", KeyType::ed25519, PrivateKey::generate().public_key()}.text() + "\n"),
                "must be of type 04");
  check_refused(parse_policy(head + "log\n"), "a log line is");
  check_refused(parse_policy(head + "witness d\n"), "a witness line is");
  check_refused(parse_policy(head + "trust everybody\n"), "unknown word \"trust\"");
  check_refused(parse_policy(head + "quorum none\r\n"), "policy line 5: a control character");
  check_refused(parse_policy(head + "quorum no\x7fne\n"), "a control character");
  check_refused(parse_policy(std::string(300'000, '#')), "more than 256 KiB");
}

TEST_CASE("proof files in any other form are refused") {
  const std::string hash = greffe::to_base64(greffe::sha256({}).bytes) + "\n";
  const std::string note = World{}.note({}).write();
  const std::string head = "c2sp.org/tlog-proof@v1\n";
  const auto good = need(greffe::parse_tlog_proof(head + "index 3\n" + hash + "\n" + note));
  CHECK(good.index == 3);
  CHECK(good.checkpoint == note);
  CHECK(greffe::write_tlog_proof(good) == head + "index 3\n" + hash + "\n" + note);
  CHECK(need(greffe::parse_tlog_proof(head + "extra AAAA\nindex 3\n\n" + note)).hashes.empty());
  check_refused(greffe::parse_tlog_proof(""), "begins with the line");
  check_refused(greffe::parse_tlog_proof("c2sp.org/tlog-proof@v2\nindex 3\n\n" + note), "begins with the line");
  check_refused(greffe::parse_tlog_proof(head + "\n" + note), "index line is missing");
  check_refused(greffe::parse_tlog_proof(head + "index 03\n\n" + note), "leading zero");
  check_refused(greffe::parse_tlog_proof(head + "extra %%%\nindex 3\n\n" + note), "base64");
  check_refused(greffe::parse_tlog_proof(head + "index 3\nAAAA\n\n" + note), "32 bytes");
  check_refused(greffe::parse_tlog_proof(head + "index 3\n" + hash), "cut short");
  check_refused(greffe::parse_tlog_proof(head + "index 3\n\n" + note.substr(0, note.size() - 1)), "the proof's checkpoint");
  std::string many = head + "index 3\n";
  for (int i = 0; i < 64; ++i) many += hash;
  check_refused(greffe::parse_tlog_proof(many + "\n" + note), "at most 63 hashes");
  check_refused(greffe::parse_tlog_proof(head + std::string(80'000, 'x')), "too large");
}
