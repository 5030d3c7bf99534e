// The thread "gr-second": makes every change of the spool again in the station's other directory, a moment later. Nobody waits for it:
// changes are handed over through a queue of 64 MiB. When it is full, or a change fails, the copy is behind: nothing is queued any more,
// it is said, and the thread makes the copy complete again by reading what stands there, then follows the queue again.
#ifndef GREFFE_INGEST_SECOND_COPY_H
#define GREFFE_INGEST_SECOND_COPY_H

#include <cstdint>
#include <memory>
#include <string>

#include "archive/base/clock.h"
#include "archive/base/log.h"
#include "archive/format/canonical_json.h"
#include "archive/format/names.h"
#include "ingest/second_job.h"

namespace greffe::ingest {

struct SecondLimits {
  std::uint64_t queue_bytes = 64ull * 1024 * 1024;
  std::int64_t look_again_ms = 10'000;  // for a disk that is not there, or a copy that fell behind
};

struct SecondStatus {
  // following: it holds everything but what is in the queue. catching-up, behind: it lacks something. absent, foreign: see `problem`.
  std::string state;
  std::string directory;
  std::string problem;            // why it does not follow, in words; empty
  UtcTime since;                  // of the state
  std::uint64_t waiting_bytes = 0;  // in the queue
  std::int64_t late_ms = 0;       // how long the oldest of them has waited
  Space disk;                     // 0: not known
};
Json to_json(const SecondStatus& status);

// Thread-safe.
class SecondCopy {
 public:
  struct Directories {
    std::string from;  // the one that counts
    std::string to;
    bool serves = false;  // this process is the station's service: it alone says that `from` may go on without the copy
  };
  // Begins at once. `files` (the real one), `clock` and `log` must outlive this object, and, where a disk hangs, the process.
  SecondCopy(FileSystem& files, Clock& clock, Log& log, Directories directories, SecondLimits limits = {});
  ~SecondCopy();  // stop()

  // Hands a change over that was made just now. Never waits for a disk.
  void push(SecondJob job);
  // From here on this process writes the hearing, or does not any more. What others write is not caught up meanwhile.
  void writes(const HearingId& id, bool now);

  SecondStatus status() const;
  // The directory that counts has failed, and nothing is pushed any more; ends the thread. True: the copy holds all of it, after `ms`
  // at most; it may count from now on.
  bool may_take_over(std::int64_t ms);
  // Waits until the copy lacks nothing of what this process did or found, or `ms` have passed; also while it is made complete.
  bool wait_until_caught_up(std::int64_t ms);
  // Ends within some seconds, also where the disk hangs; what is in the queue is not written any more.
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace greffe::ingest

#endif
