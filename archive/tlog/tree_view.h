// One log as it was at one published head: its tail from the newest stage, everything else from full tiles. Checked
// against the root of the head when it is loaded. Immutable and thread-safe afterwards.
#ifndef GREFFE_ARCHIVE_TLOG_TREE_VIEW_H
#define GREFFE_ARCHIVE_TLOG_TREE_VIEW_H

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/format/merkle.h"
#include "archive/format/names.h"
#include "archive/format/signed_note.h"
#include "archive/tlog/stored_tree.h"
#include "archive/tlog/tile_edge.h"

namespace greffe::tlog {

inline constexpr std::size_t kMaxStageEntries = 70'000;

class TreeView {
 public:
  // not_found: there is no such log. corrupt: no combination of replicas leads to the root of the head.
  static Result<std::shared_ptr<const TreeView>> load(store::ObjectStore& objects, store::HeadStore& heads,
                                                      const std::string& log_path);
  // The same for a head that was just read.
  static Result<std::shared_ptr<const TreeView>> load_at(store::ObjectStore& objects, const std::string& log_path,
                                                         const std::string& head);

  const std::string& head() const { return head_; }
  const SignedCheckpoint& checkpoint() const { return checkpoint_; }
  std::uint64_t size() const { return checkpoint_.checkpoint.size; }
  // The stage that the tail came from; none when the final partial bundle is stored or the tail is empty.
  const std::optional<StageName>& stage() const { return stage_; }
  // The entries [held_first(), size()); at least the tail behind the last full bundle.
  std::uint64_t held_first() const { return held_first_; }
  const std::vector<std::string>& held() const { return held_; }

  Result<Digest> subtree(unsigned level, std::uint64_t index) const;
  Result<std::vector<std::string>> bundle(std::uint64_t index) const;  // full or the last, partial one
  // Up to `width` hashes of a tile; not_found: the tree does not have them.
  Result<std::vector<Digest>> tile(unsigned level, std::uint64_t index, unsigned width) const;
  // The incomplete tiles of the tree of the first held_first() entries.
  Result<TileEdge> boundary() const;

 private:
  TreeView(SignedCheckpoint checkpoint, std::string head)
      : head_(std::move(head)), checkpoint_(std::move(checkpoint)) {}
  Result<bool> take_held(store::ObjectStore& objects, const std::string& log_path, StoredTree::Trust trust);
  Result<bool> take_bytes(store::ObjectStore& objects, const std::string& key, std::uint64_t first);
  Status check_root() const;
  Result<Digest> node(unsigned level, std::uint64_t index) const;

  const std::string head_;
  const SignedCheckpoint checkpoint_;
  std::optional<StageName> stage_;
  std::uint64_t held_first_ = 0;
  std::vector<std::string> held_;
  std::vector<Digest> held_hashes_;
  std::shared_ptr<StoredTree> stored_;
};

}  // namespace greffe::tlog

#endif
