// Replicas read back from the media, on a disk that can tell what it kept from what the page cache remembers.
#include <catch2/catch.hpp>

#include "tests/unit/support/test_pool.h"

using greffe::Bytes;
using greffe::Digest;
using greffe::object_key;
using greffe::sha256;
using greffe::store::ReadBackCount;
using greffe::store::ReadFrom;
using greffe::testing::some_bytes;
using greffe::testing::TestPool;

namespace {

void flip(Bytes& bytes) { bytes[bytes.size() / 2] ^= 0x10; }

}  // namespace

TEST_CASE("an object is read back from two volumes, or from as many as W asks for") {
  TestPool test(3);
  const Bytes bytes = some_bytes(70'000, 1);
  REQUIRE(test.put_object(bytes));
  const ReadBackCount two = test.pool->read_back(sha256(bytes));
  CHECK(two.enough());
  CHECK(two.good == 2);
  CHECK(two.wanted == 2);
  CHECK(two.bytes == 2 * bytes.size());

  test.settings.write_quorum = 3;
  test.open();
  CHECK(test.pool->read_back(sha256(bytes)).good == 3);
  test.settings.write_quorum = 1;
  test.open();
  CHECK(test.pool->read_back(sha256(bytes)).wanted == 2);

  TestPool alone(greffe::testing::fresh_volumes(1), 1);
  alone.settings.write_quorum = 1;
  alone.open();
  REQUIRE(alone.put_object(bytes));
  CHECK(alone.pool->read_back(sha256(bytes)).enough());
  CHECK(alone.pool->read_back(sha256(bytes)).wanted == 1);
}

TEST_CASE("what only the page cache has is found, mended from a good replica and read again") {
  TestPool test(3);
  const Bytes bytes = some_bytes(70'000, 2);
  const Digest digest = sha256(bytes);
  const std::string key = object_key(digest);
  REQUIRE(test.put_object(bytes));
  for (unsigned volume : {0u, 1u}) REQUIRE(test.files->damage_medium(test.path(volume, key), flip));

  REQUIRE(*test.pool->read_object(digest) == bytes);  // whoever plays it sees nothing
  REQUIRE(test.pool->repair_object(digest)->healthy());
  const ReadBackCount found = test.pool->read_back(digest);
  CHECK_FALSE(found.enough());
  CHECK(found.good == 1);
  CHECK(found.asked == 3);
  CHECK(found.damaged);
  CHECK(test.damage.empty());

  const auto mended = test.pool->repair_object(digest, ReadFrom::medium);
  REQUIRE(mended);
  CHECK(mended->repaired == 2);
  REQUIRE(test.damage.size() == 2);
  for (const greffe::store::Damage& damage : test.damage) CHECK(damage.repaired);
  CHECK(test.pool->read_back(digest).enough());
  test.files->crash();
  REQUIRE(test.try_open());
  CHECK(test.good_copies(digest) == 3);
}

TEST_CASE("a volume that is away is not asked, and what is nowhere is not good") {
  TestPool test(3);
  const Bytes bytes = some_bytes(5'000, 3);
  REQUIRE(test.put_object(bytes));
  test.pool.reset();
  test.files->unmount("/disk2");
  test.open();
  const ReadBackCount found = test.pool->read_back(sha256(bytes));
  CHECK(found.enough());
  CHECK(found.asked == 2);
  const ReadBackCount absent = test.pool->read_back(sha256(some_bytes(1, 4)));
  CHECK(absent.good == 0);
  CHECK_FALSE(absent.damaged);
}
