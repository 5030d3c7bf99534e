// A local pool of three volumes on a disk in memory.
#ifndef GREFFE_TESTS_UNIT_SUPPORT_TEST_POOL_H
#define GREFFE_TESTS_UNIT_SUPPORT_TEST_POOL_H

#include <catch2/catch.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "archive/format/names.h"
#include "archive/store/local_pool.h"
#include "tests/unit/support/forgetful_file_system.h"
#include "tests/unit/support/manual_clock.h"

namespace greffe::testing {

inline constexpr const char* kTestPoolId = "00112233445566778899aabbccddeeff";

inline std::vector<std::string> test_volume_paths(unsigned count) {
  std::vector<std::string> out;
  for (unsigned i = 0; i < count; ++i) out.push_back("/disk" + std::to_string(i) + "/greffe");
  return out;
}

// A freshly initialised disk; making one takes longer than copying it.
inline std::unique_ptr<ForgetfulFileSystem> fresh_volumes(unsigned count) {
  auto files = std::make_unique<ForgetfulFileSystem>();
  unsigned number = 0;
  for (const std::string& path : test_volume_paths(count)) {
    REQUIRE(store::init_volume(*files, path, kTestPoolId, "shelf-" + std::to_string(number++)));
  }
  return files;
}

struct TestPool {
  explicit TestPool(unsigned volumes = 3) : TestPool(fresh_volumes(volumes), volumes) { open(); }
  // Takes the disk as it is; open() is the caller's.
  TestPool(std::unique_ptr<ForgetfulFileSystem> disk, unsigned volumes) : files(std::move(disk)) {
    settings.volumes = test_volume_paths(volumes);
    settings.pool_id = kTestPoolId;
  }

  Status try_open(store::PoolMode mode = store::PoolMode::writer) {
    pool.reset();
    store::PoolListeners listeners;
    listeners.head_is_good = head_is_good;
    listeners.on_damage = [this](const store::Damage& one) {
      const std::lock_guard lock(mutex);
      damage.push_back(one);
    };
    auto opened = store::LocalPool::open(*files, clock, settings, mode, std::move(listeners));
    if (!opened) return opened.error();
    pool = *std::move(opened);
    return ok();
  }
  void open(store::PoolMode mode = store::PoolMode::writer) {
    const Status opened = try_open(mode);
    INFO((opened ? std::string() : opened.error().message));
    REQUIRE(opened);
  }

  Status put_object(const Bytes& bytes) {
    auto writer = GREFFE_TRY(pool->begin_object(bytes.size()));
    GREFFE_TRY(writer->write(bytes));
    return writer->commit(sha256(bytes));
  }

  std::string path(unsigned volume, std::string_view key) const { return join(settings.volumes[volume], key); }
  unsigned copies(std::string_view key) {
    unsigned found = 0;
    for (const std::string& volume : settings.volumes) found += files->stat(join(volume, key)) ? 1 : 0;
    return found;
  }
  unsigned good_copies(const Digest& digest) {
    unsigned found = 0;
    for (const std::string& volume : settings.volumes) {
      const auto bytes = files->read_file(join(volume, object_key(digest)), kMaxObjectBytes);
      found += bytes && sha256(*bytes) == digest ? 1 : 0;
    }
    return found;
  }

  std::unique_ptr<ForgetfulFileSystem> files;
  std::function<bool(std::string_view, std::string_view)> head_is_good;  // from the next open() on; none: every text is
  ManualClock clock;
  store::PoolSettings settings;
  std::mutex mutex;
  std::vector<store::Damage> damage;  // guarded by mutex
  std::unique_ptr<store::LocalPool> pool;
};

inline Bytes some_bytes(std::size_t size, std::uint64_t seed) {
  Bytes out(size);
  std::mt19937_64 random(seed);
  for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(random());
  return out;
}

}  // namespace greffe::testing

#endif
