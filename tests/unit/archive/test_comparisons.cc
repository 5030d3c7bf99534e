// The second site's side of a comparison, over real volumes.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "archive/comparisons.h"
#include "tests/unit/archive/sample_archive.h"

using greffe::as_bytes;
using greffe::ComparisonState;
using greffe::Digest;
using greffe::Errc;
using greffe::sha256;
using greffe::testing::SampleArchive;
using greffe::testing::SampleHearing;
namespace archive = greffe::archive;

namespace {

constexpr const char* kOrigin = "first.example";
const std::string kName = "00112233445566778899aabbccddeeff";

// A replica that holds two hearings of another archive, its main log and a document of that.
struct Replica {
  Replica() {
    for (int i = 0; i < 2; ++i) {
      SampleHearing& hearing = hearings.emplace_back(kOrigin, greffe::UtcTime{1'795'338'000'000 + i * 1000});
      for (int s = 0; s < 3; ++s) hearing.add_segment();
      hearing.close();
      for (const auto& [digest, bytes] : hearing.objects) put(bytes);
      const std::string note = hearing.checkpoint(hearing.entries.size());
      append(greffe::hearing_log_path(hearing.id), hearing.entries, [&](std::uint64_t, const Digest&) { return greffe::Result<std::string>(note); });
      greffe::HearingCheckpointEntry entry;
      entry.hearing = hearing.id;
      entry.note = note;
      entry.closed = true;
      main.push_back(greffe::write_main_entry(entry));
    }
    greffe::DetailsEntry correction{hearings[0].id, put("details"), put("reason"), "u-1", {}};
    main.push_back(greffe::write_main_entry(correction));
    append(greffe::foreign_log_path(kOrigin), main, [&](std::uint64_t size, const Digest& root) -> greffe::Result<std::string> {
      const greffe::Checkpoint checkpoint{kOrigin, size, root};
      greffe::SignedNote note{checkpoint.text(), {}};
      greffe::put_signature(note, greffe::sign_checkpoint(checkpoint, key));
      begin = {kName, size, root};
      return note.write();
    });
    peer.kind = archive::Peer::Kind::replicator;
    peer.key.name = kOrigin;
    lost = std::make_unique<archive::LostObjects>(site.clock, site.log, *site.pool, *site.main_log, nullptr);
    comparisons = std::make_unique<archive::Comparisons>(site.clock, site.log, site.files, *site.pool, *site.hearings, *lost, site.folder.path + "/state/comparison");
    comparisons->start();
  }

  template <class Sign>
  void append(const std::string& path, const std::vector<std::string>& entries, const Sign& sign) {
    auto writer = greffe::tlog::LogWriter::open(*site.pool, *site.pool, *site.pool, path);
    REQUIRE(writer);
    REQUIRE(writer->append(entries, sign));
  }
  Digest put(const std::string& bytes) {
    auto writer = site.pool->begin_object(bytes.size());
    REQUIRE(writer);
    REQUIRE((*writer)->write(as_bytes(bytes)));
    const Digest digest = sha256(as_bytes(bytes));
    REQUIRE((*writer)->commit(digest));
    return digest;
  }
  std::vector<std::filesystem::path> copies(const std::string& file) {
    std::vector<std::filesystem::path> out;
    for (int i = 0; i < 3; ++i) {
      const std::filesystem::path path = site.folder.path + "/v" + std::to_string(i) + "/" + file;
      if (std::filesystem::exists(path)) out.push_back(path);
    }
    REQUIRE_FALSE(out.empty());
    return out;
  }
  void remove(const Digest& digest) {
    for (const auto& path : copies(greffe::object_key(digest))) std::filesystem::remove(path);
  }
  // Other bytes, as many.
  void alter(const Digest& digest) {
    for (const auto& path : copies(greffe::object_key(digest))) {
      std::filesystem::permissions(path, std::filesystem::perms::owner_all);
      std::ofstream(path, std::ios::binary | std::ios::in) << "X";
    }
  }
  // Asks until it is ready, or failed.
  greffe::Result<ComparisonState> compare(const std::string& name = kName) {
    begin.name = name;
    for (int i = 0; i < 3000; ++i) {
      auto state = comparisons->ask(peer, kOrigin, begin);
      if (!state || state->ready) return state;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    FAIL("it is never ready");
    return ComparisonState{};
  }
  std::set<Digest> lost_ids() {
    std::set<Digest> out;
    for (const auto& [digest, one] : lost->all()) {
      if (one.place) out.insert(digest);
    }
    return out;
  }
  std::set<Digest> ids() {
    greffe::IdsQuestion question{begin.name, {}, std::nullopt};
    for (std::uint32_t i = 0; i < greffe::kComparisonLeaves; ++i) question.leaves.push_back(i);
    const auto answer = comparisons->answer(peer, kOrigin, question);
    REQUIRE(answer);
    return {answer->ids.begin(), answer->ids.end()};
  }

  SampleArchive site{"replica"};
  greffe::PrivateKey key = greffe::PrivateKey::generate();
  std::vector<SampleHearing> hearings;
  std::vector<std::string> main;
  greffe::ComparisonBegin begin;
  archive::Peer peer;
  std::unique_ptr<archive::LostObjects> lost;
  std::unique_ptr<archive::Comparisons> comparisons;
};

}  // namespace

TEST_CASE("a replica says what it holds of an origin, and proves it") {
  Replica replica;
  const auto state = replica.compare();
  REQUIRE(state);
  CHECK(state->absent == 0);
  CHECK(state->items == 2 * 4 + 2 + 2 + 1);  // objects of hearings, documents, logs of hearings, the main log
  const std::set<Digest> ids = replica.ids();
  for (const SampleHearing& hearing : replica.hearings) {
    for (const auto& [digest, bytes] : hearing.objects) CHECK(ids.contains(digest));
  }
  const auto children = replica.comparisons->answer(replica.peer, kOrigin, greffe::NodesQuestion{kName, 0, {0}});
  REQUIRE(children);
  CHECK(greffe::comparison_node_hash(*children) == state->root);

  const auto& [digest, bytes] = replica.hearings[1].objects[2];
  const Digest stranger = replica.put("of no log of this origin");
  const greffe::ChallengeQuestion question{kName, sha256(as_bytes("nonce")), {digest, stranger, sha256(as_bytes("whole"))}};
  const auto answers = replica.comparisons->answer(replica.peer, kOrigin, question);
  REQUIRE(answers);
  greffe::Bytes proof = greffe::challenge_prefix(question.nonce);
  proof.insert(proof.end(), bytes.begin(), bytes.end());
  CHECK(*answers == greffe::ChallengeAnswer{sha256(proof), std::nullopt, std::nullopt});
  CHECK(replica.lost->count() == 0);
}

TEST_CASE("what a replica lacks is missing in its tree and on its list of what is lost") {
  Replica replica;
  const Digest whole = replica.compare()->root;
  const Digest segment = replica.hearings[0].objects[1].first;
  const Digest document = sha256(as_bytes("reason"));
  replica.remove(segment);
  replica.remove(document);
  const auto state = replica.compare("11112233445566778899aabbccddeeff");
  REQUIRE(state);
  CHECK(state->absent == 2);
  CHECK(state->root != whole);
  const std::set<Digest> ids = replica.ids();
  CHECK_FALSE(ids.contains(segment));
  CHECK_FALSE(ids.contains(document));
  CHECK(replica.lost_ids() == std::set{segment, document});

  // Given back, it is all there again.
  for (const std::string& bytes : {replica.hearings[0].objects[1].second, std::string("reason")}) {
    auto writer = replica.lost->begin_return(sha256(as_bytes(bytes)), bytes.size());
    REQUIRE(writer);
    REQUIRE((*writer)->write(as_bytes(bytes)));
    REQUIRE((*writer)->commit(sha256(as_bytes(bytes))));
    replica.lost->returned(sha256(as_bytes(bytes)));
  }
  CHECK(replica.compare("22222233445566778899aabbccddeeff")->root == whole);
  CHECK(replica.lost->count() == 0);
}

TEST_CASE("bytes that are not what their name says are found by a challenge, and listed as lost") {
  Replica replica;
  const Digest whole = replica.compare()->root;
  const Digest altered = replica.hearings[0].objects[1].first;
  replica.alter(altered);
  CHECK(replica.compare("11112233445566778899aabbccddeeff")->root == whole);  // the name is there
  const auto answers = replica.comparisons->answer(replica.peer, kOrigin, greffe::ChallengeQuestion{replica.begin.name, {}, {altered}});
  REQUIRE(answers);
  CHECK_FALSE(answers->front());
  CHECK(replica.lost_ids() == std::set{altered});
}

TEST_CASE("a hearing's log that is gone takes all that it names out of the tree") {
  Replica replica;
  const SampleHearing& hearing = replica.hearings[0];
  REQUIRE(replica.site.hearings->get(hearing.id));  // in memory it is as before
  for (int i = 0; i < 3; ++i) std::filesystem::remove_all(replica.site.folder.path + "/v" + std::to_string(i) + "/" + greffe::hearing_log_path(hearing.id));
  const auto state = replica.compare();
  REQUIRE(state);
  CHECK(state->absent == 1);
  const std::set<Digest> ids = replica.ids();
  for (const auto& [digest, bytes] : hearing.objects) CHECK_FALSE(ids.contains(digest));
  CHECK(replica.lost->count() == 0);  // the objects are there
  // Whoever sends it again is told that nothing is held.
  const auto reopened = replica.site.hearings->get(hearing.id);
  REQUIRE(reopened);
  CHECK((*reopened)->writer.size() == 0);
}

TEST_CASE("comparisons are for the origin's own replicator, of its own log, one at a time") {
  Replica replica;
  archive::Peer stranger = replica.peer;
  stranger.key.name = "other.example";
  CHECK(replica.comparisons->ask(stranger, kOrigin, replica.begin).error().code == Errc::denied);
  stranger = replica.peer;
  stranger.kind = archive::Peer::Kind::station;
  CHECK(replica.comparisons->ask(stranger, kOrigin, replica.begin).error().code == Errc::denied);

  greffe::ComparisonBegin other = replica.begin;
  replica.begin.root = sha256(as_bytes("another root"));
  CHECK(replica.compare().error().code == Errc::conflict);
  replica.begin = other;
  replica.begin.size = 1000;
  CHECK(replica.compare().error().code == Errc::unavailable);
  replica.begin = other;
  REQUIRE(replica.compare());  // what failed was forgotten
  const greffe::NodesQuestion elsewhere{"99112233445566778899aabbccddeeff", 0, {0}};
  CHECK(replica.comparisons->answer(replica.peer, kOrigin, elsewhere).error().code == Errc::not_found);

  // Another origin waits while this one is fresh.
  archive::Peer second = replica.peer;
  second.key.name = "second.example";
  CHECK(replica.comparisons->ask(second, "second.example", other).error().code == Errc::unavailable);
  replica.comparisons->stop();
  CHECK(std::filesystem::is_empty(replica.site.folder.path + "/state/comparison"));
}

TEST_CASE("an archive that is told of missing objects believes only what it sees") {
  Replica replica;
  const SampleHearing& hearing = replica.hearings[0];
  const Digest gone = hearing.objects[1].first;
  const Digest there = hearing.objects[2].first;
  const Digest unnamed = sha256(as_bytes("of no log"));
  replica.remove(gone);
  const std::string main = greffe::foreign_log_path(kOrigin);
  CHECK(replica.lost->look_for({hearing.id, {gone, there, unnamed}}, main).value() == 1);
  CHECK(replica.lost_ids() == std::set{gone});
  CHECK(replica.lost->look_for({hearing.id, {gone}}, main).value() == 1);
  CHECK(replica.lost->look_for({replica.hearings[1].id, {there}}, main).value() == 0);
  CHECK(replica.lost->look_for({std::nullopt, {unnamed}}, main).value() == 0);
  // On a volume that is away it may well be.
  std::filesystem::rename(replica.site.folder.path + "/v0", replica.site.folder.path + "/away");
  replica.put("whoever writes notices that it is away");
  CHECK(replica.lost->look_for({hearing.id, {gone}}, main).error().code == Errc::unavailable);
}
