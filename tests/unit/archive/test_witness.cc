// This archive as a witness: what it cosigns, and that it never forgets what it has cosigned.
#include <catch2/catch.hpp>

#include "archive/format/merkle.h"
#include "archive/format/witness_messages.h"
#include "archive/witness.h"
#include "tests/unit/support/forgetful_file_system.h"
#include "tests/unit/support/manual_clock.h"

using greffe::Checkpoint;
using greffe::Digest;
using greffe::Errc;
using greffe::PrivateKey;
using greffe::SignedCheckpoint;
using greffe::VerifierKey;
using greffe::archive::Witness;
using greffe::testing::Fault;
using greffe::testing::ForgetfulFileSystem;
using greffe::testing::ManualClock;
using Outcome = Witness::Answer::Outcome;

namespace {

constexpr const char* kOrigin = "archive.court.example";
constexpr const char* kState = "/state";

// A log of numbered entries; `branch`: another one with the same beginning.
class SampleLog {
 public:
  explicit SampleLog(std::string branch = "") : branch_(std::move(branch)) {}

  Digest root(std::uint64_t size) const {
    greffe::TreeEdge edge;
    for (std::uint64_t i = 0; i < size; ++i) edge.append(leaf(i));
    return edge.root();
  }
  std::vector<Digest> proof(std::uint64_t old_size, std::uint64_t size) const {
    const auto subtree = [this](unsigned level, std::uint64_t index) -> greffe::Result<Digest> {
      greffe::TreeEdge edge;
      for (std::uint64_t i = index << level; i < (index + 1) << level; ++i) edge.append(leaf(i));
      return edge.root();
    };
    const auto hashes = greffe::consistency_proof(old_size, size, subtree);
    REQUIRE(hashes);
    return *hashes;
  }
  SignedCheckpoint at(std::uint64_t size) const {
    const Checkpoint tree{kOrigin, size, root(size)};
    return {tree, {tree.text(), {greffe::sign_checkpoint(tree, *key)}}};
  }
  std::string request(std::uint64_t old_size, std::uint64_t size) const {
    return greffe::write_add_checkpoint({old_size, old_size == 0 ? std::vector<Digest>() : proof(old_size, size), at(size)});
  }
  VerifierKey vkey() const { return {kOrigin, greffe::KeyType::ed25519, key->public_key()}; }

  std::shared_ptr<PrivateKey> key = std::make_shared<PrivateKey>(PrivateKey::generate());

 private:
  Digest leaf(std::uint64_t index) const {
    const std::string entry = std::to_string(index) + (index >= 5 ? branch_ : std::string());
    return greffe::leaf_hash(greffe::as_bytes(entry));
  }
  const std::string branch_;
};

struct Site {
  Site() {
    REQUIRE(files.make_directories(kState));
    REQUIRE(witness().add_log(log.vkey()));
  }
  Witness witness() { return Witness(files, clock, kState, "city.court.example"); }
  Outcome ask(const std::string& body) {
    const auto answer = witness().add_checkpoint(body);
    REQUIRE(answer);
    return answer->outcome;
  }

  ForgetfulFileSystem files;
  ManualClock clock;
  SampleLog log;
};

}  // namespace

TEST_CASE("a witness cosigns what continues the tree that it cosigned last, and says otherwise what is wrong") {
  Site site;
  Witness witness = site.witness();
  const VerifierKey key = *witness.key();
  CHECK(key.name == "city.court.example/witness");
  CHECK(key.type == greffe::KeyType::cosignature_v1);

  const auto first = witness.add_checkpoint(site.log.request(0, 3));
  REQUIRE(first);
  REQUIRE(first->outcome == Outcome::cosigned);
  const auto cosigned = greffe::read_cosignatures(site.log.at(3), greffe::write_cosignatures(first->lines), key);
  REQUIRE(cosigned);
  CHECK(greffe::verify_cosignature(cosigned->note, key)->ms == site.clock.utc_now().ms / 1000 * 1000);
  CHECK(site.ask(site.log.request(3, 8)) == Outcome::cosigned);
  CHECK(site.ask(site.log.request(8, 8)) == Outcome::cosigned);  // asked again: its answer was lost, or it is shown to be there still

  const auto behind = witness.add_checkpoint(site.log.request(3, 9));
  REQUIRE(behind);
  CHECK(behind->outcome == Outcome::other_size);
  CHECK(behind->size == 8);
  CHECK(behind->newest->checkpoint == site.log.at(8).checkpoint);
  CHECK(site.ask(site.log.request(0, 9)) == Outcome::other_size);
  CHECK(site.ask(greffe::write_add_checkpoint({9, {}, site.log.at(8)})) == Outcome::malformed);
  CHECK(site.ask("old 8\n") == Outcome::malformed);
  CHECK(site.ask(greffe::write_add_checkpoint({8, {}, site.log.at(9)})) == Outcome::not_consistent);

  SampleLog fork("'");  // signed with the same key
  fork.key = site.log.key;
  CHECK(site.ask(fork.request(8, 12)) == Outcome::not_consistent);
  CHECK(site.ask(greffe::write_add_checkpoint({8, {}, fork.at(8)})) == Outcome::not_consistent);
  const SampleLog stranger;  // the same entries, another key
  CHECK(site.ask(stranger.request(8, 12)) == Outcome::not_signed);
  SignedCheckpoint false_line = site.log.at(12);
  false_line.note.signatures.front().signature[7] ^= 1;
  CHECK(site.ask(greffe::write_add_checkpoint({8, site.log.proof(8, 12), false_line})) == Outcome::not_signed);
  CHECK(site.ask(site.log.request(8, 12)) == Outcome::cosigned);
}

TEST_CASE("a witness that never cosigned a log takes no proof, and the empty tree has one root") {
  Site site;
  CHECK(site.ask(greffe::write_add_checkpoint({0, {greffe::empty_root()}, site.log.at(3)})) == Outcome::not_consistent);
  Checkpoint empty{kOrigin, 0, greffe::sha256(greffe::as_bytes("other"))};
  const greffe::SignedNote note{empty.text(), {greffe::sign_checkpoint(empty, *site.log.key)}};
  CHECK(site.ask("old 0\n\n" + note.write()) == Outcome::not_consistent);
  CHECK(site.ask(site.log.request(0, 0)) == Outcome::cosigned);
  CHECK(site.ask(site.log.request(0, 7)) == Outcome::cosigned);
}

TEST_CASE("a log that a witness was not told of is unknown, and one that was removed is not forgotten") {
  Site site;
  Witness witness = site.witness();
  CHECK(witness.newest(greffe::sha256(greffe::as_bytes(kOrigin))).error().code == Errc::not_found);
  REQUIRE(site.ask(site.log.request(0, 6)) == Outcome::cosigned);
  CHECK(witness.newest(greffe::sha256(greffe::as_bytes(kOrigin)))->checkpoint.size == 6);
  CHECK(witness.logs()->size() == 1);
  REQUIRE(witness.remove_log(kOrigin));
  CHECK(witness.remove_log(kOrigin).error().code == Errc::not_found);
  CHECK(witness.logs()->empty());
  CHECK(site.ask(site.log.request(6, 7)) == Outcome::unknown_log);
  // Added again, also with another key, it goes on from where it was.
  SampleLog again;
  REQUIRE(witness.add_log(again.vkey()));
  CHECK(site.ask(again.request(0, 7)) == Outcome::other_size);
  CHECK(site.ask(site.log.request(6, 7)) == Outcome::not_signed);
  CHECK(site.ask(again.request(6, 7)) == Outcome::cosigned);
  CHECK(witness.add_log({"city.court.example/witness", greffe::KeyType::cosignature_v1, again.key->public_key()}).error().code == Errc::invalid);
}

TEST_CASE("a witness whose memory of a log is damaged cosigns nothing of it") {
  Site site;
  REQUIRE(site.ask(site.log.request(0, 6)) == Outcome::cosigned);
  const std::string path = std::string(kState) + "/witness/" + greffe::sha256(greffe::as_bytes(kOrigin)).hex() + ".json";
  REQUIRE(site.files.damage(path, [](greffe::Bytes& bytes) { bytes.resize(bytes.size() / 2); }));
  CHECK(site.witness().add_checkpoint(site.log.request(6, 7)).error().code == Errc::io_error);
  CHECK(site.witness().add_checkpoint(site.log.request(0, 7)).error().code == Errc::io_error);
  CHECK(site.witness().add_log(site.log.vkey()).error().code == Errc::io_error);
}

// Two branches of one log ask in turn, and at every step of the disk the power fails or the step does. Whatever leaves the witness is
// signed for one of the branches only, beyond where they part.
TEST_CASE("a crash or a failed step at any moment never makes a witness sign two trees") {
  SampleLog fork("'");
  for (const Fault fault : {Fault::power_off, Fault::fails_before, Fault::fails_after, Fault::fails_half}) {
    for (std::uint64_t step = 1;; ++step) {
      Site site;
      fork.key = site.log.key;
      REQUIRE(site.ask(site.log.request(0, 5)) == Outcome::cosigned);
      std::vector<Digest> seen;  // roots beyond the common beginning that somebody got a cosignature of
      const auto ask = [&](const SampleLog& log, std::uint64_t old_size, std::uint64_t size) {
        const auto answer = site.witness().add_checkpoint(log.request(old_size, size));
        if (answer && answer->outcome == Outcome::cosigned) seen.push_back(log.root(size));
      };
      site.files.faults().arm(fault, step);
      ask(site.log, 5, 8);
      const bool happened = site.files.faults().happened();
      site.files.crash(step);  // some of what was not synced survives
      ask(fork, 5, 8);
      ask(fork, 8, 8);
      ask(site.log, 5, 8);
      ask(site.log, 8, 8);
      INFO("step " << step << " of fault " << static_cast<int>(fault));
      REQUIRE_FALSE(seen.empty());
      for (const Digest& root : seen) CHECK(root == seen.front());
      if (!happened) break;
      REQUIRE(step < 100);
    }
  }
}

// Each request is right by itself; only one of each old size may win.
TEST_CASE("a smaller request that comes second does not take a witness back") {
  Site site;
  Witness witness = site.witness();
  REQUIRE(site.ask(site.log.request(0, 5)) == Outcome::cosigned);
  const std::string small = site.log.request(5, 6);
  REQUIRE(witness.add_checkpoint(site.log.request(5, 9))->outcome == Outcome::cosigned);
  const auto late = witness.add_checkpoint(small);
  REQUIRE(late);
  CHECK(late->outcome == Outcome::other_size);
  CHECK(late->size == 9);
  CHECK(witness.newest(greffe::sha256(greffe::as_bytes(kOrigin)))->checkpoint.size == 9);
}
