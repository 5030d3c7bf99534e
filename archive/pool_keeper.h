// Sees to it that everything is on R volumes that count. Whenever a volume has come, gone or is to be emptied, and once a
// day (then what lacks is damage, and reported), it looks through all names, copies what lacks replicas, and has every log complete; a volume that was to be
// emptied, and on which nothing depends any more, is retired. And whenever new objects do not find R volumes with room any
// more, it moves what must move to those that have (store/rebalance.h). Thread "gr-keep", with idle priority for processor
// and disk. Thread-safe.
//
// Nothing of it is stored: the pool's list of volumes says after a start whether there is something to do, and what is
// in order costs a look at its name.
#ifndef GREFFE_ARCHIVE_POOL_KEEPER_H
#define GREFFE_ARCHIVE_POOL_KEEPER_H

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "archive/base/log.h"
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

class PoolKeeper {
 public:
  // `bytes_per_second`: of objects that are moved to make room; 0: as fast as it goes.
  PoolKeeper(Clock& clock, Log& log, store::WholePool& pool, std::uint64_t bytes_per_second = 0);
  ~PoolKeeper();  // stops the thread
  void start();
  void stop();  // after the object under way; the next start begins again
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
  void run(std::stop_token stop);
  bool due(const Seen& now) /* mutex_ held */;
  void pass(const Seen& seen, bool volumes_changed, std::stop_token stop);
  void see_to_room(const Seen& seen, std::stop_token stop);
  Status complete_logs(std::stop_token stop);
  void retire_emptied(const Seen& seen);

  Clock& clock_;
  Log& log_;
  store::WholePool& pool_;
  const std::uint64_t bytes_per_second_;
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
  std::jthread thread_;
};

}  // namespace greffe::archive

#endif
