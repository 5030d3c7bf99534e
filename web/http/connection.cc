// Coroutine rules (g++ 12 destroys temporaries of a co_await expression twice): every closure and every braced
// aggregate has a name before the co_await; coroutines are functions with by-value parameters. tests/lint/coroutines.py
// checks it.
#include "web/http/connection.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "web/http/chunked.h"
#include "web/http/exchange.h"
#include "web/http/rate_window.h"
#include "web/http/response_head.h"
#include "web/http/transport.h"

namespace greffe::http {
namespace {

namespace asio = boost::asio;
using Executor = asio::io_context::executor_type;
using Waitable = asio::posix::basic_stream_descriptor<Executor>;
template <class T>
using Awaitable = asio::awaitable<T, Executor>;
using Token = asio::use_awaitable_t<Executor>;
constexpr asio::as_tuple_t<Token> kByValue{Token{}};  // errors are values
using Clock = std::chrono::steady_clock;

constexpr auto kNever = Clock::time_point::max();
constexpr std::chrono::seconds kRateWindow{30};
constexpr std::chrono::seconds kIdleUnderPressure{5};
constexpr std::chrono::seconds kLinger{3};
constexpr std::uint64_t kLingerBytes = 64 * 1024 * 1024;
// A refused request's body up to this size is read and dropped, so that the connection can go on.
constexpr std::uint64_t kDiscardBytes = 64 * 1024;
// After so much without a wait the other connections of the loop get their turn.
constexpr std::size_t kTurnBytes = 1024 * 1024;
// Responses up to this size leave together with their head in one write.
constexpr std::size_t kJoinBytes = 64 * 1024;

enum class BodyEnd { complete, gone, too_slow, too_large, malformed };

class Connection : public LiveConnection {
 public:
  Connection(asio::io_context& io, LoopShared& loop, AcceptedSocket socket)
      : io_(io),
        loop_(loop),
        socket_(std::move(socket)),
        settings_(socket_.listener().settings),
        waitable_(io, socket_.descriptor()),
        transport_(socket_.listener().tls
                       ? make_tls_transport(socket_.descriptor(), socket_.listener().tls->get())
                       : make_plain_transport(socket_.descriptor())) {
    place = loop_.live.size();
    loop_.live.push_back(this);
  }
  ~Connection() override {
    loop_.live.back()->place = place;
    loop_.live[place] = loop_.live.back();
    loop_.live.pop_back();
    waitable_.release();  // socket_ closes it
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void look_at_clock(Clock::time_point now) override;
  void cut() override;
  static Awaitable<void> run(std::unique_ptr<Connection> connection);

 private:
  Awaitable<bool> wait(Io what, Clock::time_point deadline);
  Awaitable<bool> wait_paced(Io what);
  Awaitable<void> run_blocking(std::function<void()> job);
  Awaitable<void> let_others_run();

  Awaitable<bool> shake_hands();
  Awaitable<bool> wait_for_request();
  Awaitable<std::size_t> read_head();
  Awaitable<bool> serve_one();
  Awaitable<bool> serve_buffered(const Route* route, const Head* head, Request* request);
  Awaitable<bool> serve_streamed(const Route* route, const Head* head, Request* request);
  Awaitable<bool> say_continue(bool expected);

  Awaitable<std::size_t> fill(std::span<std::uint8_t> out);
  Awaitable<std::size_t> fill_input();
  Awaitable<BodyEnd> read_sized(std::uint64_t size, std::string* out);
  Awaitable<BodyEnd> read_chunked(std::uint64_t limit, std::string* out);
  Awaitable<bool> discard(std::uint64_t size);

  Awaitable<bool> answer(Response response);
  Awaitable<bool> answer_unread(Response response, const Head* head);
  Awaitable<bool> refuse(int status, std::string code, std::string detail);
  Awaitable<bool> send(ByteView bytes, bool more);
  Awaitable<bool> send_file(FileBody file);
  Awaitable<bool> send_file_by_kernel(FileBody file);
  Awaitable<void> close();

  std::string_view input_text() const { return {reinterpret_cast<const char*>(input_.span().data()), have_}; }
  void drop_input(std::size_t count);

  asio::io_context& io_;
  LoopShared& loop_;
  AcceptedSocket socket_;
  const ListenerSettings& settings_;
  Waitable waitable_;  // does not own the descriptor
  std::unique_ptr<Transport> transport_;
  PooledBuffer input_;        // only while bytes are there or expected at once
  std::size_t have_ = 0;      // bytes at the front of input_ that are not consumed yet
  RateWindow pace_{0, kRateWindow};
  Clock::time_point deadline_ = kNever;  // of the wait that goes on
  Clock::time_point idle_since_{};
  bool idle_ = false;         // waiting for the first byte of a request
  bool expired_ = false;      // the deadline ended the wait
  bool cut_ = false;
  bool keep_ = true;          // after this response
  bool linger_ = false;       // the peer may still be sending: let it read our answer before the socket closes
  bool head_only_ = false;    // of this request
  bool http_1_0_ = false;     // of this request
};

void Connection::look_at_clock(Clock::time_point now) {
  if (idle_) {
    const bool crowded = socket_.listener().open * 4 > settings_.max_connections * 3;
    if (loop_.stopping || (crowded && now - idle_since_ > kIdleUnderPressure)) return cut();
  }
  if (now < deadline_) return;
  expired_ = true;
  boost::system::error_code ignored;
  waitable_.cancel(ignored);
}

void Connection::cut() {
  cut_ = true;
  boost::system::error_code ignored;
  waitable_.cancel(ignored);
}

// True: ready. False: the deadline passed (expired_) or the connection is cut.
Awaitable<bool> Connection::wait(Io what, Clock::time_point deadline) {
  expired_ = false;
  if (cut_) co_return false;
  deadline_ = deadline;
  const auto direction = what == Io::want_write ? Waitable::wait_write : Waitable::wait_read;
  const auto result = co_await waitable_.async_wait(direction, kByValue);
  deadline_ = kNever;
  co_return !std::get<0>(result) && !cut_;
}

// The same, as long as the peer keeps its minimum rate. False with expired_: it does not.
Awaitable<bool> Connection::wait_paced(Io what) {
  const auto begun = Clock::now();
  const bool ready = co_await wait(what, begun + pace_.patience());
  if (cut_) co_return false;
  if (!ready && !expired_) co_return false;
  const bool fast_enough = pace_.waited(Clock::now() - begun);
  expired_ = !fast_enough;
  co_return fast_enough;
}

// The one crossing to code that blocks: runs the job on a worker thread and goes on here when it has returned.
Awaitable<void> Connection::run_blocking(std::function<void()> job) {
  auto initiation = [this, &job](auto handler) {
    auto resume = std::make_shared<decltype(handler)>(std::move(handler));
    loop_.workers.post([this, &job, resume]() mutable {
      job();
      asio::post(io_, [resume = std::move(resume)] { std::move(*resume)(); });
    });
  };
  co_await asio::async_initiate<const Token, void()>(initiation, Token());
}

Awaitable<void> Connection::let_others_run() { co_await asio::post(io_, Token()); }

void Connection::drop_input(std::size_t count) {
  have_ -= count;
  if (have_ > 0) std::memmove(input_.span().data(), input_.span().data() + count, have_);
}

Awaitable<void> Connection::run(std::unique_ptr<Connection> connection) {
  Connection& self = *connection;
  try {
    bool more = co_await self.shake_hands();
    while (more) {
      more = co_await self.wait_for_request();
      if (!more) break;
      more = co_await self.serve_one();
    }
    co_await self.close();
  } catch (const std::exception&) {
    // What third-party code throws ends this connection; nothing else is shared with it.
  }
}

Awaitable<bool> Connection::shake_hands() {
  const auto deadline = Clock::now() + std::chrono::seconds(settings_.head_timeout_s);
  for (;;) {
    const Io state = transport_->handshake();
    if (state == Io::moved) co_return true;
    if (state == Io::closed) {
      linger_ = true;  // the alert that says why is on its way; a reset would overtake it
      co_return false;
    }
    const bool ready = co_await wait(state, deadline);
    if (!ready) co_return false;
  }
}

// True: at least one byte of a request is in input_. Meanwhile the connection holds no buffer.
Awaitable<bool> Connection::wait_for_request() {
  idle_since_ = Clock::now();
  if (have_ > 0) co_return true;
  const auto deadline = idle_since_ + std::chrono::seconds(settings_.idle_timeout_s);
  Io state = transport_->has_pending() ? Io::moved : Io::want_read;
  while (!loop_.stopping) {
    if (state != Io::moved) {
      input_.release();
      idle_ = true;
      const bool ready = co_await wait(state, deadline);
      idle_ = false;
      if (!ready) co_return false;
    }
    if (!input_) input_ = loop_.heads.take();
    const Moved moved = transport_->read(input_.span());
    if (moved.state == Io::closed) co_return false;
    if (moved.state == Io::moved) {
      have_ = moved.bytes;
      co_return true;
    }
    state = moved.state;
  }
  co_return false;
}

// The size of the complete head at the front of input_. 0: none came; if that can be answered, it has been.
Awaitable<std::size_t> Connection::read_head() {
  const auto deadline = Clock::now() + std::chrono::seconds(settings_.head_timeout_s);
  std::size_t searched = 0;
  for (;;) {
    const auto end = end_of_head(input_text(), searched);
    if (end) co_return *end;
    if (is_hopeless(input_text().substr(searched))) {
      co_await refuse(400, "invalid", "These bytes are not an HTTP request.");
      co_return 0;
    }
    if (have_ == input_.span().size()) {
      co_await refuse(431, "head_too_large", "The head of the request is longer than 16 KiB.");
      co_return 0;
    }
    searched = have_;
    const Moved moved = transport_->read(input_.span().subspan(have_));
    have_ += moved.bytes;
    if (moved.state == Io::moved) continue;
    if (moved.state == Io::closed) co_return 0;
    const bool ready = co_await wait(moved.state, deadline);
    if (ready) continue;
    if (expired_ && !cut_) {
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
  auto parsed = parse_head(input_text().substr(0, size));
  drop_input(size);
  if (auto* fault = std::get_if<HeadFault>(&parsed)) {
    std::string code = fault->status == 431 ? "head_too_large" : fault->status == 417 ? "expectation" : "invalid";
    co_return co_await refuse(fault->status, std::move(code), std::move(fault->detail));
  }
  const Head head = std::get<Head>(std::move(parsed));
  head_only_ = head.method == "HEAD";
  http_1_0_ = head.http_1_0;
  keep_ = head.keep_alive && !loop_.stopping;
  Request request;
  request.remote = socket_.remote;
  request.peer_uid = socket_.peer_uid;
  request.peer_key = transport_->peer_key();
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
  if (!expected || have_ > 0) co_return true;  // the body is on its way already
  co_return co_await send(as_bytes("HTTP/1.1 100 Continue\r\n\r\n"), false);
}

Awaitable<bool> Connection::serve_buffered(const Route* route, const Head* head, Request* request) {
  if (head->has_body()) {
    pace_ = RateWindow(settings_.min_body_bytes_per_s, kRateWindow);
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
  Response response;
  const Handler& handler = std::get<Handler>(route->handler);
  std::function<void()> job = [&response, &handler, request] { response = call_handler(handler, *request); };
  co_await run_blocking(std::move(job));
  co_return co_await answer(std::move(response));
}

Awaitable<bool> Connection::serve_streamed(const Route* route, const Head* head, Request* request) {
  std::variant<Response, std::unique_ptr<BodySink>> decision;
  const StreamHandler& handler = std::get<StreamHandler>(route->handler);
  std::function<void()> job = [&decision, &handler, request] { decision = call_handler(handler, *request); };
  co_await run_blocking(std::move(job));
  if (auto* response = std::get_if<Response>(&decision)) {
    co_return co_await answer_unread(std::move(*response), head);
  }
  pace_ = RateWindow(settings_.min_body_bytes_per_s, kRateWindow);
  bool alive = co_await say_continue(head->expects_continue);
  std::optional<Response> response;
  PooledBuffer buffer;
  std::uint64_t left = *head->content_length;
  while (alive && !response) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(left, kBodyBufferBytes));
    if (want > 0 && !buffer) buffer = loop_.bodies.take();
    const ByteView piece = buffer.span().first(want);
    const std::size_t got = co_await fill(buffer.span().first(want));
    if (got < want) break;
    left -= want;
    job = [&decision, &response, piece, left] {
      auto& sink = std::get<std::unique_ptr<BodySink>>(decision);
      response = feed_sink(*sink, piece, left == 0);
      if (response) sink.reset();  // what it cleans up may block, so here
    };
    co_await run_blocking(std::move(job));
  }
  buffer.release();
  if (response) {
    if (left > 0) {
      keep_ = false;
      linger_ = true;
    }
    co_return co_await answer(*std::move(response));
  }
  const bool too_slow = !cut_ && expired_;
  job = [&decision] { std::get<std::unique_ptr<BodySink>>(decision).reset(); };
  co_await run_blocking(std::move(job));
  if (too_slow) co_return co_await refuse(408, "timeout", "The body of the request came too slowly.");
  co_return false;
}

// Fills `out` whole. Less: the peer ended, was too slow (expired_), or the connection is cut.
Awaitable<std::size_t> Connection::fill(std::span<std::uint8_t> out) {
  std::size_t got = std::min(have_, out.size());
  if (got > 0) {
    std::memcpy(out.data(), input_.span().data(), got);
    drop_input(got);
  }
  expired_ = false;
  while (got < out.size()) {
    const Moved moved = transport_->read(out.subspan(got));
    if (moved.state == Io::moved) {
      got += moved.bytes;
      pace_.moved(moved.bytes);
      continue;
    }
    if (moved.state == Io::closed) break;
    const bool ready = co_await wait_paced(moved.state);
    if (!ready) break;
  }
  co_return got;
}

// At least one more byte into input_, which has room. 0: as above.
Awaitable<std::size_t> Connection::fill_input() {
  expired_ = false;
  for (;;) {
    const Moved moved = transport_->read(input_.span().subspan(have_));
    if (moved.state == Io::moved) {
      have_ += moved.bytes;
      pace_.moved(moved.bytes);
      co_return moved.bytes;
    }
    if (moved.state == Io::closed) co_return 0;
    const bool ready = co_await wait_paced(moved.state);
    if (!ready) co_return 0;
  }
}

Awaitable<BodyEnd> Connection::read_sized(std::uint64_t size, std::string* out) {
  // Grows as bytes arrive: an announced length alone takes no memory.
  while (out->size() < size) {
    const std::size_t before = out->size();
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(size - before, kBodyBufferBytes));
    out->resize(before + want);
    const std::span<std::uint8_t> room(reinterpret_cast<std::uint8_t*>(out->data()) + before, want);
    const std::size_t got = co_await fill(room);
    if (got < want) co_return expired_ ? BodyEnd::too_slow : BodyEnd::gone;
  }
  co_return BodyEnd::complete;
}

Awaitable<BodyEnd> Connection::read_chunked(std::uint64_t limit, std::string* out) {
  ChunkedReader reader(limit);
  if (!input_) input_ = loop_.heads.take();
  for (;;) {
    const Result<std::size_t> taken = reader.take(input_text(), *out);
    if (!taken) co_return taken.error().code == Errc::no_space ? BodyEnd::too_large : BodyEnd::malformed;
    drop_input(*taken);
    if (reader.done()) co_return BodyEnd::complete;
    const std::size_t got = co_await fill_input();
    if (got == 0) co_return expired_ ? BodyEnd::too_slow : BodyEnd::gone;
  }
}

Awaitable<bool> Connection::discard(std::uint64_t size) {
  if (size == 0) co_return true;
  pace_ = RateWindow(settings_.min_body_bytes_per_s, kRateWindow);
  PooledBuffer buffer = loop_.bodies.take();
  while (size > 0) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(size, buffer.span().size()));
    const std::size_t got = co_await fill(buffer.span().first(want));
    if (got < want) co_return false;
    size -= want;
  }
  co_return true;
}

// A handler's slip must not confuse the peer about where the response ends.
Response sendable(Response response) {
  const auto* file = std::get_if<FileBody>(&response.body);
  const bool has_bytes = file == nullptr || file->size == 0 || file->file != nullptr;
  if (response.status >= 200 && response.status <= 599 && has_bytes) return response;
  return problem(500, "io_error", "The server made a response that cannot be sent.");
}

// True: the connection goes on.
Awaitable<bool> Connection::answer(Response response) {
  response = sendable(std::move(response));
  const std::uint64_t size = body_size(response);
  ResponseFrame frame;
  frame.body_bytes = size;
  frame.keep_alive = keep_ = keep_ && !loop_.stopping;
  frame.http_1_0 = http_1_0_;
  frame.utc_s = ::time(nullptr);
  std::string head = write_response_head(response, settings_.headers, frame);
  // A client that reads too slowly holds a connection and a buffer; a paused player gets the whole idle time.
  pace_ = RateWindow(settings_.min_body_bytes_per_s,
                     std::max(kRateWindow, std::chrono::seconds(settings_.idle_timeout_s)));
  const bool has_body = !head_only_ && size > 0 && may_have_body(response.status);
  auto* text = std::get_if<std::string>(&response.body);
  if (has_body && text != nullptr && text->size() <= kJoinBytes) head += *text;
  bool sent = co_await send(as_bytes(head), has_body);
  if (!sent) co_return false;
  if (has_body && text != nullptr && text->size() > kJoinBytes) {
    sent = co_await send(as_bytes(*text), false);
  } else if (has_body && text == nullptr) {
    sent = co_await send_file(std::get<FileBody>(std::move(response.body)));
  }
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

Awaitable<bool> Connection::send(ByteView bytes, bool more) {
  while (!bytes.empty()) {
    const Moved moved = transport_->write(bytes, more);
    if (moved.state == Io::moved) {
      bytes = bytes.subspan(moved.bytes);
      pace_.moved(moved.bytes);
      continue;
    }
    if (moved.state == Io::closed) co_return false;
    const bool ready = co_await wait_paced(moved.state);
    if (!ready) co_return false;
  }
  co_return true;
}

// What the page cache holds, without waiting for a disk. 0: ask a worker.
std::size_t read_cached(int descriptor, std::uint64_t offset, std::span<std::uint8_t> out) {
  if (descriptor < 0) return 0;
  const iovec piece{out.data(), out.size()};
  const ssize_t count = ::preadv2(descriptor, &piece, 1, static_cast<off_t>(offset), RWF_NOWAIT);
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

// A file that ends before its announced size or fails to be read cuts the connection: the peer then sees that the
// body is not complete.
Awaitable<bool> Connection::send_file(FileBody file) {
  if (transport_->can_send_files() && file.file->descriptor() >= 0) {
    co_return co_await send_file_by_kernel(std::move(file));
  }
  const PooledBuffer buffer = loop_.bodies.take();
  std::size_t turn = 0;
  while (file.size > 0) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(file.size, buffer.span().size()));
    std::span<std::uint8_t> room = buffer.span().first(want);
    std::size_t got = read_cached(file.file->descriptor(), file.offset, room);
    if (got == 0) {
      std::function<void()> job = [&got, &file, room] {
        const Result<std::size_t> read = file.file->read_at(file.offset, room);
        got = read ? *read : 0;
      };
      co_await run_blocking(std::move(job));
      turn = 0;
    }
    if (got == 0) co_return false;
    file.offset += got;
    file.size -= got;
    const bool sent = co_await send(buffer.span().first(got), false);
    if (!sent) co_return false;
    turn += got;
    if (turn >= kTurnBytes) {
      co_await let_others_run();
      turn = 0;
    }
  }
  co_return true;
}

Awaitable<bool> Connection::send_file_by_kernel(FileBody file) {
  const int descriptor = file.file->descriptor();
  while (file.size > 0) {
    const auto turn = static_cast<std::size_t>(std::min<std::uint64_t>(file.size, kTurnBytes));
    std::uint8_t probe = 0;
    const std::span<std::uint8_t> one(&probe, 1);
    const bool cached = read_cached(descriptor, file.offset, one) == 1 &&
                        read_cached(descriptor, file.offset + turn - 1, one) == 1;
    if (!cached) {  // sendfile would wait for the disk here: let a worker wait for it
      const PooledBuffer scratch = loop_.bodies.take();
      std::function<void()> job = [&file, &scratch, turn] {
        for (std::uint64_t at = 0; at < turn; at += scratch.span().size()) {
          if (!file.file->read_at(file.offset + at, scratch.span())) return;  // sendfile will say so itself
        }
      };
      co_await run_blocking(std::move(job));
    }
    std::size_t left = turn;
    while (left > 0) {
      const Moved moved = transport_->send_file(descriptor, file.offset, left);
      if (moved.state == Io::closed) co_return false;
      if (moved.state == Io::moved) {
        left -= moved.bytes;
        file.offset += moved.bytes;
        file.size -= moved.bytes;
        pace_.moved(moved.bytes);
        continue;
      }
      const bool ready = co_await wait_paced(moved.state);
      if (!ready) co_return false;
    }
    co_await let_others_run();
  }
  co_return true;
}

// Closing with unread bytes in the socket would send a reset, which can destroy our last answer on its way.
Awaitable<void> Connection::close() {
  input_.release();
  have_ = 0;
  if (cut_) co_return;
  transport_->end_writing();
  if (!linger_) co_return;
  const auto deadline = Clock::now() + kLinger;
  const PooledBuffer scratch = loop_.heads.take();
  std::uint64_t dropped = 0;
  while (dropped < kLingerBytes) {
    const ssize_t count = ::recv(socket_.descriptor(), scratch.span().data(), scratch.span().size(), MSG_DONTWAIT);
    if (count > 0) {
      dropped += static_cast<std::uint64_t>(count);
      continue;
    }
    if (count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) co_return;
    const bool ready = co_await wait(Io::want_read, deadline);
    if (!ready) co_return;
  }
}

}  // namespace

void start_connection(asio::io_context& io, LoopShared& loop, AcceptedSocket socket) {
  auto connection = std::make_unique<Connection>(io, loop, std::move(socket));
  asio::co_spawn(io, Connection::run(std::move(connection)), asio::detached);
}

}  // namespace greffe::http
