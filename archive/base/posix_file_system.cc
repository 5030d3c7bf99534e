#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

#include "archive/base/file_system.h"

namespace greffe {
namespace {

constexpr unsigned kObjectMode = 0440;
// Direct reads: address, offset and length are multiples of this, which fits every usual disk; another one is read plainly.
constexpr std::size_t kDirectAlignment = 4096;
// One huge page, where the system has them: of small ones the kernel pins and marks each, and a disk is told of each.
constexpr std::size_t kDirectPiece = 2 * 1024 * 1024;

// The one place where errno becomes a code of ours.
Error from_errno(int number, std::string_view what, std::string_view path) {
  Errc code = Errc::io_error;
  switch (number) {
    case ENOENT:
    case ENOTDIR: code = Errc::not_found; break;
    case EEXIST: code = Errc::already_exists; break;
    case ENOSPC:
    case EDQUOT: code = Errc::no_space; break;
    case EACCES:
    case EPERM: code = Errc::denied; break;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN: code = Errc::unavailable; break;
    default: break;  // EIO, EROFS, ENODEV, …: distrust the medium
  }
  return fail(code, fmt::format("cannot {} {}: {}", what, path, std::strerror(number)));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

Result<Descriptor> open_descriptor(const std::string& path, int flags, unsigned mode, std::string_view what) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return from_errno(errno, what, path);
  return Descriptor(fd);
}

Result<std::uint64_t> size_of_regular(int fd, const std::string& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return from_errno(errno, "stat", path);
  if (!S_ISREG(info.st_mode)) return fail(Errc::invalid, path + " is not a regular file");
  return static_cast<std::uint64_t>(info.st_size);
}

class PosixReadableFile : public ReadableFile {
 public:
  PosixReadableFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<std::uint64_t> size() override {
    struct stat info {};
    if (::fstat(fd_.get(), &info) != 0) return from_errno(errno, "stat", path_);
    return static_cast<std::uint64_t>(info.st_size);
  }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) override {
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t n =
          ::pread(fd_.get(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return from_errno(errno, "read", path_);
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

  int descriptor() const override { return fd_.get(); }

 private:
  Descriptor fd_;
  std::string path_;  // for messages
};

// Room for one direct read. Whoever reads objects back reads many, and memory that was touched before is the cheapest: each thread
// keeps its last one.
using DirectBuffer = std::unique_ptr<std::uint8_t, void (*)(void*)>;

DirectBuffer& kept_by_thread() {
  static thread_local DirectBuffer kept(nullptr, &std::free);
  return kept;
}

DirectBuffer take_direct_buffer() {
  if (kept_by_thread()) return std::move(kept_by_thread());
  DirectBuffer out(static_cast<std::uint8_t*>(std::aligned_alloc(kDirectPiece, kDirectPiece)), &std::free);
  GREFFE_CHECK(out != nullptr);
  static_cast<void>(::madvise(out.get(), kDirectPiece, MADV_HUGEPAGE));  // a wish, never an error
  return out;
}

// One open file on its way past the page cache.
class MediumRead {
 public:
  // The descriptor is used as long as this lives.
  explicit MediumRead(int fd) : fd_(fd), buffer_(take_direct_buffer()) {
    direct_ = ::fcntl(fd_, F_SETFL, O_RDONLY | O_DIRECT) == 0;
    if (!direct_) drop_pages();
  }
  MediumRead(const MediumRead&) = delete;
  MediumRead& operator=(const MediumRead&) = delete;
  ~MediumRead() { kept_by_thread() = std::move(buffer_); }

  // The next piece; empty at the end. nullopt: errno says why not.
  std::optional<ByteView> next() {
    if (ended_) return ByteView();
    for (;;) {
      const ssize_t n = ::pread(fd_, buffer_.get(), kDirectPiece, static_cast<off_t>(offset_));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EINVAL && direct_) {  // this disk wants another alignment, or the flag was taken in vain
        direct_ = false;
        if (::fcntl(fd_, F_SETFL, O_RDONLY) != 0) return std::nullopt;
        drop_pages();
        continue;
      }
      if (n < 0) return std::nullopt;
      const auto got = static_cast<std::size_t>(n);
      offset_ += got;
      // Only the end of a file makes a direct read end off the alignment; the next one would not be allowed there.
      ended_ = got == 0 || (direct_ && got % kDirectAlignment != 0);
      return ByteView(buffer_.get(), got);
    }
  }

 private:
  void drop_pages() { static_cast<void>(::posix_fadvise(fd_, 0, 0, POSIX_FADV_DONTNEED)); }  // a wish, never an error

  const int fd_;
  DirectBuffer buffer_;
  bool direct_ = false;
  bool ended_ = false;
  std::uint64_t offset_ = 0;
};

class PosixWritableFile : public WritableFile {
 public:
  PosixWritableFile(Descriptor fd, std::string path, std::uint64_t size)
      : fd_(std::move(fd)), path_(std::move(path)), size_(size), written_back_(size) {}

  Status write(ByteView bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_.get(), bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return from_errno(errno, "write to", path_);
      size_ += static_cast<std::uint64_t>(n);
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return ok();
  }

  void start_writeback() override {
    ::sync_file_range(fd_.get(), static_cast<off64_t>(written_back_), static_cast<off64_t>(size_ - written_back_),
                      SYNC_FILE_RANGE_WRITE);
    written_back_ = size_;
  }

  Status sync() override {
    if (::fdatasync(fd_.get()) != 0) return from_errno(errno, "sync", path_);
    return ok();
  }

  std::uint64_t size() const override { return size_; }
  int descriptor() const override { return fd_.get(); }

 private:
  Descriptor fd_;
  std::string path_;  // for messages
  std::uint64_t size_;
  std::uint64_t written_back_;  // start_writeback was called up to here
};

class PosixFileLock : public FileLock {
 public:
  explicit PosixFileLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  Descriptor fd_;
};

}  // namespace

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string join(const std::string& directory, std::string_view name) {
  std::string out = directory;
  if (!out.empty() && out.back() != '/') out += '/';
  out += name;
  return out;
}

Result<Bytes> PosixFileSystem::read_file(const std::string& path, std::uint64_t limit) {
  Descriptor fd = GREFFE_TRY(open_descriptor(path, O_RDONLY, 0, "open"));
  const std::uint64_t size = GREFFE_TRY(size_of_regular(fd.get(), path));
  if (size > limit) {
    return fail(Errc::invalid, fmt::format("{} has {} bytes; at most {} are expected there", path, size, limit));
  }
  Bytes out(size);
  const std::size_t n = GREFFE_TRY(PosixReadableFile(std::move(fd), path).read_at(0, out));
  out.resize(n);
  return out;
}

Result<std::unique_ptr<ReadableFile>> PosixFileSystem::open_read(const std::string& path) {
  Descriptor fd = GREFFE_TRY(open_descriptor(path, O_RDONLY, 0, "open"));
  GREFFE_TRY(size_of_regular(fd.get(), path));
  return std::unique_ptr<ReadableFile>(std::make_unique<PosixReadableFile>(std::move(fd), path));
}

Status PosixFileSystem::read_medium(const std::string& path, std::uint64_t limit, const std::function<Status(ByteView)>& take) {
  const Descriptor fd = GREFFE_TRY(open_descriptor(path, O_RDONLY, 0, "open"));
  GREFFE_TRY(size_of_regular(fd.get(), path));
  MediumRead medium(fd.get());
  for (std::uint64_t given = 0;;) {
    const std::optional<ByteView> piece = medium.next();
    if (!piece) return from_errno(errno, "read from the disk", path);
    if (piece->empty()) return ok();
    given += piece->size();
    if (given > limit) return fail(Errc::invalid, fmt::format("{} has more than the {} bytes that are expected there", path, limit));
    GREFFE_TRY(take(*piece));
  }
}

Result<std::unique_ptr<WritableFile>> PosixFileSystem::create_unnamed(const std::string& directory) {
  Descriptor fd = GREFFE_TRY(open_descriptor(directory, O_TMPFILE | O_WRONLY, kObjectMode, "make a file in"));
  return std::unique_ptr<WritableFile>(
      std::make_unique<PosixWritableFile>(std::move(fd), directory + "/(unnamed)", 0));
}

Result<std::unique_ptr<WritableFile>> PosixFileSystem::create(const std::string& path, unsigned mode) {
  Descriptor fd = GREFFE_TRY(open_descriptor(path, O_CREAT | O_EXCL | O_WRONLY | O_APPEND, mode, "create"));
  return std::unique_ptr<WritableFile>(std::make_unique<PosixWritableFile>(std::move(fd), path, 0));
}

Result<std::unique_ptr<WritableFile>> PosixFileSystem::open_append(const std::string& path) {
  Descriptor fd = GREFFE_TRY(open_descriptor(path, O_WRONLY | O_APPEND | O_NOFOLLOW, 0, "open"));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return from_errno(errno, "stat", path);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  return std::unique_ptr<WritableFile>(std::make_unique<PosixWritableFile>(std::move(fd), path, size));
}

Status PosixFileSystem::link(WritableFile& file, const std::string& path) {
  const std::string source = fmt::format("/proc/self/fd/{}", file.descriptor());
  if (::linkat(AT_FDCWD, source.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) != 0) {
    return from_errno(errno, "link", path);
  }
  return ok();
}

Status PosixFileSystem::link_file(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) != 0) return from_errno(errno, "link", to);
  return ok();
}

Status PosixFileSystem::write_new(const std::string& path, ByteView bytes) {
  const auto file = GREFFE_TRY(create_unnamed(parent_of(path)));
  GREFFE_TRY(file->write(bytes));
  GREFFE_TRY(file->sync());
  GREFFE_TRY(link(*file, path));
  return sync_directory(parent_of(path));
}

Status PosixFileSystem::replace(const std::string& path, ByteView bytes, unsigned mode) {
  std::uint8_t salt[6];
  fill_random(salt);
  const std::string temporary = path + ".new-" + to_hex(salt);
  {
    const auto file = GREFFE_TRY(create(temporary, mode));
    Status written = file->write(bytes);
    if (written) written = file->sync();
    if (!written) {
      ::unlink(temporary.c_str());  // best effort: the old file stands, the error below says why
      return written;
    }
  }
  GREFFE_TRY(rename(temporary, path));
  return sync_directory(parent_of(path));
}

Status PosixFileSystem::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return from_errno(errno, "rename to", to);
  return ok();
}

Status PosixFileSystem::remove(const std::string& path) {
  if (::remove(path.c_str()) != 0) return from_errno(errno, "remove", path);
  return ok();
}

Status PosixFileSystem::truncate(const std::string& path, std::uint64_t size) {
  const Descriptor fd = GREFFE_TRY(open_descriptor(path, O_WRONLY | O_NOFOLLOW, 0, "open"));
  if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) return from_errno(errno, "truncate", path);
  if (::fdatasync(fd.get()) != 0) return from_errno(errno, "sync", path);
  return ok();
}

Status PosixFileSystem::sync_file(const std::string& path) {
  const Descriptor fd = GREFFE_TRY(open_descriptor(path, O_RDONLY, 0, "open"));
  if (::fsync(fd.get()) != 0) return from_errno(errno, "sync", path);
  return ok();
}

Status PosixFileSystem::sync_directory(const std::string& path) {
  const Descriptor fd = GREFFE_TRY(open_descriptor(path, O_RDONLY | O_DIRECTORY, 0, "open"));
  if (::fsync(fd.get()) != 0) return from_errno(errno, "sync", path);
  return ok();
}

Status PosixFileSystem::make_directories(const std::string& path) {
  if (::mkdir(path.c_str(), 0750) == 0) return sync_directory(parent_of(path));
  if (errno == EEXIST) {
    const FileStat info = GREFFE_TRY(stat(path));
    if (!info.is_directory) return fail(Errc::already_exists, path + " is there and is not a directory");
    return ok();
  }
  if (errno != ENOENT) return from_errno(errno, "make directory", path);
  GREFFE_TRY(make_directories(parent_of(path)));
  if (::mkdir(path.c_str(), 0750) != 0 && errno != EEXIST) return from_errno(errno, "make directory", path);
  return sync_directory(parent_of(path));
}

Result<std::vector<std::string>> PosixFileSystem::list(const std::string& path) {
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return from_errno(errno, "list", path);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
    errno = 0;
  }
  const int number = errno;
  ::closedir(directory);
  if (number != 0) return from_errno(number, "list", path);
  std::sort(names.begin(), names.end());
  return names;
}

Result<FileStat> PosixFileSystem::stat(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return from_errno(errno, "stat", path);
  FileStat out;
  out.size = static_cast<std::uint64_t>(info.st_size);
  out.is_directory = S_ISDIR(info.st_mode);
  out.is_regular = S_ISREG(info.st_mode);
  out.mode = info.st_mode & 07777;
  out.modified_ms = std::int64_t{info.st_mtim.tv_sec} * 1000 + info.st_mtim.tv_nsec / 1'000'000;
  out.device = info.st_dev;
  out.inode = info.st_ino;
  return out;
}

Result<Space> PosixFileSystem::space(const std::string& path) {
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0) return from_errno(errno, "read the free space of", path);
  Space out;
  out.total_bytes = std::uint64_t{info.f_blocks} * info.f_frsize;
  out.free_bytes = std::uint64_t{info.f_bavail} * info.f_frsize;
  return out;
}

Result<std::unique_ptr<FileLock>> PosixFileSystem::lock(const std::string& path) {
  Descriptor fd = GREFFE_TRY(open_descriptor(path, O_RDWR | O_CREAT, 0640, "open"));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return fail(Errc::unavailable, path + " is locked: another process is using it");
    return from_errno(errno, "lock", path);
  }
  return std::unique_ptr<FileLock>(std::make_unique<PosixFileLock>(std::move(fd)));
}

}  // namespace greffe
