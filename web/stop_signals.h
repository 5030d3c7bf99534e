// What `serve` waits for. Made before any thread: the signals are blocked in all of them.
#ifndef GREFFE_WEB_STOP_SIGNALS_H
#define GREFFE_WEB_STOP_SIGNALS_H

#include <signal.h>
#include <unistd.h>

namespace greffe::web {

class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&set_);
    for (const int number : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&set_, number);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  // Until SIGTERM or SIGINT.
  void wait() {
    while (wait_for_turn()) {
    }
  }
  // True: announce_turn() was called. False: SIGTERM or SIGINT came.
  bool wait_for_turn() {
    int number = 0;
    sigwait(&set_, &number);
    return number == SIGUSR1;
  }
  static void announce_turn() { kill(getpid(), SIGUSR1); }  // any thread

 private:
  sigset_t set_{};
};

}  // namespace greffe::web

#endif
