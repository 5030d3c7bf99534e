// What every store promises, checked on each that needs no service; RADOS and S3 are in test_rados.cc and test_s3.cc.
#include <catch2/catch.hpp>

#include <filesystem>

#include "archive/store/remote_store.h"
#include "tests/unit/store/conformance.h"
#include "tests/unit/support/faulty_file_system.h"
#include "tests/unit/support/memory_service.h"
#include "tests/unit/support/memory_store.h"
#include "tests/unit/support/temporary_folder.h"
#include "tests/unit/support/test_pool.h"

namespace {

using greffe::testing::TemporaryFolder;

struct OnMemoryStore {
  greffe::testing::MemoryStore& store() { return store_; }
  greffe::store::HeadStore& heads() { return store_; }
  unsigned writable() { return 1; }
  greffe::testing::MemoryStore store_;
};

// A service that answers what it is asked, behind the code that RADOS and S3 share.
struct OnMemoryService {
  greffe::store::RemoteStore& store() { return store_; }
  greffe::store::HeadStore& heads() { return store_; }
  unsigned writable() { return 3; }

  greffe::testing::MemoryService service;
  greffe::testing::ManualClock clock;
  greffe::testing::FixedTerm lease{1};
  greffe::store::RemoteHeads remote_heads{service, &lease};
  greffe::store::RemoteStore store_{service, remote_heads, clock, greffe::store::PoolMode::writer, {3, 2, true},
                                    {"the memory", "memory", "00112233445566778899aabbccddeeff"}, {}};
};

struct OnForgetfulDisk {
  greffe::store::LocalPool& store() { return *test.pool; }
  greffe::store::HeadStore& heads() { return *test.pool; }
  unsigned writable() { return 3; }
  greffe::testing::TestPool test;
};

// Three volumes that were initialised once; every test copies them.
const TemporaryFolder& fresh_real_volumes() {
  static const TemporaryFolder folder;
  static const bool once = [] {
    greffe::PosixFileSystem files;
    const std::string pool_id = greffe::store::make_pool_id();
    for (const char* name : {"a", "b", "c"}) {
      REQUIRE(greffe::store::init_volume(files, folder.path + "/" + name, pool_id, name));
    }
    return true;
  }();
  REQUIRE(once);
  return folder;
}

// What is not there cannot be removed, on a broken disk either.
class BrokenDisk : public greffe::testing::FaultyFileSystem {
 public:
  using FaultyFileSystem::FaultyFileSystem;
  greffe::Status remove(const std::string& path) override {
    if (!stat(path)) return greffe::fail(greffe::Errc::not_found, "there is no " + path);
    return FaultyFileSystem::remove(path);
  }
};

struct OnRealDisk {
  OnRealDisk() {
    std::filesystem::copy(fresh_real_volumes().path, folder.path, std::filesystem::copy_options::recursive);
    greffe::store::PoolSettings settings;
    for (const char* name : {"a", "b", "c"}) settings.volumes.push_back(folder.path + "/" + name);
    auto opened = greffe::store::LocalPool::open(files, clock, settings, greffe::store::PoolMode::writer);
    REQUIRE(opened);
    pool = *std::move(opened);
  }
  greffe::store::LocalPool& store() { return *pool; }
  greffe::store::HeadStore& heads() { return *pool; }
  unsigned writable() { return 3; }

  TemporaryFolder folder;
  greffe::PosixFileSystem real;
  BrokenDisk files{real};
  greffe::SystemClock clock;
  std::unique_ptr<greffe::store::LocalPool> pool;
};

// One of three disks takes nothing any more: every promise holds all the same.
struct OnFaultyDisk : OnRealDisk {
  OnFaultyDisk() {
    files.faults().arm(greffe::testing::Fault::fails_before, 1, true, greffe::Errc::io_error, folder.path + "/b");
  }
  unsigned writable() { return 2; }
};

}  // namespace

TEMPLATE_TEST_CASE("objects are named by what they contain", "", OnMemoryStore, OnMemoryService, OnForgetfulDisk, OnRealDisk,
                   OnFaultyDisk) {
  TestType fixture;
  greffe::testing::objects_are_named_by_what_they_contain(fixture.store());
}

TEMPLATE_TEST_CASE("log files are written once", "", OnMemoryStore, OnMemoryService, OnForgetfulDisk, OnRealDisk, OnFaultyDisk) {
  TestType fixture;
  greffe::testing::log_files_are_written_once(fixture.store(), fixture.writable());
}

TEMPLATE_TEST_CASE("heads move by compare-and-swap", "", OnMemoryStore, OnMemoryService, OnForgetfulDisk, OnRealDisk, OnFaultyDisk) {
  TestType fixture;
  greffe::testing::heads_move_by_compare_and_swap(fixture.heads());
}
