// At a replica: when each archive whose copies it holds was heard of last, and an alarm when one stays silent. The other site cannot be
// asked to raise it: it may be what is gone. One thread ("gr-origins") says in the log that one fell silent, and that it is back.
// Thread-safe.
#ifndef GREFFE_ARCHIVE_ORIGIN_WATCH_H
#define GREFFE_ARCHIVE_ORIGIN_WATCH_H

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "archive/main_log.h"

namespace greffe::archive {

struct OriginFacts {
  std::string name;
  std::int64_t silent_ms = 0;  // since it was heard of last
  UtcTime heard;               // when that was, by this machine's clock
  bool alarm = false;          // silent for longer than it may be
};

class OriginWatch {
 public:
  // All of them must outlive this object. `holder`: this archive's own key as holder of other archives' logs.
  OriginWatch(Clock& clock, Log& log, store::HeadStore& heads, const MainLog& main_log, VerifierKey holder, std::int64_t alarm_after_ms);
  ~OriginWatch();  // stop()

  // Its replicator asked for something. Never blocks on a disk.
  void heard(const std::string& origin);
  // Of every origin that is added and not revoked. After a start its newest cosigned main log says when it was heard, or the day on
  // which it was added.
  Result<std::vector<OriginFacts>> origins() const;

  void start();
  void stop();
  void look();  // what the thread does every second

 private:
  UtcTime last_sign(const catalogue::KnownKey& origin) const;

  Clock& clock_;
  Log& log_;
  store::HeadStore& heads_;
  const MainLog& main_log_;
  const VerifierKey holder_;
  const std::int64_t alarm_after_ms_;
  const std::int64_t began_ms_;  // monotonic
  mutable std::mutex mutex_;     // guards the two below
  mutable std::map<std::string, std::int64_t> heard_ms_;  // monotonic; from before the start too
  std::set<std::string> told_;
  std::jthread thread_;
};

}  // namespace greffe::archive

#endif
