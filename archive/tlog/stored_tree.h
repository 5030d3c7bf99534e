// The full tiles and entry bundles of one log as they are stored. Thread-safe; remembers the roots of tiles, which
// never change.
#ifndef GREFFE_ARCHIVE_TLOG_STORED_TREE_H
#define GREFFE_ARCHIVE_TLOG_STORED_TREE_H

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "archive/format/tiles.h"
#include "archive/store/object_store.h"

namespace greffe::tlog {

std::string tile_key(const std::string& log_path, const TileName& name);
std::vector<Digest> leaf_hashes(const std::vector<std::string>& entries);

class StoredTree {
 public:
  // quick: hash tiles are believed as the first replica has them. careful: every hash is derived from the entries, and
  // among replicas of a bundle the one that some replica of its level-0 tile agrees with is taken; slow, for when the
  // quick way does not lead to the root.
  enum class Trust { quick, careful };

  StoredTree(store::ObjectStore& objects, std::string log_path, Trust trust)
      : objects_(objects), log_path_(std::move(log_path)), trust_(trust) {}

  // The 256 hashes of a full tile. not_found: it is not stored (and its children are not either).
  Result<std::vector<Digest>> tile(unsigned level, std::uint64_t index);
  Result<Digest> tile_root(unsigned level, std::uint64_t index);
  // The 256 entries of a full bundle, checked against its level-0 hashes. corrupt: no two replicas agree.
  Result<std::vector<std::string>> bundle(std::uint64_t index);
  Trust trust() const { return trust_; }

 private:
  Result<std::vector<Digest>> stored_tile(unsigned level, std::uint64_t index);
  Result<std::vector<Digest>> derived_tile(unsigned level, std::uint64_t index);

  store::ObjectStore& objects_;
  const std::string log_path_;
  const Trust trust_;
  std::mutex mutex_;
  std::map<std::pair<unsigned, std::uint64_t>, Digest> roots_;  // guarded by mutex_; (level, index) of a full tile
};

}  // namespace greffe::tlog

#endif
