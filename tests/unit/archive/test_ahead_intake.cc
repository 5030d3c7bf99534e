// Who may let a replica know entries ahead of their objects, and what becomes of them when the objects come.
#include <catch2/catch.hpp>

#include "archive/ahead_intake.h"
#include "tests/unit/archive/sample_archive.h"

using greffe::Errc;
using greffe::PrivateKey;
using greffe::archive::AheadIntake;
using greffe::archive::ForeignLogs;
using greffe::archive::NotAhead;
using greffe::archive::Peer;
using greffe::archive::Receipt;
using greffe::archive::Unready;
using greffe::testing::SampleArchive;
using greffe::testing::SampleHearing;

namespace {

const std::string kPrimary = "primary.court.example";
using Taken = greffe::Result<std::variant<AheadIntake::State, NotAhead>>;

struct Replica {
  Replica() {
    greffe::KeyEntry origin;
    origin.action = "added";
    origin.role = "origin";
    origin.name = kPrimary;
    origin.key = log_key.public_key();
    REQUIRE(archive.main_log->append(origin));
    replicator.kind = Peer::Kind::replicator;
    replicator.key.name = kPrimary;
    serve();
    for (int i = 0; i < 3; ++i) hearing.add_segment();
    hearing.close();
  }
  void serve() {
    foreign = std::make_unique<ForeignLogs>(archive.clock, archive.stores(), *archive.hearings, *archive.main_log, *archive.epochs, archive.keys->holder, archive.ahead.get());
    intake = std::make_unique<AheadIntake>(*archive.ahead, *archive.hearings, *foreign);
  }
  void restart() {
    intake.reset();
    foreign.reset();
    archive.restart();
    serve();
  }
  static std::vector<std::string> between(const SampleHearing& of, std::size_t first, std::size_t last) {
    return {of.entries.begin() + static_cast<std::ptrdiff_t>(first), of.entries.begin() + static_cast<std::ptrdiff_t>(last)};
  }
  Taken take(std::size_t first, std::size_t last) { return take(replicator, hearing, first, last); }
  Taken take(const Peer& peer, const SampleHearing& of, std::size_t first, std::size_t last) {
    return intake->take(peer, of.id, first, between(of, first, last), of.checkpoint(last));
  }
  void send_objects(const SampleHearing& of) {
    for (const auto& [digest, bytes] : of.objects) {
      auto writer = archive.deposit->begin_object(replicator, of.id, digest, bytes.size());
      REQUIRE(writer);
      REQUIRE(((*writer)->write(greffe::as_bytes(bytes)) && (*writer)->commit(digest)));
      archive.deposit->deposited(replicator, of.id, digest, bytes.size());
    }
  }
  auto post(const SampleHearing& of, std::size_t first, std::size_t last) {
    return archive.deposit->append(replicator, of.id, first, between(of, first, last), of.checkpoint(last));
  }
  // A main log of entries about officers, which name no object.
  std::string main_entry(int number) const {
    greffe::KeyEntry key;
    key.action = "added";
    key.role = "officer";
    key.name = "officer-" + std::to_string(number);
    key.key = log_key.public_key();
    return greffe::write_main_entry(key);
  }
  std::vector<std::string> main_entries(int first, int last) const {
    std::vector<std::string> out;
    for (int i = first; i < last; ++i) out.push_back(main_entry(i));
    return out;
  }
  std::string main_note(int size, const PrivateKey& key) const {
    greffe::TreeEdge edge;
    for (int i = 0; i < size; ++i) edge.append(greffe::leaf_hash(greffe::as_bytes(main_entry(i))));
    const greffe::Checkpoint c{kPrimary, static_cast<std::uint64_t>(size), edge.root()};
    return greffe::SignedNote{c.text(), {greffe::sign_checkpoint(c, key)}}.write();
  }

  SampleArchive archive{"replica"};
  PrivateKey log_key = PrivateKey::generate();
  SampleHearing hearing{kPrimary};
  Peer replicator;
  std::unique_ptr<ForeignLogs> foreign;
  std::unique_ptr<AheadIntake> intake;
};

std::uint64_t known(const Taken& taken) {
  INFO((taken ? std::string() : taken.error().message));
  REQUIRE(taken);
  REQUIRE(std::holds_alternative<AheadIntake::State>(*taken));
  return std::get<AheadIntake::State>(*taken).known.size;
}

void refused(const Taken& taken, Errc code) {
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code == code);
}

}  // namespace

TEST_CASE("entries of a hearing are known before their objects are there, and held when they are") {
  Replica replica;
  CHECK(known(replica.take(0, 3)) == 3);
  CHECK(replica.archive.deposit->checkpoint(replica.hearing.id).error().code == Errc::not_found);  // it confirms nothing
  CHECK(std::get<Unready>(*replica.post(replica.hearing, 0, 3)).missing.size() == 3);
  CHECK(known(replica.take(3, 5)) == 5);
  replica.restart();
  auto state = replica.intake->known(replica.replicator, replica.hearing.id);
  REQUIRE(state);
  CHECK((state->held_size == 0 && state->known.size == 5));

  replica.send_objects(replica.hearing);
  const auto held = replica.post(replica.hearing, 0, 4);
  REQUIRE(held);
  REQUIRE(std::holds_alternative<Receipt>(*held));
  state = replica.intake->known(replica.replicator, replica.hearing.id);
  CHECK((state && state->held_size == 4 && state->known.size == 5));
  REQUIRE(std::holds_alternative<Receipt>(*replica.post(replica.hearing, 4, 5)));
  state = replica.intake->known(replica.replicator, replica.hearing.id);
  CHECK((state && state->held_size == 5 && state->known.size == 5));
  REQUIRE(replica.archive.pool->list("log/ahead/", [](const greffe::store::ObjectInfo&) {
    FAIL("something is left ahead of what is held");
    return true;
  }));
}

TEST_CASE("only the archive's own replicator lets its hearings be known, with the key that opened them") {
  Replica replica;
  Peer other = replica.replicator;
  other.key.name = "another.court.example";
  Peer reader = replica.replicator;
  reader.kind = Peer::Kind::reader;
  Peer station = replica.hearing.peer();
  for (const Peer& peer : {other, reader, station}) refused(replica.take(peer, replica.hearing, 0, 3), Errc::denied);

  // A forged signature: the same entries under another key.
  SampleHearing forged(kPrimary);
  forged.id = replica.hearing.id;
  forged.entries = replica.hearing.entries;
  refused(replica.take(replica.replicator, forged, 0, 3), Errc::denied);
  // Another hearing's entries under this one's address.
  const SampleHearing stranger(kPrimary);
  refused(replica.intake->take(replica.replicator, replica.hearing.id, 0, stranger.entries, stranger.checkpoint(1)), Errc::invalid);
  refused(replica.intake->take(replica.replicator, replica.hearing.id, 0, replica.hearing.entries, "no checkpoint"), Errc::invalid);

  CHECK(known(replica.take(0, 3)) == 3);
  refused(replica.take(replica.replicator, forged, 3, 5), Errc::denied);
  CHECK(known(replica.take(3, 5)) == 5);
  refused(replica.intake->take(replica.replicator, replica.hearing.id, 5, {replica.hearing.entries[1]}, replica.hearing.checkpoint(5)), Errc::invalid);
  CHECK_FALSE(replica.intake->known(other, replica.hearing.id));
}

TEST_CASE("a station that tells two stories is noticed by what was known of the first") {
  Replica replica;
  SampleHearing other(kPrimary);
  other.id = replica.hearing.id;
  other.key = PrivateKey::from_pem(replica.hearing.key.to_pem()).value();
  other.entries = {replica.hearing.entries[0], replica.hearing.entries[2], replica.hearing.entries[3]};
  other.objects = replica.hearing.objects;
  CHECK(known(replica.take(0, 3)) == 3);
  const auto fork = replica.take(replica.replicator, other, 0, 2);
  REQUIRE(fork);
  CHECK(std::get<NotAhead>(*fork).diverged);
  replica.send_objects(other);
  const auto held = replica.post(other, 0, 3);
  REQUIRE(held);
  REQUIRE(std::holds_alternative<Unready>(*held));
  CHECK(std::get<Unready>(*held).diverged);
  REQUIRE(std::holds_alternative<Receipt>(*replica.post(replica.hearing, 0, 3)));
}

TEST_CASE("the main log is known ahead of the hearings that it names, signed by its own key") {
  Replica replica;
  const auto take = [&](int first, int last, const PrivateKey& key) {
    return replica.intake->take(replica.replicator, kPrimary, static_cast<std::uint64_t>(first), replica.main_entries(first, last), replica.main_note(last, key));
  };
  CHECK(known(take(0, 4, replica.log_key)) == 4);
  refused(take(4, 6, PrivateKey::generate()), Errc::denied);
  CHECK(known(take(4, 6, replica.log_key)) == 6);
  refused(replica.intake->take(replica.replicator, kPrimary, 6, {"{}"}, replica.main_note(7, replica.log_key)), Errc::invalid);
  Peer other = replica.replicator;
  other.key.name = "another.court.example";
  refused(replica.intake->take(other, kPrimary, 6, replica.main_entries(6, 7), replica.main_note(7, replica.log_key)), Errc::denied);

  const auto post = [&](int first, int last) {
    return replica.foreign->append(replica.replicator, kPrimary, static_cast<std::uint64_t>(first), replica.main_entries(first, last),
                                   replica.main_note(last, replica.log_key));
  };
  REQUIRE(post(0, 5));
  auto state = replica.intake->known(replica.replicator, kPrimary);
  CHECK((state && state->held_size == 5 && state->known.size == 6));
  replica.restart();
  state = replica.intake->known(replica.replicator, kPrimary);
  CHECK((state && state->held_size == 5 && state->known.size == 6));
  REQUIRE(post(5, 8));
  state = replica.intake->known(replica.replicator, kPrimary);
  CHECK((state && state->held_size == 8 && state->known.size == 8));
}
