// A file system in memory that keeps only what was synced: crash() throws away unsynced bytes and unsynced names, all
// of them or a random part. As on Linux, a file whose sync has failed once is never durable again, though later syncs
// of it succeed. Every single step (also those inside write_new, replace and make_directories) can fail
// through its FaultPlan. Thread-safe.
#ifndef GREFFE_TESTS_UNIT_SUPPORT_FORGETFUL_FILE_SYSTEM_H
#define GREFFE_TESTS_UNIT_SUPPORT_FORGETFUL_FILE_SYSTEM_H

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "archive/base/file_system.h"
#include "tests/unit/support/fault_plan.h"

namespace greffe::testing {

class ForgetfulFileSystem : public FileSystem {
 public:
  ForgetfulFileSystem() : root_(make_node(true)) { root_->durable_names = root_->names; }

  FaultPlan& faults() { return faults_; }

  // Power loss: open files and locks are gone, and everything that was not synced.
  void crash() { crash_with([] { return false; }); }
  // The same, but each unsynced change survives or not by the throw of a coin; unsynced bytes may also be torn.
  void crash(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    crash_with([&random] { return (random() & 1) != 0; });
  }

  // A deep copy of the durable state, as another disk.
  std::unique_ptr<ForgetfulFileSystem> clone() const {
    const std::lock_guard lock(mutex_);
    auto out = std::make_unique<ForgetfulFileSystem>();
    std::map<const Node*, NodePtr> copies;
    out->root_ = out->copy(root_, copies);
    out->limits_ = limits_;
    return out;
  }

  // Below `path` there are only so many bytes.
  void limit_space(const std::string& path, std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    limits_[path] = bytes;
  }
  // The disk at `path` is gone (an empty mount point stays) or is back.
  void unmount(const std::string& path) {
    const std::lock_guard lock(mutex_);
    unmounted_.insert(path);
  }
  void mount(const std::string& path) {
    const std::lock_guard lock(mutex_);
    unmounted_.erase(path);
  }
  // Changes bytes behind everybody's back, on the disk as well. false: there is no such file.
  bool damage(const std::string& path, const std::function<void(Bytes&)>& change) {
    const std::lock_guard lock(mutex_);
    const NodePtr node = find(path);
    if (!node || node->is_directory) return false;
    change(node->data);
    node->durable_data = node->data;
    return true;
  }
  // The drive said that it had these bytes and kept others; the cache still has what was written.
  bool damage_medium(const std::string& path, const std::function<void(Bytes&)>& change) {
    const std::lock_guard lock(mutex_);
    const NodePtr node = find(path);
    if (!node || node->is_directory) return false;
    change(node->durable_data);
    return true;
  }

  // The same of everything that is written below `path` from now on: its medium keeps zeroes.
  void forget_writes_below(const std::string& path) {
    const std::lock_guard lock(mutex_);
    forgotten_ = path;
  }

  Result<Bytes> read_file(const std::string& path, std::uint64_t limit) override {
    const std::lock_guard lock(mutex_);
    const NodePtr node = GREFFE_TRY(readable(path));
    if (node->data.size() > limit) return fail(Errc::invalid, path + " is larger than expected");
    return node->data;
  }
  Result<std::unique_ptr<ReadableFile>> open_read(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    const NodePtr node = GREFFE_TRY(readable(path));
    return std::unique_ptr<ReadableFile>(std::make_unique<Reader>(*this, node, generation_));
  }
  Status read_medium(const std::string& path, std::uint64_t limit, const std::function<Status(ByteView)>& take) override {
    Bytes bytes;
    {
      const std::lock_guard lock(mutex_);
      bytes = GREFFE_TRY(readable(path))->durable_data;
    }
    if (bytes.size() > limit) return fail(Errc::invalid, path + " is larger than expected");
    return bytes.empty() ? ok() : take(bytes);
  }
  Result<std::unique_ptr<WritableFile>> create_unnamed(const std::string& directory) override {
    const std::lock_guard lock(mutex_);
    return create_unnamed_alone(directory);
  }
  Result<std::unique_ptr<WritableFile>> create(const std::string& path, unsigned) override {
    const std::lock_guard lock(mutex_);
    return create_alone(path);
  }
  Result<std::unique_ptr<WritableFile>> open_append(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    const NodePtr node = GREFFE_TRY(readable(path));
    return std::unique_ptr<WritableFile>(std::make_unique<Writer>(*this, node, path, generation_));
  }
  Status link(WritableFile& file, const std::string& path) override {
    const std::lock_guard lock(mutex_);
    return link_alone(file, path);
  }
  Status link_file(const std::string& from, const std::string& to) override {
    const std::lock_guard lock(mutex_);
    const NodePtr node = find(from);
    if (!node) return absent(from);
    return link_node(node, to);
  }
  Status write_new(const std::string& path, ByteView bytes) override {
    const std::lock_guard lock(mutex_);
    const auto file = GREFFE_TRY(create_unnamed_alone(parent_of(path)));
    Writer& writer = static_cast<Writer&>(*file);
    GREFFE_TRY(writer.write_alone(bytes));
    GREFFE_TRY(writer.sync_alone());
    GREFFE_TRY(link_alone(*file, path));
    return sync_directory_alone(parent_of(path));
  }
  Status replace(const std::string& path, ByteView bytes, unsigned) override {
    const std::lock_guard lock(mutex_);
    const std::string temporary = path + ".new-" + std::to_string(++salt_);
    const auto file = GREFFE_TRY(create_alone(temporary));
    Writer& writer = static_cast<Writer&>(*file);
    GREFFE_TRY(writer.write_alone(bytes));
    GREFFE_TRY(writer.sync_alone());
    GREFFE_TRY(rename_alone(temporary, path));
    return sync_directory_alone(parent_of(path));
  }
  Status rename(const std::string& from, const std::string& to) override {
    const std::lock_guard lock(mutex_);
    return rename_alone(from, to);
  }
  Status remove(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    return step("remove", path, [&]() -> Status {
      const NodePtr directory = find(parent_of(path));
      if (!directory || directory->names.erase(name_of_path(path)) == 0) return absent(path);
      return ok();
    });
  }
  Status truncate(const std::string& path, std::uint64_t size) override {
    const std::lock_guard lock(mutex_);
    return step("truncate", path, [&]() -> Status {
      const NodePtr node = find(path);
      if (!node) return absent(path);
      node->data.resize(size);
      node->durable_data = node->data;
      node->modified_ms = ++ticks_;
      return ok();
    });
  }
  Status sync_file(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    const NodePtr node = find(path);
    if (!node) return absent(path);
    return sync_node("sync", path, *node);
  }
  Status sync_directory(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    return sync_directory_alone(path);
  }
  Status make_directories(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    return make_directories_alone(path);
  }
  Result<std::vector<std::string>> list(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (faults_.is_off()) return faults_.error("list", path);
    const NodePtr node = find(path);
    if (!node || !node->is_directory) return absent(path).error();
    std::vector<std::string> out;
    for (const auto& [name, child] : node->names) out.push_back(name);
    return out;
  }
  Result<FileStat> stat(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (faults_.is_off()) return faults_.error("stat", path);
    const NodePtr node = find(path);
    if (!node) return absent(path).error();
    return FileStat{node->data.size(), node->is_directory, !node->is_directory, node->modified_ms, 1, node->number};
  }
  Result<Space> space(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (faults_.is_off()) return faults_.error("read the space of", path);
    if (!find(path)) return absent(path).error();
    for (const auto& [below, bytes] : limits_) {
      if (!path.starts_with(below)) continue;
      const std::uint64_t used = used_below(*find(below));
      return Space{bytes, bytes > used ? bytes - used : 0};
    }
    return Space{1ULL << 40, 1ULL << 40};
  }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    const std::lock_guard guard(mutex_);
    if (faults_.is_off()) return faults_.error("lock", path);
    if (!find(parent_of(path))) return absent(path).error();
    const std::lock_guard taken(locked_->mutex);
    if (!locked_->paths.insert(path).second) return fail(Errc::unavailable, path + " is locked");
    return std::unique_ptr<FileLock>(std::make_unique<Lock>(locked_, path));
  }

 private:
  struct Node;
  using NodePtr = std::shared_ptr<Node>;
  struct Node {
    bool is_directory = false;
    Bytes data;
    Bytes durable_data;
    std::map<std::string, NodePtr> names;
    std::map<std::string, NodePtr> durable_names;
    bool sync_failed = false;
    std::int64_t modified_ms = 0;
    std::uint64_t number = 0;
  };
  struct Locked {
    std::mutex mutex;  // a lock is given back without the file system's own
    std::set<std::string> paths;
  };

  class Reader : public ReadableFile {
   public:
    Reader(ForgetfulFileSystem& owner, NodePtr node, std::uint64_t generation)
        : owner_(owner), node_(std::move(node)), generation_(generation) {}
    Result<std::uint64_t> size() override {
      const std::lock_guard lock(owner_.mutex_);
      return std::uint64_t{node_->data.size()};
    }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) override {
      const std::lock_guard lock(owner_.mutex_);
      if (owner_.faults_.is_off() || generation_ != owner_.generation_) return fail(Errc::io_error, "the disk is off");
      if (offset >= node_->data.size()) return std::size_t{0};
      const std::size_t n = std::min<std::size_t>(out.size(), node_->data.size() - offset);
      std::copy_n(node_->data.begin() + static_cast<std::ptrdiff_t>(offset), n, out.begin());
      return n;
    }
    int descriptor() const override { return -1; }

   private:
    ForgetfulFileSystem& owner_;
    const NodePtr node_;
    const std::uint64_t generation_;
  };

  class Writer : public WritableFile {
   public:
    Writer(ForgetfulFileSystem& owner, NodePtr node, std::string path, std::uint64_t generation)
        : owner_(owner), node_(std::move(node)), path_(std::move(path)), generation_(generation) {}
    Status write(ByteView bytes) override {
      const std::lock_guard lock(owner_.mutex_);
      return write_alone(bytes);
    }
    void start_writeback() override {}
    Status sync() override {
      const std::lock_guard lock(owner_.mutex_);
      return sync_alone();
    }
    std::uint64_t size() const override {
      const std::lock_guard lock(owner_.mutex_);
      return node_->data.size();
    }
    int descriptor() const override { return -1; }

    Status write_alone(ByteView bytes) {
      if (generation_ != owner_.generation_) return fail(Errc::io_error, "the file is from before the crash");
      const auto add = [&](ByteView part) -> Status {
        GREFFE_TRY(owner_.make_room(path_, part.size()));
        node_->data.insert(node_->data.end(), part.begin(), part.end());
        node_->modified_ms = ++owner_.ticks_;
        return ok();
      };
      const auto add_half = [&] { static_cast<void>(add(bytes.first(bytes.size() / 2)).has_value()); };
      return owner_.step("write", path_, [&] { return add(bytes); }, add_half);
    }
    Status sync_alone() {
      if (generation_ != owner_.generation_) return fail(Errc::io_error, "the file is from before the crash");
      return owner_.sync_node("sync", path_, *node_);
    }
    const NodePtr& node() const { return node_; }

   private:
    ForgetfulFileSystem& owner_;
    const NodePtr node_;
    const std::string path_;
    const std::uint64_t generation_;
  };

  class Lock : public FileLock {
   public:
    Lock(std::shared_ptr<Locked> locked, std::string path) : locked_(std::move(locked)), path_(std::move(path)) {}
    ~Lock() override {
      const std::lock_guard lock(locked_->mutex);
      locked_->paths.erase(path_);
    }

   private:
    const std::shared_ptr<Locked> locked_;  // of its time: a crash makes a new set
    const std::string path_;
  };

  static std::string name_of_path(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }
  static Status absent(const std::string& path) { return fail(Errc::not_found, "there is no " + path); }

  NodePtr make_node(bool is_directory) {
    auto node = std::make_shared<Node>();
    node->is_directory = is_directory;
    node->number = ++numbers_;
    return node;
  }
  NodePtr find(const std::string& path) const {
    for (const std::string& gone : unmounted_) {
      if (path.starts_with(gone + "/")) return nullptr;
    }
    NodePtr node = root_;
    for (std::size_t at = 0; at < path.size();) {
      const std::size_t slash = std::min(path.find('/', at), path.size());
      const std::string name = path.substr(at, slash - at);
      at = slash + 1;
      if (name.empty()) continue;
      const auto child = node->names.find(name);
      if (child == node->names.end()) return nullptr;
      node = child->second;
    }
    return node;
  }
  Result<NodePtr> readable(const std::string& path) {
    if (faults_.is_off()) return faults_.error("read", path);
    const NodePtr node = find(path);
    if (!node) return absent(path).error();
    if (const auto failure = faults_.read_failure(path)) return *failure;
    if (node->is_directory) return fail(Errc::invalid, path + " is a directory");
    return node;
  }

  template <class Change, class Half>
  Status step(std::string_view what, const std::string& path, const Change& change, const Half& half) {
    const Fault fault = faults_.change(what, path);
    if (fault == Fault::fails_half) half();
    if (fault == Fault::fails_before || fault == Fault::fails_half || fault == Fault::power_off) return faults_.error(what, path);
    Status done = change();
    if (fault == Fault::fails_after) return faults_.error(what, path);
    return done;
  }
  template <class Change>
  Status step(std::string_view what, const std::string& path, const Change& change) {
    return step(what, path, change, [] {});
  }

  Status sync_node(std::string_view what, const std::string& path, Node& node) {
    const Status done = step(what, path, [&]() -> Status {
      if (!node.sync_failed) node.durable_data = node.data;
      if (!forgotten_.empty() && path.starts_with(forgotten_)) std::fill(node.durable_data.begin(), node.durable_data.end(), std::uint8_t{0});
      return ok();
    });
    node.sync_failed = node.sync_failed || !done;
    return done;
  }

  Result<std::unique_ptr<WritableFile>> create_unnamed_alone(const std::string& directory) {
    NodePtr node;
    GREFFE_TRY(step("make a file in", directory, [&]() -> Status {
      const NodePtr there = find(directory);
      if (!there || !there->is_directory) return absent(directory);
      node = make_node(false);
      return ok();
    }));
    return std::unique_ptr<WritableFile>(std::make_unique<Writer>(*this, node, directory + "/(unnamed)", generation_));
  }
  Result<std::unique_ptr<WritableFile>> create_alone(const std::string& path) {
    NodePtr node;
    GREFFE_TRY(step("create", path, [&]() -> Status {
      const NodePtr directory = find(parent_of(path));
      if (!directory) return absent(path);
      node = make_node(false);
      if (!directory->names.emplace(name_of_path(path), node).second) return fail(Errc::already_exists, path);
      return ok();
    }));
    return std::unique_ptr<WritableFile>(std::make_unique<Writer>(*this, node, path, generation_));
  }
  Status link_alone(WritableFile& file, const std::string& path) { return link_node(static_cast<Writer&>(file).node(), path); }
  Status link_node(const NodePtr& node, const std::string& path) {
    return step("link", path, [&]() -> Status {
      const NodePtr directory = find(parent_of(path));
      if (!directory) return absent(path);
      if (!directory->names.emplace(name_of_path(path), node).second) return fail(Errc::already_exists, path);
      return ok();
    });
  }
  Status rename_alone(const std::string& from, const std::string& to) {
    return step("rename", to, [&]() -> Status {
      const NodePtr source = find(parent_of(from));
      const NodePtr target = find(parent_of(to));
      if (!source || !target || !source->names.contains(name_of_path(from))) return absent(from);
      const NodePtr node = source->names.at(name_of_path(from));
      source->names.erase(name_of_path(from));
      target->names[name_of_path(to)] = node;
      return ok();
    });
  }
  Status sync_directory_alone(const std::string& path) {
    return step("sync directory", path, [&]() -> Status {
      const NodePtr node = find(path);
      if (!node || !node->is_directory) return absent(path);
      node->durable_names = node->names;
      return ok();
    });
  }
  Status make_directories_alone(const std::string& path) {
    if (faults_.is_off()) return faults_.error("make", path);
    if (const NodePtr there = find(path)) {
      return there->is_directory ? ok() : Status(fail(Errc::already_exists, path + " is no directory"));
    }
    if (!find(parent_of(path))) GREFFE_TRY(make_directories_alone(parent_of(path)));
    GREFFE_TRY(step("make directory", path, [&]() -> Status {
      const NodePtr directory = find(parent_of(path));
      if (!directory) return absent(path);
      directory->names.emplace(name_of_path(path), make_node(true));
      return ok();
    }));
    return sync_directory_alone(parent_of(path));
  }

  Status make_room(const std::string& path, std::size_t bytes) {
    for (const auto& [below, limit] : limits_) {
      if (!path.starts_with(below)) continue;
      const NodePtr top = find(below);
      if (top && used_below(*top) + bytes > limit) return fail(Errc::no_space, path + ": no space left");
    }
    return ok();
  }
  static std::uint64_t used_below(const Node& node) {
    std::uint64_t used = node.data.size();
    for (const auto& [name, child] : node.names) used += used_below(*child);
    return used;
  }

  NodePtr copy(const NodePtr& node, std::map<const Node*, NodePtr>& copies) {
    if (const auto done = copies.find(node.get()); done != copies.end()) return done->second;
    NodePtr out = make_node(node->is_directory);
    copies[node.get()] = out;
    out->data = out->durable_data = node->durable_data;
    for (const auto& [name, child] : node->durable_names) out->names[name] = copy(child, copies);
    out->durable_names = out->names;
    return out;
  }

  template <class Keep>
  void crash_with(const Keep& keep) {
    const std::lock_guard lock(mutex_);
    ++generation_;
    locked_ = std::make_shared<Locked>();
    std::set<const Node*> seen;
    settle(*root_, keep, seen);
    faults_.disarm();
  }
  template <class Keep>
  void settle(Node& node, const Keep& keep, std::set<const Node*>& seen) {
    if (!seen.insert(&node).second) return;
    if (node.data != node.durable_data && keep()) {
      // Torn: some of the new bytes, perhaps all. What was only appended to keeps what was synced.
      const bool appended = node.data.size() > node.durable_data.size() &&
                            std::equal(node.durable_data.begin(), node.durable_data.end(), node.data.begin());
      const std::size_t kept = appended ? node.durable_data.size() : 0;
      if (keep()) node.data.resize(kept + (node.data.size() - kept) / 2);
      node.durable_data = node.data;
    }
    node.data = node.durable_data;
    std::map<std::string, NodePtr> names = node.durable_names;
    for (const auto& [name, child] : node.names) {
      const auto old = names.find(name);
      if ((old == names.end() || old->second != child) && keep()) names[name] = child;
    }
    for (auto old = names.begin(); old != names.end();) {
      const bool removed = !node.names.contains(old->first);
      old = removed && keep() ? names.erase(old) : std::next(old);
    }
    node.names = node.durable_names = std::move(names);
    for (const auto& [name, child] : node.names) settle(*child, keep, seen);
  }

  mutable std::mutex mutex_;
  FaultPlan faults_;
  std::uint64_t numbers_ = 0;     // guarded by mutex_, like all below
  std::uint64_t generation_ = 0;  // of open files
  std::uint64_t salt_ = 0;
  std::int64_t ticks_ = 0;
  NodePtr root_;
  std::map<std::string, std::uint64_t> limits_;
  std::set<std::string> unmounted_;
  std::string forgotten_;
  std::shared_ptr<Locked> locked_ = std::make_shared<Locked>();
};

}  // namespace greffe::testing

#endif
