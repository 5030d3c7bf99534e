// Sees to it that everything is on R volumes that count. Whenever a volume has come, gone or is to be emptied, and once a
// day (then what lacks is damage, and reported), it looks through all names, copies what lacks replicas, and has every log complete; a volume that was to be
// emptied, and on which nothing depends any more, is retired. And whenever new objects do not find R volumes with room any
// more, it moves what must move to those that have (store/rebalance.h). Thread "gr-keep", with idle priority for processor
// and disk. Thread-safe.
//
// The pool's list of volumes says after a start whether there is something to do, and what is in order costs a look at its
// name. How far a pass is survives in one small file (keeper_state.h): a pass that was broken off is gone on with when the volumes
// are as they were.
#ifndef GREFFE_ARCHIVE_POOL_KEEPER_H
#define GREFFE_ARCHIVE_POOL_KEEPER_H

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "archive/base/file_system.h"
#include "archive/base/log.h"
#include "archive/keeper_state.h"
#include "archive/store/whole_pool.h"

namespace greffe::archive {

struct KeepingFacts {
  bool running = false;
  store::CensusTotals objects;      // of the pass that runs, else of the last one
  std::uint64_t logs = 0;           // looked through in it
  std::optional<UtcTime> finished;  // when the last pass came to its end
  std::string problem;              // why something lacks replicas still; empty: nothing does
};

// Room for new objects.
struct RoomFacts {
  bool running = false;
  store::RoomTotals totals;         // of the run that goes on, else of the last one
  std::optional<UtcTime> finished;  // when the last one came to its end
  std::string problem;              // why there is too little still; empty: there is enough
};

struct KeeperSettings {
  std::string state_path;              // of keep.json
  std::uint64_t bytes_per_second = 0;  // of objects that are moved to make room; 0: as fast as it goes
};

class PoolKeeper {
 public:
  PoolKeeper(Clock& clock, Log& log, FileSystem& files, store::WholePool& pool, KeeperSettings settings);
  ~PoolKeeper();  // stops the thread
  void start();
  void stop();  // after the object under way; the next start goes on there
  void wake();  // a volume was added or is to be emptied: look now
  KeepingFacts facts() const;
  RoomFacts room() const;

 private:
  // What a pass depends on: which volumes are there and what is asked of them.
  struct Seen {
    std::uint64_t changes = 0;
    std::vector<std::pair<std::string, store::VolumeState>> volumes;
    bool operator==(const Seen&) const = default;
  };
  Seen look();
  void take_up();
  void save(const Seen& seen, bool volumes_changed, const store::CensusTotals& totals);
  void forget();
  void run(std::stop_token stop);
  bool due(const Seen& now) /* mutex_ held */;
  void pass(const Seen& seen, bool volumes_changed, std::stop_token stop);
  void see_to_room(const Seen& seen, std::stop_token stop);
  Status complete_logs(std::stop_token stop);
  void retire_emptied(const Seen& seen);

  Clock& clock_;
  Log& log_;
  FileSystem& files_;
  store::WholePool& pool_;
  const KeeperSettings settings_;
  store::VolumeMembers* const members_;  // none: the pool sees to its replicas itself, and there is nothing to do
  mutable std::mutex mutex_;  // guards those below
  std::condition_variable_any changed_;
  bool woken_ = false;
  Seen last_;                 // how the volumes were at the last pass
  bool whole_ = true;         // and nothing lacked then
  std::int64_t last_ms_ = 0;  // monotonic; end of the last pass, or the start
  KeepingFacts facts_;
  RoomFacts room_;
  Seen room_seen_;              // how the volumes were when room was made last
  std::int64_t room_ms_ = 0;    // monotonic; when that was
  // Of the thread alone, once it runs.
  std::optional<KeeperState> broken_off_;  // a pass to go on with
  std::int64_t saved_ms_ = 0;              // monotonic
  std::jthread thread_;
};

}  // namespace greffe::archive

#endif
