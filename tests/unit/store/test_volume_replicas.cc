// What a scrub sees of single volumes: names in order, each replica from its medium, and what lacks.
#include <catch2/catch.hpp>

#include <algorithm>

#include "tests/unit/support/test_pool.h"

using greffe::Bytes;
using greffe::Digest;
using greffe::Errc;
using greffe::object_key;
using greffe::sha256;
using greffe::store::ReplicaReading;
using greffe::testing::some_bytes;
using greffe::testing::TestPool;

namespace {

std::vector<Digest> put_some(TestPool& test, std::uint64_t count) {
  std::vector<Digest> out;
  for (std::uint64_t i = 0; i < count; ++i) {
    REQUIRE(test.put_object(some_bytes(100, i)));
    out.push_back(sha256(some_bytes(100, i)));
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string id_of(TestPool& test, unsigned volume) { return test.pool->volumes()[volume].id; }

std::vector<Digest> names_from(TestPool& test, unsigned volume, std::optional<Digest> after) {
  std::vector<Digest> out;
  for (;;) {
    const auto names = test.pool->names_behind(id_of(test, volume), after);
    REQUIRE(names);
    if (names->objects.empty()) return out;
    out.insert(out.end(), names->objects.begin(), names->objects.end());
    after = out.back();
  }
}

}  // namespace

TEST_CASE("names come in order, each once, from any place on") {
  TestPool test(3);
  const std::vector<Digest> all = put_some(test, 40);
  for (unsigned volume = 0; volume < 3; ++volume) REQUIRE(names_from(test, volume, {}) == all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    REQUIRE(names_from(test, 1, all[i]) == std::vector<Digest>(all.begin() + static_cast<std::ptrdiff_t>(i) + 1, all.end()));
  }
}

TEST_CASE("what is no object is named on the way, and does not stop the walk") {
  TestPool test(3);
  const std::vector<Digest> all = put_some(test, 3);
  const std::string last = object_key(all[2]);
  const std::vector<std::string> strays = {"sha256/00/stray", object_key(all[0]).substr(0, 13) + "another", last.substr(0, 10) + "zz-stray", "sha256/zz-stray"};
  for (const std::string& key : strays) REQUIRE(test.files->write_new(test.path(0, key), greffe::as_bytes("x")));
  std::vector<std::string> told;
  std::vector<Digest> seen;
  for (std::optional<Digest> after;;) {
    const auto names = test.pool->names_behind(id_of(test, 0), after);
    REQUIRE(names);
    for (const auto& stray : names->strays) told.push_back(stray.key);
    if (names->objects.empty()) break;
    seen.insert(seen.end(), names->objects.begin(), names->objects.end());
    after = seen.back();
  }
  REQUIRE(seen == all);
  REQUIRE(told == strays);  // each once
}

TEST_CASE("of a volume that is away nothing is said") {
  TestPool test(3);
  const std::vector<Digest> all = put_some(test, 3);
  const std::string id = id_of(test, 2);
  test.files->unmount("/disk2");
  REQUIRE(test.pool->names_behind(id, {}).error().code == Errc::unavailable);
  REQUIRE(test.pool->read_replica(id, all[0]).error().code == Errc::unavailable);
  REQUIRE(test.pool->names_behind("nobody", {}).error().code == Errc::not_found);
  REQUIRE(*test.pool->holds_object(all[0]));
}

TEST_CASE("a replica is good, damaged or gone") {
  TestPool test(3);
  const std::vector<Digest> all = put_some(test, 3);
  const std::string path = test.path(1, object_key(all[0]));
  const auto state = [&](const Digest& digest) {
    const auto found = test.pool->read_replica(id_of(test, 1), digest);
    REQUIRE(found);
    return found->state;
  };
  REQUIRE(state(all[0]) == ReplicaReading::State::good);
  Bytes bytes = *test.files->read_file(path, 1000);
  bytes[7] ^= 1;
  REQUIRE(test.files->replace(path, bytes, 0440));
  REQUIRE(state(all[0]) == ReplicaReading::State::damaged);
  REQUIRE(test.files->remove(test.path(1, object_key(all[1]))));
  REQUIRE(state(all[1]) == ReplicaReading::State::gone);
  REQUIRE(test.damage.empty());  // it reports and repairs nothing
}

TEST_CASE("that replicas lack is said once, however many volumes have the others") {
  TestPool test(3);
  const std::vector<Digest> all = put_some(test, 30);
  for (const Digest& digest : all) {
    REQUIRE(test.files->remove(test.path(digest.bytes[5] % 3, object_key(digest))));
    unsigned said = 0;
    unsigned good = 0;
    for (unsigned volume = 0; volume < 3; ++volume) {
      const auto found = test.pool->read_replica(id_of(test, volume), digest);
      REQUIRE(found);
      if (found->state == ReplicaReading::State::good) ++good;
      if (found->lacking) ++said;
    }
    REQUIRE(good == 2);
    REQUIRE(said == 1);
  }
}
