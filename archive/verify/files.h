// The verifier's own way to read files: no symbolic link is ever followed, every read has a limit. It shares no code
// with the store that wrote them.
#ifndef GREFFE_ARCHIVE_VERIFY_FILES_H
#define GREFFE_ARCHIVE_VERIFY_FILES_H

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "archive/base/bytes.h"
#include "archive/base/result.h"

namespace greffe::verify {

enum class FileKind { regular, directory, symlink, other };

// not_found: nothing there. io_error: there, but it cannot be looked at.
Result<FileKind> kind_of(const std::string& path);
Result<std::uint64_t> size_of(const std::string& path);  // of a regular file
// Reads a whole regular file into `buffer` (its capacity is reused) and returns the bytes. corrupt: larger than
// `limit`, or not a regular file. not_found, io_error.
Result<ByteView> read_into(const std::string& path, std::uint64_t limit, Bytes& buffer);
Result<std::string> read_text(const std::string& path, std::uint64_t limit);
// Names in a directory, sorted. not_found, io_error.
Result<std::vector<std::string>> names_in(const std::string& directory);
// Every file below `directory`, depth first and sorted, as a path relative to it. Symbolic links and special files are
// visited too (and not followed). Directories deeper than 16 are an error.
Status walk(const std::string& directory, const std::function<void(const std::string& relative, FileKind kind)>& visit);

// Where the files of a pool are read from: disks of this machine, or a service (remote_files.h). Paths begin with a volume.
// Thread-safe.
class Files {
 public:
  virtual ~Files() = default;
  // As the functions above, whose errors these have.
  virtual Result<FileKind> kind_of(const std::string& path) = 0;
  virtual Result<ByteView> read_into(const std::string& path, std::uint64_t limit, Bytes& buffer) = 0;
  virtual Result<std::vector<std::string>> names_in(const std::string& directory) = 0;
  Result<std::string> read_text(const std::string& path, std::uint64_t limit);
};

class LocalFiles : public Files {
 public:
  Result<FileKind> kind_of(const std::string& path) override { return verify::kind_of(path); }
  Result<ByteView> read_into(const std::string& path, std::uint64_t limit, Bytes& buffer) override { return verify::read_into(path, limit, buffer); }
  Result<std::vector<std::string>> names_in(const std::string& directory) override { return verify::names_in(directory); }
};

}  // namespace greffe::verify

#endif
