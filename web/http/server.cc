#include "web/http/server.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "web/http/listening.h"
#include "web/http/net_loop.h"

namespace greffe::http {
namespace {

constexpr std::chrono::milliseconds kStopPoll{5};
constexpr std::chrono::minutes kShortagePause{1};

// On the thread that accepts.
void tell_shortage(Listener& listener, const std::string& what) {
  const auto now = std::chrono::steady_clock::now();
  const bool lately = listener.shortage_told && now - *listener.shortage_told < kShortagePause;
  if (lately || !listener.settings.on_shortage) return;
  listener.shortage_told = now;
  listener.settings.on_shortage("connections to " + listener.settings.address + " " + what);
}

std::string no_descriptor() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  return "have to wait: this process has the " + std::to_string(files.rlim_cur) +
         " files open that it may; raise that limit (LimitNOFILE of the service, ulimit -n), or find out who opens so many connections";
}

}  // namespace

struct Server::State {
  State(unsigned net_threads, unsigned work_threads) : workers(work_threads) {
    for (unsigned i = 0; i < std::max(net_threads, 1U); ++i) loops.push_back(std::make_unique<NetLoop>(i, workers));
  }

  struct Bound {
    ListeningSocket socket;
    std::shared_ptr<Listener> listener;
  };

  void accept(Bound& bound);
  void hand_over(const std::shared_ptr<Listener>& listener, int descriptor);
  std::size_t connections() const;
  bool wait_for_end(std::chrono::steady_clock::time_point deadline) const;

  WorkerPool workers;                           // outlives the loops
  std::vector<std::unique_ptr<NetLoop>> loops;
  std::vector<Bound> bound;
  enum class Phase { made, serving, stopped } phase = Phase::made;
};

void Server::State::accept(Bound& bound_socket) {
  const int descriptor = std::exchange(bound_socket.socket.descriptor, -1);
  const std::shared_ptr<Listener> listener = bound_socket.listener;
  loops.front()->accept_from(
      descriptor, [this, listener](int accepted) { hand_over(listener, accepted); },
      [listener] { tell_shortage(*listener, no_descriptor()); });
}

// On the thread of the first loop. The loop with the fewest connections gets it: few stations with long uploads must
// not share one thread by chance, as they would with SO_REUSEPORT.
void Server::State::hand_over(const std::shared_ptr<Listener>& listener, int descriptor) {
  if (listener->open >= listener->settings.max_connections) {
    ::close(descriptor);
    tell_shortage(*listener, "are closed at once: " + std::to_string(listener->settings.max_connections) + " are open already, which is all");
    return;
  }
  const auto least = std::min_element(loops.begin(), loops.end(), [](const auto& a, const auto& b) {
    return a->count().load() < b->count().load();
  });
  AcceptedSocket socket(descriptor, listener, (*least)->count());
  Peer peer = peer_of(descriptor);
  socket.remote = std::move(peer.text);
  socket.peer_uid = peer.uid;
  (*least)->adopt(std::move(socket));
}

std::size_t Server::State::connections() const {
  std::size_t sum = 0;
  for (const auto& loop : loops) sum += loop->count();
  return sum;
}

bool Server::State::wait_for_end(std::chrono::steady_clock::time_point deadline) const {
  while (connections() > 0) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kStopPoll);
  }
  return true;
}

Server::Server(unsigned net_threads, unsigned work_threads)
    : state_(std::make_unique<State>(net_threads, work_threads)) {}

Server::~Server() { stop(); }

Result<std::string> Server::listen(ListenerSettings settings) {
  auto listener = std::make_shared<Listener>();
  listener->router = GREFFE_TRY(Router::build(std::move(settings.routes)));
  const auto* tls = std::get_if<TlsSettings>(&settings.tls);
  if (tls != nullptr) listener->tls = GREFFE_TRY(TlsContext::make(*tls));
  settings.routes.clear();
  ListeningSocket socket = GREFFE_TRY(bind_listening(settings.address, tls != nullptr));
  settings.tls = std::monostate();  // the key is in the TLS context; one copy is enough
  listener->settings = std::move(settings);
  std::string address = socket.address;
  state_->bound.push_back({std::move(socket), std::move(listener)});
  if (state_->phase == State::Phase::serving) state_->accept(state_->bound.back());
  return address;
}

void Server::start() {
  if (state_->phase != State::Phase::made) return;
  state_->phase = State::Phase::serving;
  // SSL_write on a descriptor and sendfile raise it when a peer has reset the connection; it would end the process.
  std::signal(SIGPIPE, SIG_IGN);
  state_->workers.start();
  for (const auto& loop : state_->loops) loop->start();
  for (State::Bound& bound : state_->bound) state_->accept(bound);
}

void Server::stop(unsigned grace_s) {
  const bool served = state_->phase == State::Phase::serving;
  state_->phase = State::Phase::stopped;
  if (served) {
    for (const auto& loop : state_->loops) loop->begin_stop();
    if (!state_->wait_for_end(std::chrono::steady_clock::now() + std::chrono::seconds(grace_s))) {
      for (const auto& loop : state_->loops) loop->cut();
      // Only handlers that still run are left; they own memory of the connections, so they are waited for.
      state_->wait_for_end(std::chrono::steady_clock::time_point::max());
    }
    for (const auto& loop : state_->loops) loop->join();
    state_->workers.join();
  }
  for (State::Bound& bound : state_->bound) {
    if (bound.socket.descriptor >= 0) ::close(bound.socket.descriptor);
    if (!bound.socket.unix_path.empty()) ::unlink(bound.socket.unix_path.c_str());
  }
  state_->bound.clear();
}

}  // namespace greffe::http
