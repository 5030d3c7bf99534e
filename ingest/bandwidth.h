// The station's share of the line: every byte of a recording that is uploaded asks here first, over all connections. What the
// log itself says (entries, checkpoints, questions) does not ask. Thread-safe.
#ifndef GREFFE_INGEST_BANDWIDTH_H
#define GREFFE_INGEST_BANDWIDTH_H

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <stop_token>

#include "archive/base/clock.h"
#include "archive/base/token_bucket.h"
#include "ingest/timetable.h"

namespace greffe::ingest {

class Bandwidth {
 public:
  // Both must outlive this object.
  Bandwidth(Clock& clock, const Timetable& timetable, std::stop_token stop) : clock_(clock), timetable_(timetable), stop_(std::move(stop)) {}

  RateLimit limit() { return timetable_.at(clock_.utc_now()); }
  Status check();  // conflict: only the log may go at this time
  // While one of these exists, time counts as time of sending.
  class Sending {
   public:
    explicit Sending(Bandwidth& owner) : owner_(owner) { owner_.begin(); }
    ~Sending() { owner_.end(); }
    Sending(const Sending&) = delete;
    Sending& operator=(const Sending&) = delete;

   private:
    Bandwidth& owner_;
  };
  // How many of `wanted` bytes may go now, at least one; waits for its turn. conflict: only the log may go at this time.
  // cancelled: the stop.
  Result<std::size_t> take(std::size_t wanted);
  // Bytes a second, over the last half minute of sending. 0: nothing was sent yet.
  std::uint64_t rate_bytes_s();

 private:
  void count(std::size_t bytes);
  void begin();
  void end();
  std::int64_t sending_ms() const;

  Clock& clock_;
  const Timetable& timetable_;
  const std::stop_token stop_;
  std::mutex mutex_;                 // guards what follows
  std::condition_variable_any turn_;
  TokenBucket bucket_;
  int senders_ = 0;
  std::int64_t begun_ms_ = 0;        // monotonic: when the first of them began
  std::int64_t earlier_ms_ = 0;      // of sending, before that
  struct Sent {
    std::int64_t second;             // of sending
    std::uint64_t bytes;
  };
  std::deque<Sent> sent_;
};

}  // namespace greffe::ingest

#endif
