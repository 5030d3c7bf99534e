// The coroutine rules are in wire.h.
#include "web/http/connection.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <ctime>

#include "web/http/chunked.h"
#include "web/http/exchange.h"
#include "web/http/response_head.h"
#include "web/http/wire.h"

namespace greffe::http {
namespace {

using Clock = Wire::Clock;

constexpr std::chrono::seconds kRateWindow{30};
constexpr std::chrono::seconds kIdleUnderPressure{5};
// A refused request's body up to this size is read and dropped, so that the connection can go on.
constexpr std::uint64_t kDiscardBytes = 64 * 1024;
// Responses up to this size leave together with their head in one write.
constexpr std::size_t kJoinBytes = 64 * 1024;

enum class BodyEnd { complete, gone, too_slow, too_large, malformed };

class Connection : public LiveConnection {
 public:
  Connection(boost::asio::io_context& io, LoopShared& loop, AcceptedSocket socket)
      : loop_(loop), socket_(std::move(socket)), settings_(socket_.listener().settings), wire_(io, loop, socket_) {
    place = loop_.live.size();
    loop_.live.push_back(this);
  }
  ~Connection() override {
    loop_.live.back()->place = place;
    loop_.live[place] = loop_.live.back();
    loop_.live.pop_back();
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void look_at_clock(Clock::time_point now) override;
  void cut() override { wire_.cut(); }
  static Awaitable<void> run(std::unique_ptr<Connection> connection);

 private:
  Awaitable<bool> wait_for_request();
  Awaitable<std::size_t> read_head();
  Awaitable<bool> serve_one();
  Awaitable<bool> serve_buffered(const Route* route, const Head* head, Request* request);
  Awaitable<bool> serve_streamed(const Route* route, const Head* head, Request* request);
  Awaitable<bool> say_continue(bool expected);
  Awaitable<BodyEnd> read_sized(std::uint64_t size, std::string* out);
  Awaitable<BodyEnd> read_chunked(std::uint64_t limit, std::string* out);
  Awaitable<bool> discard(std::uint64_t size);
  Awaitable<bool> answer(Response response);
  Awaitable<bool> answer_unread(Response response, const Head* head);
  Awaitable<bool> refuse(int status, std::string code, std::string detail);

  LoopShared& loop_;
  AcceptedSocket socket_;
  const ListenerSettings& settings_;
  Wire wire_;
  Clock::time_point idle_since_{};
  bool idle_ = false;       // waiting for the first byte of a request
  bool keep_ = true;        // after this response
  bool linger_ = false;     // the peer may still be sending: let it read our answer before the socket closes
  bool head_only_ = false;  // of this request
  bool http_1_0_ = false;   // of this request
};

void Connection::look_at_clock(Clock::time_point now) {
  if (idle_) {
    const bool crowded = socket_.listener().open * 4 > settings_.max_connections * 3;
    if (loop_.stopping || (crowded && now - idle_since_ > kIdleUnderPressure)) return cut();
  }
  wire_.look_at_clock(now);
}

Awaitable<void> Connection::run(std::unique_ptr<Connection> connection) {
  Connection& self = *connection;
  try {
    const auto deadline = Clock::now() + std::chrono::seconds(self.settings_.head_timeout_s);
    const Io greeted = co_await self.wire_.shake_hands(deadline);
    bool more = greeted == Io::moved;
    self.linger_ = !more;  // the alert that says why is on its way; a reset would overtake it
    while (more) {
      more = co_await self.wait_for_request();
      if (!more) break;
      more = co_await self.serve_one();
    }
    co_await self.wire_.finish(self.linger_);
  } catch (const std::exception&) {
    // What third-party code throws ends this connection; nothing else is shared with it.
  }
}

Awaitable<bool> Connection::wait_for_request() {
  if (loop_.stopping) co_return false;
  idle_since_ = Clock::now();
  idle_ = true;
  const bool came = co_await wire_.wait_for_input(idle_since_ + std::chrono::seconds(settings_.idle_timeout_s));
  idle_ = false;
  co_return came;
}

// The size of the complete head at the front of the input. 0: none came; if that can be answered, it has been.
Awaitable<std::size_t> Connection::read_head() {
  const auto deadline = Clock::now() + std::chrono::seconds(settings_.head_timeout_s);
  std::size_t searched = 0;
  for (;;) {
    const std::string_view input = wire_.input();
    const auto end = end_of_head(input, searched);
    if (end) co_return *end;
    if (is_hopeless(input.substr(searched))) {
      co_await refuse(400, "invalid", "These bytes are not an HTTP request.");
      co_return 0;
    }
    if (wire_.input_is_full()) {
      co_await refuse(431, "head_too_large", "The head of the request is longer than 16 KiB.");
      co_return 0;
    }
    searched = input.size();
    const std::size_t got = co_await wire_.read_more(deadline);
    if (got > 0) continue;
    if (wire_.expired() && !wire_.is_cut()) {
      co_await refuse(408, "timeout", "The head of the request did not arrive in time.");
    }
    co_return 0;
  }
}

// True: the connection goes on with the next request.
Awaitable<bool> Connection::serve_one() {
  head_only_ = false;
  http_1_0_ = false;
  const std::size_t size = co_await read_head();
  if (size == 0) co_return false;
  auto parsed = parse_head(wire_.input().substr(0, size));
  wire_.drop_input(size);
  if (auto* fault = std::get_if<HeadFault>(&parsed)) {
    std::string code = fault->status == 431 ? "head_too_large" : fault->status == 417 ? "expectation" : "invalid";
    co_return co_await refuse(fault->status, std::move(code), std::move(fault->detail));
  }
  Head head = std::get<Head>(std::move(parsed));
  head_only_ = head.method == "HEAD";
  http_1_0_ = head.http_1_0;
  keep_ = head.keep_alive && !loop_.stopping;
  Request request;
  request.remote = socket_.remote;
  request.peer_uid = socket_.peer_uid;
  request.peer_key = wire_.transport().peer_key();
  auto found = look_up(socket_.listener().router, head, request);
  if (auto* response = std::get_if<Response>(&found)) {
    co_return co_await answer_unread(std::move(*response), &head);
  }
  const Route* route = std::get<const Route*>(found);
  if (std::holds_alternative<StreamHandler>(route->handler)) {
    co_return co_await serve_streamed(route, &head, &request);
  }
  co_return co_await serve_buffered(route, &head, &request);
}

Awaitable<bool> Connection::say_continue(bool expected) {
  wire_.set_pace(settings_.min_body_bytes_per_s, kRateWindow);
  if (!expected || !wire_.input().empty()) co_return true;  // the body is on its way already
  co_return co_await wire_.send(as_bytes("HTTP/1.1 100 Continue\r\n\r\n"), false);
}

Awaitable<bool> Connection::serve_buffered(const Route* route, const Head* head, Request* request) {
  if (head->has_body()) {
    const bool told = co_await say_continue(head->expects_continue);
    if (!told) co_return false;
    BodyEnd end = BodyEnd::gone;
    if (head->chunked) {
      end = co_await read_chunked(route->max_body_bytes, &request->body);
    } else {
      end = co_await read_sized(*head->content_length, &request->body);
    }
    switch (end) {
      case BodyEnd::complete: break;
      case BodyEnd::gone: co_return false;
      case BodyEnd::too_slow: co_return co_await refuse(408, "timeout", "The body of the request came too slowly.");
      case BodyEnd::malformed: co_return co_await refuse(400, "invalid", "The chunked body is malformed.");
      case BodyEnd::too_large:
        co_return co_await refuse(413, "too_large", "The body is larger than this address takes.");
    }
  }
  if (route->quick && !head->has_body()) {
    std::optional<Response> at_once = call_handler(route->quick, *request);
    if (at_once) co_return co_await answer(*std::move(at_once));
  }
  Response response;
  const Handler& handler = std::get<Handler>(route->handler);
  std::function<void()> job = [&response, &handler, request] { response = call_handler(handler, *request); };
  co_await wire_.run_blocking(std::move(job));
  co_return co_await answer(std::move(response));
}

Awaitable<bool> Connection::serve_streamed(const Route* route, const Head* head, Request* request) {
  std::variant<Response, std::unique_ptr<BodySink>> decision;
  const StreamHandler& handler = std::get<StreamHandler>(route->handler);
  std::function<void()> job = [&decision, &handler, request] { decision = call_handler(handler, *request); };
  co_await wire_.run_blocking(std::move(job));
  if (auto* response = std::get_if<Response>(&decision)) {
    co_return co_await answer_unread(std::move(*response), head);
  }
  const bool alive = co_await say_continue(head->expects_continue);
  std::optional<Response> response;
  PooledBuffer buffer;
  std::uint64_t left = *head->content_length;
  while (alive && !response) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(left, kBodyBufferBytes));
    if (want > 0 && !buffer) buffer = loop_.bodies.take();
    const ByteView piece = buffer.span().first(want);
    const std::size_t got = co_await wire_.fill(buffer.span().first(want));
    if (got < want) break;
    left -= want;
    job = [&decision, &response, piece, left] {
      auto& sink = std::get<std::unique_ptr<BodySink>>(decision);
      response = feed_sink(*sink, piece, left == 0);
      if (response) sink.reset();  // what it cleans up may block, so here
    };
    co_await wire_.run_blocking(std::move(job));
  }
  buffer.release();
  if (response) {
    if (left > 0) {
      keep_ = false;
      linger_ = true;
    }
    co_return co_await answer(*std::move(response));
  }
  const bool too_slow = !wire_.is_cut() && wire_.expired();
  job = [&decision] { std::get<std::unique_ptr<BodySink>>(decision).reset(); };
  co_await wire_.run_blocking(std::move(job));
  if (too_slow) co_return co_await refuse(408, "timeout", "The body of the request came too slowly.");
  co_return false;
}

Awaitable<BodyEnd> Connection::read_sized(std::uint64_t size, std::string* out) {
  // Grows as bytes arrive: an announced length alone takes no memory.
  while (out->size() < size) {
    const std::size_t before = out->size();
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(size - before, kBodyBufferBytes));
    out->resize(before + want);
    const std::span<std::uint8_t> room(reinterpret_cast<std::uint8_t*>(out->data()) + before, want);
    const std::size_t got = co_await wire_.fill(room);
    if (got < want) co_return wire_.expired() ? BodyEnd::too_slow : BodyEnd::gone;
  }
  co_return BodyEnd::complete;
}

Awaitable<BodyEnd> Connection::read_chunked(std::uint64_t limit, std::string* out) {
  ChunkedReader reader(limit);
  wire_.ensure_input_buffer();
  for (;;) {
    const Result<std::size_t> taken = reader.take(wire_.input(), *out);
    if (!taken) co_return taken.error().code == Errc::no_space ? BodyEnd::too_large : BodyEnd::malformed;
    wire_.drop_input(*taken);
    if (reader.done()) co_return BodyEnd::complete;
    const std::size_t got = co_await wire_.read_more(Wire::kAtPace);
    if (got == 0) co_return wire_.expired() ? BodyEnd::too_slow : BodyEnd::gone;
  }
}

Awaitable<bool> Connection::discard(std::uint64_t size) {
  if (size == 0) co_return true;
  wire_.set_pace(settings_.min_body_bytes_per_s, kRateWindow);
  const PooledBuffer buffer = loop_.bodies.take();
  while (size > 0) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(size, buffer.span().size()));
    const std::size_t got = co_await wire_.fill(buffer.span().first(want));
    if (got < want) co_return false;
    size -= want;
  }
  co_return true;
}

// A handler's slip must not confuse the peer about where the response ends.
Response sendable(Response response, bool head_only) {
  const auto* file = std::get_if<FileBody>(&response.body);
  const bool has_bytes = head_only || file == nullptr || file->size == 0 || file->file != nullptr;
  if (response.status >= 200 && response.status <= 599 && has_bytes) return response;
  return problem(500, "io_error", "The server made a response that cannot be sent.");
}

// True: the connection goes on.
Awaitable<bool> Connection::answer(Response response) {
  response = sendable(std::move(response), head_only_);
  const std::uint64_t size = body_size(response);
  ResponseFrame frame;
  frame.body_bytes = size;
  frame.keep_alive = keep_ = keep_ && !loop_.stopping;
  frame.http_1_0 = http_1_0_;
  frame.utc_s = ::time(nullptr);
  std::string head = write_response_head(response, settings_.headers, frame);
  // A client that reads too slowly holds a connection and a buffer; a paused player gets the whole idle time.
  wire_.set_pace(settings_.min_body_bytes_per_s, std::max(kRateWindow, std::chrono::seconds(settings_.idle_timeout_s)));
  const bool has_body = !head_only_ && size > 0 && may_have_body(response.status);
  auto* text = std::get_if<std::string>(&response.body);
  bool sent = false;
  if (has_body && text == nullptr) {
    sent = co_await wire_.send_file(std::move(head), std::get<FileBody>(std::move(response.body)));
    co_return sent && keep_;
  }
  const bool joined = has_body && text->size() <= kJoinBytes;
  if (joined) head += *text;
  const bool follows = has_body && !joined;  // only then may the kernel wait for more
  sent = co_await wire_.send(as_bytes(head), follows);
  if (sent && follows) sent = co_await wire_.send(as_bytes(*text), false);
  co_return sent && keep_;
}

// An answer to a request whose body was not read. A small body is dropped when it comes; after a larger one nobody
// knows where the next request begins, so the connection ends.
Awaitable<bool> Connection::answer_unread(Response response, const Head* head) {
  const bool small = !head->chunked && !head->expects_continue && head->content_length.value_or(0) <= kDiscardBytes;
  if (!small) keep_ = false;
  const bool goes_on = co_await answer(std::move(response));
  if (!goes_on) {
    linger_ = head->has_body();
    co_return false;
  }
  co_return co_await discard(head->content_length.value_or(0));
}

Awaitable<bool> Connection::refuse(int status, std::string code, std::string detail) {
  keep_ = false;
  linger_ = true;
  Response response = problem(status, code, detail);
  co_return co_await answer(std::move(response));
}

}  // namespace

void start_connection(boost::asio::io_context& io, LoopShared& loop, AcceptedSocket socket) {
  auto connection = std::make_unique<Connection>(io, loop, std::move(socket));
  boost::asio::co_spawn(io, Connection::run(std::move(connection)), boost::asio::detached);
}

}  // namespace greffe::http
