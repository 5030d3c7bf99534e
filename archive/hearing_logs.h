// The archive's copies of hearing logs: one writer per open hearing, kept in memory while it is used. Every post of a
// hearing happens under that hearing's lock. Thread-safe.
#ifndef GREFFE_ARCHIVE_HEARING_LOGS_H
#define GREFFE_ARCHIVE_HEARING_LOGS_H

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "archive/format/entries.h"
#include "archive/format/finished_hearing.h"
#include "archive/main_log.h"
#include "archive/tlog/log_writer.h"

namespace greffe::archive {

// What this process knows of one hearing. Guarded by its mutex.
struct HearingState {
  explicit HearingState(tlog::LogWriter log_writer) : writer(std::move(log_writer)) {}
  std::mutex mutex;
  tlog::LogWriter writer;
  std::optional<OpenEntry> open;  // of index 0, when there is one
  bool closed = false;
  std::uint64_t committed_size = 0;    // size of its newest main-log entry
  std::int64_t committed_mono_ms = 0;  // when that was; 0: before this process
  std::set<Digest> named;              // objects that its entries name
  FinishedHearing finished;            // was shown every entry
  // Objects deposited for it by this process and not yet named by an entry, with their sizes.
  std::map<Digest, std::uint64_t> deposited;
  std::uint64_t deposited_bytes = 0;
};

class HearingLogs {
 public:
  // How many hearings are kept in memory (some 60 to 300 KB each); of those that nobody uses the least recently used is forgotten. Finished ones
  // are only played, and a court finishes thousands a day.
  struct Limits {
    std::size_t going_on = 1024;
    std::size_t finished = 128;
  };
  explicit HearingLogs(Stores stores) : HearingLogs(stores, Limits{}) {}
  HearingLogs(Stores stores, Limits limits) : stores_(stores), limits_(limits) {}

  // The state of a hearing's log; an unknown hearing has an empty one. The pointer keeps it alive.
  Result<std::shared_ptr<HearingState>> get(const HearingId& id);
  // Forgets what is in memory: after an append of unknown outcome the log must be opened again.
  void forget(const HearingId& id);
  tlog::LogReader reader(const HearingId& id) const;
  // Hearings that have a marker below "log/open/": begun and not closed, or closed and not yet in the main log.
  Result<std::vector<HearingId>> begun() const;
  Status mark_begun(const HearingId& id);
  Status mark_finished(const HearingId& id);

 private:
  using Recent = std::list<HearingId>;  // most recently used first
  struct Kept {
    std::shared_ptr<HearingState> state;
    bool finished;
    Recent::iterator place;  // in the list of those that are finished, or of those that are not
  };
  Result<std::shared_ptr<HearingState>> load(const HearingId& id) const;
  Recent& recent(bool finished) { return finished ? finished_ : going_on_; }
  void forget_idle(Recent& recent, std::size_t limit);

  Stores stores_;
  const Limits limits_;
  std::mutex mutex_;  // guards what is below; taken under a hearing's
  std::map<HearingId, Kept> kept_;
  Recent going_on_, finished_;
};

}  // namespace greffe::archive

#endif
