// A pool that is a copy of the archive's, with nobody behind it: disks, Ceph or a bucket. It is opened when it is first needed, and again
// when it went away or another process had it for a while. Thread-safe.
#ifndef GREFFE_REPLICATE_PASSIVE_POOL_H
#define GREFFE_REPLICATE_PASSIVE_POOL_H

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "archive/base/log.h"
#include "archive/store/open_pool.h"
#include "replicate/copy_label.h"

namespace greffe::replicate {

// Whose copy it has to be.
struct CopyOwner {
  std::string archive;
  VerifierKey log;  // signs the main log of its first epoch; where a pool is rebuilt from the copy, of the epoch up to which it is
  std::vector<VerifierKey> later = {};  // of the epochs after that
};

// Of a copy whose label is lost, or cannot be read, and whose main log our archive signed. Who writes there has it labelled again first
// (init-target); who restores an archive from it needs no label.
enum class LostLabel { refuse, bear };

// While somebody has one of these the pool stays open.
struct OpenedCopy {
  CopyLabel label;
  std::atomic<bool> lost{false};  // another process has it now
  std::unique_ptr<store::WholePool> pool;  // ends before what its listeners use
};

class PassivePool {
 public:
  static constexpr std::int64_t kAgainMs = 5'000;  // after it could not be opened, what was said then is said again

  using Open = std::function<Result<std::unique_ptr<store::WholePool>>(store::PoolMode mode, store::PoolListeners listeners)>;
  // `name`: of the target, for words. All of them must outlive this object.
  PassivePool(Open open, std::string name, CopyOwner owner, store::PoolMode mode, Clock& clock, Log& log, std::stop_token stop, LostLabel lost_label = LostLabel::refuse);

  // unavailable: it is not there now, or another process writes to it. denied: it is not a copy of this archive, or it is no copy at
  // all: nothing was written to it. invalid: the configuration. cancelled.
  Result<std::shared_ptr<OpenedCopy>> get();
  // Something failed there: the next get() looks whether it must be opened anew.
  void doubt() { doubted_ = true; }
  const std::string& name() const { return name_; }
  store::PoolMode mode() const { return mode_; }

 private:
  Result<CopyLabel> owned(store::WholePool& pool) const;
  Result<std::shared_ptr<OpenedCopy>> open();
  bool is_spent() /* mutex_ held */;

  const Open open_;
  const std::string name_;
  const CopyOwner owner_;
  const store::PoolMode mode_;
  const LostLabel lost_label_;
  Clock& clock_;
  Log& log_;
  const std::stop_token stop_;
  std::atomic<bool> doubted_{false};
  std::mutex mutex_;                      // guards what follows
  std::shared_ptr<OpenedCopy> opened_;    // null: not open
  std::optional<Error> refused_;          // why it could not be opened
  std::int64_t refused_ms_ = 0;           // monotonic
};

// Makes the pool of this place a copy's, or adds to it the volumes of the configuration that are new, or labels a copy again whose label is lost
// or damaged and whose main log our archive signed. Done again after a crash it goes on. What is worth knowing, a sentence, or nothing.
// denied: there is an archive in it, another archive's copy, or anything else: it stays as it was. Else as open_pool and init_remote_pool.
Result<std::string> make_passive_pool(FileSystem& files, Clock& clock, const store::PoolPlace& place, const CopyOwner& owner);

// Whether a pool is such a copy, of any archive, or of this one without its label: no place for this archive's own.
Result<bool> is_passive_copy(store::WholePool& pool, std::string_view archive);

}  // namespace greffe::replicate

#endif
