#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "archive/store/placement.h"
#include "archive/store/verified_copies.h"
#include "tests/unit/support/test_pool.h"

using greffe::as_bytes;
using greffe::as_text;
using greffe::Bytes;
using greffe::Digest;
using greffe::Errc;
using greffe::object_key;
using greffe::sha256;
using greffe::store::PoolMode;
using greffe::store::VolumeState;
using greffe::testing::Fault;
using greffe::testing::fresh_volumes;
using greffe::testing::kTestPoolId;
using greffe::testing::some_bytes;
using greffe::testing::TestPool;

namespace {

void flip(Bytes& bytes) { bytes[bytes.size() / 2] ^= 0x10; }

// Which volume is asked last for a key.
unsigned last_asked(TestPool& test, const std::string& key) {
  std::vector<greffe::store::PlacementSite> sites;
  for (const auto& volume : test.pool->volumes()) sites.push_back({volume.id, volume.domain});
  return static_cast<unsigned>(greffe::store::rank_sites(key, sites).back());
}

}  // namespace

TEST_CASE("a volume label is canonical and strict") {
  const greffe::store::VolumeLabel label{std::string(32, 'a'), "shelf-1", std::string(32, 'b')};
  const std::string text = write_volume_label(label);
  REQUIRE(*greffe::store::parse_volume_label(text) == label);
  for (const std::string& bad :
       {std::string(), std::string("{}"), text + " ", text.substr(1), std::string(text).replace(text.find("shelf"), 5, "SHELF"),
        std::string(text).replace(text.find("aaaa"), 4, "zzzz"), std::string(text).replace(text.find("\"v\":1"), 5, "\"v\":2")}) {
    INFO(bad);
    REQUIRE_FALSE(greffe::store::parse_volume_label(bad));
  }
}

TEST_CASE("making a volume twice is refused, and after a crash it is finished") {
  greffe::testing::ForgetfulFileSystem probe;
  REQUIRE(greffe::store::init_volume(probe, "/disk/greffe", kTestPoolId, "a"));
  const std::uint64_t steps = probe.faults().counted();
  REQUIRE(steps > 500);
  REQUIRE(greffe::store::init_volume(probe, "/disk/greffe", kTestPoolId, "a").error().code == Errc::already_exists);
  for (std::uint64_t step = 1; step <= steps; step += step < 20 || step + 10 > steps ? 1 : 37) {
    greffe::testing::ForgetfulFileSystem files;
    files.faults().arm(Fault::power_off, step);
    REQUIRE_FALSE(greffe::store::init_volume(files, "/disk/greffe", kTestPoolId, "a"));
    files.crash(step);
    const auto again = greffe::store::init_volume(files, "/disk/greffe", kTestPoolId, "a");
    const auto label = greffe::store::read_volume_label(files, "/disk/greffe");
    REQUIRE(label);  // whole, whether this call made it or the one before
    REQUIRE((again || again.error().code == Errc::already_exists));
    for (int i = 0; i < 256; ++i) {
      REQUIRE(files.stat("/disk/greffe/sha256/" + greffe::to_hex(Bytes{static_cast<std::uint8_t>(i)})));
    }
  }
}

TEST_CASE("volumes are recognised by their labels and never guessed") {
  TestPool test(3);

  SECTION("a missing one is reported and the others work") {
    test.pool.reset();
    test.files->unmount("/disk1");
    test.open();
    const auto volumes = test.pool->volumes();
    REQUIRE(volumes[1].state == VolumeState::missing);
    REQUIRE(volumes[1].reason.find("mounted") != std::string::npos);
    REQUIRE(volumes[0].state == VolumeState::active);
    const Bytes bytes = some_bytes(1000, 1);
    REQUIRE(test.put_object(bytes));
    REQUIRE(test.good_copies(sha256(bytes)) == 2);
    test.files->mount("/disk1");
    REQUIRE(test.pool->scrub({}, [](const auto&) { return true; })->repaired == 1);
    REQUIRE(test.pool->volumes()[1].state == VolumeState::active);
    REQUIRE(test.good_copies(sha256(bytes)) == 3);
  }

  SECTION("a foreign one takes no part") {
    test.pool.reset();
    REQUIRE(test.files->remove("/disk1/greffe/greffe-volume.json"));
    REQUIRE(greffe::store::init_volume(*test.files, "/disk1/greffe", std::string(32, '9'), "shelf-1"));
    test.open();
    REQUIRE(test.pool->volumes()[1].state == VolumeState::missing);
    REQUIRE(test.pool->volumes()[1].reason.find("another pool") != std::string::npos);
    test.settings.pool_id.clear();
    REQUIRE(test.try_open().error().code == Errc::invalid);
  }

  SECTION("one disk under two paths counts once") {
    test.pool.reset();
    const auto label = test.files->read_file("/disk0/greffe/greffe-volume.json", 4096);
    test.files->damage("/disk1/greffe/greffe-volume.json", [&](Bytes& bytes) { bytes = *label; });
    test.open();
    REQUIRE(test.pool->volumes()[0].state == VolumeState::active);
    REQUIRE(test.pool->volumes()[1].state == VolumeState::missing);
    REQUIRE(test.pool->volumes()[1].reason.find("twice") != std::string::npos);
    REQUIRE(test.pool->volumes()[1].state == VolumeState::missing);  // asking again does not let it in
  }

  SECTION("none at all") {
    test.pool.reset();
    for (const char* disk : {"/disk0", "/disk1", "/disk2"}) test.files->unmount(disk);
    REQUIRE(test.try_open().error().code == Errc::not_found);
  }

  SECTION("settings that cannot be") {
    test.pool.reset();
    test.settings.write_quorum = 4;
    REQUIRE(test.try_open().error().code == Errc::invalid);
    test.settings.write_quorum = 0;
    REQUIRE(test.try_open().error().code == Errc::invalid);
    test.settings = {};
    REQUIRE(test.try_open().error().code == Errc::invalid);
  }
}

TEST_CASE("one writer, any number of readers, and readers write nothing") {
  TestPool test(3);
  const Bytes bytes = some_bytes(5000, 1);
  const Digest digest = sha256(bytes);
  REQUIRE(test.put_object(bytes));
  REQUIRE(test.pool->swap_head("log/main/checkpoint", "", "x\n1\n"));
  auto second = greffe::store::LocalPool::open(*test.files, test.clock, test.settings, PoolMode::writer);
  REQUIRE(second.error().code == Errc::unavailable);
  REQUIRE(second.error().message.find("another process") != std::string::npos);

  auto reader = greffe::store::LocalPool::open(*test.files, test.clock, test.settings, PoolMode::reader);
  REQUIRE(reader);
  test.files->damage(test.path(0, object_key(digest)), flip);
  REQUIRE(test.files->remove(test.path(1, "log/main/checkpoint")));
  const auto changes = [&] { return test.files->faults().counted(); };
  const std::uint64_t before = changes();
  REQUIRE(*(*reader)->read_object(digest) == bytes);
  REQUIRE(*(*reader)->read_head("log/main/checkpoint") == "x\n1\n");
  REQUIRE((*reader)->repair_object(digest)->damage.size() == 1);
  REQUIRE((*reader)->put("log/a/x", as_bytes("x")).error().code == Errc::denied);
  REQUIRE((*reader)->swap_head("log/main/checkpoint", "x\n1\n", "x\n2\n").error().code == Errc::denied);
  REQUIRE((*reader)->begin_object(1).error().code == Errc::denied);
  REQUIRE((*reader)->remove_stage("log/open/a").error().code == Errc::denied);
  REQUIRE((*reader)->restore("log/a/x", as_bytes("x")).error().code == Errc::denied);
  REQUIRE(changes() == before);
}

TEST_CASE("damaged replicas are found before they are served, moved aside and replaced") {
  TestPool test(3);
  const Bytes bytes = some_bytes(2'500'000, 1);
  const Digest digest = sha256(bytes);
  const std::string key = object_key(digest);
  REQUIRE(test.put_object(bytes));
  const auto damage_all_but = [&](unsigned kept, const auto& change) {
    for (unsigned i = 0; i < 3; ++i) {
      if (i != kept) test.files->damage(test.path(i, key), change);
    }
  };

  const auto check_healed = [&](std::size_t reports) {
    REQUIRE(test.good_copies(digest) == 3);
    REQUIRE(test.damage.size() == reports);
    for (const auto& one : test.damage) {
      REQUIRE(one.key == key);
      REQUIRE(one.repaired);
    }
  };

  SECTION("flipped, read whole") {
    damage_all_but(last_asked(test, key), flip);
    REQUIRE(*test.pool->read_object(digest) == bytes);
    check_healed(2);
    unsigned kept = 0;
    for (unsigned i = 0; i < 3; ++i) kept += static_cast<unsigned>(test.files->list(test.path(i, "quarantine"))->size());
    REQUIRE(kept == 2);
  }
  SECTION("truncated, opened") {
    damage_all_but(last_asked(test, key), [](Bytes& b) { b.resize(b.size() - 1); });
    const auto file = test.pool->open_object(digest);
    REQUIRE(file);
    REQUIRE(*(*file)->size() == bytes.size());
    check_healed(2);
  }
  SECTION("swapped with another object, proved") {
    damage_all_but(last_asked(test, key), [](Bytes& b) { b = some_bytes(100, 9); });
    test.open();  // another process knows nothing of the deposit
    REQUIRE(*test.pool->prove_object(digest));
    check_healed(2);
  }
  SECTION("empty, put again") {
    damage_all_but(1, [](Bytes& b) { b.clear(); });
    REQUIRE(test.put_object(bytes));
    check_healed(2);
  }
  SECTION("gone, scrubbed") {
    REQUIRE(test.files->remove(test.path(2, key)));
    const auto totals = test.pool->scrub({}, [](const auto&) { return true; });
    REQUIRE(totals->finished);
    REQUIRE(totals->objects == 1);
    REQUIRE(totals->failures == 1);
    REQUIRE(totals->repaired == 1);
    check_healed(1);
    REQUIRE(test.damage[0].missing);
    const auto again = test.pool->scrub({}, [](const auto&) { return true; });
    REQUIRE(again->failures == 0);
    REQUIRE(again->bytes == 3 * bytes.size());
  }
  SECTION("all of them: said, and left where they are") {
    damage_all_but(9, flip);
    REQUIRE(test.pool->read_object(digest).error().code == Errc::corrupt);
    REQUIRE(test.pool->open_object(digest).error().code == Errc::corrupt);
    REQUIRE_FALSE(*test.pool->prove_object(digest));
    REQUIRE(test.copies(key) == 3);
    const auto totals = test.pool->scrub({}, [](const auto& object) {
      REQUIRE(object.problem.find("no good replica") != std::string::npos);
      return true;
    });
    REQUIRE(totals->failures == 1);
    // The same object from the other site heals it.
    REQUIRE(test.put_object(bytes));
    REQUIRE(test.good_copies(digest) == 3);
  }
}

TEST_CASE("an object is hashed once in 24 hours, and again when its file looks different") {
  TestPool test(3);
  const Bytes bytes = some_bytes(1000, 1);
  const Digest digest = sha256(bytes);
  REQUIRE(test.put_object(bytes));
  REQUIRE(test.pool->open_object(digest));
  // Rot behind the file system's back is not seen until the day is over …
  for (unsigned i = 0; i < 3; ++i) test.files->damage(test.path(i, object_key(digest)), flip);
  REQUIRE(test.pool->open_object(digest));
  test.clock.pass_ms(greffe::store::kVerifiedForMs - 1);
  REQUIRE(test.pool->open_object(digest));
  test.clock.pass_ms(1);
  REQUIRE(test.pool->open_object(digest).error().code == Errc::corrupt);
  // … a file that was written to is hashed at once.
  const Bytes other = some_bytes(1000, 2);
  REQUIRE(test.put_object(other));
  REQUIRE(test.pool->open_object(sha256(other)));
  for (unsigned i = 0; i < 3; ++i) REQUIRE(test.files->truncate(test.path(i, object_key(sha256(other))), 999));
  REQUIRE(test.pool->open_object(sha256(other)).error().code == Errc::corrupt);
}

TEST_CASE("the memory of verified replicas is bounded") {
  greffe::store::VerifiedCopies memory(10);
  const greffe::FileStat stat;
  for (int i = 0; i < 25; ++i) memory.note_hashed(nullptr, sha256(as_bytes(std::to_string(i))), stat, i);
  int known = 0;
  for (int i = 0; i < 25; ++i) known += memory.hashed_lately(nullptr, sha256(as_bytes(std::to_string(i))), stat, 30) ? 1 : 0;
  REQUIRE(known == 10);
  REQUIRE(memory.hashed_lately(nullptr, sha256(as_bytes("24")), stat, 30));
  REQUIRE_FALSE(memory.durable_lately(nullptr, sha256(as_bytes("24")), stat, 30));
  memory.forget(nullptr, sha256(as_bytes("24")));
  REQUIRE_FALSE(memory.hashed_lately(nullptr, sha256(as_bytes("24")), stat, 30));
}

TEST_CASE("a full volume is known before the first byte and named") {
  TestPool test(3);
  test.settings.min_free_bytes = 10'000;
  test.open();
  test.files->limit_space("/disk1", 100'000);
  const Bytes bytes = some_bytes(95'000, 1);
  REQUIRE(test.put_object(bytes));  // two of three are enough
  REQUIRE(test.good_copies(sha256(bytes)) == 2);
  REQUIRE(test.pool->volumes()[1].state == VolumeState::full);
  REQUIRE(test.pool->volumes()[1].reason.find("/disk1/greffe") != std::string::npos);

  test.files->limit_space("/disk2", 200'000);
  const auto refused = test.pool->begin_object(150'000);
  REQUIRE(refused.error().code == Errc::no_space);
  REQUIRE(refused.error().message.find("/disk1/greffe") != std::string::npos);
  REQUIRE(refused.error().message.find("/disk2/greffe") != std::string::npos);
  // Logs have the reserve for themselves, and room that comes back is used.
  REQUIRE(test.pool->put("log/main/tile/0/000", as_bytes("x")));
  test.files->limit_space("/disk1", 1'000'000);
  test.files->limit_space("/disk2", 1'000'000);
  test.clock.pass_ms(60'000);
  REQUIRE(test.put_object(some_bytes(150'000, 2)));
  REQUIRE(test.pool->volumes()[1].state == VolumeState::active);

  SECTION("deposits under way count") {
    test.files->limit_space("/disk1", 400'000);
    test.files->limit_space("/disk2", 500'000);
    auto first = test.pool->begin_object(200'000);
    REQUIRE(first);
    REQUIRE(test.pool->begin_object(150'000).error().code == Errc::no_space);
    *first = nullptr;
    REQUIRE(test.pool->begin_object(150'000));
  }
  SECTION("a disk that fills while it is written to") {
    auto writer = test.pool->begin_object(100'000);
    test.files->limit_space("/disk1", 1000);
    const Bytes more = some_bytes(100'000, 3);
    REQUIRE((*writer)->write(more));
    REQUIRE((*writer)->commit(sha256(more)));
    REQUIRE(test.good_copies(sha256(more)) == 2);
    REQUIRE(test.pool->volumes()[1].state == VolumeState::full);
  }
}

TEST_CASE("the folder of a log that somebody removed is made again, but not below an empty mount point") {
  TestPool test(3);
  const auto remove_folder = [&](unsigned volume, const std::string& name) {
    REQUIRE(test.files->remove(test.path(volume, "log/main/tile/0/" + name)));
    REQUIRE(test.files->remove(test.path(volume, "log/main/tile/0")));
  };
  REQUIRE(test.pool->put("log/main/tile/0/000", as_bytes("a")));
  for (unsigned volume = 0; volume < 3; ++volume) remove_folder(volume, "000");
  REQUIRE(test.pool->put("log/main/tile/0/001", as_bytes("b")));
  CHECK(test.copies("log/main/tile/0/001") == 3);
  for (const auto& volume : test.pool->volumes()) CHECK(volume.state == VolumeState::active);
  remove_folder(0, "001");
  REQUIRE(test.files->remove(test.path(0, "greffe-volume.json")));
  REQUIRE(test.pool->put("log/main/tile/0/002", as_bytes("c")));
  CHECK_FALSE(test.files->stat(test.path(0, "log/main/tile/0")));
  CHECK(test.pool->volumes()[0].state == VolumeState::missing);
}

TEST_CASE("a volume that vanishes is missing, and is used again when it is back") {
  TestPool test(3);
  const Bytes first = some_bytes(1000, 1);
  REQUIRE(test.put_object(first));
  REQUIRE(test.pool->swap_head("log/main/checkpoint", "", "x\n1\n"));
  test.files->unmount("/disk0");
  const Bytes second = some_bytes(1000, 2);
  REQUIRE(test.put_object(second));
  REQUIRE(test.pool->volumes()[0].state == VolumeState::missing);
  REQUIRE(test.pool->put("log/main/tile/0/000", as_bytes("t")));
  REQUIRE(test.pool->swap_head("log/main/checkpoint", "x\n1\n", "x\n2\n"));
  REQUIRE(*test.pool->read_object(sha256(first)) == first);
  test.files->mount("/disk0");
  REQUIRE(test.pool->volumes()[0].state == VolumeState::active);
  REQUIRE(*test.pool->read_head("log/main/checkpoint") == "x\n2\n");
  const auto completed = test.files->read_file(test.path(0, "log/main/checkpoint"), 100);
  REQUIRE(as_text(*completed) == "x\n2\n");
  const auto totals = test.pool->scrub({}, [](const auto&) { return true; });
  REQUIRE(totals->repaired == 1);
  REQUIRE(test.good_copies(sha256(second)) == 3);

  SECTION("two of three gone: writes wait, reads go on") {
    test.files->unmount("/disk0");
    test.files->unmount("/disk1");
    REQUIRE(test.put_object(some_bytes(10, 3)).error().code == Errc::unavailable);
    REQUIRE(test.pool->put("log/main/tile/0/001", as_bytes("t")).error().code == Errc::unavailable);
    REQUIRE(test.pool->read_head("log/main/checkpoint").error().code == Errc::unavailable);
    REQUIRE(*test.pool->read_object(sha256(first)) == first);
    REQUIRE_FALSE(*test.pool->prove_object(sha256(first)));
    REQUIRE(test.pool->get("log/main/tile/0/000"));
  }
}

TEST_CASE("a failed sync makes the volume suspect and the replica goes elsewhere") {
  TestPool test(4);
  test.files->faults().arm(Fault::fails_before, 1, true, Errc::io_error, "/disk2");
  std::set<Digest> stored;
  for (std::uint64_t i = 0; i < 10; ++i) {
    const Bytes bytes = some_bytes(1000, i);
    REQUIRE(test.put_object(bytes));
    REQUIRE(test.good_copies(sha256(bytes)) == 3);
    stored.insert(sha256(bytes));
  }
  const auto volumes = test.pool->volumes();
  REQUIRE(volumes[2].state == VolumeState::suspect);
  REQUIRE(volumes[2].reason.find("injected") != std::string::npos);
  test.files->crash();
  for (const Digest& digest : stored) REQUIRE(test.good_copies(digest) == 3);
}

TEST_CASE("heads: the volumes may disagree") {
  TestPool test(3);
  const std::string key = "log/main/cosigned/0011aabb";
  REQUIRE(test.pool->swap_head(key, "", "x\n1\n"));
  const auto write = [&](unsigned volume, const std::string& text) {
    REQUIRE(test.files->damage(test.path(volume, key), [&](Bytes& bytes) { bytes = greffe::to_bytes(text); }));
  };
  SECTION("the larger size wins and is completed") {
    write(1, "x\n2\n");
    REQUIRE(*test.pool->read_head(key) == "x\n2\n");
    for (unsigned i = 0; i < 3; ++i) REQUIRE(as_text(*test.files->read_file(test.path(i, key), 100)) == "x\n2\n");
  }
  SECTION("ten is more than nine") {
    write(0, "x\n9\n");
    write(1, "x\n10\n");
    REQUIRE(*test.pool->read_head(key) == "x\n10\n");
  }
  SECTION("an empty copy is damage") {
    write(0, "");
    REQUIRE(*test.pool->read_head(key) == "x\n1\n");
    REQUIRE(as_text(*test.files->read_file(test.path(0, key), 100)) == "x\n1\n");
    write(0, "");
    write(1, "");
    REQUIRE(test.pool->read_head(key).error().code == Errc::unavailable);
  }
  SECTION("a copy that its owner did not sign is damage") {
    test.pool.reset();
    write(0, "x\n7\n");
    greffe::store::PoolListeners listeners;
    listeners.head_is_good = [](std::string_view, std::string_view text) { return text != "x\n7\n"; };
    auto pool = greffe::store::LocalPool::open(*test.files, test.clock, test.settings, PoolMode::writer, listeners);
    REQUIRE(*(*pool)->read_head(key) == "x\n1\n");
    REQUIRE(as_text(*test.files->read_file(test.path(0, key), 100)) == "x\n1\n");
  }
}

TEST_CASE("log files: a minority of other bytes is replaced, a majority is a conflict") {
  TestPool test(3);
  const std::string key = "log/main/tile/0/000";
  REQUIRE(test.pool->put(key, as_bytes("good")));
  test.files->damage(test.path(1, key), flip);
  REQUIRE(test.pool->get_all(key)->size() == 2);
  REQUIRE(test.pool->put(key, as_bytes("good")));
  REQUIRE(test.pool->get_all(key)->size() == 1);
  test.files->damage(test.path(0, key), flip);
  test.files->damage(test.path(1, key), flip);
  REQUIRE(test.pool->put(key, as_bytes("good")).error().code == Errc::conflict);
  const auto report = test.pool->restore(key, as_bytes("good"));
  REQUIRE(report->different.size() == 2);
  REQUIRE(report->good == 3);
  REQUIRE(as_text(test.pool->get_all(key)->front()) == "good");
}

TEST_CASE("placement: distinct domains first, even, and stable when a volume is added") {
  std::vector<greffe::store::PlacementSite> sites = {{"a1", "a"}, {"a2", "a"}, {"b1", "b"}, {"b2", "b"}, {"c1", "c"}};
  std::vector<unsigned> first_three(6, 0);
  for (int i = 0; i < 3000; ++i) {
    const auto order = greffe::store::rank_sites("key" + std::to_string(i), sites);
    REQUIRE(std::set<std::size_t>(order.begin(), order.end()).size() == sites.size());
    std::set<std::string> domains;
    for (std::size_t k = 0; k < 3; ++k) {
      domains.insert(sites[order[k]].domain);
      ++first_three[order[k]];
    }
    REQUIRE(domains.size() == 3);
  }
  REQUIRE(first_three[4] == 3000);
  for (std::size_t i = 0; i < 4; ++i) {
    REQUIRE(first_three[i] > 1300);
    REQUIRE(first_three[i] < 1700);
  }
  auto more = sites;
  more.push_back({"d1", "d"});
  unsigned moved = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "key" + std::to_string(i);
    const auto before = greffe::store::rank_sites(key, sites);
    const auto after = greffe::store::rank_sites(key, more);
    const std::set<std::size_t> old_homes(before.begin(), before.begin() + 3);
    for (std::size_t k = 0; k < 3; ++k) moved += after[k] != 5 && !old_homes.contains(after[k]) ? 1 : 0;
  }
  REQUIRE(moved == 0);  // a key moves to the new volume or stays
  REQUIRE(greffe::store::placement_key("log/main/tile/0/000") == "log/main");
  REQUIRE(greffe::store::placement_key("log/main/checkpoint") == "log/main");
  REQUIRE(greffe::store::placement_key("log/main/stage/0-1-ab") == "log/main");
  REQUIRE(greffe::store::placement_key("log/main/cosigned/0011aabb") == "log/main");
  REQUIRE(greffe::store::placement_key("log/open/0191") == "log/open/0191");
}

TEST_CASE("many deposits at once share their syncs and lose nothing") {
  TestPool test(3);
  constexpr std::uint64_t kThreads = 8;
  constexpr std::uint64_t kEach = 40;
  std::atomic<unsigned> failed{0};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < kEach; ++i) {
        // Every fourth object is one that another thread stores too.
        const std::uint64_t seed = i % 4 == 0 ? i : t * 1000 + i;
        if (!test.put_object(some_bytes(3000, seed))) ++failed;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  REQUIRE(failed == 0);
  test.files->crash();
  for (std::uint64_t t = 0; t < kThreads; ++t) {
    for (std::uint64_t i = 0; i < kEach; ++i) {
      REQUIRE(test.good_copies(sha256(some_bytes(3000, i % 4 == 0 ? i : t * 1000 + i))) == 3);
    }
  }
  for (const auto& volume : test.pool->volumes()) REQUIRE(volume.reserved_bytes == 0);
}

TEST_CASE("a scrub stops when asked, goes on where it was, and reports files that are no objects") {
  TestPool test(3);
  for (std::uint64_t i = 0; i < 20; ++i) REQUIRE(test.put_object(some_bytes(100, i)));
  std::vector<std::string> seen;
  const auto first = test.pool->scrub({}, [&](const auto& object) {
    seen.push_back(object.key);
    return seen.size() < 7;
  });
  REQUIRE_FALSE(first->finished);
  greffe::store::ScrubSettings rest;
  rest.after = seen.back();
  const auto second = test.pool->scrub(rest, [&](const auto& object) {
    seen.push_back(object.key);
    return true;
  });
  REQUIRE(second->finished);
  REQUIRE(seen.size() == 20);
  REQUIRE(std::is_sorted(seen.begin(), seen.end()));
  std::stop_source stop;
  stop.request_stop();
  REQUIRE_FALSE(test.pool->scrub({}, [](const auto&) { return true; }, stop.get_token())->finished);
  REQUIRE(test.files->write_new(test.path(0, "sha256/aa/stray"), as_bytes("x")));
  unsigned strays = 0;
  const auto third = test.pool->scrub({}, [&](const auto& object) {
    strays += object.problem.find("is not an object") != std::string::npos ? 1 : 0;
    return true;
  });
  REQUIRE(strays == 1);
  REQUIRE(third->failures == 1);
}
