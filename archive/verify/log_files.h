// Reads one log from its files, in as many copies as there are (one a volume), rebuilds its tree from the bytes of the
// entries, and says which copy of which file is not what the tree commits to. One thread.
#ifndef GREFFE_ARCHIVE_VERIFY_LOG_FILES_H
#define GREFFE_ARCHIVE_VERIFY_LOG_FILES_H

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format/signed_note.h"
#include "archive/verify/files.h"
#include "archive/verify/report.h"
#include "archive/verify/tile_tree.h"

namespace greffe::verify {

// Which log is being read, for findings.
struct LogName {
  std::string log;      // "main" or "hearing"
  std::string hearing;  // UUID, of a hearing's log
};

// A copy of a signed note that could be parsed.
struct NoteCopy {
  std::string file;
  SignedCheckpoint signed_checkpoint;
};

class LogFiles {
 public:
  // The log's folder on each volume (or the only one); folders that do not exist are passed over.
  LogFiles(LogName name, std::vector<std::string> folders, Files& files, Report& report);

  // The checkpoints that stand there, largest first. What cannot be parsed is a finding with this code.
  std::vector<NoteCopy> checkpoints(const std::string& code) const;
  // The newest checkpoint that each cosigner signed: the files below "cosigned/".
  std::vector<NoteCopy> cosigned(const std::string& code) const;

  // Reads entries [0, size) and builds their tree. Findings: `entry-altered`, `entries-missing`, `tile-altered`,
  // `unreadable`. True when the tree has the root of the checkpoint, if need be with the stored hash of an altered entry
  // in its place.
  bool load(const Checkpoint& checkpoint);
  const TileTree& tree() const { return tree_; }
  bool whole() const { return whole_; }  // every entry gives the hash that the tree has for it
  // Completes the finding of an altered entry from the bytes that stand there now.
  using Describe = std::function<void(Finding& finding, std::string_view altered_entry)>;
  void set_describe(Describe describe) { describe_ = std::move(describe); }
  // After load(): every entry in order, read again; those whose bytes are not what the tree commits to are passed over.
  void visit(const std::function<void(std::uint64_t index, std::string_view entry)>& visit) const;
  // Those with indices [first, last), until `visit` says false; no more is read than where they are.
  void visit(std::uint64_t first, std::uint64_t last, const std::function<bool(std::uint64_t index, std::string_view entry)>& visit) const;

 private:
  struct Copy {
    std::string file;
    std::size_t skip = 0;  // entries in the file before the first that was asked for
    std::vector<Digest> leaves;  // as many as were asked for
  };
  struct TileCopy {
    std::string file;
    std::vector<Digest> hashes;
  };
  struct Source {  // where the entries of a bundle were taken from; empty file: from nowhere
    std::string file;
    std::size_t skip = 0;
    std::uint64_t count = 0;
  };
  struct Doubt {  // a tile of leaf hashes and a bundle disagree; the root decides which of them is wrong
    std::uint64_t first = 0;
    Copy bundle;
    TileCopy tile;
  };

  // Entries [skip, skip + count) of a bundle or stage that must hold `total`.
  Result<std::vector<std::string>> read_entries(const std::string& file, std::uint64_t total, std::size_t skip,
                                                std::uint64_t count) const;
  void add_copy(const std::string& file, std::uint64_t total, std::size_t skip, std::uint64_t first, std::uint64_t count,
                std::vector<Copy>& out) const;
  std::vector<Copy> bundle_copies(std::uint64_t first, std::uint64_t count, const Checkpoint& checkpoint) const;
  void add_stage_copies(std::uint64_t first, std::uint64_t count, const Checkpoint& checkpoint, std::vector<Copy>& out) const;
  std::vector<TileCopy> leaf_tiles(std::uint64_t first, std::uint64_t count) const;
  bool take_bundle(std::uint64_t first, std::uint64_t count, const Checkpoint& checkpoint, std::vector<Digest>& leaves);
  const Copy* choose(const std::vector<Copy>& copies, const std::vector<TileCopy>& tiles, bool is_last,
                     const Checkpoint& checkpoint) const;
  void report_other_copies(std::uint64_t first, const std::vector<Copy>& copies, const Copy& chosen) const;
  bool settle_doubts(const Checkpoint& checkpoint, std::vector<Digest> leaves);
  void check_tiles() const;
  void add_altered(std::string what, const Copy& copy, std::uint64_t first, std::size_t i) const;
  void add(Verdict verdict, const char* code, std::string what, const std::string& file,
           std::optional<std::uint64_t> entry = {}, std::optional<std::uint64_t> entry_end = {}) const;

  const LogName name_;
  const std::vector<std::string> folders_;
  Files& files_;
  Report& report_;
  Describe describe_;
  TileTree tree_;
  bool whole_ = false;
  TreeEdge edge_;  // of the bundles so far
  std::vector<Source> sources_;  // [i]: of bundle i
  std::vector<Doubt> doubts_;
};

}  // namespace greffe::verify

#endif
