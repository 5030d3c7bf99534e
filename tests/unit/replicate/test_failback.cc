// What only the old site has, counted and brought back to the site that was promoted, whatever cuts it short.
#include <catch2/catch.hpp>

#include "replicate/failback.h"
#include "tests/unit/replicate/second_site.h"

using greffe::Errc;
using greffe::HearingId;
using greffe::testing::Confirmations;
using greffe::testing::SecondSite;
using greffe::testing::SourcePool;
namespace replicate = greffe::replicate;
namespace client = greffe::client;

namespace {

// The old site's pool, and the site that was promoted with what the replicator had brought until then.
struct Rig {
  SourcePool source;
  SecondSite promoted;
  Confirmations archive{source.store, promoted.verifier()};
  greffe::Log log{"test"};
  greffe::SystemClock clock;
  replicate::Bandwidth line{clock, replicate::Timetable()};
  std::size_t grafts = 0;
  std::size_t looked = 0;

  replicate::Source from() { return replicate::Source::open(source.store, source.store, source.epoch).value(); }
  void replicate_until_now() {
    replicate::Replicator replicator({from(), promoted, archive, promoted.verifier()}, line, clock, {.poll_interval_ms = 20}, log);
    REQUIRE(replicator.pass({}).value().caught_up());
    delivered = archive.delivered;
  }
  replicate::FailbackParts parts() {
    replicate::FailbackParts out{{from(), promoted, archive, promoted.verifier(), true}, line, clock, log};
    out.on_looked = [this] { ++looked; };
    out.graft = [this](const std::string& origin, const std::string& note) -> greffe::Result<client::GraftThere> {
      ++grafts;
      const auto end = greffe::parse_signed_checkpoint(note).value();
      CHECK(origin == SourcePool::kArchive);
      if (end.checkpoint.size > held_of_main()) return greffe::fail(Errc::conflict, "not held that far");
      client::GraftThere made;
      made.size = end.checkpoint.size;
      return made;
    };
    return out;
  }
  greffe::Result<replicate::FailbackReport> back() { return replicate::fail_back(parts(), {}); }
  std::size_t held_of_main() { return promoted.logs[client::LogTarget{std::string(SourcePool::kArchive)}.path()].entries.size(); }
  std::size_t held(const HearingId& id) { return promoted.logs[client::LogTarget{id}.path()].entries.size(); }
  std::size_t delivered = 0;
};

std::string key_entry(const std::string& role, const std::string& name) {
  greffe::KeyEntry entry;
  entry.action = "added";
  entry.role = role;
  entry.name = name;
  entry.key = greffe::PrivateKey::generate().public_key();
  if (role == "station") {
    entry.court = "court";
    entry.room = "room";
  }
  return write_main_entry(entry);
}

// What a station brought the promoted site meanwhile, or another one of its name did.
void goes_on_there(Rig& rig, const HearingId& id, bool same) {
  SecondSite::Held& there = rig.promoted.logs[client::LogTarget{id}.path()];
  if (!same) there.entries[1] = there.entries[2];
  there.entries.push_back(there.entries.back());
  greffe::TreeEdge edge;
  for (const std::string& entry : there.entries) edge.append(greffe::leaf_hash(greffe::as_bytes(entry)));
  const greffe::Checkpoint longer{greffe::hearing_origin(SourcePool::kArchive, id), there.entries.size(), edge.root()};
  there.note = greffe::SignedNote{longer.text(), {sign_checkpoint(longer, rig.source.station),
                                                  cosign_checkpoint(longer, rig.promoted.verifier().name, rig.promoted.signs_with, greffe::UtcTime{1'790'000'000'000})}}.write();
}

}  // namespace

TEST_CASE("what only the old site has is counted, brought back and grafted, and then nothing is left") {
  Rig rig;
  const HearingId before = rig.source.hearing(2, true);
  rig.replicate_until_now();
  const HearingId finished = rig.source.hearing(3, true, 1'790'000'100'000);
  const HearingId going_on = rig.source.hearing(1, false, 1'790'000'200'000);
  rig.source.main({key_entry("station", "s2"), key_entry("officer", "officer-9"), key_entry("replicator", "other")});
  const std::size_t puts = rig.promoted.puts;

  const auto dry = replicate::look_at_failback(rig.parts(), {}).value();
  CHECK(dry.held == 1);
  CHECK(dry.size == 6);
  CHECK(dry.entries == std::map<std::string, std::uint64_t>{{"hearing-checkpoint", 2}, {"key", 3}});
  CHECK(dry.hearings == 2);
  CHECK(dry.hearing_entries == 5 + 2);
  CHECK(dry.recorded_ms == 4 * 10'000);
  CHECK(dry.objects == 4 + 2);
  CHECK(dry.bytes == 4 * 40);
  REQUIRE(dry.keys.size() == 2);
  CHECK((dry.keys[0].role == "officer" && dry.keys[0].name == "officer-9" && dry.keys[1].role == "replicator"));
  CHECK(dry.apart.empty());
  CHECK(rig.looked == 2);
  CHECK(rig.promoted.puts == puts);
  CHECK(rig.grafts == 0);

  const auto done = rig.back().value();
  CHECK(done.is_whole());
  CHECK(done.carried.copied.objects == 6);
  CHECK(rig.held_of_main() == 6);
  CHECK(rig.held(finished) == 5);
  CHECK(rig.held(going_on) == 2);
  CHECK(done.graft->size == 6);
  CHECK(rig.archive.delivered == rig.delivered);  // nobody here waits for a confirmation

  const auto again = rig.back().value();
  CHECK(again.is_whole());
  CHECK(again.found.is_nothing());
  CHECK(again.carried.copied.objects == 0);
  CHECK(rig.promoted.puts == puts + 6);
  CHECK(rig.grafts == 2);  // asked again it answers alike
  CHECK(rig.held(before) == 4);
}

TEST_CASE("broken off at any object, it goes on where it was, and grafts when all of it is there") {
  Rig rig;
  rig.source.hearing(2, true);
  rig.replicate_until_now();
  rig.source.hearing(3, true, 1'790'000'100'000);
  rig.source.hearing(2, false, 1'790'000'200'000);
  std::size_t taken = 0;
  rig.promoted.on_put = [&](const greffe::Digest&) -> greffe::Status {
    if (taken++ == 0) return greffe::ok();
    rig.promoted.reachable = false;
    return greffe::fail(Errc::unavailable, "the line is cut");
  };
  std::size_t tries = 0;
  for (bool whole = false; !whole; ++tries) {
    REQUIRE(tries < 20);
    taken = 0;
    rig.promoted.reachable = true;
    const auto done = rig.back();
    whole = done && done->is_whole();
    if (!whole) CHECK(rig.grafts == 0);
  }
  CHECK(tries > 2);
  CHECK(rig.grafts == 1);
  CHECK(rig.held_of_main() == 3);
}

TEST_CASE("a hearing that went on at the promoted site holds nothing up; one that went on otherwise is named, and the rest comes back") {
  Rig rig;
  const HearingId id = rig.source.hearing(2, false);
  rig.replicate_until_now();
  const bool same = GENERATE(true, false);
  goes_on_there(rig, id, same);
  rig.source.main({rig.source.scrub(7)});
  const HearingId other = rig.source.hearing(1, true, 1'790'000'100'000);

  const auto dry = replicate::look_at_failback(rig.parts(), {}).value();
  CHECK(dry.hearings == 1);
  CHECK(dry.apart_found == (same ? 0 : 1));
  if (!same) CHECK(dry.apart.front().hearing == id);

  const auto done = rig.back().value();
  CHECK(rig.held(other) == 3);
  CHECK(rig.held(id) == 4);
  CHECK(done.graft);
  CHECK(done.is_whole() == same);
  CHECK(done.carried.problems.empty() == same);
}

TEST_CASE("of a log that names a hearing that went on otherwise nothing is grafted") {
  Rig rig;
  rig.source.hearing(2, true);
  rig.replicate_until_now();
  const HearingId id = rig.source.hearing(2, false, 1'790'000'100'000);
  SecondSite::Held& there = rig.promoted.logs[client::LogTarget{id}.path()];
  there.entries.assign(4, rig.source.scrub(1));
  goes_on_there(rig, id, true);
  const auto done = rig.back().value();
  CHECK(done.found.apart_found == 1);
  CHECK_FALSE(done.is_all_that_can());
  CHECK(rig.grafts == 0);
  CHECK(rig.held_of_main() == 1);
  CHECK(done.words().find("NOTHING OF IT IS PART OF THE ARCHIVE YET") != std::string::npos);
}

TEST_CASE("a hearing that the archive refuses is named, and the others come back") {
  Rig rig;
  rig.source.hearing(2, true);
  rig.replicate_until_now();
  const HearingId stolen = rig.source.hearing(2, true, 1'790'000'100'000);
  const HearingId other = rig.source.hearing(2, true, 1'790'000'200'000);
  const greffe::Digest refused = greffe::sha256(greffe::as_bytes("segment 0 of " + stolen.text()));
  rig.promoted.on_put = [&](const greffe::Digest& digest) { return digest == refused ? greffe::Status(greffe::fail(Errc::denied, "the key of its station was stolen")) : greffe::ok(); };
  const auto done = rig.back().value();
  CHECK(rig.held(other) == 4);
  CHECK(rig.grafts == 0);
  REQUIRE(done.carried.problems.size() == 1);
  CHECK(done.carried.problems.front().find(stolen.text()) != std::string::npos);
}

TEST_CASE("an object that the old site has lost itself is named, and nothing is grafted without it") {
  Rig rig;
  rig.source.hearing(2, true);
  rig.replicate_until_now();
  const HearingId damaged = rig.source.hearing(2, true, 1'790'000'100'000);
  rig.source.store.files().erase(greffe::object_key(greffe::sha256(greffe::as_bytes("segment 1 of " + damaged.text()))));
  const auto done = rig.back().value();
  CHECK_FALSE(done.is_whole());
  CHECK(done.carried.holes_found == 1);
  CHECK(rig.grafts == 0);
  CHECK(done.words().find("HOLE: object") != std::string::npos);
}
