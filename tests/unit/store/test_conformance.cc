// What every store promises, checked on each of them.
#include <catch2/catch.hpp>

#include <filesystem>
#include <functional>

#include "tests/unit/support/memory_store.h"
#include "tests/unit/support/test_pool.h"

using greffe::as_bytes;
using greffe::as_text;
using greffe::Bytes;
using greffe::Digest;
using greffe::Errc;
using greffe::sha256;
using greffe::to_bytes;
using greffe::testing::some_bytes;

namespace {

struct OnMemoryStore {
  greffe::testing::MemoryStore& store() { return store_; }
  greffe::testing::MemoryStore store_;
};

struct OnForgetfulDisk {
  greffe::store::LocalPool& store() { return *test.pool; }
  greffe::testing::TestPool test;
};

struct Folder {
  Folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "greffe-store-XXXXXX";
    path = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

// Three volumes that were initialised once; every test copies them.
const Folder& fresh_real_volumes() {
  static const Folder folder;
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

  Folder folder;
  greffe::PosixFileSystem files;
  greffe::SystemClock clock;
  std::unique_ptr<greffe::store::LocalPool> pool;
};

greffe::Status put_object(greffe::store::ObjectStore& store, const Bytes& bytes, std::size_t piece) {
  auto writer = GREFFE_TRY(store.begin_object(bytes.size()));
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    GREFFE_TRY(writer->write(greffe::ByteView(bytes).subspan(at, std::min(piece, bytes.size() - at))));
  }
  return writer->commit(sha256(bytes));
}

}  // namespace

TEMPLATE_TEST_CASE("objects are named by what they contain", "", OnMemoryStore, OnForgetfulDisk, OnRealDisk) {
  TestType fixture;
  greffe::store::ObjectStore& store = fixture.store();

  SECTION("what was put is read back whole, in ranges, and proved") {
    for (const std::size_t size : {0u, 1u, 4096u, 1024u * 1024u, 3u * 1024u * 1024u + 7u}) {
      const Bytes bytes = some_bytes(size, size + 1);
      const Digest digest = sha256(bytes);
      REQUIRE_FALSE(*store.prove_object(digest));
      REQUIRE(put_object(store, bytes, 300'000));
      REQUIRE(*store.prove_object(digest));
      REQUIRE(*store.read_object(digest) == bytes);
      const auto file = store.open_object(digest);
      REQUIRE(file);
      REQUIRE(*(*file)->size() == size);
      Bytes part(10);
      const std::size_t from = size / 2;
      const auto n = (*file)->read_at(from, part);
      REQUIRE(*n == std::min<std::size_t>(10, size - from));
      REQUIRE(std::equal(part.begin(), part.begin() + static_cast<std::ptrdiff_t>(*n),
                         bytes.begin() + static_cast<std::ptrdiff_t>(from)));
    }
  }

  SECTION("the same bytes again are ok") {
    const Bytes bytes = some_bytes(100'000, 1);
    REQUIRE(put_object(store, bytes, 100'000));
    REQUIRE(put_object(store, bytes, 1000));
    REQUIRE(*store.read_object(sha256(bytes)) == bytes);
  }

  SECTION("bytes with another digest are a conflict and leave nothing") {
    const Bytes bytes = some_bytes(5000, 2);
    auto writer = store.begin_object(bytes.size());
    REQUIRE((*writer)->write(bytes));
    const Digest other = sha256(as_bytes("something else"));
    REQUIRE((*writer)->commit(other).error().code == Errc::conflict);
    REQUIRE(store.read_object(other).error().code == Errc::not_found);
    REQUIRE(store.open_object(sha256(bytes)).error().code == Errc::not_found);
  }

  SECTION("a body that stops half way leaves nothing") {
    const Bytes bytes = some_bytes(5000, 3);
    {
      auto writer = store.begin_object(bytes.size() * 2);
      REQUIRE((*writer)->write(bytes));
    }
    REQUIRE_FALSE(*store.prove_object(sha256(bytes)));
  }

  SECTION("too large is refused before and while writing") {
    REQUIRE(store.begin_object(greffe::kMaxObjectBytes + 1).error().code == Errc::invalid);
    auto writer = store.begin_object(10);
    REQUIRE((*writer)->write(some_bytes(11, 4)).error().code == Errc::invalid);
  }
}

TEMPLATE_TEST_CASE("log files are written once", "", OnMemoryStore, OnForgetfulDisk, OnRealDisk) {
  TestType fixture;
  auto& store = fixture.store();

  SECTION("the same bytes again are ok, others are a conflict") {
    REQUIRE(store.put("log/main/tile/0/000", as_bytes("one")));
    REQUIRE(store.put("log/main/tile/0/000", as_bytes("one")));
    REQUIRE(store.put("log/main/tile/0/000", as_bytes("two")).error().code == Errc::conflict);
    REQUIRE(as_text(*store.get("log/main/tile/0/000")) == "one");
    REQUIRE(store.get_all("log/main/tile/0/000")->size() == 1);
    REQUIRE(store.get("log/main/tile/0/001").error().code == Errc::not_found);
    REQUIRE(store.get_all("log/main/tile/0/001").error().code == Errc::not_found);
  }

  SECTION("keys are listed in order, once, below a prefix") {
    const std::vector<std::string> keys = {"log/a-b/x",         "log/a/tile/0/000", "log/a/tile/0/x001/000",
                                           "log/a/tile/1/000",  "log/a/x",          "log/hearing/2026/11/22/u/checkpoint"};
    for (auto key = keys.rbegin(); key != keys.rend(); ++key) REQUIRE(store.put(*key, as_bytes(*key)));
    std::vector<std::string> seen;
    REQUIRE(store.list("log/", [&](const greffe::store::ObjectInfo& info) {
      REQUIRE(info.bytes == info.key.size());
      seen.push_back(info.key);
      return true;
    }));
    std::vector<std::string> sorted = keys;
    std::sort(sorted.begin(), sorted.end());
    REQUIRE(seen == sorted);
    seen.clear();
    REQUIRE(store.list("log/a/", [&](const greffe::store::ObjectInfo& info) {
      seen.push_back(info.key);
      return seen.size() < 2;
    }));
    REQUIRE(seen == std::vector<std::string>{"log/a/tile/0/000", "log/a/tile/0/x001/000"});
    seen.clear();
    REQUIRE(store.list("log/none/", [&](const auto&) { return true; }));
    REQUIRE(store.list("log/a", [&](const auto&) { return true; }).error().code == Errc::invalid);
  }

  SECTION("only stages and markers can be removed") {
    REQUIRE(store.put("log/main/stage/0-1-ab", as_bytes("x")));
    REQUIRE(store.put("log/open/0191", as_bytes("y")));
    REQUIRE(store.put("log/main/tile/entries/000", as_bytes("z")));
    REQUIRE(store.remove_stage("log/main/stage/0-1-ab"));
    REQUIRE(store.remove_stage("log/open/0191"));
    REQUIRE(store.remove_stage("log/main/tile/entries/000").error().code == Errc::invalid);
    REQUIRE(store.get("log/main/stage/0-1-ab").error().code == Errc::not_found);
    REQUIRE(store.get("log/open/0191").error().code == Errc::not_found);
    REQUIRE(store.get("log/main/tile/entries/000"));
    REQUIRE(store.remove_stage("log/main/stage/0-1-ab"));  // it is gone already
  }

  SECTION("keys that leave the log are refused") {
    for (const char* key : {"", "log", "log/", "sha256/aa", "log/../x", "log//x", "/log/x"}) {
      INFO(key);
      REQUIRE(store.put(key, as_bytes("x")).error().code == Errc::invalid);
    }
  }

  SECTION("repair by bytes that the caller knows") {
    REQUIRE(store.put("log/main/tile/0/000", as_bytes("good")));
    REQUIRE(store.compare("log/main/tile/0/000", as_bytes("good"))->clean());
    REQUIRE_FALSE(store.compare("log/main/tile/0/000", as_bytes("better"))->clean());
    REQUIRE(store.restore("log/main/tile/0/000", as_bytes("better"))->repaired == store.traits().replicas);
    REQUIRE(as_text(*store.get("log/main/tile/0/000")) == "better");
    REQUIRE(store.restore("log/main/tile/0/001", as_bytes("new"))->good == store.traits().replicas);
    REQUIRE(store.compare("log/main/tile/0/001", as_bytes("new"))->clean());
  }
}

TEMPLATE_TEST_CASE("heads move by compare-and-swap", "", OnMemoryStore, OnForgetfulDisk, OnRealDisk) {
  TestType fixture;
  greffe::store::HeadStore& heads = fixture.store();
  const std::string key = "log/main/checkpoint";
  REQUIRE(heads.read_head(key).error().code == Errc::not_found);
  REQUIRE(heads.swap_head(key, "x\n1\n", "x\n2\n").error().code == Errc::conflict);
  REQUIRE(heads.read_head(key).error().code == Errc::not_found);
  REQUIRE(heads.swap_head(key, "", "x\n1\n"));
  REQUIRE(heads.swap_head(key, "", "x\n2\n").error().code == Errc::conflict);
  REQUIRE(heads.swap_head(key, "x\n1\n", "x\n2\n"));
  REQUIRE(heads.swap_head(key, "x\n1\n", "x\n3\n").error().code == Errc::conflict);
  REQUIRE(*heads.read_head(key) == "x\n2\n");
  REQUIRE(heads.swap_head(key, "x\n2\n", "").error().code == Errc::invalid);
  REQUIRE(heads.swap_head("elsewhere", "", "x\n1\n").error().code == Errc::invalid);
}
