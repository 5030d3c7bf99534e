#include <catch2/catch.hpp>

#include <filesystem>

#include "archive/base/clock.h"
#include "archive/base/file_system.h"
#include "archive/base/progress.h"

using namespace std::string_literals;
using greffe::as_bytes;
using greffe::as_text;
using greffe::Errc;

namespace {

struct Folder {
  Folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "greffe-test-XXXXXX";
    path = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

}  // namespace

TEST_CASE("an unnamed file appears only when linked, and never replaces") {
  Folder folder;
  greffe::PosixFileSystem files;
  const std::string path = folder.path + "/object";
  {
    auto file = files.create_unnamed(folder.path);
    REQUIRE(file);
    REQUIRE((*file)->write(as_bytes("hello")));
    REQUIRE((*file)->sync());
    CHECK(files.list(folder.path)->empty());
    REQUIRE(files.link(**file, path));
    CHECK(files.link(**file, path).error().code == Errc::already_exists);
  }
  CHECK(as_text(*files.read_file(path, 100)) == "hello");
  CHECK(files.write_new(path, as_bytes("other")).error().code == Errc::already_exists);
  CHECK(as_text(*files.read_file(path, 100)) == "hello");
}

TEST_CASE("replace leaves the old or the new file and no rest") {
  Folder folder;
  greffe::PosixFileSystem files;
  const std::string path = folder.path + "/head";
  REQUIRE(files.replace(path, as_bytes("1"), 0640));
  REQUIRE(files.replace(path, as_bytes("22"), 0640));
  CHECK(as_text(*files.read_file(path, 10)) == "22");
  CHECK(*files.list(folder.path) == std::vector<std::string>{"head"});
  CHECK(files.read_file(path, 1).error().code == Errc::invalid);
}

TEST_CASE("a lock is exclusive and ends with its owner") {
  Folder folder;
  greffe::PosixFileSystem files;
  const std::string path = folder.path + "/lock";
  {
    auto first = files.lock(path);
    REQUIRE(first);
    const auto second = files.lock(path);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == Errc::unavailable);
    CHECK(second.error().message == path + " is locked: another process is using it");
  }
  CHECK(files.lock(path));
}

TEST_CASE("directories are made with their parents, and missing things are said to be missing") {
  Folder folder;
  greffe::PosixFileSystem files;
  REQUIRE(files.make_directories(folder.path + "/a/b/c"));
  REQUIRE(files.make_directories(folder.path + "/a/b/c"));
  CHECK(files.stat(folder.path + "/a/b")->is_directory);
  CHECK(files.open_read(folder.path + "/absent").error().code == Errc::not_found);
  CHECK(files.open_read(folder.path + "/a").error().code == Errc::invalid);
}

TEST_CASE("times have one form") {
  CHECK(greffe::to_text(greffe::UtcTime{1'795'338'000'000}) == "2026-11-22T09:00:00.000Z");
  CHECK(greffe::parse_utc("2026-11-22T09:00:00.000Z")->ms == 1'795'338'000'000);
  for (const char* wrong : {"2026-11-22T09:00:00Z", "2026-02-30T09:00:00.000Z", "2026-11-22 09:00:00.000Z",
                            "2026-11-22T24:00:00.000Z", "1969-12-31T23:59:59.999Z", "2026-11-22T09:00:60.000Z"}) {
    INFO(wrong);
    CHECK_FALSE(greffe::parse_utc(wrong));
  }
}

TEST_CASE("amounts are written for people") {
  CHECK(greffe::human_bytes(999) == "999 B");
  CHECK(greffe::human_bytes(2'500'000) == "2.5 MB");
  CHECK(greffe::human_bytes(999'950) == "1.0 MB");
  CHECK(greffe::human_duration(59) == "59 s");
  CHECK(greffe::human_duration(15'120) == "4 h 12 min");
}
