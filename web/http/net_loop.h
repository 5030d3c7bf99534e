// One event loop on a thread of its own (gr-net.N) and the connections that live on it.
#ifndef GREFFE_WEB_HTTP_NET_LOOP_H
#define GREFFE_WEB_HTTP_NET_LOOP_H

#include <atomic>
#include <functional>
#include <memory>

#include "web/http/connection.h"

namespace greffe::http {

// Methods may be called from any thread.
class NetLoop {
 public:
  NetLoop(unsigned number, WorkerPool& workers);
  ~NetLoop();
  NetLoop(const NetLoop&) = delete;
  NetLoop& operator=(const NetLoop&) = delete;

  void start();
  // Accepts from a listening, non-blocking socket (which it then owns) until begin_stop(). `hand_over` is called on
  // this loop's thread with each new, non-blocking descriptor; `short_of_descriptors` each time that a connection has to
  // wait because this process may open no more files.
  void accept_from(int listening, std::function<void(int)> hand_over, std::function<void()> short_of_descriptors);
  void adopt(AcceptedSocket socket);
  std::atomic<std::size_t>& count() { return count_; }  // connections here or on their way

  void begin_stop();  // no new connections; idle ones end now, the others after their response
  void cut();         // the others end as soon as no handler runs for them
  void join();        // when count() is 0

 private:
  struct State;
  std::atomic<std::size_t> count_{0};
  std::unique_ptr<State> state_;
};

}  // namespace greffe::http

#endif
