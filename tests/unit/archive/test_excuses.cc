// A second site that is not sent what was declared lost: it takes the rest when the order of two officers is shown to it with
// its proof, and not otherwise.
#include <catch2/catch.hpp>

#include "archive/foreign_log.h"
#include "archive/format/policy.h"
#include "tests/unit/archive/sample_archive.h"
#include "tests/unit/support/successor_log.h"

using greffe::Digest;
using greffe::Errc;
using greffe::PrivateKey;
using greffe::ShownEntry;
using greffe::archive::Receipt;
using greffe::archive::Unready;
using greffe::testing::EpochLog;
using greffe::testing::SampleArchive;
using greffe::testing::SampleHearing;

namespace {

const std::string kPrimary = "primary.court.example";

// The main log of the first site, in memory.
struct FirstSite : EpochLog {
  std::vector<PrivateKey> officers;

  FirstSite() : EpochLog{{kPrimary, 1}, PrivateKey::generate(), {}} {
    for (int i = 0; i < 2; ++i) officers.push_back(PrivateKey::generate());
    greffe::AccountEntry account;
    account.snapshot = greffe::sha256(greffe::as_bytes("snapshot"));
    entries.push_back(greffe::write_main_entry(account));
    for (int i = 0; i < 2; ++i) {
      greffe::KeyEntry officer;
      officer.action = "added";
      officer.role = "officer";
      officer.name = "officer-" + std::to_string(i);
      officer.key = officers[static_cast<std::size_t>(i)].public_key();
      entries.push_back(greffe::write_main_entry(officer));
    }
  }
  void declare(const std::optional<greffe::HearingId>& hearing, const Digest& digest, bool signed_by_both = true) {
    greffe::MainLostEntry lost;
    lost.hearing = hearing;
    lost.objects = {digest};
    lost.officers = {"officer-0", "officer-1"};
    const std::string text = greffe::lost_statement(kPrimary, hearing, lost.objects);
    lost.signatures = {officers[0].sign(greffe::as_bytes(text)), officers[signed_by_both ? 1 : 0].sign(greffe::as_bytes(text))};
    entries.push_back(greffe::write_main_entry(lost));
  }
  std::vector<ShownEntry> officers_and_last() const { return {shown(1), shown(2), shown(entries.size() - 1)}; }
};

struct SecondSite {
  SampleArchive archive{"replica"};
  FirstSite first;
  SampleHearing hearing{kPrimary};
  greffe::archive::Peer replicator;
  std::unique_ptr<greffe::archive::ForeignLogs> foreign;

  SecondSite() {
    greffe::KeyEntry origin;
    origin.action = "added";
    origin.role = "origin";
    origin.name = kPrimary;
    origin.key = first.key.public_key();
    REQUIRE(archive.main_log->append(origin));
    replicator.kind = greffe::archive::Peer::Kind::replicator;
    replicator.key.name = kPrimary;
    foreign = std::make_unique<greffe::archive::ForeignLogs>(archive.clock, archive.stores(), *archive.hearings, *archive.main_log, *archive.epochs, archive.keys->holder);
    for (int i = 0; i < 2; ++i) hearing.add_segment();
    hearing.close();
  }
  // All but the last object of the hearing.
  Digest send_objects() {
    for (std::size_t i = 0; i + 1 < hearing.objects.size(); ++i) {
      const auto& [digest, bytes] = hearing.objects[i];
      auto writer = archive.deposit->begin_object(replicator, hearing.id, digest, bytes.size());
      REQUIRE(writer);
      REQUIRE(((*writer)->write(greffe::as_bytes(bytes)) && (*writer)->commit(digest)));
      archive.deposit->deposited(replicator, hearing.id, digest, bytes.size());
    }
    return hearing.objects.back().first;
  }
  auto post_hearing(const std::vector<ShownEntry>& shown) {
    return archive.deposit->append(replicator, hearing.id, 0, hearing.entries, hearing.checkpoint(hearing.entries.size()), shown);
  }
  auto post_main(std::size_t first_entry, std::size_t last, const std::vector<ShownEntry>& shown = {}) {
    const std::vector<std::string> range(first.entries.begin() + static_cast<std::ptrdiff_t>(first_entry), first.entries.begin() + static_cast<std::ptrdiff_t>(last));
    return foreign->append(replicator, kPrimary, first_entry, range, first.note(last), shown);
  }
};

}  // namespace

TEST_CASE("a hearing is taken without what two officers of its archive declared lost, and not without their order") {
  SecondSite site;
  const Digest lost = site.send_objects();
  const auto bare = site.post_hearing({});
  REQUIRE(bare);
  CHECK(std::get<Unready>(*bare).missing == std::vector<Digest>{lost});

  FirstSite impostor;  // the same names under another log key
  impostor.declare(site.hearing.id, lost);
  CHECK(site.post_hearing(impostor.officers_and_last()).error().code == Errc::denied);
  FirstSite& first = site.first;
  SECTION("by one officer twice") {
    first.declare(site.hearing.id, lost, false);
    CHECK(site.post_hearing(first.officers_and_last()).error().code == Errc::denied);
  }
  SECTION("of another hearing") {
    first.declare(std::nullopt, lost);
    const auto answer = site.post_hearing(first.officers_and_last());
    REQUIRE(answer);
    CHECK(std::holds_alternative<Unready>(*answer));
  }
  SECTION("without the entries that made them officers") {
    first.declare(site.hearing.id, lost);
    CHECK(site.post_hearing({first.shown(3)}).error().code == Errc::denied);
  }
  SECTION("as it should be") {
    first.declare(site.hearing.id, lost);
    const auto answer = site.post_hearing(first.officers_and_last());
    if (!answer) FAIL(answer.error().message);
    REQUIRE(std::holds_alternative<Receipt>(*answer));
    CHECK(greffe::verify_cosignature(std::get<Receipt>(*answer).checkpoint.note, site.archive.holder()));
    CHECK_FALSE(*site.archive.main_log->declared_lost().names(lost));  // the main log is not here yet
  }
}

TEST_CASE("a hearing may show its own entry ahead that says what its station lost") {
  SecondSite site;
  const Digest lost = site.send_objects();
  SampleHearing& h = site.hearing;
  greffe::LostEntry entry;
  entry.objects = {lost};
  entry.reason = "unreadable";
  h.entries.insert(h.entries.end() - 1, greffe::write_hearing_entry(entry));
  const std::size_t index = h.entries.size() - 2;
  greffe::TlogProof proof;
  proof.index = index;
  const auto subtree = [&](unsigned level, std::uint64_t at) -> greffe::Result<Digest> {
    greffe::TreeEdge edge;
    for (std::uint64_t i = at << level; i < (at + 1) << level; ++i) edge.append(greffe::leaf_hash(greffe::as_bytes(h.entries[i])));
    return edge.root();
  };
  proof.hashes = greffe::inclusion_proof(index, h.entries.size(), subtree).value();
  proof.checkpoint = h.checkpoint(h.entries.size());
  const ShownEntry shown{h.entries[index], greffe::write_tlog_proof(proof)};
  const std::vector<std::string> before(h.entries.begin(), h.entries.begin() + static_cast<std::ptrdiff_t>(index));
  const auto post = [&](const std::vector<ShownEntry>& ahead) {
    return site.archive.deposit->append(site.replicator, h.id, 0, before, h.checkpoint(index), ahead);
  };
  const auto bare = post({});
  REQUIRE((bare && std::holds_alternative<Unready>(*bare)));
  const auto answer = post({shown});
  if (!answer) FAIL(answer.error().message);
  CHECK(std::holds_alternative<Receipt>(*answer));
}

TEST_CASE("a main log is taken without documents that were declared lost further on, and no order is taken unsigned") {
  SecondSite site;
  FirstSite& first = site.first;
  const Digest snapshot = greffe::sha256(greffe::as_bytes("snapshot"));
  SECTION("shown ahead, and then remembered") {
    first.declare(std::nullopt, snapshot);
    const auto bare = site.post_main(0, 1);
    REQUIRE(bare);
    CHECK(std::get<Unready>(*bare).missing == std::vector<Digest>{snapshot});
    const auto answer = site.post_main(0, 1, first.officers_and_last());
    if (!answer) FAIL(answer.error().message);
    CHECK(std::holds_alternative<Receipt>(*answer));
    CHECK(std::holds_alternative<Receipt>(*site.post_main(1, 4)));
    CHECK(*site.archive.main_log->declared_lost().covers(std::nullopt, snapshot));
    CHECK_FALSE(*site.archive.main_log->declared_lost().covers(site.hearing.id, snapshot));
  }
  SECTION("in the same request") {
    first.declare(std::nullopt, snapshot);
    const auto answer = site.post_main(0, 4);
    if (!answer) FAIL(answer.error().message);
    CHECK(std::holds_alternative<Receipt>(*answer));
  }
  SECTION("unsigned") {
    first.declare(std::nullopt, snapshot, false);
    CHECK(site.post_main(0, 4).error().code == Errc::denied);
  }
  SECTION("an officer who was revoked here is none again because an old entry is shown") {
    greffe::KeyEntry revoked = std::get<greffe::KeyEntry>(*greffe::parse_main_entry(first.entries[1]));
    revoked.action = "revoked";
    revoked.why = "stolen";
    first.entries.erase(first.entries.begin());
    first.entries.push_back(greffe::write_main_entry(revoked));
    REQUIRE(std::holds_alternative<Receipt>(*site.post_main(0, 3)));
    greffe::AccountEntry account;
    account.snapshot = snapshot;
    first.entries.push_back(greffe::write_main_entry(account));
    first.declare(std::nullopt, snapshot);
    CHECK(site.post_main(3, 4, {first.shown(0), first.shown(1), first.shown(4)}).error().code == Errc::denied);
  }
}
