// Files whose durability is spelled out. Every other folder does its disk I/O through this interface, so that tests
// can fail any step. Paths are absolute or relative to the working directory; nothing follows a final symbolic link
// when it writes. Thread-safe unless said otherwise; blocks; retries nothing but EINTR.
#ifndef GREFFE_ARCHIVE_BASE_FILE_SYSTEM_H
#define GREFFE_ARCHIVE_BASE_FILE_SYSTEM_H

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "archive/base/bytes.h"
#include "archive/base/result.h"

namespace greffe {

struct FileStat {
  std::uint64_t size = 0;
  bool is_directory = false;
  bool is_regular = false;
  std::int64_t modified_ms = 0;  // UTC
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  unsigned mode = 0;  // permission bits
};

struct Space {
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;  // for an ordinary user
};

// One open file, read at offsets. Thread-safe.
class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  virtual Result<std::uint64_t> size() = 0;
  // Fills `out` from `offset`; returns how many bytes there were (fewer only at the end of the file).
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) = 0;
  virtual int descriptor() const = 0;  // for sendfile; owned by this object; -1 when there is none
};

// One open file, appended to. Used by one thread at a time.
class WritableFile {
 public:
  virtual ~WritableFile() = default;  // closes; an error of close after a successful sync loses nothing
  virtual Status write(ByteView bytes) = 0;
  // A hint to start writing back what was written since the last call. Guarantees nothing.
  virtual void start_writeback() = 0;
  // ok: all bytes and the size would survive power loss. io_error: never retry on this file: drop it, distrust the
  // volume, write again from the source elsewhere (after a failed fsync the page cache may lie).
  virtual Status sync() = 0;
  virtual std::uint64_t size() const = 0;
  virtual int descriptor() const = 0;  // for readers that map it; owned by this object; -1 when there is none
};

// Held until destroyed.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // The whole file. invalid: larger than `limit`. not_found, io_error.
  virtual Result<Bytes> read_file(const std::string& path, std::uint64_t limit) = 0;
  virtual Result<std::unique_ptr<ReadableFile>> open_read(const std::string& path) = 0;
  // Gives `take` the whole file in order, in pieces, as the medium has it and not as the page cache remembers it: with
  // O_DIRECT where the file system has it; elsewhere its pages are dropped (POSIX_FADV_DONTNEED) and it is read plainly,
  // which is as good for a file that was synced before (dirty pages stay) and that nobody maps. What cannot be seen from
  // here: a file system that takes O_DIRECT and answers from its cache all the same (ext4 with data=journal, compressed
  // btrfs, ZFS before 2.3), and the drive's own cache. An error of `take` ends it and is returned. invalid: larger than
  // `limit`. not_found, io_error.
  virtual Status read_medium(const std::string& path, std::uint64_t limit, const std::function<Status(ByteView)>& take) = 0;
  // A file without a name in `directory` (O_TMPFILE): invisible until link(), gone after a crash. Mode 0440.
  virtual Result<std::unique_ptr<WritableFile>> create_unnamed(const std::string& directory) = 0;
  // already_exists when the name is taken. The name is durable only after sync_directory.
  // Every write goes to the end, whoever else holds the descriptor.
  virtual Result<std::unique_ptr<WritableFile>> create(const std::string& path, unsigned mode) = 0;
  virtual Result<std::unique_ptr<WritableFile>> open_append(const std::string& path) = 0;
  // Gives an unnamed file its name; never replaces: already_exists. Durable only after sync_directory.
  virtual Status link(WritableFile& file, const std::string& path) = 0;
  // Gives a file another name on the same disk; as durable as link().
  virtual Status link_file(const std::string& from, const std::string& to) = 0;
  // A new file with exactly these bytes, synced, linked, directory synced; never replaces: already_exists.
  virtual Status write_new(const std::string& path, ByteView bytes) = 0;
  // Durable and atomic: after ok, or after a crash, the file holds the old or the new bytes whole. Mode of a new
  // file: `mode`.
  virtual Status replace(const std::string& path, ByteView bytes, unsigned mode) = 0;
  virtual Status rename(const std::string& from, const std::string& to) = 0;  // replaces; sync both directories after
  virtual Status remove(const std::string& path) = 0;                        // a file or an empty directory
  virtual Status truncate(const std::string& path, std::uint64_t size) = 0;  // durable
  virtual Status sync_file(const std::string& path) = 0;
  virtual Status sync_directory(const std::string& path) = 0;
  // Makes the directory and its missing parents; each new name is durable when it returns.
  virtual Status make_directories(const std::string& path) = 0;
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;  // names, sorted, without . and ..
  virtual Result<FileStat> stat(const std::string& path) = 0;
  virtual Result<Space> space(const std::string& path) = 0;
  // An exclusive lock on a file (made if absent). unavailable: another process holds it.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
};

// The real one. Stateless.
class PosixFileSystem : public FileSystem {
 public:
  Result<Bytes> read_file(const std::string& path, std::uint64_t limit) override;
  Result<std::unique_ptr<ReadableFile>> open_read(const std::string& path) override;
  Status read_medium(const std::string& path, std::uint64_t limit, const std::function<Status(ByteView)>& take) override;
  Result<std::unique_ptr<WritableFile>> create_unnamed(const std::string& directory) override;
  Result<std::unique_ptr<WritableFile>> create(const std::string& path, unsigned mode) override;
  Result<std::unique_ptr<WritableFile>> open_append(const std::string& path) override;
  Status link(WritableFile& file, const std::string& path) override;
  Status link_file(const std::string& from, const std::string& to) override;
  Status write_new(const std::string& path, ByteView bytes) override;
  Status replace(const std::string& path, ByteView bytes, unsigned mode) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status truncate(const std::string& path, std::uint64_t size) override;
  Status sync_file(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Status make_directories(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<FileStat> stat(const std::string& path) override;
  Result<Space> space(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
};

std::string parent_of(const std::string& path);  // "." when there is none
std::string join(const std::string& directory, std::string_view name);

}  // namespace greffe

#endif
