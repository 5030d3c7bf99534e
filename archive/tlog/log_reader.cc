#include "archive/tlog/log_reader.h"

#include <fmt/format.h>

#include <mutex>

#include "archive/format/names.h"
#include "archive/tlog/tree_view.h"

namespace greffe::tlog {

struct LogReader::Loaded {
  std::mutex mutex;
  std::shared_ptr<const TreeView> view;  // guarded by mutex; of the newest head that was read
};

LogReader::LogReader(store::ObjectStore& objects, store::HeadStore& heads, std::string log_path)
    : objects_(objects), heads_(heads), log_path_(std::move(log_path)), loaded_(std::make_shared<Loaded>()) {}

Result<std::shared_ptr<const TreeView>> LogReader::view() const {
  const std::string head = GREFFE_TRY(heads_.read_head(checkpoint_path(log_path_)));
  {
    const std::lock_guard lock(loaded_->mutex);
    if (loaded_->view && loaded_->view->head() == head) return loaded_->view;
  }
  const std::shared_ptr<const TreeView> fresh = GREFFE_TRY(TreeView::load(objects_, heads_, log_path_));
  const std::lock_guard lock(loaded_->mutex);
  if (!loaded_->view || loaded_->view->size() <= fresh->size()) loaded_->view = fresh;
  return fresh;
}

Result<SignedCheckpoint> LogReader::checkpoint() const {
  const std::string head = GREFFE_TRY(heads_.read_head(checkpoint_path(log_path_)));
  auto parsed = parse_signed_checkpoint(head);
  if (!parsed) return fail(Errc::corrupt, "the head of " + log_path_ + " cannot be read: " + parsed.error().message);
  return parsed;
}

Status LogReader::entries(std::uint64_t first, std::uint64_t last,
                          const std::function<bool(std::uint64_t index, std::string_view entry)>& visit) const {
  if (first == last) return ok();
  const std::shared_ptr<const TreeView> tree = GREFFE_TRY(view());
  if (first > last || last > tree->size()) {
    return fail(Errc::invalid, fmt::format("entries {} to {} of {}, which has {}", first, last, log_path_, tree->size()));
  }
  for (std::uint64_t bundle = first / kTileWidth; bundle * kTileWidth < last; ++bundle) {
    const std::vector<std::string> entries = GREFFE_TRY(tree->bundle(bundle));
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const std::uint64_t index = bundle * kTileWidth + i;
      if (index < first) continue;
      if (index >= last || !visit(index, entries[i])) return ok();
    }
  }
  return ok();
}

Result<std::vector<std::string>> LogReader::entries(std::uint64_t first, std::uint64_t last) const {
  std::vector<std::string> out;
  const auto keep = [&](std::uint64_t, std::string_view entry) {
    out.emplace_back(entry);
    return true;
  };
  GREFFE_TRY(entries(first, last, keep));
  return out;
}

Result<Bytes> LogReader::tile(const TileName& name) const {
  const std::shared_ptr<const TreeView> tree = GREFFE_TRY(view());
  const unsigned width = name.width == 0 ? static_cast<unsigned>(kTileWidth) : name.width;
  if (!name.entries) {
    const std::vector<Digest> hashes = GREFFE_TRY(tree->tile(name.level, name.index, width));
    return write_tile(hashes);
  }
  std::vector<std::string> entries = GREFFE_TRY(tree->bundle(name.index));
  if (entries.size() < width) return fail(Errc::not_found, "the log does not have that many entries");
  entries.resize(width);
  return to_bytes(write_bundle(entries));
}

Result<std::vector<Digest>> LogReader::inclusion(std::uint64_t index, std::uint64_t size) const {
  const std::shared_ptr<const TreeView> tree = GREFFE_TRY(view());
  if (size > tree->size()) return fail(Errc::invalid, fmt::format("{} has {} entries, not {}", log_path_, tree->size(), size));
  return inclusion_proof(index, size, [&](unsigned level, std::uint64_t i) { return tree->subtree(level, i); });
}

Result<std::vector<Digest>> LogReader::consistency(std::uint64_t old_size, std::uint64_t size) const {
  const std::shared_ptr<const TreeView> tree = GREFFE_TRY(view());
  if (size > tree->size()) return fail(Errc::invalid, fmt::format("{} has {} entries, not {}", log_path_, tree->size(), size));
  return consistency_proof(old_size, size, [&](unsigned level, std::uint64_t i) { return tree->subtree(level, i); });
}

Result<Digest> LogReader::root_at(std::uint64_t size) const {
  if (size == 0) return empty_root();
  const std::shared_ptr<const TreeView> tree = GREFFE_TRY(view());
  if (size > tree->size()) return fail(Errc::invalid, fmt::format("{} has {} entries, not {}", log_path_, tree->size(), size));
  return root_from_subtrees(size, [&](unsigned level, std::uint64_t i) { return tree->subtree(level, i); });
}

}  // namespace greffe::tlog
