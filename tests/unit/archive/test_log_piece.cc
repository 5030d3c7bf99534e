// What a replica gives back of another archive's main log: its entries in pieces, the checkpoints that it kept, its hearings.
#include <catch2/catch.hpp>

#include "archive/foreign_log.h"
#include "archive/tlog/kept_checkpoints.h"
#include "tests/unit/archive/sample_archive.h"

using greffe::Errc;
using greffe::PrivateKey;
using greffe::archive::Peer;
using greffe::archive::Receipt;
using greffe::testing::SampleArchive;
using greffe::testing::SampleHearing;
namespace archive = greffe::archive;

namespace {

const std::string kPrimary = "primary.court.example";

struct Replica {
  SampleArchive site{"replica"};
  PrivateKey log_key = PrivateKey::generate();
  Peer replicator;
  std::vector<std::string> entries;
  std::unique_ptr<archive::ForeignLogs> foreign;

  Replica() {
    greffe::KeyEntry origin;
    origin.action = "added";
    origin.role = "origin";
    origin.name = kPrimary;
    origin.key = log_key.public_key();
    REQUIRE(site.main_log->append(origin));
    replicator.kind = Peer::Kind::replicator;
    replicator.key.name = kPrimary;
    foreign = std::make_unique<archive::ForeignLogs>(site.clock, site.stores(), *site.hearings, *site.main_log, *site.epochs, site.keys->holder);
  }
  // Scrub passes up to this size of the log, in one batch.
  void grow_to(std::size_t size) {
    const std::size_t first = entries.size();
    while (entries.size() < size) {
      greffe::ScrubEntry entry;
      entry.finding = "pass";
      entry.volume = "v";
      entry.objects = entries.size();
      entry.utc = greffe::UtcTime{1'790'000'000'000};
      entries.push_back(greffe::write_main_entry(entry));
    }
    greffe::TreeEdge edge;
    for (const std::string& entry : entries) edge.append(greffe::leaf_hash(greffe::as_bytes(entry)));
    const greffe::Checkpoint checkpoint{kPrimary, size, edge.root()};
    greffe::SignedNote note{checkpoint.text(), {}};
    greffe::put_signature(note, greffe::sign_checkpoint(checkpoint, log_key));
    const std::vector<std::string> batch(entries.begin() + static_cast<std::ptrdiff_t>(first), entries.end());
    const auto done = foreign->append(replicator, kPrimary, first, batch, note.write());
    REQUIRE((done && std::holds_alternative<Receipt>(*done)));
  }
};

}  // namespace

TEST_CASE("a main log is given back in pieces, with the checkpoints that lie in them") {
  Replica replica;
  replica.grow_to(3000);
  replica.grow_to(5000);
  replica.grow_to(12'000);  // in one piece with the one before, and as a text before it
  replica.grow_to(18'000);
  std::vector<std::string> all;
  std::vector<std::uint64_t> kept;
  while (all.size() < 18'000) {
    const auto piece = replica.foreign->read_entries(replica.replicator, kPrimary, all.size(), std::nullopt);
    REQUIRE(piece);
    REQUIRE(piece->first == all.size());
    REQUIRE_FALSE(piece->entries.empty());
    CHECK(piece->entries.size() <= greffe::tlog::kPieceEntries);
    CHECK(piece->head.checkpoint.size == 18'000);
    all.insert(all.end(), piece->entries.begin(), piece->entries.end());
    for (const std::string& note : piece->kept) kept.push_back(greffe::parse_signed_checkpoint(note)->checkpoint.size);
  }
  CHECK(all == replica.entries);
  CHECK(kept == std::vector<std::uint64_t>{5000, 12'000, 18'000});
  Peer other = replica.replicator;
  other.key.name = "another.court.example";
  CHECK(replica.foreign->read_entries(other, kPrimary, 0, std::nullopt).error().code == Errc::denied);
  CHECK(replica.foreign->hearings_of_day(other, kPrimary, "2026-11-22").error().code == Errc::denied);
}

TEST_CASE("a replica lists the hearings of an archive, those of others not") {
  Replica replica;
  SampleHearing mine(kPrimary);
  SampleHearing same_day(kPrimary, greffe::UtcTime{1'795'338'100'000});
  SampleHearing other("another.court.example");
  for (SampleHearing* hearing : {&mine, &same_day, &other}) {
    Peer peer = replica.replicator;
    if (hearing == &other) peer.key.name = "another.court.example";
    for (const auto& [digest, bytes] : hearing->objects) {
      auto writer = replica.site.deposit->begin_object(peer, hearing->id, digest, bytes.size());
      REQUIRE(writer);
      REQUIRE(((*writer)->write(greffe::as_bytes(bytes)) && (*writer)->commit(digest)));
      replica.site.deposit->deposited(peer, hearing->id, digest, bytes.size());
    }
    REQUIRE(replica.site.deposit->append(peer, hearing->id, 0, hearing->entries, hearing->checkpoint(hearing->entries.size())));
  }
  const std::string day = greffe::to_text(mine.id.time()).substr(0, 10);
  const auto listed = replica.foreign->hearings_of_day(replica.replicator, kPrimary, day);
  REQUIRE(listed);
  CHECK(*listed == std::vector<greffe::HearingId>{std::min(mine.id, same_day.id), std::max(mine.id, same_day.id)});
  CHECK(replica.foreign->hearings_of_day(replica.replicator, kPrimary, "2026-01-01")->empty());
  for (const char* wrong : {"", "2026-1-1", "2026-11-22/", "../../../../.."}) {
    CHECK(replica.foreign->hearings_of_day(replica.replicator, kPrimary, wrong).error().code == Errc::invalid);
  }
  CHECK(replica.foreign->read_entries(replica.replicator, other.id, 0, std::nullopt).error().code == Errc::denied);
  CHECK(replica.foreign->read_entries(replica.replicator, mine.id, 0, std::nullopt)->entries == mine.entries);
}
