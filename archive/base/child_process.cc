#include "archive/base/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace greffe {
namespace {

constexpr int kTickMs = 50;  // so late a stop is heard

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() { close(); }
  int get() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

struct Pipe {
  Descriptor ours;
  Descriptor theirs;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(Errc::unavailable, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  Pipe out{Descriptor(ends[0]), Descriptor(ends[1])};
  if (::fcntl(out.ours.get(), F_SETFL, O_NONBLOCK) != 0) return fail(Errc::unavailable, "cannot read a pipe without waiting");
  return out;
}

// The child; killed and buried with its owner.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  // True: it has ended, and `status` is what waitpid says.
  bool has_ended(int& status) {
    const pid_t got = ::waitpid(pid_, &status, WNOHANG);
    if (got != pid_) return false;
    pid_ = -1;
    return true;
  }

 private:
  pid_t pid_;
};

Result<pid_t> spawn(const ChildOrder& order, int output, int errors) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  const std::unique_ptr<posix_spawn_file_actions_t, int (*)(posix_spawn_file_actions_t*)> actions_owner(&actions, ::posix_spawn_file_actions_destroy);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  const std::unique_ptr<posix_spawnattr_t, int (*)(posix_spawnattr_t*)> attributes_owner(&attributes, ::posix_spawnattr_destroy);
  // Signals that a service waits for elsewhere are held back in all of its threads; not so in the child.
  sigset_t none;
  sigemptyset(&none);
  sigset_t usual;
  sigemptyset(&usual);
  for (const int number : {SIGPIPE, SIGTERM, SIGINT, SIGHUP}) sigaddset(&usual, number);
  int code = ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  code |= ::posix_spawnattr_setsigmask(&attributes, &none);
  code |= ::posix_spawnattr_setsigdefault(&attributes, &usual);
  code |= ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  code |= ::posix_spawn_file_actions_adddup2(&actions, output, 1);
  code |= ::posix_spawn_file_actions_adddup2(&actions, errors, 2);
  code |= ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  if (code != 0) return fail(Errc::unavailable, "there is not enough memory to start " + order.program);
  std::vector<char*> words{const_cast<char*>(order.program.c_str())};
  for (const std::string& word : order.arguments) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t pid = -1;
  code = ::posix_spawn(&pid, order.program.c_str(), &actions, &attributes, words.data(), environ);
  if (code == ENOENT || code == ENOTDIR) return fail(Errc::not_found, "there is no program " + order.program);
  if (code != 0) return fail(Errc::unavailable, fmt::format("cannot start {}: {}", order.program, std::strerror(code)));
  return pid;
}

// False: the other end is closed, or cannot be read.
bool take(const Descriptor& from, std::string& into, std::size_t most) {
  std::array<char, 16 * 1024> buffer{};
  for (;;) {
    const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return true;
    if (got <= 0) return false;
    const std::size_t room = most + 1 - std::min(into.size(), most + 1);  // one more says that it was too much
    into.append(buffer.data(), std::min(static_cast<std::size_t>(got), room));
  }
}

Error ended_by(const std::string& program, int signal_number) {
  return fail(Errc::unavailable, fmt::format("{} was ended by signal {} ({})", program, signal_number, ::strsignal(signal_number)));
}

}  // namespace

Result<ChildEnd> run_child(Clock& clock, const ChildOrder& order, const std::stop_token& stop) {
  Pipe output = GREFFE_TRY(make_pipe());
  Pipe errors = GREFFE_TRY(make_pipe());
  Child child(GREFFE_TRY(spawn(order, output.theirs.get(), errors.theirs.get())));
  output.theirs.close();
  errors.theirs.close();
  const std::int64_t until_ms = clock.monotonic_ms() + order.timeout_ms;
  ChildEnd out;
  int status = 0;
  for (bool ended = false; !ended;) {
    if (stop.stop_requested()) return fail(Errc::cancelled, order.program + " was ended because its work is not wanted any more");
    if (clock.monotonic_ms() > until_ms) return fail(Errc::unavailable, fmt::format("{} took longer than {} s and was ended", order.program, order.timeout_ms / 1000));
    std::array<pollfd, 2> ends{pollfd{output.ours.get(), POLLIN, 0}, pollfd{errors.ours.get(), POLLIN, 0}};  // poll() passes over what is closed
    ::poll(ends.data(), ends.size(), kTickMs);
    ended = child.has_ended(status);  // asked first: what it said before is read below
    if (output.ours.get() >= 0 && !take(output.ours, out.output, order.most_output)) output.ours.close();
    if (errors.ours.get() >= 0 && !take(errors.ours, out.errors, order.most_output)) errors.ours.close();
    if (out.output.size() > order.most_output) return fail(Errc::unavailable, order.program + " said more than it may and was ended");
  }
  if (WIFSIGNALED(status)) return ended_by(order.program, WTERMSIG(status));
  if (out.errors.size() > order.most_output) out.errors.resize(order.most_output);
  out.status = WEXITSTATUS(status);
  return out;
}

}  // namespace greffe
