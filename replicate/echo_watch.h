// Asks a target every few seconds for an answer to a fresh nonce, and says for how long there has been none: measured with this
// machine's clock alone. Thread-safe.
#ifndef GREFFE_REPLICATE_ECHO_WATCH_H
#define GREFFE_REPLICATE_ECHO_WATCH_H

#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "archive/base/clock.h"
#include "archive/base/log.h"
#include "replicate/remote_sites.h"

namespace greffe::replicate {

constexpr std::int64_t kEchoEveryMs = 5'000;
constexpr std::int64_t kEchoLateMs = 15'000;  // it is said once there was none for so long

class EchoWatch {
 public:
  struct Facts {
    std::optional<std::int64_t> round_trip_ms;  // of the newest answer
    std::int64_t silent_ms = 0;                 // since it came, or since this object was made
    bool late = false;
    std::string problem;                        // why the last one did not come; empty: it came
  };
  // All of them must outlive this object. `target`: its name, for words.
  EchoWatch(CopySite& site, Clock& clock, Log& log, std::string target);

  void ask();                      // once; waits for the answer
  void run(std::stop_token stop);  // every kEchoEveryMs, until the stop
  Facts facts() const;

 private:
  CopySite& site_;
  Clock& clock_;
  Log& log_;
  const std::string target_;
  mutable std::mutex mutex_;  // guards what follows
  std::int64_t heard_ms_;     // monotonic
  std::optional<std::int64_t> round_trip_ms_;
  std::string problem_;
  bool told_ = false;
};

}  // namespace greffe::replicate

#endif
