// One connection of a listener: requests one after the other, until the peer, a limit or the server ends it. Lives on
// one event loop; only handlers and files leave it, to the worker pool.
#ifndef GREFFE_WEB_HTTP_CONNECTION_H
#define GREFFE_WEB_HTTP_CONNECTION_H

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "web/http/buffer_pool.h"
#include "web/http/router.h"
#include "web/http/server.h"
#include "web/http/tls_context.h"
#include "web/http/worker_pool.h"

namespace boost::asio {
class io_context;
}

namespace greffe::http {

constexpr std::size_t kBodyBufferBytes = 256 * 1024;

// What the connections of a listener share. Immutable but for the counter and what is of the thread that accepts.
struct Listener {
  ListenerSettings settings;  // its routes are in `router`
  Router router;
  std::optional<TlsContext> tls;
  std::atomic<std::size_t> open{0};
  std::optional<std::chrono::steady_clock::time_point> shortage_told;  // of the thread that accepts
};

// A connected, non-blocking socket, counted at its listener and its loop. Closes it.
class AcceptedSocket {
 public:
  AcceptedSocket(int descriptor, std::shared_ptr<Listener> listener, std::atomic<std::size_t>& loop_count);
  AcceptedSocket(AcceptedSocket&& other) noexcept;
  AcceptedSocket& operator=(AcceptedSocket&&) = delete;
  ~AcceptedSocket();
  int descriptor() const { return descriptor_; }
  Listener& listener() const { return *listener_; }

  std::string remote;
  std::optional<std::uint32_t> peer_uid;

 private:
  int descriptor_;
  std::shared_ptr<Listener> listener_;
  std::atomic<std::size_t>* loop_count_;
};

// A connection as its loop sees it.
class LiveConnection {
 public:
  virtual ~LiveConnection() = default;
  virtual void look_at_clock(std::chrono::steady_clock::time_point now) = 0;  // ends what waited too long
  virtual void cut() = 0;  // ends at the next moment at which no handler runs
  std::size_t place = 0;   // index in LoopShared::live
};

// What a loop lends to its connections. Owned by the loop's thread.
struct LoopShared {
  WorkerPool& workers;
  BufferPool heads;
  BufferPool bodies;
  std::vector<LiveConnection*> live;
  bool stopping = false;
};

void start_connection(boost::asio::io_context& io, LoopShared& loop, AcceptedSocket socket);

}  // namespace greffe::http

#endif
