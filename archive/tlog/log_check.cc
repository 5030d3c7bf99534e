#include "archive/tlog/log_check.h"

#include "archive/tlog/tree_view.h"

namespace greffe::tlog {
namespace {

class Check {
 public:
  Check(store::ObjectStore& objects, store::ReplicaRepair& replicas, std::string log_path, const TreeView& view,
        CheckMode mode, std::stop_token stop)
      : objects_(objects), replicas_(replicas), log_path_(std::move(log_path)), view_(view), mode_(mode),
        stop_(std::move(stop)) {}

  Status run() {
    out_.head = view_.head();
    out_.size = view_.size();
    out_.finished = true;
    if (view_.held_first() == 0 && !view_.held().empty()) out_.first = view_.held().front();
    // The hashes of incomplete tiles were checked against the head's root; each names a full tile one level below.
    for (unsigned level = 0; level < 7; ++level) {
      const std::uint64_t nodes = view_.size() >> (8 * (level + 1));
      const auto width = static_cast<unsigned>(nodes % kTileWidth);
      if (width == 0) continue;
      const std::vector<Digest> row = GREFFE_TRY(view_.tile(level + 1, nodes / kTileWidth, width));
      for (unsigned i = 0; i < width; ++i) GREFFE_TRY(check_tile(level, nodes - width + i, row[i]));
    }
    return check_tail();
  }
  LogCheck take() { return std::move(out_); }

 private:
  bool stopped() {
    if (stop_.stop_requested()) out_.finished = false;
    return !out_.finished;
  }

  // A writer publishes first and writes tiles afterwards: until then the stage is their place.
  bool only_in_stage(const std::string& key, unsigned level, std::uint64_t index) {
    if ((index + 1) << (8 * (level + 1)) <= view_.held_first()) return false;
    const auto stored = objects_.get(key);
    return !stored && stored.error().code == Errc::not_found;
  }

  Status check_tile(unsigned level, std::uint64_t index, const Digest& root) {
    if (stopped()) return ok();
    if (level == 0 && GREFFE_TRY(check_leaves(index, root))) return ok();
    const std::string key = tile_key(log_path_, {false, level, index, 0});
    const auto good = good_tile(key, level, index, root);
    if (!good) return lose(key);
    if (!only_in_stage(key, level, index)) GREFFE_TRY(compare(key, write_tile(*good)));
    for (std::uint64_t i = 0; level > 0 && i < kTileWidth; ++i) {
      GREFFE_TRY(check_tile(level - 1, index * kTileWidth + i, (*good)[i]));
    }
    return level == 0 ? check_bundle(index, *good) : ok();
  }

  // The usual case, with every entry hashed once: the first replica of a bundle leads to the root of its tile. false: look closer.
  Result<bool> check_leaves(std::uint64_t index, const Digest& root) {
    if ((index + 1) * kTileWidth > view_.held_first()) return false;
    const std::string key = tile_key(log_path_, {true, 0, index, 0});
    const auto bytes = objects_.get(key);
    const auto entries = bytes ? parse_bundle(*bytes) : Result<std::vector<std::string>>(bytes.error());
    if (!entries || entries->size() != kTileWidth) return false;
    const std::vector<Digest> hashes = leaf_hashes(*entries);
    if (tree_hash(hashes) != root) return false;
    if (index == 0) out_.first = entries->front();
    GREFFE_TRY(compare(tile_key(log_path_, {false, 0, index, 0}), write_tile(hashes)));
    GREFFE_TRY(compare(key, *bytes));
    return true;
  }

  // A replica with that root, or the same hashes derived from below.
  Result<std::vector<Digest>> good_tile(const std::string& key, unsigned level, std::uint64_t index, const Digest& root) {
    const auto stored = objects_.get_all(key);
    for (const Bytes& bytes : stored ? *stored : std::vector<Bytes>()) {
      auto hashes = parse_tile(bytes);
      if (hashes && hashes->size() == kTileWidth && tree_hash(*hashes) == root) return hashes;
    }
    auto derived = view_.tile(level, index, kTileWidth);
    if (derived && tree_hash(*derived) == root) return derived;
    StoredTree careful(objects_, log_path_, StoredTree::Trust::careful);
    derived = careful.tile(level, index);
    if (derived && tree_hash(*derived) == root) return derived;
    return fail(Errc::corrupt, key);
  }

  Status check_bundle(std::uint64_t index, const std::vector<Digest>& hashes) {
    const std::string key = tile_key(log_path_, {true, 0, index, 0});
    if (only_in_stage(key, 0, index)) return ok();
    const auto stored = objects_.get_all(key);
    for (const Bytes& bytes : stored ? *stored : std::vector<Bytes>()) {
      const auto entries = parse_bundle(bytes);
      if (!entries || leaf_hashes(*entries) != hashes) continue;
      if (index == 0) out_.first = entries->front();
      return compare(key, bytes);
    }
    const auto held = view_.bundle(index);
    if (held && leaf_hashes(*held) == hashes) {
      if (index == 0) out_.first = held->front();
      return compare(key, to_bytes(write_bundle(*held)));
    }
    return lose(key);
  }

  Status check_tail() {
    if (stopped()) return ok();
    if (view_.stage()) return compare(stage_path(log_path_, *view_.stage()), to_bytes(write_bundle(view_.held())));
    const auto width = partial_width(0, view_.size());
    if (width == 0) return ok();
    const std::string entries = tile_key(log_path_, {true, 0, view_.size() / kTileWidth, width});
    GREFFE_TRY(compare(entries, to_bytes(write_bundle(view_.held()))));
    for (unsigned level = 0; level < 7; ++level) {
      const unsigned part = partial_width(level, view_.size());
      if (part == 0) continue;
      const TileName name{false, level, view_.size() >> (8 * (level + 1)), part};
      const std::vector<Digest> hashes = GREFFE_TRY(view_.tile(level, name.index, part));
      GREFFE_TRY(compare(tile_key(log_path_, name), write_tile(hashes)));
    }
    return ok();
  }

  Status compare(const std::string& key, const Bytes& good) {
    ++out_.files;
    out_.bytes += good.size();
    const store::ReplicaReport report = GREFFE_TRY(replicas_.compare(key, good));
    if (report.clean()) return ok();
    if (key.find("/stage/") != std::string::npos && superseded_meanwhile(key)) return ok();
    LogFinding finding{key, report.missing, report.different, 0, false};
    if (mode_ == CheckMode::repair) {
      const store::ReplicaReport repaired = GREFFE_TRY(replicas_.restore(key, good));
      finding.repaired = repaired.repaired;
    }
    out_.findings.push_back(std::move(finding));
    return ok();
  }

  // The newest stage goes only when another one took its place.
  bool superseded_meanwhile(const std::string& key) {
    const auto now = objects_.get(key);
    return !now && now.error().code == Errc::not_found;
  }

  Status lose(const std::string& key) {
    ++out_.files;
    out_.findings.push_back({key, {}, {}, 0, true});
    return ok();
  }

  store::ObjectStore& objects_;
  store::ReplicaRepair& replicas_;
  const std::string log_path_;
  const TreeView& view_;
  const CheckMode mode_;
  const std::stop_token stop_;
  LogCheck out_;
};

}  // namespace

Result<LogCheck> check_log(store::ObjectStore& objects, store::HeadStore& heads, store::ReplicaRepair& replicas,
                           const std::string& log_path, CheckMode mode, std::stop_token stop) {
  const std::shared_ptr<const TreeView> view = GREFFE_TRY(TreeView::load(objects, heads, log_path));
  Check check(objects, replicas, log_path, *view, mode, std::move(stop));
  GREFFE_TRY(check.run());
  return check.take();
}

}  // namespace greffe::tlog
