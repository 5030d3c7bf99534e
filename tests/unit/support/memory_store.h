// A store in memory: everything that LocalPool promises, without disks. For tests of whatever stands on a store.
#ifndef GREFFE_TESTS_UNIT_SUPPORT_MEMORY_STORE_H
#define GREFFE_TESTS_UNIT_SUPPORT_MEMORY_STORE_H

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "archive/format/names.h"
#include "archive/format/signed_note.h"
#include "archive/store/object_store.h"

namespace greffe::testing {

// Bytes that can be read like a file.
class MemoryFile : public ReadableFile {
 public:
  explicit MemoryFile(Bytes bytes) : bytes_(std::move(bytes)) {}
  Result<std::uint64_t> size() override { return std::uint64_t{bytes_.size()}; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) override {
    if (offset >= bytes_.size()) return std::size_t{0};
    const std::size_t n = std::min(out.size(), bytes_.size() - static_cast<std::size_t>(offset));
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), n, out.begin());
    return n;
  }
  int descriptor() const override { return -1; }

 private:
  const Bytes bytes_;
};

class MemoryStore : public store::ObjectStore,
                    public store::HeadStore,
                    public store::StageRemover,
                    public store::ReplicaRepair {
 public:
  store::StoreTraits traits() const override { return {1, 1, true}; }

  Result<std::unique_ptr<store::ObjectWriter>> begin_object(std::uint64_t size) override {
    if (size > kMaxObjectBytes) return fail(Errc::invalid, "larger than any object");
    return std::unique_ptr<store::ObjectWriter>(std::make_unique<Writer>(*this, size));
  }
  Result<bool> prove_object(const Digest& digest) override {
    const std::lock_guard lock(mutex_);
    return files_.contains(object_key(digest));
  }
  Result<std::shared_ptr<ReadableFile>> open_object(const Digest& digest) override {
    Bytes bytes = GREFFE_TRY(read_object(digest));
    return std::shared_ptr<ReadableFile>(std::make_shared<MemoryFile>(std::move(bytes)));
  }
  Result<Bytes> read_object(const Digest& digest) override {
    Bytes bytes = GREFFE_TRY(find(object_key(digest)));
    if (sha256(bytes) != digest) return fail(Errc::corrupt, "no good replica is left of " + object_key(digest));
    return bytes;
  }

  Status put(std::string_view key, ByteView bytes) override {
    if (!is_log_key(key)) return fail(Errc::invalid, std::string(key) + " is not a key below log/");
    const std::lock_guard lock(mutex_);
    const auto [file, added] = files_.try_emplace(std::string(key), bytes.begin(), bytes.end());
    if (added || std::equal(bytes.begin(), bytes.end(), file->second.begin(), file->second.end())) return ok();
    return fail(Errc::conflict, std::string(key) + " is there already with other bytes");
  }
  Result<Bytes> get(std::string_view key) override {
    if (!is_log_key(key)) return fail(Errc::invalid, std::string(key) + " is not a key below log/");
    return find(key);
  }
  Result<std::vector<Bytes>> get_all(std::string_view key) override {
    Bytes bytes = GREFFE_TRY(get(key));
    std::vector<Bytes> out;
    out.push_back(std::move(bytes));
    return out;
  }
  Status list(std::string_view prefix, const std::function<bool(const store::ObjectInfo&)>& visit) override {
    if (!prefix.ends_with('/')) return fail(Errc::invalid, "a prefix ends in '/'");
    std::vector<store::ObjectInfo> found;
    {
      const std::lock_guard lock(mutex_);
      for (auto file = files_.lower_bound(prefix); file != files_.end() && file->first.starts_with(prefix); ++file) {
        found.push_back({file->first, file->second.size()});
      }
    }
    for (const store::ObjectInfo& info : found) {
      if (!visit(info)) break;
    }
    return ok();
  }

  Result<std::string> read_head(std::string_view key) override {
    const Bytes bytes = GREFFE_TRY(get(key));
    return std::string(as_text(bytes));
  }
  Status swap_head(std::string_view key, std::string_view expected, std::string_view next) override {
    if (!is_log_key(key)) return fail(Errc::invalid, std::string(key) + " is not a key below log/");
    if (next.empty() || next.size() > kMaxNoteBytes) return fail(Errc::invalid, "a head has 1 to 65,536 bytes");
    const std::lock_guard lock(mutex_);
    Bytes& held = files_[std::string(key)];
    if (as_text(held) != expected) {
      if (held.empty()) files_.erase(std::string(key));
      return fail(Errc::conflict, "the head is another one");
    }
    held = to_bytes(next);
    return ok();
  }

  Status remove_stage(std::string_view key) override {
    if (key.find("/stage/") == std::string_view::npos && !key.starts_with("log/open/")) {
      return fail(Errc::invalid, std::string(key) + " is neither a stage nor a marker");
    }
    const std::lock_guard lock(mutex_);
    files_.erase(std::string(key));
    return ok();
  }

  Result<store::ReplicaReport> compare(std::string_view key, ByteView good) override { return survey(key, good, false); }
  Result<store::ReplicaReport> restore(std::string_view key, ByteView good) override { return survey(key, good, true); }

  // The bytes of a key, for a test to damage or remove. Not while another thread uses the store.
  std::map<std::string, Bytes, std::less<>>& files() { return files_; }

 private:
  class Writer : public store::ObjectWriter {
   public:
    Writer(MemoryStore& owner, std::uint64_t size) : owner_(owner), size_(size) {}
    Status write(ByteView bytes) override {
      if (bytes.size() > size_ - bytes_.size()) return fail(Errc::invalid, "more bytes than were announced");
      bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
      return ok();
    }
    Status commit(const Digest& expected) override {
      if (sha256(bytes_) != expected) return fail(Errc::conflict, "the bytes have another digest");
      const std::lock_guard lock(owner_.mutex_);
      owner_.files_[object_key(expected)] = bytes_;
      return ok();
    }

   private:
    MemoryStore& owner_;
    const std::uint64_t size_;
    Bytes bytes_;
  };

  static bool is_log_key(std::string_view key) {
    return key.starts_with("log/") && !key.ends_with('/') && key.find("//") == std::string_view::npos &&
           key.find("/../") == std::string_view::npos && key.find("/./") == std::string_view::npos;
  }
  Result<Bytes> find(std::string_view key) {
    const std::lock_guard lock(mutex_);
    const auto file = files_.find(key);
    if (file == files_.end()) return fail(Errc::not_found, "there is no " + std::string(key));
    return file->second;
  }
  Result<store::ReplicaReport> survey(std::string_view key, ByteView good, bool write) {
    const std::lock_guard lock(mutex_);
    store::ReplicaReport report;
    const auto file = files_.find(key);
    if (file == files_.end()) {
      report.missing.push_back("memory");
    } else if (!std::equal(good.begin(), good.end(), file->second.begin(), file->second.end())) {
      report.different.push_back("memory");
    }
    if (write && !report.clean()) {
      files_[std::string(key)] = Bytes(good.begin(), good.end());
      report.repaired = 1;
    }
    report.good = report.clean() || write ? 1 : 0;
    return report;
  }

  std::mutex mutex_;
  std::map<std::string, Bytes, std::less<>> files_;  // guarded by mutex_; objects, log files and heads by key
};

}  // namespace greffe::testing

#endif
