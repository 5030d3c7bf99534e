// Damage that reading, depositing or scrubbing found becomes entries of the main log: a queue and one thread
// ("gr-damage"), because who finds damage is inside the pool and must not wait for the log. Thread-safe.
//
// A thousand findings are written at once, after that one more every ten seconds; ten thousand wait, in order. So the main log
// grows by at most 2.6 MB a day however many replicas a dying disk spoils; how many they were is in the scrub's summaries.
#ifndef GREFFE_ARCHIVE_DAMAGE_JOURNAL_H
#define GREFFE_ARCHIVE_DAMAGE_JOURNAL_H

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "archive/main_log.h"
#include "archive/store/pool.h"

namespace greffe::archive {

class DamageJournal {
 public:
  DamageJournal(Clock& clock, Log& log);
  ~DamageJournal();  // writes what is queued
  void report(const store::Damage& damage);  // any thread; never blocks on the main log
  void start(MainLog& main_log);             // entries are written from now on; what came before waited
  void stop();

 private:
  void run(std::stop_token stop);
  std::vector<MainEntry> next(const std::stop_token& stop);
  Clock& clock_;
  Log& log_;
  MainLog* main_log_ = nullptr;  // set by start()
  std::mutex mutex_;             // guards those below
  std::condition_variable_any changed_;
  std::deque<store::Damage> queue_;
  std::uint64_t beyond_ = 0;     // findings that found no room in the queue
  std::size_t allowed_;          // entries that may be written now
  std::int64_t counted_ms_;      // monotonic; until when `allowed_` has grown
  std::jthread thread_;
};

}  // namespace greffe::archive

#endif
