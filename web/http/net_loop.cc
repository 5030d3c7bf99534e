#include "web/http/net_loop.h"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "archive/base/log.h"
#include "web/http/head.h"

namespace greffe::http {
namespace {

namespace asio = boost::asio;
using Executor = asio::io_context::executor_type;
template <class T>
using Awaitable = asio::awaitable<T, Executor>;
using Token = asio::use_awaitable_t<Executor>;
constexpr asio::as_tuple_t<Token> kByValue{Token{}};

// How late a deadline may be noticed. One pass over the connections is far cheaper than a timer for each wait.
constexpr std::chrono::milliseconds kClockPeriod{250};
constexpr int kAcceptsAtOnce = 64;
constexpr std::size_t kKeptHeadBuffers = 64;
constexpr std::size_t kKeptBodyBuffers = 16;

}  // namespace

struct NetLoop::State {
  State(unsigned number_, WorkerPool& workers)
      : number(number_),
        io(1),
        guard(io.get_executor()),
        clock(io),
        shared{workers, BufferPool(kMaxHeadBytes, kKeptHeadBuffers), BufferPool(kBodyBufferBytes, kKeptBodyBuffers), {},
               false} {}

  // The listening sockets; the coroutine that accepts from one looks at it by index, since it may be closed meanwhile.
  using Acceptor = asio::posix::basic_stream_descriptor<Executor>;
  static Awaitable<void> accept_loop(State* state, std::shared_ptr<Acceptor> acceptor,
                                     std::function<void(int)> hand_over, std::function<void()> short_of_descriptors);
  void watch_clock();

  const unsigned number;
  asio::io_context io;
  asio::executor_work_guard<Executor> guard;
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor> clock;
  LoopShared shared;                                  // owned by the loop's thread
  std::vector<std::shared_ptr<Acceptor>> acceptors;   // owned by the loop's thread
  bool ending = false;                                // owned by the loop's thread
  std::thread thread;
};

void NetLoop::State::watch_clock() {
  clock.expires_after(kClockPeriod);
  clock.async_wait([this](const boost::system::error_code&) {
    if (ending) return;
    const auto now = std::chrono::steady_clock::now();
    for (std::size_t i = shared.live.size(); i > 0; --i) shared.live[i - 1]->look_at_clock(now);
    watch_clock();
  });
}

Awaitable<void> NetLoop::State::accept_loop(State* state, std::shared_ptr<Acceptor> acceptor,
                                            std::function<void(int)> hand_over,
                                            std::function<void()> short_of_descriptors) {
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor> pause(
      state->io);
  while (acceptor->is_open()) {
    const auto ready = co_await acceptor->async_wait(Acceptor::wait_read, kByValue);
    if (std::get<0>(ready) || state->shared.stopping) co_return;
    for (int i = 0; i < kAcceptsAtOnce; ++i) {
      const int descriptor = ::accept4(acceptor->native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (descriptor >= 0) {
        hand_over(descriptor);
        continue;
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        // Nothing can be accepted until some connection ends; without a pause this loop would spin.
        short_of_descriptors();
        pause.expires_after(std::chrono::milliseconds(100));
        const auto paused = co_await pause.async_wait(kByValue);
        if (std::get<0>(paused)) co_return;
        break;
      }
      // Everything else (ECONNABORTED, EPROTO, …) concerns that one connection.
    }
  }
}

NetLoop::NetLoop(unsigned number, WorkerPool& workers) : state_(std::make_unique<State>(number, workers)) {}

NetLoop::~NetLoop() { join(); }

void NetLoop::start() {
  state_->watch_clock();
  state_->thread = std::thread([state = state_.get()] {
    name_thread(("gr-net." + std::to_string(state->number)).c_str());
    state->io.run();
  });
}

void NetLoop::accept_from(int listening, std::function<void(int)> hand_over, std::function<void()> short_of_descriptors) {
  auto acceptor = std::make_shared<State::Acceptor>(state_->io, listening);
  asio::post(state_->io, [state = state_.get(), acceptor, hand_over = std::move(hand_over),
                          short_of = std::move(short_of_descriptors)]() mutable {
    state->acceptors.push_back(acceptor);
    asio::co_spawn(state->io, State::accept_loop(state, acceptor, std::move(hand_over), std::move(short_of)), asio::detached);
  });
}

void NetLoop::adopt(AcceptedSocket socket) {
  asio::post(state_->io, [state = state_.get(), socket = std::move(socket)]() mutable {
    if (!state->shared.stopping) start_connection(state->io, state->shared, std::move(socket));
  });
}

void NetLoop::begin_stop() {
  asio::post(state_->io, [state = state_.get()] {
    state->shared.stopping = true;
    for (const auto& acceptor : state->acceptors) {
      boost::system::error_code ignored;
      acceptor->close(ignored);
    }
    const auto now = std::chrono::steady_clock::now();
    for (std::size_t i = state->shared.live.size(); i > 0; --i) state->shared.live[i - 1]->look_at_clock(now);
  });
}

void NetLoop::cut() {
  asio::post(state_->io, [state = state_.get()] {
    for (std::size_t i = state->shared.live.size(); i > 0; --i) state->shared.live[i - 1]->cut();
  });
}

void NetLoop::join() {
  if (!state_->thread.joinable()) return;
  asio::post(state_->io, [state = state_.get()] {
    state->ending = true;
    state->clock.cancel();
    state->guard.reset();
  });
  state_->thread.join();
}

}  // namespace greffe::http
