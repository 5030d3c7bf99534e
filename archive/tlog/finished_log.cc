#include "archive/tlog/finished_log.h"

#include <fmt/format.h>

#include "archive/format/tiles.h"
#include "archive/tlog/stored_tree.h"
#include "archive/tlog/tile_edge.h"

namespace greffe::tlog {
namespace {

constexpr std::uint64_t kLongest = kTileWidth * kTileWidth;  // from here on there is a second row of hashes

Error does_not_fit(const std::string& key) { return fail(Errc::corrupt, key + " does not fit the log's root"); }

class FinishedLog {
 public:
  FinishedLog(store::ObjectStore& objects, const std::string& log_path, std::uint64_t size)
      : objects_(objects), log_path_(log_path), size_(size), full_(size / kTileWidth) {}

  // The entries behind the last full bundle, and the roots of all full ones.
  Status load(const Digest& root) {
    const auto tail = static_cast<unsigned>(size_ % kTileWidth);
    std::vector<std::vector<Digest>> levels(2);
    if (tail != 0) {
      tail_ = GREFFE_TRY(bundle({true, 0, full_, tail}, tail));
      levels[0] = leaf_hashes(tail_);
    }
    if (full_ != 0) {
      const std::string key = tile_key(log_path_, {false, 1, 0, static_cast<unsigned>(full_)});
      const Bytes bytes = GREFFE_TRY(objects_.get(key));
      auto row = parse_tile(bytes);
      if (!row || row->size() != full_) return does_not_fit(key);
      roots_ = levels[1] = *std::move(row);
    }
    return TileEdge(size_, std::move(levels)).root() == root ? ok() : Status(does_not_fit(log_path_));
  }

  Result<std::string> entry(std::uint64_t index) {
    const std::uint64_t number = index / kTileWidth;
    if (number == full_) return tail_[index % kTileWidth];
    if (read_.empty() || number != read_number_) {
      const TileName name{true, 0, number, 0};
      read_ = GREFFE_TRY(bundle(name, kTileWidth));
      if (tree_hash(leaf_hashes(read_)) != roots_[number]) return does_not_fit(tile_key(log_path_, name));
      read_number_ = number;
    }
    return read_[index % kTileWidth];
  }

 private:
  Result<std::vector<std::string>> bundle(const TileName& name, std::size_t count) {
    const std::string key = tile_key(log_path_, name);
    const Bytes bytes = GREFFE_TRY(objects_.get(key));
    auto entries = parse_bundle(bytes);
    if (!entries || entries->size() != count) return does_not_fit(key);
    return entries;
  }

  store::ObjectStore& objects_;
  const std::string& log_path_;
  const std::uint64_t size_;
  const std::uint64_t full_;  // bundles
  std::vector<Digest> roots_;
  std::vector<std::string> tail_;
  std::vector<std::string> read_;  // the full bundle that was read last
  std::uint64_t read_number_ = 0;
};

}  // namespace

Result<std::vector<std::string>> finished_entries(store::ObjectStore& objects, const std::string& log_path, std::uint64_t size,
                                                  const Digest& root, std::span<const std::uint64_t> indices) {
  if (size >= kLongest) return fail(Errc::invalid, fmt::format("{} has {} entries: too many to read single ones", log_path, size));
  FinishedLog log(objects, log_path, size);
  GREFFE_TRY(log.load(root));
  std::vector<std::string> out;
  for (const std::uint64_t index : indices) {
    if (index >= size) return fail(Errc::invalid, fmt::format("{} has {} entries, and none of index {}", log_path, size, index));
    out.push_back(GREFFE_TRY(log.entry(index)));
  }
  return out;
}

}  // namespace greffe::tlog
