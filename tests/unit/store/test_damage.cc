// Every kind of damage to the files of a volume, on one, two and all volumes: nothing else than what was stored is ever given out, what
// some volume still has comes back, and what none has is named.
#include <catch2/catch.hpp>

#include "archive/store/pool_roster.h"
#include "tests/unit/support/damages.h"
#include "tests/unit/support/test_pool.h"

using greffe::as_text;
using greffe::Bytes;
using greffe::Errc;
using greffe::object_key;
using greffe::sha256;
using greffe::store::VolumeState;
using greffe::testing::Damage;
using greffe::testing::ForgetfulFileSystem;
using greffe::testing::kDamages;
using greffe::testing::some_bytes;
using greffe::testing::spoil;
using greffe::testing::TestPool;

namespace {

const Bytes& first() {
  static const Bytes bytes = some_bytes(3000, 1);
  return bytes;
}
const Bytes& second() {
  static const Bytes bytes = some_bytes(2000, 2);
  return bytes;
}

// Two objects on three volumes, opened twice, so that the list of volumes has a history.
const ForgetfulFileSystem& image() {
  static const auto files = [] {
    TestPool test(3);
    REQUIRE(test.put_object(first()));
    test.open();
    REQUIRE(test.put_object(second()));
    test.pool.reset();
    return test.files->clone();
  }();
  return *files;
}

unsigned active(TestPool& test) {
  unsigned out = 0;
  for (const auto& volume : test.pool->volumes()) out += volume.state == VolumeState::active ? 1 : 0;
  return out;
}

// Calls `look` with a closed pool for each damage to `file` on one, two and all volumes.
template <class Look>
void damage_everywhere(const std::string& file, const std::string& other, const Look& look) {
  for (const Damage damage : kDamages) {
    for (unsigned volumes = 1; volumes <= 3; ++volumes) {
      INFO(file << " " << name_of(damage) << " on " << volumes << " volumes");
      TestPool test(image().clone(), 3);
      for (unsigned i = 0; i < volumes; ++i) spoil(*test.files, test.path(i, file), damage, test.path(i, other), i + 1);
      look(test, volumes, damage);
    }
  }
}

}  // namespace

TEST_CASE("an object that is damaged in any way on one, two and all volumes is right, or is not given") {
  const auto other = object_key(sha256(second()));
  damage_everywhere(object_key(sha256(first())), other, [&](TestPool& test, unsigned volumes, Damage damage) {
    test.open();
    const auto read = test.pool->read_object(sha256(first()));
    REQUIRE(*test.pool->read_object(sha256(second())) == second());
    if (volumes < 3) {
      REQUIRE(read);
      REQUIRE(*read == first());
      REQUIRE(test.pool->scrub({}, [](const auto&) { return true; })->finished);
      REQUIRE(test.good_copies(sha256(first())) == 3);
      return;
    }
    REQUIRE_FALSE(read);
    REQUIRE(read.error().code == (damage == Damage::deleted ? Errc::not_found : Errc::corrupt));
    REQUIRE_FALSE(test.pool->open_object(sha256(first())));
    REQUIRE(test.put_object(first()));  // from the other site
    REQUIRE(test.good_copies(sha256(first())) == 3);
  });
}

TEST_CASE("a volume whose label is damaged takes no part, is named, and is back with its label") {
  const std::string label(greffe::store::kLabelFile);
  damage_everywhere(label, object_key(sha256(second())), [&](TestPool& test, unsigned volumes, Damage damage) {
    const auto opened = test.try_open();
    if (damage == Damage::flipped) {
      // It may still be a label: that of another volume, which has no part in this pool, or of another failure domain.
      const auto read = opened ? test.pool->read_object(sha256(first())) : greffe::Result<Bytes>(opened.error());
      if (read) REQUIRE(*read == first());
      REQUIRE((read || volumes == 3));
    } else if (volumes == 3) {
      REQUIRE_FALSE(opened);
      REQUIRE(opened.error().message.find("/disk2/greffe") != std::string::npos);
    } else {
      REQUIRE(opened);
      REQUIRE(active(test) == 3 - volumes);
      for (unsigned i = 0; i < volumes; ++i) REQUIRE(test.pool->volumes()[i].reason.find(test.settings.volumes[i]) != std::string::npos);
      REQUIRE(*test.pool->read_object(sha256(first())) == first());
      const auto put = test.put_object(some_bytes(100, 9));
      REQUIRE((volumes == 1 ? put.has_value() : !put && put.error().code == Errc::unavailable));
    }
    test.pool.reset();
    for (unsigned i = 0; i < volumes; ++i) {
      const Bytes good = *image().clone()->read_file(test.path(i, label), 4096);
      REQUIRE(test.files->replace(test.path(i, label), good, 0440));
    }
    test.open();
    REQUIRE(active(test) == 3);
    REQUIRE(test.put_object(some_bytes(100, 10)));
    REQUIRE(test.good_copies(sha256(some_bytes(100, 10))) == 3);
  });
}

TEST_CASE("a damaged list of volumes is written anew, or its volume is refused by name; the objects are there") {
  damage_everywhere(std::string(greffe::store::kRosterFile), std::string(greffe::store::kLabelFile), [&](TestPool& test, unsigned volumes, Damage damage) {
    test.open();
    // A volume without a list, beside others that have seen it with one, may be a copy from before that time.
    const bool refused = damage == Damage::deleted && volumes < 3;
    if (damage == Damage::flipped && volumes > 1) {  // it may still be a list, of which nobody can say that it is not the right one
      REQUIRE(*test.pool->read_object(sha256(first())) == first());
      for (const auto& volume : test.pool->volumes()) REQUIRE((volume.state == VolumeState::active || !volume.reason.empty()));
      return;
    }
    REQUIRE(active(test) == (refused ? 3 - volumes : 3));
    for (unsigned i = 0; refused && i < volumes; ++i) REQUIRE(test.pool->volumes()[i].reason.find("from before") != std::string::npos);
    REQUIRE(*test.pool->read_object(sha256(first())) == first());
    if (refused) return;
    for (const std::string& volume : test.settings.volumes) REQUIRE(greffe::store::read_pool_roster(*test.files, volume));
    REQUIRE(test.put_object(some_bytes(100, 9)));
    REQUIRE(test.good_copies(sha256(some_bytes(100, 9))) == 3);
  });
}

TEST_CASE("what cannot be read for want of a descriptor is not taken for damaged or lost, and nothing is moved for it") {
  TestPool test(image().clone(), 3);
  test.open();
  const std::string key = "log/main/tile/0/000";
  REQUIRE(test.pool->put(key, greffe::as_bytes("good")));
  const auto all_there = [&] {
    for (unsigned i = 0; i < 3; ++i) {
      if (!test.files->stat(test.path(i, key)) || !test.files->stat(test.path(i, object_key(sha256(first()))))) return false;
    }
    return test.damage.empty();
  };
  for (const std::string& below : {std::string("/disk"), std::string("/disk0"), std::string("/disk2")}) {
    INFO(below);
    test.open();
    test.files->faults().fail_reads(Errc::unavailable, below);
    const bool none = below == "/disk";
    const auto read = test.pool->read_object(sha256(first()));
    const auto file = test.pool->open_object(sha256(first()));
    const auto health = test.pool->repair_object(sha256(first()));
    const auto log_file = test.pool->get(key);
    REQUIRE(read.has_value() == !none);
    REQUIRE(file.has_value() == !none);
    REQUIRE(log_file.has_value() == !none);
    if (none) REQUIRE(read.error().code == Errc::unavailable);
    if (none) REQUIRE(file.error().code == Errc::unavailable);
    if (none) REQUIRE(health.error().code == Errc::unavailable);
    if (none) REQUIRE(log_file.error().code == Errc::unavailable);
    REQUIRE(test.pool->put(key, greffe::as_bytes("good")).has_value() == !none);
    const auto restored = test.pool->restore(key, greffe::as_bytes("good"));
    if (restored) REQUIRE(restored->different.empty());
    REQUIRE(all_there());
    test.files->faults().fail_reads({});
    REQUIRE(*test.pool->read_object(sha256(first())) == first());
    REQUIRE(as_text(*test.pool->get(key)) == "good");
  }
}
