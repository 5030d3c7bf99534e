#include "archive/verify/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace greffe::verify {
namespace {

constexpr unsigned kMaxDepth = 16;

Error failed(const std::string& path, int code) {
  const bool absent = code == ENOENT || code == ENOTDIR;
  return fail(absent ? Errc::not_found : Errc::io_error, path + ": " + std::strerror(code));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

FileKind kind_from(mode_t mode) {
  if (S_ISREG(mode)) return FileKind::regular;
  if (S_ISDIR(mode)) return FileKind::directory;
  return S_ISLNK(mode) ? FileKind::symlink : FileKind::other;
}

Status walk_below(const std::string& root, const std::string& relative, unsigned depth,
                  const std::function<void(const std::string&, FileKind)>& visit) {
  if (depth > kMaxDepth) return fail(Errc::invalid, root + "/" + relative + " is nested too deeply");
  const std::string folder = relative.empty() ? root : root + "/" + relative;
  const std::vector<std::string> names = GREFFE_TRY(names_in(folder));
  for (const std::string& name : names) {
    const std::string path = relative.empty() ? name : relative + "/" + name;
    const FileKind kind = GREFFE_TRY(kind_of(root + "/" + path));
    if (kind == FileKind::directory) {
      GREFFE_TRY(walk_below(root, path, depth + 1, visit));
    } else {
      visit(path, kind);
    }
  }
  return ok();
}

}  // namespace

Result<FileKind> kind_of(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return failed(path, errno);
  return kind_from(info.st_mode);
}

Result<std::uint64_t> size_of(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return failed(path, errno);
  if (!S_ISREG(info.st_mode)) return fail(Errc::corrupt, path + " is not a regular file");
  return static_cast<std::uint64_t>(info.st_size);
}

Result<ByteView> read_into(const std::string& path, std::uint64_t limit, Bytes& buffer) {
  // O_NONBLOCK: a pipe that somebody put there must not hang the verifier.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0 && errno == ELOOP) return fail(Errc::corrupt, path + " is a symbolic link");
  if (file.get() < 0) return failed(path, errno);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return failed(path, errno);
  if (!S_ISREG(info.st_mode)) return fail(Errc::corrupt, path + " is not a regular file");
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size > limit) return fail(Errc::corrupt, path + " is larger than anything that can be there");
  if (buffer.size() < size) buffer.resize(size);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(file.get(), buffer.data() + done, size - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(path, errno);
    if (got == 0) break;  // cut while it was read
    done += static_cast<std::size_t>(got);
  }
  return ByteView(buffer).first(done);
}

Result<std::string> read_text(const std::string& path, std::uint64_t limit) {
  Bytes buffer;
  const ByteView bytes = GREFFE_TRY(read_into(path, limit, buffer));
  return std::string(as_text(bytes));
}

Result<std::string> Files::read_text(const std::string& path, std::uint64_t limit) {
  Bytes buffer;
  const ByteView bytes = GREFFE_TRY(read_into(path, limit, buffer));
  return std::string(as_text(bytes));
}

Result<std::vector<std::string>> names_in(const std::string& directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(directory.c_str()), ::closedir);
  if (!dir) return failed(directory, errno);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
    errno = 0;
  }
  if (errno != 0) return failed(directory, errno);
  std::sort(names.begin(), names.end());
  return names;
}

Status walk(const std::string& directory, const std::function<void(const std::string&, FileKind)>& visit) {
  return walk_below(directory, "", 0, visit);
}

}  // namespace greffe::verify
