// The file system of a station with two directories: what is changed below the spool of the one that counts is handed to its copy. What
// is read, and everything elsewhere, is as it was. Whoever uses it knows nothing of the copy and never waits for it.
//
// A change that failed is not handed on, but for two: what was appended, and a checkpoint. They may have happened all the same, and what
// may be signed in one directory must stand in the other one too.
#ifndef GREFFE_INGEST_SECOND_FILES_H
#define GREFFE_INGEST_SECOND_FILES_H

#include <optional>
#include <string>

#include "ingest/second_copy.h"

namespace greffe::ingest {

class CopiedFileSystem : public FileSystem {
 public:
  // `directory`: the station directory that counts. Everything must outlive it.
  CopiedFileSystem(FileSystem& real, SecondCopy& copy, const std::string& directory);

  Result<Bytes> read_file(const std::string& path, std::uint64_t limit) override { return real_.read_file(path, limit); }
  Result<std::unique_ptr<ReadableFile>> open_read(const std::string& path) override { return real_.open_read(path); }
  Status read_medium(const std::string& path, std::uint64_t limit, const std::function<Status(ByteView)>& take) override {
    return real_.read_medium(path, limit, take);
  }
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
  Status sync_file(const std::string& path) override { return real_.sync_file(path); }
  Status sync_directory(const std::string& path) override;
  Status make_directories(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override { return real_.list(path); }
  Result<FileStat> stat(const std::string& path) override { return real_.stat(path); }
  Result<Space> space(const std::string& path) override { return real_.space(path); }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;

 private:
  class Writer;
  class HearingLock;
  // Below the station directory; nothing: it is not copied.
  std::optional<std::string> copied(const std::string& path) const;
  void hand_over(SecondJob::Kind kind, const std::string& path, ByteView bytes = {}, std::uint64_t offset = 0, unsigned mode = 0640);
  void hand_over_two(SecondJob::Kind kind, const std::string& from, const std::string& to);

  FileSystem& real_;
  SecondCopy& copy_;
  const std::string below_;  // the station directory with a slash
};

}  // namespace greffe::ingest

#endif
