// What one site brings to a comparison: the names that its logs give and its pool has, sorted in a file, with the tree of hashes
// over them. Memory does not grow with their number: 44 MB, and a 256th part of them while they are sorted.
// Built by one thread; thread-safe afterwards.
#ifndef GREFFE_ARCHIVE_STORE_COMPARED_OBJECTS_H
#define GREFFE_ARCHIVE_STORE_COMPARED_OBJECTS_H

#include <atomic>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/base/file_system.h"
#include "archive/format/comparison_messages.h"
#include "archive/format/comparison_tree.h"

namespace greffe::store {

// Where names come from. Called one after the other, each once but for `is_stored`.
struct ComparedSources {
  // Everything that the logs name. `here`, of a log: what is stored of it gives the tree that it should; of objects it is not asked.
  // An error of `take` ends it and is returned.
  using Take = std::function<Status(const ComparedItem& item, bool here)>;
  std::function<Status(const Take& take)> name_all;
  // The names of all objects in the pool, in any order, by listing them.
  std::function<Status(const std::function<bool(const Digest&)>& visit)> walk_stored;
  // Asked about every object that the walk did not show: one may have been moved from one disk to another meanwhile.
  std::function<Result<bool>(const Digest&)> is_stored;
};

struct ComparedProgress {  // steps; written by the thread that builds, read by any
  static constexpr std::uint64_t kTotal = 3 * 256;  // logs, names, sorting
  std::atomic<std::uint64_t> done{0};
};

class ComparedObjects {
 public:
  // In `directory`, which is made if it is not there and which nobody else uses; what an earlier one left there is removed. Takes
  // about 90 bytes of disk for each name while it works and 49 afterwards, in files that end with it. cancelled; no_space and
  // io_error of the directory; else what the sources return.
  static Result<std::unique_ptr<ComparedObjects>> build(FileSystem& files, const std::string& directory, const ComparedSources& sources,
                                                        ComparedProgress& progress, const std::stop_token& stop);
  ~ComparedObjects();

  const ComparisonTree& tree() const;
  // What the logs name and is not here: the first ones, and how many there are.
  static constexpr std::size_t kAbsentKept = 10'000;
  const std::vector<ComparedItem>& absent() const;
  std::uint64_t absent_count() const;
  // Those for which this says true count as if nothing named them. Before the object is shared.
  void excuse(const std::function<bool(const ComparedItem&)>& is_excused);

  Result<std::vector<ComparedItem>> leaf(std::uint32_t leaf) const;
  // none: it is not here.
  Result<std::optional<ComparedItem>> find(const Digest& id) const;
  // At most `count` objects drawn at random, each once.
  Result<std::vector<ComparedItem>> sample(std::size_t count) const;

  std::vector<Digest> answer(const NodesQuestion& question) const;
  Result<IdsAnswer> answer(const IdsQuestion& question) const;

 private:
  struct State;
  explicit ComparedObjects(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace greffe::store

#endif
