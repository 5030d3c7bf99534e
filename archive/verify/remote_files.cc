#include "archive/verify/remote_files.h"

#include <algorithm>
#include <mutex>
#include <optional>

#include "archive/format/names.h"
#include "archive/store/open_pool.h"

namespace greffe::verify {
namespace {

bool is_head(std::string_view key) { return key.ends_with("/checkpoint") || key.find("/cosigned/") != std::string_view::npos; }

// The errors of files. Damage was found by whoever brought the bytes; a service that does not answer is an I/O error.
Error as_file(const Error& error) {
  if (error.code == Errc::not_found || error.code == Errc::corrupt) return error;
  return fail(error.code == Errc::invalid ? Errc::corrupt : Errc::io_error, error.message);
}

class RemoteFiles : public Files {
 public:
  // What a pool stands on outlives it.
  struct Ground {
    PosixFileSystem files;
    SystemClock clock;
  };
  RemoteFiles(std::unique_ptr<Ground> ground, std::unique_ptr<store::WholePool> pool, std::string name)
      : ground_(std::move(ground)), pool_(std::move(pool)), prefix_(std::move(name) + "/") {}

  Result<FileKind> kind_of(const std::string& path) override {
    Bytes buffer;
    const auto bytes = read_into(path, kMaxObjectBytes, buffer);
    if (bytes) return FileKind::regular;
    return bytes.error();
  }

  Result<ByteView> read_into(const std::string& path, std::uint64_t limit, Bytes& buffer) override {
    auto bytes = read(path.substr(prefix_.size()));
    if (!bytes) return as_file(bytes.error());
    if (bytes->size() > limit) return fail(Errc::corrupt, path + " is larger than anything that can be there");
    buffer = std::move(*bytes);
    return ByteView(buffer);
  }

  Result<std::vector<std::string>> names_in(const std::string& directory) override {
    const std::string folder = directory.substr(prefix_.size()) + "/";
    std::vector<std::string> out;
    const auto take = [&](const std::string& key) {
      const std::string name = key.substr(folder.size(), key.find('/', folder.size()) - folder.size());
      if (out.empty() || out.back() != name) out.push_back(name);
    };
    if (folder.starts_with("sha256/")) {
      const std::vector<Digest>* const objects = GREFFE_TRY(all_objects());
      // Keys are in the order of digests.
      const auto first = std::partition_point(objects->begin(), objects->end(), [&](const Digest& one) { return object_key(one) < folder; });
      for (auto at = first; at != objects->end() && object_key(*at).starts_with(folder); ++at) take(object_key(*at));
    } else {
      const Status listed = pool_->list(folder, [&](const store::ObjectInfo& info) {
        take(info.key);
        return true;
      });
      if (!listed) return as_file(listed.error());
    }
    if (out.empty()) return fail(Errc::not_found, directory + ": there is nothing");
    return out;
  }

 private:
  Result<Bytes> read(const std::string& key) {
    if (const auto digest = parse_object_key(key)) return pool_->read_object(*digest);
    if (!is_head(key)) return pool_->get(key);
    const std::string text = GREFFE_TRY(pool_->read_head(key));
    return to_bytes(text);
  }

  // A service lists them in an order of its own: their names are collected once, 32 bytes each.
  Result<const std::vector<Digest>*> all_objects() {
    const std::lock_guard lock(mutex_);
    if (objects_) return &*objects_;
    std::vector<Digest> found;
    const Status walked = pool_->walk_objects([&](const Digest& digest) {
      found.push_back(digest);
      return true;
    });
    if (!walked) return as_file(walked.error());
    std::sort(found.begin(), found.end());
    objects_ = std::move(found);
    return &*objects_;
  }

  const std::unique_ptr<Ground> ground_;
  const std::unique_ptr<store::WholePool> pool_;
  const std::string prefix_;
  std::mutex mutex_;  // guards `objects_`
  std::optional<std::vector<Digest>> objects_;
};

}  // namespace

Result<ConfiguredPool> open_configured_pool(const std::string& config_path) {
  auto ground = std::make_unique<RemoteFiles::Ground>();
  Config config = GREFFE_TRY(Config::load(ground->files, config_path));
  const store::PoolPlace place = GREFFE_TRY(store::read_pool_place(config, config_path));
  ConfiguredPool out;
  out.volumes = place.volumes;
  if (!out.volumes.empty()) return out;
  out.name = GREFFE_TRY(config.string("pool"));
  auto pool = GREFFE_TRY(store::open_pool(ground->files, ground->clock, place, store::PoolMode::reader));
  out.files = std::make_unique<RemoteFiles>(std::move(ground), std::move(pool), out.name);
  return out;
}

}  // namespace greffe::verify
