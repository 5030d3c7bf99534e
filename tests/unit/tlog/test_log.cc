#include <catch2/catch.hpp>

#include <atomic>
#include <random>
#include <thread>

#include "archive/tlog/log_check.h"
#include "archive/tlog/tile_edge.h"
#include "tests/unit/tlog/log_fixture.h"

using greffe::as_bytes;
using greffe::as_text;
using greffe::Bytes;
using greffe::Digest;
using greffe::Errc;
using greffe::leaf_hash;
using greffe::Result;
using greffe::TileName;
using greffe::tlog::CheckMode;
using greffe::tlog::LogReader;
using greffe::tlog::LogWriter;
using greffe::testing::append_up_to;
using greffe::testing::entries_between;
using greffe::testing::entry_at;
using greffe::testing::kLogPath;
using greffe::testing::MemoryStore;
using greffe::testing::open_writer;
using greffe::testing::ReferenceRoots;
using greffe::testing::Signer;
using greffe::testing::TestPool;

namespace {

std::vector<std::string> keys_of(greffe::store::ObjectStore& store, const std::string& prefix) {
  std::vector<std::string> out;
  REQUIRE(store.list(prefix, [&](const auto& info) {
    out.push_back(info.key);
    return true;
  }));
  return out;
}

// What a reader says about a log, against the reference.
template <class Store>
void check_reader(Store& store, std::uint64_t size, const ReferenceRoots& roots, std::uint64_t step) {
  const LogReader reader(store, store, kLogPath);
  const auto head = reader.checkpoint();
  REQUIRE(head);
  REQUIRE(head->checkpoint.size == size);
  REQUIRE(head->checkpoint.root == roots.at(size));
  REQUIRE(*reader.entries(0, size) == entries_between(0, size));
  REQUIRE(reader.entries(0, size + 1).error().code == Errc::invalid);
  for (std::uint64_t i = 0; i < size; i += step) {
    REQUIRE(*reader.root_at(i) == roots.at(i));
    const auto proof = reader.inclusion(i, size);
    REQUIRE(proof);
    REQUIRE(verify_inclusion(i, size, leaf_hash(as_bytes(entry_at(i))), *proof, roots.at(size)));
    const auto chain = reader.consistency(i, size);
    REQUIRE(chain);
    REQUIRE(verify_consistency(i, size, roots.at(i), roots.at(size), *chain));
  }
  // Every tile of the tree, full and partial, as tlog-tiles defines it.
  for (unsigned level = 0; level < 4; ++level) {
    const std::uint64_t nodes = size >> (8 * level);
    for (std::uint64_t index = 0; index * 256 < nodes; ++index) {
      const auto width = std::min<std::uint64_t>(256, nodes - index * 256);
      const TileName name{false, level, index, width == 256 ? 0 : static_cast<unsigned>(width)};
      const auto tile = reader.tile(name);
      REQUIRE(tile);
      const auto hashes = greffe::parse_tile(*tile);
      REQUIRE(hashes->size() == width);
      if (level == 0) REQUIRE(hashes->back() == leaf_hash(as_bytes(entry_at(index * 256 + width - 1))));
      if (level == 1) {
        REQUIRE(greffe::tile_root(*greffe::parse_tile(*reader.tile({false, 0, index * 256 + width - 1, 0}))) ==
                hashes->back());
      }
      if (level == 0) {
        const auto bundle = greffe::parse_bundle(*reader.tile({true, 0, index, name.width}));
        REQUIRE(*bundle == entries_between(index * 256, index * 256 + width));
      }
    }
    REQUIRE(reader.tile({false, level, nodes / 256, static_cast<unsigned>(nodes % 256 + 1) % 256}).error().code ==
            Errc::not_found);
  }
}

}  // namespace

TEST_CASE("the root by way of tiles is the root by way of bits") {
  greffe::TreeEdge bits;
  greffe::tlog::TileEdge tiles;
  REQUIRE(bits.root() == tiles.root());
  std::uint64_t full = 0;
  for (std::uint64_t i = 0; i < 66'000; ++i) {
    const Digest leaf = leaf_hash(as_bytes(entry_at(i)));
    bits.append(leaf);
    tiles.append(leaf, [&](unsigned level, std::uint64_t index, const auto& hashes) {
      ++full;
      REQUIRE(hashes.size() == 256);
      REQUIRE((index + 1) << (8 * (level + 1)) == i + 1);
    });
    if (i < 1100 || i % 251 == 0 || i > 65'500) REQUIRE(bits.root() == tiles.root());
  }
  REQUIRE(full == 66'000 / 256 + 1);
}

TEST_CASE("a log grows, is read, proved and opened again at every size around the edges of tiles") {
  MemoryStore store;
  const Signer signer;
  const ReferenceRoots roots(1100);
  auto writer = open_writer(store);
  REQUIRE(writer);
  REQUIRE(writer->size() == 0);
  REQUIRE(writer->head().empty());
  REQUIRE(LogReader(store, store, kLogPath).checkpoint().error().code == Errc::not_found);
  for (const std::uint64_t size : {1, 2, 3, 100, 254, 255, 256, 257, 258, 511, 512, 513, 767, 768, 1024, 1025, 1100}) {
    INFO("size " << size);
    REQUIRE(writer->preview(entries_between(writer->size(), size)).root() == roots.at(size));
    REQUIRE(append_up_to(*writer, signer, size));
    REQUIRE(writer->size() == size);
    REQUIRE(writer->root() == roots.at(size));
    REQUIRE(keys_of(store, "log/main/stage/").size() == 1);
    check_reader(store, size, roots, 7);
    REQUIRE(check_log(store, store, store, kLogPath, CheckMode::report)->clean());
    auto again = open_writer(store);
    REQUIRE(again);
    REQUIRE(again->size() == size);
    REQUIRE(again->root() == roots.at(size));
    REQUIRE(again->head() == writer->head());
    if (size % 2 == 0) writer = std::move(again);
  }
}

TEST_CASE("batches of any size give the same log") {
  const ReferenceRoots roots(3000);
  const Signer signer;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    MemoryStore store;
    std::mt19937_64 random(seed);
    auto writer = open_writer(store);
    while (writer->size() < 2000) {
      REQUIRE(append_up_to(*writer, signer, writer->size() + 1 + random() % (seed * 150)));
      if (random() % 3 == 0) writer = open_writer(store);
      REQUIRE(writer);
      REQUIRE(writer->root() == roots.at(writer->size()));
    }
    check_reader(store, writer->size(), roots, 97);
  }
}

TEST_CASE("the second level of tiles: 65,535 to 65,537 and beyond") {
  MemoryStore store;
  const Signer signer;
  const ReferenceRoots roots(131'200);
  auto writer = open_writer(store);
  for (const std::uint64_t size : {30'000, 65'535, 65'536, 65'537, 70'000, 131'071, 131'100}) {
    INFO("size " << size);
    REQUIRE(append_up_to(*writer, signer, size));
    REQUIRE(writer->root() == roots.at(size));
    check_reader(store, size, roots, 5003);
    writer = open_writer(store);
    REQUIRE(writer);
    REQUIRE(writer->size() == size);
  }
  REQUIRE(check_log(store, store, store, kLogPath, CheckMode::report)->clean());
  REQUIRE(store.get("log/main/tile/1/000"));
}

TEST_CASE("bad batches change nothing") {
  MemoryStore store;
  const Signer signer;
  auto writer = open_writer(store);
  const auto sign = [&](std::uint64_t size, const Digest& root) { return signer(size, root); };
  const std::vector<std::string> none;
  const std::vector<std::string> empty = {""};
  const std::vector<std::string> large = {std::string(65'536, 'x')};
  const std::vector<std::string> largest = {std::string(65'535, 'x')};
  REQUIRE(writer->append(none, sign).error().code == Errc::invalid);
  REQUIRE(writer->append(empty, sign).error().code == Errc::invalid);
  REQUIRE(writer->append(large, sign).error().code == Errc::invalid);
  REQUIRE(writer->append(largest, sign));
  REQUIRE(writer->size() == 1);
  const std::string head = writer->head();
  const std::vector<std::string> one = {"one"};

  SECTION("the signer refuses") {
    const auto refuse = [](std::uint64_t, const Digest&) -> Result<std::string> {
      return greffe::fail(Errc::denied, "no");
    };
    REQUIRE(writer->append(one, refuse).error().code == Errc::denied);
  }
  SECTION("the note is about another tree") {
    const auto wrong = [&](std::uint64_t size, const Digest& root) { return signer(size + 1, root); };
    REQUIRE(writer->append(one, wrong).error().code == Errc::invalid);
  }
  SECTION("the note is no note") {
    const auto wrong = [&](std::uint64_t, const Digest&) -> Result<std::string> { return std::string("hello"); };
    REQUIRE_FALSE(writer->append(one, wrong));
  }
  SECTION("the note is of another log") {
    const auto wrong = [&](std::uint64_t size, const Digest& root) -> Result<std::string> {
      greffe::SignedNote note;
      const greffe::Checkpoint checkpoint{"other.example", size, root};
      note.text = checkpoint.text();
      put_signature(note, sign_checkpoint(checkpoint, signer.key));
      return note.write();
    };
    REQUIRE(writer->append(one, wrong).error().code == Errc::invalid);
  }
  REQUIRE(writer->size() == 1);
  REQUIRE(writer->head() == head);
  REQUIRE(open_writer(store)->head() == head);
  REQUIRE(writer->append(one, sign));
  REQUIRE(keys_of(store, "log/main/stage/").size() == 1);  // those of the refused batches are gone
}

namespace {

// A store that says ok and keeps something else.
class LyingStore : public MemoryStore {
 public:
  greffe::Status put(std::string_view key, greffe::ByteView bytes) override {
    Bytes kept(bytes.begin(), bytes.end());
    if (!lie_about.empty() && key.find(lie_about) != std::string_view::npos) {
      how == 0 ? static_cast<void>(kept.back() ^= 1) : kept.resize(kept.size() - 1);
    }
    return MemoryStore::put(key, kept);
  }
  std::string lie_about;
  int how = 0;
};

}  // namespace

TEST_CASE("what storage does not give back as it was is not signed") {
  const Signer signer;
  const ReferenceRoots roots(1000);
  for (int how = 0; how < 2; ++how) {
    LyingStore store;
    store.how = how;
    auto writer = open_writer(store);
    REQUIRE(append_up_to(*writer, signer, 250));
    const std::string head = writer->head();
    store.lie_about = "/stage/";
    bool asked = false;
    const auto entries = entries_between(250, 300);
    const greffe::Status refused = writer->append(entries, [&](std::uint64_t size, const Digest& root) {
      asked = true;
      return signer(size, root);
    });
    REQUIRE(refused.error().code == Errc::corrupt);
    REQUIRE_FALSE(asked);
    REQUIRE(writer->head() == head);
    // The same batch again, on a store that has come to its senses.
    store.lie_about.clear();
    REQUIRE(append_up_to(*writer, signer, 300));
    // Tiles that do not read back are not relied on: the stage keeps the entries.
    store.lie_about = "/tile/";
    REQUIRE(append_up_to(*writer, signer, 600));
    const LogReader reader(store, store, kLogPath);
    REQUIRE(*reader.root_at(600) == roots.at(600));
    REQUIRE(keys_of(store, "log/main/stage/").size() == 1);
    store.lie_about.clear();
    REQUIRE_FALSE(append_up_to(*writer, signer, 700));
    REQUIRE_FALSE(check_log(store, store, store, kLogPath, CheckMode::repair)->clean());
    REQUIRE(check_log(store, store, store, kLogPath, CheckMode::report)->clean());
    REQUIRE(append_up_to(*writer, signer, 700));
    REQUIRE(writer->root() == roots.at(700));
  }
}

TEST_CASE("two writers: one of them loses, and the log stays whole") {
  MemoryStore store;
  const Signer signer;
  const ReferenceRoots roots(1000);
  auto one = open_writer(store);
  REQUIRE(append_up_to(*one, signer, 250));
  auto two = open_writer(store);
  REQUIRE(append_up_to(*one, signer, 300));
  const auto sign = [&](std::uint64_t size, const Digest& root) { return signer(size, root); };
  const std::vector<std::string> other = {"something else"};
  REQUIRE(two->append(other, sign).error().code == Errc::conflict);
  REQUIRE(two->append(other, sign).error().code == Errc::unavailable);  // must be opened again
  REQUIRE(two->finalise().error().code == Errc::unavailable);
  two = open_writer(store);
  REQUIRE(two->size() == 300);
  REQUIRE(append_up_to(*two, signer, 600));
  REQUIRE(append_up_to(*one, signer, 400).error().code == Errc::conflict);
  check_reader(store, 600, roots, 11);
}

TEST_CASE("signatures are added to the head, and to nothing else") {
  MemoryStore store;
  const Signer signer;
  auto writer = open_writer(store);
  REQUIRE_FALSE(writer->add_signatures("x"));
  REQUIRE(append_up_to(*writer, signer, 10));
  auto note = *greffe::parse_signed_note(writer->head());
  const auto checkpoint = *greffe::parse_checkpoint(note.text);
  put_signature(note, cosign_checkpoint(checkpoint, "witness.example", signer.key, {1'795'600'000'000}));
  const std::string old = writer->head();
  REQUIRE(writer->add_signatures(note.write()));
  REQUIRE(writer->head() == note.write());
  REQUIRE(writer->add_signatures(note.write()));
  REQUIRE(open_writer(store)->head() == note.write());
  REQUIRE(append_up_to(*writer, signer, 11));
  REQUIRE(writer->add_signatures(old).error().code == Errc::conflict);
}

TEST_CASE("a finished log keeps its partial tiles and needs no stage") {
  const Signer signer;
  const ReferenceRoots roots(70'000);
  for (const std::uint64_t size : {1, 255, 256, 300, 65'536 + 300}) {
    INFO("size " << size);
    MemoryStore store;
    auto writer = open_writer(store);
    REQUIRE(writer->finalise());  // nothing to do
    REQUIRE(append_up_to(*writer, signer, std::min<std::uint64_t>(size, 60'000)));
    if (size > 60'000) REQUIRE(append_up_to(*writer, signer, size));
    REQUIRE(writer->finalise());
    REQUIRE(writer->finalise());
    REQUIRE(keys_of(store, "log/main/stage/").empty());
    if (size % 256 != 0) {
      const TileName partial{true, 0, size / 256, greffe::partial_width(0, size)};
      REQUIRE(*greffe::parse_bundle(*store.get("log/main/" + partial.path())) ==
              entries_between(size / 256 * 256, size));
    }
    if (size == 256) REQUIRE(store.get("log/main/tile/1/000.p/1"));
    check_reader(store, size, roots, 1009);
    REQUIRE(check_log(store, store, store, kLogPath, CheckMode::report)->clean());
    writer = open_writer(store);
    REQUIRE(writer->size() == size);
    REQUIRE(writer->finalise());
    // A cosignature that arrives afterwards.
    auto note = *greffe::parse_signed_note(writer->head());
    put_signature(note, cosign_checkpoint(*greffe::parse_checkpoint(note.text), "w.example", signer.key, {1000}));
    REQUIRE(writer->add_signatures(note.write()));
    REQUIRE(open_writer(store)->head() == note.write());
  }
}

TEST_CASE("readers beside a writer always see a whole published log") {
  TestPool test(3);
  const Signer signer;
  const ReferenceRoots roots(2000);
  auto writer = open_writer(*test.pool);
  REQUIRE(append_up_to(*writer, signer, 5));
  auto beside = greffe::store::LocalPool::open(*test.files, test.clock, test.settings, greffe::store::PoolMode::reader);
  REQUIRE(beside);
  std::atomic<bool> done{false};
  std::atomic<unsigned> reads{0};
  std::string problem;
  const auto read = [&](greffe::store::LocalPool& pool, std::string& trouble) {
    while (!done || reads < 20) {
      const LogReader reader(pool, pool, kLogPath);
      const auto head = reader.checkpoint();
      if (!head) {
        trouble = head.error().message;
        return;
      }
      const auto root = reader.root_at(head->checkpoint.size);
      const auto entries = reader.entries(0, head->checkpoint.size);
      if (!root || *root != roots.at(head->checkpoint.size) || !entries ||
          *entries != entries_between(0, head->checkpoint.size)) {
        trouble = "size " + std::to_string(head->checkpoint.size) + ": " + (root ? "" : root.error().message) +
                  (entries ? "" : entries.error().message);
        return;
      }
      ++reads;
    }
  };
  std::thread same([&] { read(*test.pool, problem); });
  std::string other_problem;
  std::thread other([&] { read(**beside, other_problem); });
  std::uint64_t size = 5;
  for (; size < 1500; size += 17) {
    if (!append_up_to(*writer, signer, size + 17)) break;
  }
  done = true;
  same.join();
  other.join();
  REQUIRE(size >= 1500);
  REQUIRE(problem.empty());
  REQUIRE(other_problem.empty());
}

TEST_CASE("check_log finds every kind of damage on any volume and heals it") {
  const Signer signer;
  const ReferenceRoots roots(70'000);
  static const auto image = [] {
    TestPool made(3);
    const Signer with;
    auto writer = open_writer(*made.pool);
    REQUIRE(append_up_to(*writer, with, 65'000));
    REQUIRE(append_up_to(*writer, with, 65'900));
    REQUIRE(append_up_to(*writer, with, 65'910));
    return made.files->clone();
  }();
  TestPool test(image->clone(), 3);
  test.open();
  const auto report = check_log(*test.pool, *test.pool, *test.pool, kLogPath, CheckMode::report);
  REQUIRE(report->clean());
  REQUIRE(report->size == 65'910);
  REQUIRE(report->files == 257 * 2 + 1 + 1);  // level 0 and bundles, one of level 1, the stage
  // The removal of older stages is not synced, so the copy of the disk has them again; only the newest counts.
  std::string stage;
  for (const std::string& key : keys_of(*test.pool, "log/main/stage/")) {
    if (key.find("-65910-") != std::string::npos) stage = key;
  }
  const std::vector<std::string> keys = {"log/main/tile/0/000", "log/main/tile/0/256", "log/main/tile/entries/100",
                                         "log/main/tile/1/000", stage};
  const auto damage = [&](const std::string& key, unsigned volume, int how) {
    if (how == 3) {
      REQUIRE(test.files->remove(test.path(volume, key)));
      return;
    }
    REQUIRE(test.files->damage(test.path(volume, key), [&](Bytes& bytes) {
      if (how == 0) bytes[bytes.size() / 3] ^= 1;
      if (how == 1) bytes.resize(bytes.size() / 2);
      if (how == 2) bytes.clear();
    }));
  };
  for (const std::string& key : keys) {
    for (int how = 0; how < 4; ++how) {
      INFO(key << ", damage " << how);
      damage(key, 0, how);
      damage(key, 2, how);
      test.open();
      // Found and named, and read past in the meantime.
      const auto found = check_log(*test.pool, *test.pool, *test.pool, kLogPath, CheckMode::report);
      REQUIRE(found);
      REQUIRE(found->findings.size() == 1);
      REQUIRE(found->findings[0].key == key);
      REQUIRE(found->findings[0].missing.size() + found->findings[0].different.size() == 2);
      REQUIRE_FALSE(found->findings[0].lost);
      const LogReader reader(*test.pool, *test.pool, kLogPath);
      REQUIRE(*reader.root_at(65'910) == roots.at(65'910));
      REQUIRE(*reader.entries(25'500, 25'900) == entries_between(25'500, 25'900));
      REQUIRE(*reader.entries(65'800, 65'910) == entries_between(65'800, 65'910));
      REQUIRE(open_writer(*test.pool)->root() == roots.at(65'910));
      const auto healed = check_log(*test.pool, *test.pool, *test.pool, kLogPath, CheckMode::repair);
      REQUIRE(healed->findings[0].repaired == 2);
      REQUIRE(check_log(*test.pool, *test.pool, *test.pool, kLogPath, CheckMode::report)->clean());
    }
  }

  SECTION("a bundle that is damaged everywhere is lost, and only it") {
    for (unsigned i = 0; i < 3; ++i) damage("log/main/tile/entries/100", i, 0);
    const auto found = check_log(*test.pool, *test.pool, *test.pool, kLogPath, CheckMode::repair);
    REQUIRE(found->findings.size() == 1);
    REQUIRE(found->findings[0].lost);
    const LogReader reader(*test.pool, *test.pool, kLogPath);
    REQUIRE(reader.entries(25'600, 25'601).error().code == Errc::corrupt);
    REQUIRE(reader.entries(25'856, 25'857));
  }
  SECTION("a tile that is gone everywhere comes back from the entries") {
    for (const char* key : {"log/main/tile/0/100", "log/main/tile/1/000"}) {
      for (unsigned i = 0; i < 3; ++i) damage(key, i, 3);
    }
    const auto found = check_log(*test.pool, *test.pool, *test.pool, kLogPath, CheckMode::repair);
    REQUIRE(found->findings.size() == 2);
    REQUIRE(check_log(*test.pool, *test.pool, *test.pool, kLogPath, CheckMode::report)->clean());
  }
  SECTION("tile and bundle altered together do not fit the head") {
    auto entries = entries_between(25'600, 25'856);
    entries[5] = "forged";
    std::vector<Digest> hashes;
    for (const auto& entry : entries) hashes.push_back(leaf_hash(as_bytes(entry)));
    for (unsigned i = 0; i < 3; ++i) {
      test.files->damage(test.path(i, "log/main/tile/entries/100"),
                         [&](Bytes& bytes) { bytes = greffe::to_bytes(greffe::write_bundle(entries)); });
      test.files->damage(test.path(i, "log/main/tile/0/100"), [&](Bytes& bytes) { bytes = greffe::write_tile(hashes); });
    }
    const auto found = check_log(*test.pool, *test.pool, *test.pool, kLogPath, CheckMode::repair);
    REQUIRE(found->findings.size() >= 1);
    REQUIRE(found->findings[0].lost);
  }
  SECTION("a head that nothing leads to") {
    for (unsigned i = 0; i < 3; ++i) {
      test.files->damage(test.path(i, "log/main/checkpoint"),
                         [&](Bytes& bytes) { bytes = greffe::to_bytes(*signer(65'910, roots.at(65'909))); });
    }
    REQUIRE(check_log(*test.pool, *test.pool, *test.pool, kLogPath, CheckMode::repair).error().code == Errc::corrupt);
    REQUIRE(open_writer(*test.pool).error().code == Errc::corrupt);
    REQUIRE(LogReader(*test.pool, *test.pool, kLogPath).entries(0, 1).error().code == Errc::corrupt);
  }
  SECTION("one damaged head among good ones does not count, be it larger") {
    test.files->damage(test.path(1, "log/main/checkpoint"),
                       [&](Bytes& bytes) { bytes = greffe::to_bytes(*signer(95'910, roots.at(65'909))); });
    REQUIRE(open_writer(*test.pool)->size() == 65'910);
    REQUIRE(test.files->read_file(test.path(1, "log/main/checkpoint"), 10'000) ->size() ==
            test.files->read_file(test.path(0, "log/main/checkpoint"), 10'000)->size());
  }
}
