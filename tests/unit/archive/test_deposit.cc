#include <catch2/catch.hpp>

#include <fstream>

#include "tests/unit/archive/sample_archive.h"

using greffe::Errc;
using greffe::archive::Receipt;
using greffe::archive::Unready;
using greffe::testing::append_range;
using greffe::testing::deposit_all_objects;
using greffe::testing::deposit_object;
using greffe::testing::SampleArchive;
using greffe::testing::SampleHearing;

namespace {

const Receipt& receipt_of(const greffe::Result<std::variant<Receipt, Unready>>& answer) {
  if (!answer) FAIL(answer.error().message);
  REQUIRE(std::holds_alternative<Receipt>(*answer));
  return std::get<Receipt>(*answer);
}

// A segment entry that states one byte more than its object has.
std::string with_more_bytes(const std::string& entry) {
  auto segment = std::get<greffe::SegmentEntry>(*greffe::parse_hearing_entry(entry));
  ++segment.bytes;
  return greffe::write_hearing_entry(segment);
}

}  // namespace

TEST_CASE("a hearing is filed, cosigned, and survives a restart") {
  SampleArchive a;
  SampleHearing h(a.name);
  for (int i = 0; i < 3; ++i) h.add_segment();
  h.close();
  deposit_all_objects(a, h);
  const auto answer = append_range(a, h, 0, h.entries.size());
  const Receipt& receipt = receipt_of(answer);
  CHECK(receipt.checkpoint.checkpoint.size == h.entries.size());
  CHECK(greffe::verify_cosignature(receipt.checkpoint.note, a.holder()));

  const auto record = a.main_log->catalogue().hearing(h.id, greffe::catalogue::CourtSet::everything());
  REQUIRE(record);
  CHECK(record->row.closed);
  CHECK(record->log_size == h.entries.size());
  CHECK(a.hearings->begun()->empty());

  a.restart();
  const auto held = a.deposit->checkpoint(h.id);
  REQUIRE(held);
  CHECK(held->checkpoint == receipt.checkpoint.checkpoint);
  for (const auto& [digest, bytes] : h.objects) CHECK(greffe::as_text(*a.pool->read_object(digest)) == bytes);
}

TEST_CASE("what hearings have beyond their main-log entries is in the main log after a start, once") {
  SampleArchive a;
  std::vector<std::unique_ptr<SampleHearing>> all;
  for (int i = 0; i < 5; ++i) {
    all.push_back(std::make_unique<SampleHearing>(a.name));
    SampleHearing& h = *all.back();
    for (int n = 0; n <= i; ++n) h.add_segment();
    deposit_all_objects(a, h);
    receipt_of(append_range(a, h, 0, 1));
    if (i > 0) receipt_of(append_range(a, h, 1, h.entries.size()));  // too soon for another entry
  }
  REQUIRE(a.main_log->head().checkpoint.size == 5);
  a.restart();
  CHECK(a.main_log->head().checkpoint.size == 9);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto record = a.main_log->catalogue().hearing(all[i]->id, greffe::catalogue::CourtSet::everything());
    REQUIRE(record);
    CHECK(record->log_size == (i > 0 ? all[i]->entries.size() : 1));
  }
  a.restart();
  CHECK(a.main_log->head().checkpoint.size == 9);
}

TEST_CASE("of a finished hearing the main log says what a catalogue must read of it, and nothing is missing from one made anew") {
  SampleArchive a;
  SampleHearing h(a.name);
  for (int i = 0; i < 3; ++i) h.add_segment();
  const std::uint64_t gap = h.add_gap(5000, "fault");
  h.add_segment();
  deposit_all_objects(a, h);
  const auto begun = append_range(a, h, 0, h.entries.size());
  receipt_of(begun);
  a.restart();
  h.explain(gap, "a fuse");
  h.close();
  deposit_all_objects(a, h);
  const auto ended = append_range(a, h, gap + 2, h.entries.size());
  receipt_of(ended);
  const std::uint64_t size = a.main_log->head().checkpoint.size;
  const auto entries = a.main_log->reader().entries(0, size);
  REQUIRE(entries);
  REQUIRE(size == 2);
  const auto beside = [&](std::size_t i) { return std::get<greffe::HearingCheckpointEntry>(*greffe::parse_main_entry((*entries)[i])).beside; };
  CHECK(beside(0).empty());
  CHECK(beside(1) == std::vector<std::uint64_t>{0, gap, h.entries.size() - 1});

  const std::string state = a.folder.path + "/state/";
  const auto sources = greffe::archive::catalogue_sources(a.stores());
  auto rebuilt = greffe::catalogue::rebuild(a.files, state + "rebuilt.sqlite", sources, a.main_log->reader());
  REQUIRE(rebuilt);
  auto kept = greffe::catalogue::CatalogueBuilder::open(state + "catalogue.sqlite", sources);
  REQUIRE(kept);
  CHECK(*rebuilt->dump() == *kept->dump());
}

TEST_CASE("sending the same again gives the same receipt; sending elsewhere says where to go on") {
  SampleArchive a;
  SampleHearing h(a.name);
  h.add_segment();
  deposit_all_objects(a, h);
  const auto answer = append_range(a, h, 0, 2);
  const greffe::Checkpoint first = receipt_of(answer).checkpoint.checkpoint;
  const auto again = append_range(a, h, 0, 2);
  CHECK(receipt_of(again).checkpoint.checkpoint == first);
  h.add_segment();
  deposit_all_objects(a, h);
  const auto elsewhere = append_range(a, h, 0, 3);
  REQUIRE(elsewhere);
  REQUIRE(std::holds_alternative<Unready>(*elsewhere));
  CHECK(std::get<Unready>(*elsewhere).held_size == 2);
  const auto onwards = append_range(a, h, 2, 3);
  CHECK(receipt_of(onwards).checkpoint.checkpoint.size == 3);
}

TEST_CASE("a log that is not the beginning of the sender's is told apart from one that is only shorter or longer") {
  SampleArchive a;
  SampleHearing h(a.name);
  for (int i = 0; i < 3; ++i) h.add_segment();
  deposit_all_objects(a, h);
  const auto filed = append_range(a, h, 0, 4);
  receipt_of(filed);
  const auto behind = append_range(a, h, 3, 3);
  REQUIRE(behind);
  CHECK_FALSE(std::get<Unready>(*behind).diverged);
  CHECK(std::get<Unready>(*behind).held_size == 4);
  std::swap(h.entries[2], h.entries[3]);  // another past, from entry 2 on
  for (const std::size_t size : {2u, 3u, 4u}) {
    const auto asked = append_range(a, h, size, size);
    REQUIRE(asked);
    CHECK(std::get<Unready>(*asked).diverged == (size > 2));
  }
  h.add_segment();
  deposit_all_objects(a, h);
  const auto longer = append_range(a, h, 4, 5);
  REQUIRE(longer);
  CHECK(std::get<Unready>(*longer).diverged);
  CHECK(a.deposit->checkpoint(h.id)->checkpoint.size == 4);
}

TEST_CASE("a hearing cannot say that it was begun after a main log that never was") {
  SampleArchive a;
  SampleHearing earlier(a.name);
  deposit_all_objects(a, earlier);
  const auto filed = append_range(a, earlier, 0, 1);
  receipt_of(filed);
  const greffe::Checkpoint head = a.main_log->head().checkpoint;
  REQUIRE(head.size > 0);
  const auto file = [&](std::uint64_t size, const greffe::Digest& root) {
    SampleHearing h(a.name);
    auto open = std::get<greffe::OpenEntry>(*greffe::parse_hearing_entry(h.entries[0]));
    open.main_size = size;
    open.main_root = root;
    h.entries[0] = greffe::write_hearing_entry(open);
    deposit_all_objects(a, h);
    return append_range(a, h, 0, 1);
  };
  for (const auto& answer : {file(head.size + 1, head.root), file(head.size, greffe::sha256({}))}) {
    REQUIRE(answer);
    REQUIRE(std::holds_alternative<Unready>(*answer));
    CHECK(std::get<Unready>(*answer).diverged);
  }
  const auto honest = file(head.size, head.root);
  receipt_of(honest);
}

TEST_CASE("entries are not taken before their objects, nor by naming another hearing's objects") {
  SampleArchive a;
  SampleHearing first(a.name);
  first.add_segment();
  deposit_all_objects(a, first);
  const auto filed = append_range(a, first, 0, 2);
  receipt_of(filed);

  SampleHearing second(a.name);
  second.objects.push_back(first.objects.back());
  greffe::SegmentEntry stolen = std::get<greffe::SegmentEntry>(*greffe::parse_hearing_entry(first.entries[1]));
  second.entries.push_back(greffe::write_hearing_entry(stolen));
  REQUIRE(deposit_object(a, second, second.objects[0].first, second.objects[0].second));
  const auto missing = a.deposit->missing(second.id, {first.objects.back().first});
  REQUIRE(missing);
  CHECK(missing->size() == 1);
  const auto answer = append_range(a, second, 0, 2);
  REQUIRE(answer);
  REQUIRE(std::holds_alternative<Unready>(*answer));
  CHECK(std::get<Unready>(*answer).missing == std::vector<greffe::Digest>{stolen.sha256});
  CHECK(a.deposit->checkpoint(second.id).error().code == Errc::not_found);
}

TEST_CASE("what is not right is refused in words and changes nothing") {
  SampleArchive a;
  SampleHearing h(a.name);
  h.add_segment();
  deposit_all_objects(a, h);

  SECTION("another station's key") {
    SampleHearing stranger(a.name);
    auto peer = stranger.peer();
    const auto answer = a.deposit->append(peer, h.id, 0, h.entries, h.checkpoint(2));
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::denied);
  }
  SECTION("a checkpoint that these entries do not lead to") {
    SampleHearing other(a.name);
    other.id = h.id;
    auto entries = h.entries;
    entries[1] = entries[1].substr(0, entries[1].size() - 2) + "2}";
    const auto answer = a.deposit->append(h.peer(), h.id, 0, entries, h.checkpoint(2));
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::invalid);
  }
  SECTION("a checkpoint signed by another key") {
    auto note = *greffe::parse_signed_checkpoint(h.checkpoint(2));
    note.note.signatures = {greffe::sign_checkpoint(note.checkpoint, greffe::PrivateKey::generate())};
    const auto answer = a.deposit->append(h.peer(), h.id, 0, h.entries, note.note.write());
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::denied);
  }
  SECTION("a hearing of another archive") {
    SampleHearing foreign("other.example");
    deposit_all_objects(a, foreign);
    const auto answer = append_range(a, foreign, 0, 1);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().message == "the hearing's \"open\" entry names the archive other.example, not archive.court.example");
  }
  SECTION("a segment of another size than its object") {
    h.entries[1] = with_more_bytes(h.entries[1]);
    const auto answer = append_range(a, h, 0, 2);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().message.starts_with("segment 0 of stream mic-judge states "));
  }
  SECTION("a revoked station begins no hearing") {
    auto peer = h.peer();
    peer.key.revoked_since = greffe::UtcTime{1'795'000'000'000};
    peer.key.revoked_why = "stolen";
    const auto answer = a.deposit->append(peer, h.id, 0, h.entries, h.checkpoint(2));
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::denied);
  }
  CHECK(a.deposit->checkpoint(h.id).error().code == Errc::not_found);
}

TEST_CASE("an object that is declared lost does not stop its hearing, and one that is not does") {
  SampleArchive a;
  SampleHearing h(a.name);
  h.add_segment();
  h.add_segment();
  h.lose_last_object();
  deposit_all_objects(a, h);
  const auto early = append_range(a, h, 0, 3);  // without the entry that declares it
  REQUIRE(early);
  CHECK(std::get<Unready>(*early).missing.size() == 1);
  const auto filed = append_range(a, h, 0, 4);
  receipt_of(filed);
  a.restart();
  h.close();
  const auto closed = append_range(a, h, 4, 5);
  receipt_of(closed);
}

TEST_CASE("a hearing that turns out not to be public is so at once; nothing is corrected after the end") {
  SampleArchive a;
  SampleHearing h(a.name);
  h.add_segment();
  deposit_all_objects(a, h);
  receipt_of(append_range(a, h, 0, 2));
  const auto shown = [&] { return a.main_log->catalogue().hearing(h.id, greffe::catalogue::CourtSet::everything())->row.details; };
  CHECK(shown().is_public);
  h.add_segment();
  h.correct("RG 26/00002", false);
  const auto early = append_range(a, h, 2, 4);  // before its document
  REQUIRE(early);
  CHECK(std::get<Unready>(*early).missing.size() == 2);
  deposit_all_objects(a, h);
  receipt_of(append_range(a, h, 2, 4));
  CHECK_FALSE(shown().is_public);  // though the interval has not passed
  CHECK(shown().cases == std::vector<std::string>{"RG 26/00002"});
  h.close();
  receipt_of(append_range(a, h, 4, 5));
  h.correct("RG 26/00003", true);
  const auto late = append_range(a, h, 5, 6);
  REQUIRE_FALSE(late);
  CHECK_THAT(late.error().message, Catch::Contains("nothing can follow"));
}

TEST_CASE("the size of an object counts also when an earlier entry named it") {
  SampleArchive a;
  SampleHearing h(a.name);
  h.add_segment();
  deposit_all_objects(a, h);
  receipt_of(append_range(a, h, 0, 2));
  h.entries.push_back(with_more_bytes(h.entries[1]));
  const auto answer = append_range(a, h, 2, 3);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Errc::invalid);
  h.entries.back() = h.entries[1];
  receipt_of(append_range(a, h, 2, 3));
}

TEST_CASE("nothing follows the end of a hearing") {
  SampleArchive a;
  SampleHearing h(a.name);
  h.close();
  deposit_all_objects(a, h);
  const auto filed = append_range(a, h, 0, 2);
  receipt_of(filed);
  h.add_segment();
  const auto object = deposit_object(a, h, h.objects.back().first, h.objects.back().second);
  REQUIRE_FALSE(object);
  CHECK(object.error().code == Errc::invalid);
  const auto answer = append_range(a, h, 2, 3);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().message == "entry 2 of the hearing log: the hearing is finished; nothing can follow its last entry");
}

TEST_CASE("after a restart, objects on disk count for a hearing only when they are sent again") {
  SampleArchive a;
  SampleHearing h(a.name);
  h.add_segment();
  deposit_all_objects(a, h);
  a.restart();
  const auto answer = append_range(a, h, 0, 2);
  REQUIRE(answer);
  REQUIRE(std::holds_alternative<Unready>(*answer));
  CHECK(std::get<Unready>(*answer).missing.size() == 2);
  deposit_all_objects(a, h);
  const auto filed = append_range(a, h, 0, 2);
  receipt_of(filed);
}

TEST_CASE("the main log follows a running hearing at most once per interval, and catches up at start") {
  SampleArchive a;
  SampleHearing h(a.name);
  for (int i = 0; i < 4; ++i) h.add_segment();
  deposit_all_objects(a, h);
  const auto before = a.main_log->head().checkpoint.size;
  for (std::size_t i = 0; i < 5; ++i) {
    const auto filed = append_range(a, h, i, i + 1);
    receipt_of(filed);
  }
  CHECK(a.main_log->head().checkpoint.size == before + 1);
  CHECK(a.hearings->begun()->size() == 1);
  a.restart();
  const auto record = a.main_log->catalogue().hearing(h.id, greffe::catalogue::CourtSet::everything());
  REQUIRE(record);
  CHECK(record->log_size == 5);
}

TEST_CASE("of hearings that nobody uses only so many stay in memory: some that go on, and fewer that are finished") {
  SampleArchive a;
  std::vector<greffe::HearingId> going_on, finished;
  for (int i = 0; i < 5; ++i) {
    SampleHearing h(a.name);
    h.add_segment();
    if (i >= 3) h.close();
    deposit_all_objects(a, h);
    receipt_of(append_range(a, h, 0, h.entries.size()));
    (i >= 3 ? finished : going_on).push_back(h.id);
  }
  greffe::archive::HearingLogs logs(a.stores(), {.going_on = 2, .finished = 1});
  using Watched = std::weak_ptr<greffe::archive::HearingState>;
  const auto use = [&logs](const greffe::HearingId& id) { return Watched(*logs.get(id)); };
  std::vector<Watched> states;
  for (const auto& id : going_on) states.push_back(use(id));
  CHECK(states[0].expired());
  for (const auto& id : finished) states.push_back(use(id));
  CHECK(states[3].expired());
  CHECK_FALSE(states[1].expired());
  CHECK_FALSE(states[2].expired());
  CHECK_FALSE(states[4].expired());

  REQUIRE(logs.mark_finished(going_on[1]));
  CHECK(states[4].expired());
  CHECK_FALSE(states[1].expired());

  // Who holds one is the only one who writes it.
  const auto held = *logs.get(going_on[2]);
  for (int round = 0; round < 2; ++round) use(going_on[static_cast<std::size_t>(round)]);
  CHECK(*logs.get(going_on[2]) == held);
}

TEST_CASE("a second server on the same pool is refused, and a pool that went back is recognised") {
  SampleArchive a;
  SampleHearing h(a.name);
  h.close();
  deposit_all_objects(a, h);
  const std::string backup = a.folder.path + "/backup";
  a.stop();
  for (int i = 0; i < 3; ++i) {
    std::filesystem::copy(a.folder.path + "/v" + std::to_string(i), backup + std::to_string(i), std::filesystem::copy_options::recursive);
  }
  a.start();
  greffe::store::PoolSettings settings;
  for (int i = 0; i < 3; ++i) settings.volumes.push_back(a.folder.path + "/v" + std::to_string(i));
  const auto second = greffe::store::LocalPool::open(a.files, a.clock, settings, greffe::store::PoolMode::writer);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::unavailable);

  deposit_all_objects(a, h);
  const auto filed = append_range(a, h, 0, 2);
  receipt_of(filed);
  a.stop();
  for (int i = 0; i < 3; ++i) {
    std::filesystem::remove_all(a.folder.path + "/v" + std::to_string(i));
    std::filesystem::rename(backup + std::to_string(i), a.folder.path + "/v" + std::to_string(i));
  }
  auto pool = greffe::store::LocalPool::open(a.files, a.clock, settings, greffe::store::PoolMode::writer);
  REQUIRE(pool);
  const auto opened = greffe::archive::MainLog::open(a.files, a.log, {**pool, **pool, **pool}, greffe::tlog::first_place(a.name), a.folder.path + "/state",
                                                     std::move(*greffe::PrivateKey::from_pem(a.keys->log.to_pem())), false);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == Errc::conflict);
}

// The guard file is gone with the machine; what another site confirmed is still kept with the log.
TEST_CASE("a main log that is behind what another site confirmed is not written to") {
  SampleArchive a;
  const greffe::PrivateKey site_key = greffe::PrivateKey::generate();
  const greffe::VerifierKey site = greffe::archive::holder_verifier("dr.court.example", site_key.public_key());
  greffe::KeyEntry key;
  key.action = "added";
  key.role = "cosigner";
  key.name = site.name;
  key.key = site_key.public_key();
  key.cosigner = site.text();
  key.since = key.utc = a.clock.utc_now();
  REQUIRE(a.main_log->append(key));
  const greffe::Checkpoint head = a.main_log->head().checkpoint;
  const auto confirm = [&](std::uint64_t size, const greffe::Digest& root) {
    greffe::SignedCheckpoint note{{head.origin, size, root}, {}};
    note.note.text = note.checkpoint.text();
    put_signature(note.note, cosign_checkpoint(note.checkpoint, site.name, site_key, a.clock.utc_now()));
    REQUIRE(greffe::archive::keep_cosigned(*a.pool, greffe::main_log_path(), note, site));
  };
  const auto open_again = [&](bool accept_head) {
    a.stop();
    REQUIRE(a.files.remove(a.folder.path + "/state/guard"));
    greffe::store::PoolSettings settings;
    for (int i = 0; i < 3; ++i) settings.volumes.push_back(a.folder.path + "/v" + std::to_string(i));
    auto pool = greffe::store::LocalPool::open(a.files, a.clock, settings, greffe::store::PoolMode::writer);
    REQUIRE(pool);
    const auto opened = greffe::archive::MainLog::open(a.files, a.log, {**pool, **pool, **pool}, greffe::tlog::first_place(a.name), a.folder.path + "/state",
                                                       std::move(*greffe::PrivateKey::from_pem(a.keys->log.to_pem())), accept_head);
    return opened ? std::string() : opened.error().message;
  };
  SECTION("what is held is confirmed") {
    confirm(head.size, head.root);
    CHECK(open_again(false).empty());
  }
  SECTION("more was confirmed than is held") {
    confirm(head.size + 1, head.root);
    CHECK(open_again(false).find("the site " + site.name + " has confirmed 2; an older state of the pool was put in place") != std::string::npos);
  }
  SECTION("another log was confirmed, and the operator accepts that") {
    confirm(head.size, greffe::sha256({}));
    CHECK(open_again(true).empty());
  }
}
