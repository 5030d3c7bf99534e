#include "web/http/wire.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>

namespace greffe::http {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kLinger{3};
constexpr std::uint64_t kLingerBytes = 64 * 1024 * 1024;
// After so much without a wait the other connections of the loop get their turn.
constexpr std::size_t kTurnBytes = 1024 * 1024;

std::unique_ptr<Transport> transport_of(const AcceptedSocket& socket) {
  if (socket.listener().tls) return make_tls_transport(socket.descriptor(), socket.listener().tls->get());
  return make_plain_transport(socket.descriptor());
}

// What the page cache holds, without waiting for a disk. 0: ask a worker.
std::size_t read_cached(int descriptor, std::uint64_t offset, std::span<std::uint8_t> out) {
  if (descriptor < 0) return 0;
  const iovec piece{out.data(), out.size()};
  const ssize_t count = ::preadv2(descriptor, &piece, 1, static_cast<off_t>(offset), RWF_NOWAIT);
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

}  // namespace

Wire::Wire(asio::io_context& io, LoopShared& loop, const AcceptedSocket& socket)
    : io_(io), loop_(loop), descriptor_(socket.descriptor()), waitable_(io, descriptor_), transport_(transport_of(socket)) {}

Wire::~Wire() { waitable_.release(); }

void Wire::look_at_clock(Clock::time_point now) {
  if (now < deadline_) return;
  expired_ = true;
  boost::system::error_code ignored;
  waitable_.cancel(ignored);
}

void Wire::cut() {
  cut_ = true;
  boost::system::error_code ignored;
  waitable_.cancel(ignored);
}

// True: ready. False: the deadline passed (expired_), or the connection is cut.
Awaitable<bool> Wire::wait(Io what, Clock::time_point deadline) {
  expired_ = false;
  if (cut_) co_return false;
  deadline_ = deadline;
  const auto direction = what == Io::want_write ? waitable_.wait_write : waitable_.wait_read;
  const auto result = co_await waitable_.async_wait(direction, kByValue);
  deadline_ = Clock::time_point::max();
  co_return !std::get<0>(result) && !cut_;
}

// The same, as long as the peer keeps its minimum rate. False with expired_: it does not.
Awaitable<bool> Wire::wait_paced(Io what) {
  const auto begun = Clock::now();
  const bool ready = co_await wait(what, begun + pace_.patience());
  if (cut_) co_return false;
  if (!ready && !expired_) co_return false;
  const bool fast_enough = pace_.waited(Clock::now() - begun);
  expired_ = !fast_enough;
  co_return fast_enough;
}

Awaitable<void> Wire::run_blocking(std::function<void()> job) {
  auto initiation = [this, &job](auto handler) {
    auto resume = std::make_shared<decltype(handler)>(std::move(handler));
    loop_.workers.post([this, &job, resume]() mutable {
      job();
      asio::post(io_, [resume = std::move(resume)] { std::move(*resume)(); });
    });
  };
  co_await asio::async_initiate<const Token, void()>(initiation, Token());
}

Awaitable<void> Wire::let_others_run() { co_await asio::post(io_, Token()); }

void Wire::drop_input(std::size_t count) {
  have_ -= count;
  if (have_ > 0) std::memmove(input_.span().data(), input_.span().data() + count, have_);
}

void Wire::ensure_input_buffer() {
  if (!input_) input_ = loop_.heads.take();
}

Awaitable<Io> Wire::shake_hands(Clock::time_point deadline) {
  for (;;) {
    const Io state = transport_->handshake();
    if (state == Io::moved || state == Io::closed) co_return state;
    const bool ready = co_await wait(state, deadline);
    if (!ready) co_return Io::closed;
  }
}

Awaitable<bool> Wire::wait_for_input(Clock::time_point deadline) {
  if (have_ > 0) co_return true;
  // What TLS has decrypted or buffered already does not make the socket readable.
  Io state = transport_->has_pending() ? Io::moved : Io::want_read;
  for (;;) {
    if (state != Io::moved) {
      input_.release();
      const bool ready = co_await wait(state, deadline);
      if (!ready) co_return false;
    }
    ensure_input_buffer();
    const Moved moved = transport_->read(input_.span());
    if (moved.state == Io::closed) co_return false;
    have_ = moved.bytes;
    if (moved.state == Io::moved) co_return true;
    state = moved.state;
  }
}

Awaitable<std::size_t> Wire::read_more(Clock::time_point deadline) {
  expired_ = false;
  for (;;) {
    const Moved moved = transport_->read(input_.span().subspan(have_));
    if (moved.state == Io::moved) {
      have_ += moved.bytes;
      pace_.moved(moved.bytes);
      co_return moved.bytes;
    }
    if (moved.state == Io::closed) co_return 0;
    bool ready = false;
    if (deadline == kAtPace) {
      ready = co_await wait_paced(moved.state);
    } else {
      ready = co_await wait(moved.state, deadline);
    }
    if (!ready) co_return 0;
  }
}

Awaitable<std::size_t> Wire::fill(std::span<std::uint8_t> out) {
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

Awaitable<bool> Wire::send(ByteView bytes, bool more) {
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

Awaitable<bool> Wire::send_file(std::string head, FileBody file) {
  if (transport_->can_send_files() && file.file->descriptor() >= 0) {
    const bool begun = co_await send(as_bytes(head), true);
    if (!begun) co_return false;
    co_return co_await send_file_by_kernel(std::move(file));
  }
  const PooledBuffer buffer = loop_.bodies.take();
  GREFFE_CHECK(head.size() < buffer.span().size());
  std::copy(head.begin(), head.end(), buffer.span().begin());
  std::size_t ready = head.size();
  std::size_t turn = 0;
  while (file.size > 0) {
    const std::span<std::uint8_t> free = buffer.span().subspan(ready);
    const std::span<std::uint8_t> room = free.first(static_cast<std::size_t>(std::min<std::uint64_t>(file.size, free.size())));
    std::size_t got = read_cached(file.file->descriptor(), file.offset, room);
    if (got == 0) {
      std::function<void()> job = [&got, &file, room] {
        const Result<std::size_t> read = file.file->read_at(file.offset, room);
        got = read ? *read : 0;
      };
      co_await run_blocking(std::move(job));
      turn = 0;
    }
    const bool sent = co_await send(buffer.span().first(ready + got), false);
    if (!sent || got == 0) co_return false;
    ready = 0;
    file.offset += got;
    file.size -= got;
    turn += got;
    if (turn >= kTurnBytes) {
      co_await let_others_run();
      turn = 0;
    }
  }
  co_return true;
}

Awaitable<bool> Wire::send_file_by_kernel(FileBody file) {
  const int descriptor = file.file->descriptor();
  while (file.size > 0) {
    const auto turn = static_cast<std::size_t>(std::min<std::uint64_t>(file.size, kTurnBytes));
    std::uint8_t probe = 0;
    const std::span<std::uint8_t> one(&probe, 1);
    const bool cached =
        read_cached(descriptor, file.offset, one) == 1 && read_cached(descriptor, file.offset + turn - 1, one) == 1;
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

Awaitable<void> Wire::finish(bool linger) {
  input_.release();
  have_ = 0;
  if (cut_) co_return;
  transport_->end_writing();
  if (!linger) co_return;
  const auto deadline = Clock::now() + kLinger;
  const PooledBuffer scratch = loop_.heads.take();
  std::uint64_t dropped = 0;
  while (dropped < kLingerBytes) {
    const ssize_t count = ::recv(descriptor_, scratch.span().data(), scratch.span().size(), MSG_DONTWAIT);
    if (count > 0) {
      dropped += static_cast<std::uint64_t>(count);
      continue;
    }
    if (count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) co_return;
    const bool ready = co_await wait(Io::want_read, deadline);
    if (!ready) co_return;
  }
}

}  // namespace greffe::http
