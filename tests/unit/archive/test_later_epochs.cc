// What a replica takes of an archive that goes on at another site: the new epoch's log from its certificate on, nothing more of the old one's.
#include <catch2/catch.hpp>

#include "archive/ahead_intake.h"
#include "archive/tlog/copied_main_log.h"
#include "tests/unit/archive/sample_archive.h"
#include "tests/unit/support/successor_log.h"

using greffe::Checkpoint;
using greffe::Errc;
using greffe::KeyEntry;
using greffe::PrivateKey;
using greffe::PromotionEntry;
using greffe::archive::ForeignLogs;
using greffe::archive::Peer;
using greffe::archive::Receipt;
using greffe::archive::Unready;
using greffe::testing::SampleArchive;
using greffe::testing::SampleHearing;

namespace {

const std::string kPrimary = "primary.court.example";

// One epoch's main log as its site writes it.
struct Epoch : greffe::testing::EpochLog {
  explicit Epoch(std::string name_of_log) : EpochLog{*greffe::parse_epoch_origin(name_of_log), PrivateKey::generate(), {}}, origin(std::move(name_of_log)) {}
  Checkpoint at(std::size_t size) const { return state(size); }
  std::string origin;
};

struct Replica {
  Replica() {
    KeyEntry held;
    held.action = "added";
    held.role = "origin";
    held.name = kPrimary;
    held.key = first.key.public_key();
    REQUIRE(archive.main_log->append(held));
    replicator.kind = Peer::Kind::replicator;
    replicator.key.name = kPrimary;
    for (const char* name : {"officer-1", "officer-2", "officer-3"}) add_officer(first, name);
    serve();
  }
  void serve() {
    foreign = std::make_unique<ForeignLogs>(archive.clock, archive.stores(), *archive.hearings, *archive.main_log, *archive.epochs, archive.keys->holder, archive.ahead.get());
  }
  void restart() {
    foreign.reset();
    archive.restart();
    serve();
  }
  void add_officer(Epoch& log, const std::string& name, const std::string& action = "added") {
    KeyEntry entry;
    entry.action = action;
    entry.role = "officer";
    entry.name = name;
    entry.key = officers.try_emplace(name, PrivateKey::generate()).first->second.public_key();
    if (action == "revoked") entry.why = "retired";
    log.entries.push_back(greffe::write_main_entry(entry));
  }
  void declare_lost(Epoch& log, const std::optional<greffe::HearingId>& hearing, const greffe::Digest& digest) {
    greffe::MainLostEntry lost;
    lost.hearing = hearing;
    lost.objects = {digest};
    lost.officers = {"officer-1", "officer-2"};
    const std::string text = greffe::lost_statement(kPrimary, hearing, lost.objects);
    for (const std::string& name : lost.officers) lost.signatures.push_back(officers.at(name).sign(greffe::as_bytes(text)));
    log.entries.push_back(greffe::write_main_entry(lost));
  }
  // The next epoch goes on behind `size` entries of this one.
  Epoch promoted(const Epoch& before, std::size_t size, std::uint64_t number, const std::vector<std::string>& signers = {"officer-1", "officer-2"}) {
    Epoch out{greffe::epoch_origin({kPrimary, number})};
    PromotionEntry entry;
    entry.name = {kPrimary, number};
    entry.previous = before.at(size);
    entry.log_key = out.key.public_key();
    entry.holder = {out.origin + "/holder", greffe::KeyType::cosignature_v1, out.key.public_key()};
    entry.machine_url = "https://second.court.example:8444";
    entry.machine_key = out.key.public_key();
    entry.officers = signers;
    for (const std::string& name : signers) entry.signatures.push_back(officers.try_emplace(name, PrivateKey::generate()).first->second.sign(greffe::as_bytes(promotion_statement(entry))));
    entry.utc = greffe::UtcTime{1'795'683'600'000};
    out.entries.push_back(greffe::write_promotion(entry));
    return out;
  }
  greffe::Result<std::variant<Receipt, Unready>> post(const Epoch& log, std::size_t from, std::size_t to, const std::vector<greffe::ShownEntry>& shown = {}) {
    const std::vector<std::string> range(log.entries.begin() + static_cast<std::ptrdiff_t>(from), log.entries.begin() + static_cast<std::ptrdiff_t>(to));
    return foreign->append(replicator, log.origin, from, range, log.note(to), shown);
  }
  void deposit(const SampleHearing& hearing, std::size_t objects) {
    for (std::size_t i = 0; i < objects; ++i) {
      const auto& [digest, bytes] = hearing.objects[i];
      auto writer = archive.deposit->begin_object(replicator, hearing.id, digest, bytes.size());
      REQUIRE(writer);
      REQUIRE(((*writer)->write(greffe::as_bytes(bytes)) && (*writer)->commit(digest)));
      archive.deposit->deposited(replicator, hearing.id, digest, bytes.size());
    }
  }
  bool takes(const Epoch& log, std::size_t from, std::size_t to) {
    const auto done = post(log, from, to);
    INFO((done ? std::string() : done.error().message));
    CHECK(done);
    const auto* receipt = done ? std::get_if<Receipt>(&*done) : nullptr;
    return receipt != nullptr && verify_cosignature(receipt->checkpoint.note, archive.holder());
  }
  void refuses(const Epoch& log, std::size_t from, std::size_t to, Errc code, const std::string& words) {
    const auto done = post(log, from, to);
    REQUIRE_FALSE(done);
    CHECK(done.error().code == code);
    CHECK_THAT(done.error().message, Catch::Contains(words));
    const auto held = foreign->checkpoint(log.origin);
    CHECK((!held || held->checkpoint.size == from));
  }

  SampleArchive archive{"replica"};
  Epoch first{kPrimary};
  std::map<std::string, PrivateKey> officers;
  Peer replicator;
  std::unique_ptr<ForeignLogs> foreign;
};

}  // namespace

TEST_CASE("a replica takes a later epoch from its certificate on, and no more of the one before than that goes on from") {
  Replica replica;
  replica.add_officer(replica.first, "officer-4");  // lost with the first site
  CHECK(replica.takes(replica.first, 0, 2));
  Epoch second = replica.promoted(replica.first, 3, 2);
  replica.add_officer(second, "officer-5");
  CHECK(*replica.foreign->origin_of(greffe::sha256(greffe::as_bytes(second.origin))) == second.origin);
  CHECK(replica.foreign->origin_of(greffe::sha256(greffe::as_bytes(kPrimary + "/epoch/3"))).error().code == Errc::not_found);
  replica.refuses(second, 0, 1, Errc::invalid, "send that first");
  CHECK(replica.archive.epochs->highest(kPrimary) == 1);
  CHECK(replica.takes(replica.first, 2, 3));
  CHECK(replica.takes(second, 0, 1));
  CHECK(replica.archive.epochs->highest(kPrimary) == 2);
  CHECK(replica.takes(second, 0, 1));  // the answer was lost
  replica.refuses(replica.first, 3, 4, Errc::denied, "has ended with entry 3");
  replica.restart();
  replica.refuses(replica.first, 3, 4, Errc::denied, "has ended with entry 3");
  CHECK(replica.takes(second, 1, 2));
  const auto chain = greffe::tlog::open_copied_log(*replica.archive.pool, *replica.archive.pool, kPrimary);
  REQUIRE(chain);
  CHECK(*chain->size() == 3 + 2);
  const auto logs = greffe::tlog::signed_logs(*chain, greffe::archive::log_verifier(kPrimary, replica.first.key.public_key()));
  REQUIRE(logs);
  CHECK(logs->back().key.key == second.key.public_key());
  CHECK(logs->back().first == 3);
  CHECK(greffe::tlog::officers_before(*chain, 3)->all().size() == 3);
  CHECK(greffe::tlog::officers_before(*chain, 5)->all().size() == 4);
  // And so on: the pin of an epoch in the middle is in the log that goes on from it.
  Epoch third = replica.promoted(second, 2, 3, {"officer-3", "officer-5"});
  CHECK(replica.takes(third, 0, 1));
  replica.refuses(replica.first, 3, 4, Errc::denied, "has ended with entry 3");
  replica.add_officer(second, "officer-6");
  replica.refuses(second, 2, 3, Errc::denied, "has ended with entry 2");
}

TEST_CASE("who holds more than a later epoch goes on from takes that all the same") {
  Replica replica;
  replica.add_officer(replica.first, "officer-4");
  CHECK(replica.takes(replica.first, 0, 4));
  CHECK(replica.takes(replica.promoted(replica.first, 3, 2), 0, 1));
  const auto chain = greffe::tlog::open_copied_log(*replica.archive.pool, *replica.archive.pool, kPrimary);
  REQUIRE(chain);
  CHECK(*chain->size() == 4);
  // What came behind the pin counts for nobody.
  CHECK(greffe::tlog::officers_before(*chain, 4)->all().size() == 3);
}

TEST_CASE("the log of an epoch that has no place in the archive is not taken") {
  Replica replica;
  replica.add_officer(replica.first, "officer-3", "revoked");
  CHECK(replica.takes(replica.first, 0, 4));
  SECTION("one officer only") { replica.refuses(replica.promoted(replica.first, 4, 2, {"officer-1"}), 0, 1, Errc::denied, "two officers"); }
  SECTION("a stranger") { replica.refuses(replica.promoted(replica.first, 4, 2, {"officer-1", "stranger"}), 0, 1, Errc::denied, "stranger is not an officer"); }
  SECTION("a revoked officer") { replica.refuses(replica.promoted(replica.first, 4, 2, {"officer-1", "officer-3"}), 0, 1, Errc::denied, "officer-3 is not an officer"); }
  SECTION("another log") {
    Epoch other{kPrimary};
    for (int i = 0; i < 4; ++i) replica.add_officer(other, "officer-" + std::to_string(i + 5));
    replica.refuses(replica.promoted(other, 4, 2), 0, 1, Errc::denied, "never had");
  }
  SECTION("signed with another key than the certificate says") {
    Epoch second = replica.promoted(replica.first, 4, 2);
    second.key = PrivateKey::generate();
    replica.refuses(second, 0, 1, Errc::denied, "is not signed by");
  }
  SECTION("no promotion, or of another epoch") {
    Epoch second{kPrimary + "/epoch/2"};
    replica.add_officer(second, "officer-9");
    replica.refuses(second, 0, 1, Errc::invalid, "does not begin with the promotion");
    second.entries = replica.promoted(replica.first, 4, 3).entries;
    replica.refuses(second, 0, 1, Errc::invalid, "does not begin with the promotion");
  }
  SECTION("a promotion within a log") {
    Epoch second = replica.promoted(replica.first, 4, 2);
    CHECK(replica.takes(second, 0, 1));
    second.entries.push_back(second.entries.front());
    replica.refuses(second, 1, 2, Errc::invalid, "a promotion is the first entry");
  }
  SECTION("two sites were promoted: the first one that is heard of stays") {
    const Epoch second = replica.promoted(replica.first, 4, 2);
    CHECK(replica.takes(second, 0, 1));
    CHECK(replica.post(replica.promoted(replica.first, 3, 2), 0, 1).error().code == Errc::denied);
    CHECK(replica.foreign->checkpoint(second.origin)->checkpoint.root == second.at(1).root);
  }
  SECTION("two sites were promoted, of one only the certificate is here") {
    const Epoch second = replica.promoted(replica.first, 4, 2);
    CHECK(*replica.archive.epochs->take(second.entries.front(), *greffe::tlog::officers_before(
        *greffe::tlog::open_copied_log(*replica.archive.pool, *replica.archive.pool, kPrimary), 4)));
    replica.refuses(replica.promoted(replica.first, 3, 2), 0, 1, Errc::denied, "only one of them may go on");
    CHECK(replica.takes(second, 0, 1));
  }
  SECTION("not sent from its beginning") {
    Epoch second = replica.promoted(replica.first, 4, 2);
    replica.add_officer(second, "officer-9");
    replica.refuses(second, 1, 2, Errc::invalid, "from its first entry");
  }
  SECTION("by the replicator of another archive") {
    replica.replicator.key.name = "other.court.example";
    replica.refuses(replica.promoted(replica.first, 4, 2), 0, 1, Errc::denied, "only the replicator of " + kPrimary);
  }
}

TEST_CASE("a hearing that goes on in a later epoch is the same hearing") {
  Replica replica;
  SampleHearing hearing(kPrimary);
  hearing.add_segment();
  replica.deposit(hearing, hearing.objects.size());
  CHECK(replica.takes(replica.first, 0, 3));
  Epoch second = replica.promoted(replica.first, 3, 2);
  greffe::HearingCheckpointEntry commit;
  commit.hearing = hearing.id;
  commit.note = hearing.checkpoint(2);
  second.entries.push_back(greffe::write_main_entry(commit));
  CHECK(replica.takes(second, 0, 1));
  replica.refuses(second, 1, 2, Errc::unavailable, "send it first");
  REQUIRE(replica.archive.deposit->append(replica.replicator, hearing.id, 0, hearing.entries, hearing.checkpoint(2)));
  CHECK(replica.takes(second, 1, 2));
}

TEST_CASE("a replica takes a graft as it is") {
  Replica replica;
  replica.add_officer(replica.first, "officer-4");  // came back to the promoted site, and not here
  CHECK(replica.takes(replica.first, 0, 3));
  Epoch second = replica.promoted(replica.first, 3, 2);
  greffe::GraftEntry graft;
  graft.end = replica.first.at(4);
  second.entries.push_back(greffe::write_main_entry(graft));
  CHECK(replica.takes(second, 0, 2));
  replica.refuses(replica.first, 3, 4, Errc::denied, "has ended with entry 3");
}

TEST_CASE("a hearing of an earlier epoch is taken without what a later one declares lost, if the promotion to that is shown and counts") {
  Replica replica;
  replica.add_officer(replica.first, "officer-3", "revoked");
  replica.add_officer(replica.first, "officer-4");  // lost with the first site
  SampleHearing hearing(kPrimary);
  for (int i = 0; i < 2; ++i) hearing.add_segment();
  hearing.close();
  replica.deposit(hearing, hearing.objects.size() - 1);
  const greffe::Digest lost = hearing.objects.back().first;
  if (GENERATE(false, true)) CHECK(replica.takes(replica.first, 0, 2));  // else it holds nothing at all
  Epoch second = replica.promoted(replica.first, 4, 2);
  replica.declare_lost(second, hearing.id, lost);
  std::vector<greffe::ShownEntry> shown;
  for (std::size_t i = 0; i < 4; ++i) shown.push_back(replica.first.shown(i));
  const auto post = [&] { return replica.archive.deposit->append(replica.replicator, hearing.id, 0, hearing.entries, hearing.checkpoint(hearing.entries.size()), shown); };
  const auto refuses = [&](const std::string& words) {
    const auto done = post();
    REQUIRE_FALSE(done);
    CHECK(done.error().code == Errc::denied);
    CHECK_THAT(done.error().message, Catch::Contains(words));
  };
  SECTION("the order alone") {
    shown.push_back(second.shown(1));
    refuses("not of " + kPrimary);
  }
  SECTION("one officer signed the promotion") {
    second.entries.front() = replica.promoted(replica.first, 4, 2, {"officer-1"}).entries.front();
    shown.push_back(second.shown(0));
    shown.push_back(second.shown(1));
    refuses("two officers");
  }
  SECTION("one of them was revoked before") {
    second.entries.front() = replica.promoted(replica.first, 4, 2, {"officer-1", "officer-3"}).entries.front();
    shown.push_back(second.shown(0));
    shown.push_back(second.shown(1));
    refuses("officer-3 is not an officer");
  }
  SECTION("a log that is signed with another key than the promotion names") {
    second.key = PrivateKey::generate();
    shown.push_back(second.shown(0));
    shown.push_back(second.shown(1));
    refuses("not signed by");
  }
  SECTION("of another epoch") {
    const Epoch third = replica.promoted(second, 2, 3);
    shown.push_back(third.shown(0));
    refuses("not to " + second.origin);
  }
  SECTION("not the first entry of its log") {
    second.entries.insert(second.entries.begin(), second.entries[1]);
    shown.push_back(second.shown(1));
    const auto done = post();
    REQUIRE_FALSE(done);
    CHECK(done.error().code == Errc::invalid);
  }
  SECTION("an officer who came behind what the later epoch goes on from") {
    shown.push_back(second.shown(0));
    shown.push_back(replica.first.shown(4));
    refuses("behind what the next epoch goes on from");
  }
  SECTION("as it should be") {
    shown.push_back(second.shown(0));
    shown.push_back(second.shown(1));
    const auto done = post();
    if (!done) FAIL(done.error().message);
    REQUIRE(std::holds_alternative<Receipt>(*done));
    CHECK(replica.archive.epochs->highest(kPrimary) == 1);  // what was shown promotes nobody
    const std::size_t held = replica.foreign->checkpoint(kPrimary) ? 2 : 0;
    CHECK(replica.takes(replica.first, held, 4));
    CHECK(replica.takes(second, 0, 2));
    CHECK(*replica.archive.main_log->declared_lost().covers(hearing.id, lost));
  }
}

TEST_CASE("a document that a main log names is passed over when a later epoch declares it lost, whichever epoch's it is") {
  Replica replica;
  const greffe::Digest lost = greffe::sha256(greffe::as_bytes("a snapshot that nobody has"));
  greffe::AccountEntry account;
  account.snapshot = lost;
  const bool in_first = GENERATE(true, false);
  if (in_first) replica.first.entries.push_back(greffe::write_main_entry(account));
  const std::size_t pinned = replica.first.entries.size();
  Epoch second = replica.promoted(replica.first, pinned, 2);
  if (!in_first) second.entries.push_back(greffe::write_main_entry(account));
  replica.declare_lost(second, std::nullopt, lost);
  const std::vector<greffe::ShownEntry> shown = {replica.first.shown(0), replica.first.shown(1), replica.first.shown(2), second.shown(0), second.shown(second.entries.size() - 1)};
  const auto taken = [](const auto& done) {
    if (!done) FAIL(done.error().message);
    return std::holds_alternative<Receipt>(*done);
  };
  if (in_first) CHECK_FALSE(taken(replica.post(replica.first, 0, pinned)));
  CHECK(taken(replica.post(replica.first, 0, pinned, shown)));
  if (!in_first) CHECK_FALSE(taken(replica.post(second, 0, 2)));
  CHECK(taken(replica.post(second, 0, in_first ? 1 : 2, shown)));
  CHECK(taken(replica.post(second, in_first ? 1 : 2, second.entries.size(), shown)));
}

TEST_CASE("entries of a later epoch are known ahead from the certificate on") {
  Replica replica;
  greffe::archive::AheadIntake intake(*replica.archive.ahead, *replica.archive.hearings, *replica.foreign);
  Epoch second = replica.promoted(replica.first, 3, 2);
  replica.add_officer(second, "officer-9");
  const auto take = [&](std::size_t from, std::size_t to) {
    const std::vector<std::string> range(second.entries.begin() + static_cast<std::ptrdiff_t>(from), second.entries.begin() + static_cast<std::ptrdiff_t>(to));
    return intake.take(replica.replicator, second.origin, from, range, second.note(to));
  };
  CHECK(take(0, 1).error().code == Errc::invalid);  // what it goes on from is not here
  CHECK(replica.takes(replica.first, 0, 3));
  CHECK(intake.known(replica.replicator, second.origin)->known.size == 0);
  CHECK(take(0, 1));
  CHECK(take(1, 2));
  CHECK(intake.known(replica.replicator, second.origin)->known.size == 2);
  CHECK(replica.takes(second, 0, 2));
}
