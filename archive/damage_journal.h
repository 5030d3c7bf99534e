// Damage that reading, depositing or scrubbing found becomes entries of the main log: a queue and one thread
// ("gr-damage"), because who finds damage is inside the pool and must not wait for the log. Thread-safe.
#ifndef GREFFE_ARCHIVE_DAMAGE_JOURNAL_H
#define GREFFE_ARCHIVE_DAMAGE_JOURNAL_H

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "archive/main_log.h"
#include "archive/store/pool.h"

namespace greffe::archive {

class DamageJournal {
 public:
  DamageJournal(Clock& clock, Log& log);
  ~DamageJournal();  // writes what is queued
  void report(const store::Damage& damage);  // any thread; never blocks on the log
  void start(MainLog& main_log);             // entries are written from now on; what came before waited
  void stop();

 private:
  void run(std::stop_token stop);
  Clock& clock_;
  Log& log_;
  MainLog* main_log_ = nullptr;  // set by start()
  std::mutex mutex_;             // guards queue_
  std::condition_variable_any changed_;
  std::deque<store::Damage> queue_;
  std::jthread thread_;
};

}  // namespace greffe::archive

#endif
