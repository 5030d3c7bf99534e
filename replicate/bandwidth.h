// The line to one target: what may go of each class at this time, and what went in the last five minutes. Thread-safe.
#ifndef GREFFE_REPLICATE_BANDWIDTH_H
#define GREFFE_REPLICATE_BANDWIDTH_H

#include <condition_variable>
#include <deque>
#include <mutex>
#include <stop_token>

#include "archive/base/clock.h"
#include "archive/base/token_bucket.h"
#include "replicate/timetable.h"

namespace greffe::replicate {

class Bandwidth {
 public:
  // The clock must outlive this object.
  Bandwidth(Clock& clock, Timetable timetable, std::stop_token stop = {})
      : clock_(clock), timetable_(std::move(timetable)), stop_(std::move(stop)), begun_ms_(clock.monotonic_ms()) {}

  RateLimit limit(MediaClass media) const { return timetable_.at(media, clock_.utc_now()); }
  // False: nothing of this class may go at this time.
  bool open(MediaClass media) const { return limit(media) != RateLimit(0); }
  // How many of `wanted` bytes may go now; 0: none yet.
  std::size_t try_take(MediaClass media, std::size_t wanted);
  // The same, at least one: waits for its turn. conflict: nothing of this class may go at this time. cancelled: the stop.
  Result<std::size_t> take(MediaClass media, std::size_t wanted);

  // An object arrived at the target.
  void arrived(MediaClass media, std::uint64_t bytes);
  // Bytes a second over the last five minutes, or since this object was made.
  std::uint64_t rate(MediaClass media);

 private:
  struct Arrived {
    std::int64_t slot;
    ByClass<std::uint64_t> bytes;
  };
  std::size_t taken(MediaClass media, std::size_t wanted, RateLimit limit);
  void forget_old(std::int64_t now_ms);

  Clock& clock_;
  const Timetable timetable_;
  const std::stop_token stop_;
  const std::int64_t begun_ms_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable_any turn_;
  ByClass<TokenBucket> buckets_;
  std::deque<Arrived> arrived_;  // a slot each, of five minutes at most
};

}  // namespace greffe::replicate

#endif
