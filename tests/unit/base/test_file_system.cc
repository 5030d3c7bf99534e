#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

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

// What read_medium gives, put together.
greffe::Result<greffe::Bytes> from_medium(greffe::FileSystem& files, const std::string& path, std::uint64_t limit = 1 << 30) {
  greffe::Bytes out;
  GREFFE_TRY(files.read_medium(path, limit, [&](greffe::ByteView piece) {
    out.insert(out.end(), piece.begin(), piece.end());
    return greffe::ok();
  }));
  return out;
}

greffe::Bytes counted_bytes(std::size_t size) {
  greffe::Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i * 31 + i / 4096);
  return out;
}

// How many bytes this process has had from block devices.
std::uint64_t bytes_from_devices() {
  std::ifstream counters("/proc/self/io");
  std::string name;
  for (std::uint64_t value = 0; counters >> name >> value;) {
    if (name == "read_bytes:") return value;
  }
  FAIL("/proc/self/io does not say what was read");
  return 0;
}

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

TEST_CASE("what is read from the medium is the whole file, whatever its length") {
  Folder folder;
  greffe::PosixFileSystem files;
  for (const std::size_t size : {0, 1, 511, 4095, 4096, 4097, 1024 * 1024, 1024 * 1024 + 1, 2 * 1024 * 1024, 2 * 1024 * 1024 + 1,
                                 3 * 1024 * 1024 + 4096, 3 * 1024 * 1024 + 7}) {
    INFO(size);
    const greffe::Bytes bytes = counted_bytes(size);
    const std::string path = folder.path + "/" + std::to_string(size);
    REQUIRE(files.write_new(path, bytes));
    CHECK(*from_medium(files, path) == bytes);
    CHECK(*from_medium(files, path, size) == bytes);
    if (size > 0) CHECK(from_medium(files, path, size - 1).error().code == Errc::invalid);
  }
  CHECK(from_medium(files, folder.path).error().code == Errc::invalid);
  CHECK(from_medium(files, folder.path + "/absent").error().code == Errc::not_found);

  unsigned pieces = 0;
  const auto refused = files.read_medium(folder.path + "/" + std::to_string(3 * 1024 * 1024 + 7), 1 << 30, [&](greffe::ByteView) {
    return ++pieces < 2 ? greffe::ok() : greffe::Status(greffe::fail(Errc::cancelled, "enough"));
  });
  CHECK(refused.error().code == Errc::cancelled);
  CHECK(pieces == 2);

  // One file in the middle of another.
  const std::string outer = folder.path + "/4097";
  const greffe::Status both = files.read_medium(outer, 1 << 20, [&](greffe::ByteView piece) {
    const greffe::Bytes before(piece.begin(), piece.end());
    CHECK(*from_medium(files, folder.path + "/1") == counted_bytes(1));
    CHECK(std::equal(piece.begin(), piece.end(), before.begin(), before.end()));
    return greffe::ok();
  });
  CHECK(both);
}

TEST_CASE("what is read from the medium comes from the disk although the page cache has it") {
  Folder folder;
  greffe::PosixFileSystem files;
  const greffe::Bytes bytes = counted_bytes(8 * 1024 * 1024 + 100);
  const std::string path = folder.path + "/object";
  REQUIRE(files.write_new(path, bytes));
  REQUIRE(*files.read_file(path, bytes.size()) == bytes);

  // Does this folder lie on a device whose reads are counted? Told by the cache being emptied, not by what is tested.
  const std::uint64_t start = bytes_from_devices();
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(fd >= 0);
  REQUIRE(::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
  ::close(fd);
  REQUIRE(*files.read_file(path, bytes.size()) == bytes);
  const std::uint64_t emptied = bytes_from_devices();
  if (emptied - start < bytes.size()) {
    WARN(folder.path + " lies on no block device that counts: nothing is proved here");
    return;
  }
  REQUIRE(*files.read_file(path, bytes.size()) == bytes);
  const std::uint64_t cached = bytes_from_devices();
  CHECK(cached - emptied < bytes.size() / 2);  // the plain read needed the disk for nothing of note
  REQUIRE(*from_medium(files, path) == bytes);
  CHECK(bytes_from_devices() - cached >= bytes.size());
}

// The kernel's own file systems know no O_DIRECT and tell no size; only the plain way leads through them.
TEST_CASE("where the file system has no direct reads the file is read plainly") {
  greffe::PosixFileSystem files;
  std::ifstream plain("/proc/version");
  const std::string expected((std::istreambuf_iterator<char>(plain)), std::istreambuf_iterator<char>());
  REQUIRE_FALSE(expected.empty());
  const auto read = from_medium(files, "/proc/version");
  REQUIRE(read);
  CHECK(as_text(*read) == expected);
}

TEST_CASE("a write of which the kernel takes only a part is an error when the rest does not fit, and replaces nothing") {
  Folder folder;
  greffe::PosixFileSystem files;
  const std::string kept = folder.path + "/kept";
  REQUIRE(files.replace(kept, as_bytes("as it was"), 0640));
  const greffe::Bytes large = counted_bytes(25'000);
  const auto file = files.create(folder.path + "/new", 0640);
  REQUIRE(file);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit small{10'000, before.rlim_max};
  std::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto written = (*file)->write(large);  // the first call takes 10,000 bytes, the second none
  const auto replaced = files.replace(kept, large, 0640);
  const auto made = files.write_new(folder.path + "/made", large);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, SIG_DFL);
  REQUIRE(written.error().code == Errc::io_error);
  REQUIRE((*file)->size() == 10'000);
  REQUIRE(replaced.error().code == Errc::io_error);
  REQUIRE(made.error().code == Errc::io_error);
  REQUIRE(as_text(*files.read_file(kept, 100)) == "as it was");
  REQUIRE(*files.list(folder.path) == std::vector<std::string>{"kept", "new"});
}
