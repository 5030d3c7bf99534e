// Is a peer too slow? Counts what arrives, and only the time spent waiting for the peer, in windows. Pure; one thread.
#ifndef GREFFE_WEB_HTTP_RATE_WINDOW_H
#define GREFFE_WEB_HTTP_RATE_WINDOW_H

#include <chrono>
#include <cstdint>

namespace greffe::http {

class RateWindow {
 public:
  using Duration = std::chrono::steady_clock::duration;
  RateWindow(std::uint64_t min_bytes_per_s, std::chrono::seconds window)
      : least_(min_bytes_per_s * static_cast<std::uint64_t>(window.count())), window_(window) {}

  void moved(std::uint64_t bytes) { bytes_ += bytes; }
  // How long the peer may be waited for now.
  Duration patience() const { return window_ - waited_; }
  // After a wait. False: the window is over and too little came; the peer is to be cut off.
  bool waited(Duration time) {
    waited_ += time;
    if (waited_ < window_) return true;
    const bool enough = bytes_ >= least_;
    waited_ = Duration::zero();
    bytes_ = 0;
    return enough;
  }

 private:
  std::uint64_t least_;  // bytes in a window
  Duration window_;
  Duration waited_ = Duration::zero();
  std::uint64_t bytes_ = 0;
};

}  // namespace greffe::http

#endif
