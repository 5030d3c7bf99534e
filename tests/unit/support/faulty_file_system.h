// Another file system with some of its calls failing. Whole calls only; for single steps inside write_new and replace
// use ForgetfulFileSystem. Thread-safe.
#ifndef GREFFE_TESTS_UNIT_SUPPORT_FAULTY_FILE_SYSTEM_H
#define GREFFE_TESTS_UNIT_SUPPORT_FAULTY_FILE_SYSTEM_H

#include <memory>
#include <string>
#include <vector>

#include "archive/base/file_system.h"
#include "tests/unit/support/fault_plan.h"

namespace greffe::testing {

class FaultyFileSystem : public FileSystem {
 public:
  explicit FaultyFileSystem(FileSystem& real) : real_(real) {}
  FaultPlan& faults() { return faults_; }

  Result<Bytes> read_file(const std::string& path, std::uint64_t limit) override {
    if (faults_.is_off()) return faults_.error("read", path);
    return real_.read_file(path, limit);
  }
  Result<std::unique_ptr<ReadableFile>> open_read(const std::string& path) override {
    if (faults_.is_off()) return faults_.error("open", path);
    return real_.open_read(path);
  }
  Status read_medium(const std::string& path, std::uint64_t limit, const std::function<Status(ByteView)>& take) override {
    if (faults_.is_off()) return faults_.error("read", path);
    return real_.read_medium(path, limit, take);
  }
  Result<std::unique_ptr<WritableFile>> create_unnamed(const std::string& directory) override {
    return wrap("make a file in", directory, [&] { return real_.create_unnamed(directory); });
  }
  Result<std::unique_ptr<WritableFile>> create(const std::string& path, unsigned mode) override {
    return wrap("create", path, [&] { return real_.create(path, mode); });
  }
  Result<std::unique_ptr<WritableFile>> open_append(const std::string& path) override {
    return wrap("open", path, [&] { return real_.open_append(path); });
  }
  Status link(WritableFile& file, const std::string& path) override {
    return step("link", path, [&] { return real_.link(*static_cast<Writer&>(file).real, path); });
  }
  Status link_file(const std::string& from, const std::string& to) override {
    return step("link", to, [&] { return real_.link_file(from, to); });
  }
  Status write_new(const std::string& path, ByteView bytes) override {
    return step("write", path, [&] { return real_.write_new(path, bytes); });
  }
  Status replace(const std::string& path, ByteView bytes, unsigned mode) override {
    return step("replace", path, [&] { return real_.replace(path, bytes, mode); });
  }
  Status rename(const std::string& from, const std::string& to) override {
    return step("rename", to, [&] { return real_.rename(from, to); });
  }
  Status remove(const std::string& path) override {
    return step("remove", path, [&] { return real_.remove(path); });
  }
  Status truncate(const std::string& path, std::uint64_t size) override {
    return step("truncate", path, [&] { return real_.truncate(path, size); });
  }
  Status sync_file(const std::string& path) override {
    return step("sync", path, [&] { return real_.sync_file(path); });
  }
  Status sync_directory(const std::string& path) override {
    return step("sync directory", path, [&] { return real_.sync_directory(path); });
  }
  Status make_directories(const std::string& path) override {
    return step("make directory", path, [&] { return real_.make_directories(path); });
  }
  Result<std::vector<std::string>> list(const std::string& path) override {
    if (faults_.is_off()) return faults_.error("list", path);
    return real_.list(path);
  }
  Result<FileStat> stat(const std::string& path) override {
    if (faults_.is_off()) return faults_.error("stat", path);
    return real_.stat(path);
  }
  Result<Space> space(const std::string& path) override {
    if (faults_.is_off()) return faults_.error("read the space of", path);
    return real_.space(path);
  }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    if (faults_.is_off()) return faults_.error("lock", path);
    return real_.lock(path);
  }

 private:
  struct Writer : public WritableFile {
    Writer(FaultyFileSystem& the_owner, std::unique_ptr<WritableFile> file, std::string the_path)
        : owner(the_owner), real(std::move(file)), path(std::move(the_path)) {}
    Status write(ByteView bytes) override {
      return owner.step("write", path, [&] { return real->write(bytes); });
    }
    void start_writeback() override { real->start_writeback(); }
    Status sync() override {
      return owner.step("sync", path, [&] { return real->sync(); });
    }
    std::uint64_t size() const override { return real->size(); }
    int descriptor() const override { return real->descriptor(); }

    FaultyFileSystem& owner;
    const std::unique_ptr<WritableFile> real;
    const std::string path;
  };

  template <class Call>
  Status step(std::string_view what, const std::string& path, const Call& call) {
    const Fault fault = faults_.change(what, path);
    if (fault == Fault::fails_before || fault == Fault::fails_half || fault == Fault::power_off) return faults_.error(what, path);
    Status done = call();
    if (fault == Fault::fails_after) return faults_.error(what, path);
    return done;
  }
  template <class Call>
  Result<std::unique_ptr<WritableFile>> wrap(std::string_view what, const std::string& path, const Call& call) {
    const Fault fault = faults_.change(what, path);
    if (fault == Fault::fails_before || fault == Fault::fails_half || fault == Fault::power_off) return faults_.error(what, path);
    auto file = call();
    if (fault == Fault::fails_after) return faults_.error(what, path);
    if (!file) return file.error();
    return std::unique_ptr<WritableFile>(std::make_unique<Writer>(*this, *std::move(file), path));
  }

  FileSystem& real_;
  FaultPlan faults_;
};

}  // namespace greffe::testing

#endif
