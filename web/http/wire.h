// The bytes of one connection, with waiting: reads, writes, files, deadlines, and the crossing to code that blocks.
// Includes Asio, so only the .cc files of this folder include it. Lives on one event loop.
//
// Coroutine rules (g++ 12 destroys temporaries of a co_await expression twice): every closure and every braced
// aggregate has a name before the co_await; coroutines are functions with by-value parameters, never lambdas.
// tests/lint/coroutines.py checks the form, tests/unit/http/test_coroutine_canary.cc the compiler.
#ifndef GREFFE_WEB_HTTP_WIRE_H
#define GREFFE_WEB_HTTP_WIRE_H

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string_view>

#include "web/http/connection.h"
#include "web/http/rate_window.h"
#include "web/http/transport.h"

namespace greffe::http {

using Executor = boost::asio::io_context::executor_type;
template <class T>
using Awaitable = boost::asio::awaitable<T, Executor>;
using Token = boost::asio::use_awaitable_t<Executor>;
constexpr boost::asio::as_tuple_t<Token> kByValue{Token{}};  // errors are values

class Wire {
 public:
  using Clock = std::chrono::steady_clock;
  // The socket's descriptor stays its owner's, who must outlive this object.
  Wire(boost::asio::io_context& io, LoopShared& loop, const AcceptedSocket& socket);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  // Called by the loop between turns. A wait that is over its deadline ends with expired().
  void look_at_clock(Clock::time_point now);
  void cut();  // every wait from now on fails
  bool is_cut() const { return cut_; }
  bool expired() const { return expired_; }  // the last wait or read ended because the peer was too slow

  Awaitable<Io> shake_hands(Clock::time_point deadline);  // moved or closed
  // Waits for the first byte of something; meanwhile there is no input buffer. False: none came.
  Awaitable<bool> wait_for_input(Clock::time_point deadline);
  // At least one more byte behind input(), which must not be full. 0: the peer ended, or the deadline (or with
  // kAtPace: the minimum rate) ended it.
  static constexpr Clock::time_point kAtPace = Clock::time_point::min();
  Awaitable<std::size_t> read_more(Clock::time_point deadline);
  // Fills `out` whole, from input() first, at the minimum rate. Less: as above.
  Awaitable<std::size_t> fill(std::span<std::uint8_t> out);
  Awaitable<bool> send(ByteView bytes, bool more);
  // The head of a response and a file, which is not empty, as its body; a small one leaves together with the head. False
  // also when the file ends early or cannot be read: the peer then sees that the body is not complete.
  Awaitable<bool> send_file(std::string head, FileBody file);
  // Ends our side. `linger`: reads and drops what the peer still sends, for a while; closing a socket with unread bytes
  // sends a reset, which can destroy our last answer on its way.
  Awaitable<void> finish(bool linger);
  // The one crossing to code that blocks: runs the job on a worker thread and goes on here when it has returned.
  Awaitable<void> run_blocking(std::function<void()> job);

  // From here on the peer must move so many bytes in each window; only time spent waiting for it counts.
  void set_pace(std::uint64_t min_bytes_per_s, std::chrono::seconds window) { pace_ = RateWindow(min_bytes_per_s, window); }

  std::string_view input() const { return {reinterpret_cast<const char*>(input_.span().data()), have_}; }
  bool input_is_full() const { return have_ == input_.span().size(); }
  void drop_input(std::size_t count);
  void ensure_input_buffer();
  const Transport& transport() const { return *transport_; }

 private:
  Awaitable<bool> wait(Io what, Clock::time_point deadline);
  Awaitable<bool> wait_paced(Io what);
  Awaitable<void> let_others_run();
  Awaitable<bool> send_file_by_kernel(FileBody file);

  boost::asio::io_context& io_;
  LoopShared& loop_;
  const int descriptor_;
  boost::asio::posix::basic_stream_descriptor<Executor> waitable_;  // does not own the descriptor
  std::unique_ptr<Transport> transport_;
  PooledBuffer input_;    // only while bytes are there or expected at once
  std::size_t have_ = 0;  // bytes at the front of input_ that are not consumed yet
  RateWindow pace_{0, std::chrono::seconds(30)};
  Clock::time_point deadline_ = Clock::time_point::max();  // of the wait that goes on
  bool expired_ = false;
  bool cut_ = false;
};

}  // namespace greffe::http

#endif
