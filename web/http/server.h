// An HTTP/1.1 server: TLS 1.3 or plain loopback or a unix socket; streaming bodies; limits; handlers run on a bounded
// pool of worker threads and may block. Knows nothing of the archive.
#ifndef GREFFE_WEB_HTTP_SERVER_H
#define GREFFE_WEB_HTTP_SERVER_H

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "web/http/message.h"

namespace greffe::http {

using Handler = std::function<Response(const Request&)>;
// Asked first, on the event loop itself: a request that is answered here crosses to no worker and back, which costs more than
// a small answer. It must not block: no file is opened or read, no lock is taken that is held over such work. nullopt: the
// route's handler is asked.
using QuickHandler = std::function<std::optional<Response>(const Request&)>;
// Decides from the head alone: a sink for the body, or an answer at once.
using StreamHandler = std::function<std::variant<Response, std::unique_ptr<BodySink>>(const Request&)>;

struct Route {
  std::string method;
  std::string pattern;  // "/v1/hearings/{id}/objects/{sha256}"; a last "{path*}" takes the rest
  std::variant<Handler, StreamHandler> handler;
  std::uint64_t max_body_bytes = 64 * 1024;
  QuickHandler quick = nullptr;  // of a Handler's route; for requests without a body
};

struct TlsSettings {
  std::string certificate_pem;  // contents, not paths
  std::string key_pem;
  // Ask for and require a client certificate with an Ed25519 key; its dates and names are ignored, its proof of
  // possession is not. Which keys are allowed is the handlers' business (Request::peer_key).
  bool client_certificate = false;
};

struct ListenerSettings {
  std::string address;  // "127.0.0.1:8443", "[::1]:0", or "unix:/run/greffe/archive.sock"
  std::variant<std::monostate, TlsSettings> tls;  // none: loopback and unix only, else start() refuses
  std::vector<Route> routes;
  std::vector<std::pair<std::string, std::string>> headers;  // added to every response (security headers)
  std::size_t max_connections = 4096;
  unsigned head_timeout_s = 15;        // for a whole request head
  unsigned idle_timeout_s = 60;        // between requests
  std::uint64_t min_body_bytes_per_s = 1024;  // slower bodies are cut off (averaged over 30 s)
  // Told in words, at most once a minute, when a connection has to wait for want of a descriptor or is closed because
  // max_connections are open. Called on the event loop: it must not block.
  std::function<void(std::string_view)> on_shortage = nullptr;
};

class Server {
 public:
  explicit Server(unsigned net_threads = 2, unsigned work_threads = 16);
  ~Server();  // stop()
  // Binds at once; serves when start() was called. The bound address (the port when 0 was asked for).
  Result<std::string> listen(ListenerSettings settings);
  void start();
  // No new connections; running requests get `grace_s` to end.
  void stop(unsigned grace_s = 5);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace greffe::http

#endif
