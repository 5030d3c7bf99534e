// With which signed checkpoint an earlier epoch is shown.
#include "archive/epoch_end.h"

#include "archive/tlog/kept_checkpoints.h"
#include "tests/unit/archive/sample_archive.h"
#include "tests/unit/tlog/log_fixture.h"

using greffe::Checkpoint;
using greffe::Digest;
using greffe::epoch_origin;
using greffe::Errc;
using greffe::PrivateKey;
using greffe::Result;
using greffe::SignedCheckpoint;
using greffe::SignedNote;
using greffe::VerifierKey;
using greffe::testing::entries_between;
using greffe::testing::kLogPath;
using greffe::testing::kOrigin;
using greffe::testing::MemoryStore;
using greffe::testing::SampleArchive;
using greffe::tlog::LogChain;
using greffe::tlog::LogReader;
using greffe::tlog::LogWriter;
namespace archive = greffe::archive;

namespace {

const PrivateKey& log_key() {
  static const PrivateKey key = *PrivateKey::from_seed(greffe::Bytes(32, 7));
  return key;
}

SignedCheckpoint signed_state(const std::string& origin, std::uint64_t size, const Digest& root) {
  const Checkpoint about{origin, size, root};
  return {about, SignedNote{about.text(), {sign_checkpoint(about, log_key())}}};
}

void append(MemoryStore& store, const std::string& path, const std::string& origin, const std::vector<std::string>& entries) {
  auto writer = LogWriter::open(store, store, store, path);
  REQUIRE(writer);
  REQUIRE(writer->append(entries, [&](std::uint64_t size, const Digest& root) -> Result<std::string> { return signed_state(origin, size, root).note.write(); }));
}

// An archive whose second epoch goes on from 280 entries of the first.
struct Promoted {
  Promoted() {
    append(store, kLogPath, kOrigin, entries_between(0, 280));
    end = *LogReader(store, store, kLogPath).checkpoint();
    greffe::PromotionEntry entry;
    entry.name = {kOrigin, 2};
    entry.previous = end.checkpoint;
    entry.log_key = log_key().public_key();
    entry.holder = {"dr.example/holder", greffe::KeyType::cosignature_v1, entry.log_key};
    entry.machine_url = "https://dr.example:8444";
    entry.machine_key = entry.log_key;
    append(store, greffe::foreign_log_path(epoch_origin(entry.name)), epoch_origin(entry.name), {greffe::write_promotion(entry)});
  }
  Result<SignedCheckpoint> shown() {
    const auto chain = LogChain::open(store, store, kOrigin, kLogPath);
    REQUIRE(chain);
    return archive::end_of_epoch({store, store, store}, site.main_log->catalogue(), *chain, chain->links().front());
  }
  LogChain::Link first_link() { return LogChain::open(store, store, kOrigin, kLogPath)->links().front(); }
  void more_comes_back() { append(store, kLogPath, kOrigin, entries_between(280, 300)); }

  SampleArchive site;  // its catalogue says who cosigns
  MemoryStore store;
  SignedCheckpoint end;
};

}  // namespace

TEST_CASE("an earlier epoch is shown with the state that the next one goes on from") {
  Promoted promoted;
  REQUIRE(promoted.shown());
  CHECK(promoted.shown()->note.write() == promoted.end.note.write());
  SECTION("also when more of its log has come back") {
    REQUIRE(archive::keep_end_of_epoch(promoted.store, promoted.first_link(), promoted.end));
    REQUIRE(archive::keep_end_of_epoch(promoted.store, promoted.first_link(), promoted.end));  // the same promotion, gone on with after a crash
    promoted.more_comes_back();
    REQUIRE(promoted.shown());
    CHECK(promoted.shown()->note.write() == promoted.end.note.write());
  }
  SECTION("which must have been kept") {
    promoted.more_comes_back();
    REQUIRE_FALSE(promoted.shown());
    CHECK(promoted.shown().error().code == Errc::not_found);
    CHECK(promoted.shown().error().message.find(greffe::tlog::kept_checkpoint_path(kLogPath, 280)) != std::string::npos);
  }
  SECTION("and be of that log") {
    REQUIRE(archive::keep_end_of_epoch(promoted.store, promoted.first_link(), signed_state(kOrigin, 280, greffe::sha256(greffe::as_bytes("other")))));
    promoted.more_comes_back();
    CHECK(promoted.shown().error().code == Errc::corrupt);
  }
}

TEST_CASE("who has signed just the end of an epoch stands beside its log") {
  Promoted promoted;
  const PrivateKey key = PrivateKey::generate();
  const VerifierKey cosigner{"third.example", greffe::KeyType::cosignature_v1, key.public_key()};
  greffe::KeyEntry entry;
  entry.action = "added";
  entry.role = "cosigner";
  entry.name = cosigner.name;
  entry.key = cosigner.key;
  entry.cosigner = cosigner.text();
  REQUIRE(promoted.site.main_log->append(entry));
  const auto has_signed = [&](std::uint64_t size) {
    SignedCheckpoint note = signed_state(kOrigin, size, *LogReader(promoted.store, promoted.store, kLogPath).root_at(size));
    put_signature(note.note, cosign_checkpoint(note.checkpoint, cosigner.name, key, greffe::UtcTime{1'795'683'600'000}));
    REQUIRE(archive::keep_cosigned(promoted.store, kLogPath, note, cosigner));
  };
  has_signed(279);
  CHECK_FALSE(greffe::verify_cosignature(promoted.shown()->note, cosigner));
  has_signed(280);
  CHECK(greffe::verify_cosignature(promoted.shown()->note, cosigner));
}
