// Another program is run to its end, and bounded in time, in what it says, and in what it is given.
#include <catch2/catch.hpp>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "archive/base/child_process.h"

using greffe::ChildOrder;
using greffe::Errc;
using greffe::run_child;

namespace {

greffe::SystemClock the_clock;  // NOLINT: stateless

ChildOrder shell(const std::string& script) { return {"/bin/sh", {"-c", script}, 20'000, 64 * 1024}; }

greffe::Result<greffe::ChildEnd> run(const ChildOrder& order) { return run_child(the_clock, order, std::stop_token()); }

}  // namespace

TEST_CASE("what a program says and ends with comes back") {
  const auto ended = run(shell("echo said; echo wrong >&2; exit 3"));
  REQUIRE(ended);
  CHECK(ended->status == 3);
  CHECK(ended->output == "said\n");
  CHECK(ended->errors == "wrong\n");
  const auto large = run(shell("head -c 60000 /dev/zero | tr '\\0' x"));
  REQUIRE(large);
  CHECK(large->output == std::string(60'000, 'x'));
}

TEST_CASE("a program is given no file, no input and no blocked signal of this one") {
  const int open = ::open("/dev/zero", O_RDONLY);  // on purpose without O_CLOEXEC
  REQUIRE(open >= 3);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigset_t before;
  REQUIRE(pthread_sigmask(SIG_BLOCK, &blocked, &before) == 0);
  // The shell blocks signals for a moment while it begins a program: the last one takes its place.
  const auto ended = run(shell("cat; ls /proc/$$/fd | tr '\\n' ' '; exec grep SigBlk /proc/self/status"));
  REQUIRE(pthread_sigmask(SIG_SETMASK, &before, nullptr) == 0);
  ::close(open);
  REQUIRE(ended);
  CHECK(ended->output == "0 1 2 SigBlk:\t0000000000000000\n");
}

TEST_CASE("a program that is not there, does not end, or says too much is an error, and is gone") {
  CHECK(run({"/nowhere/at/all", {}, 1000, 100}).error().code == Errc::not_found);
  ChildOrder slow = shell("echo $$; exec sleep 60");
  slow.timeout_ms = 300;
  const auto late = run(slow);
  REQUIRE_FALSE(late);
  CHECK(late.error().code == Errc::unavailable);
  CHECK_THAT(late.error().message, Catch::Contains("longer than"));
  ChildOrder loud = shell("while :; do echo too much of it; done");
  loud.most_output = 1000;
  const auto much = run(loud);
  REQUIRE_FALSE(much);
  CHECK_THAT(much.error().message, Catch::Contains("more than it may"));
  const auto killed = run(shell("kill -SEGV $$"));
  REQUIRE_FALSE(killed);
  CHECK(killed.error().code == Errc::unavailable);
  CHECK_THAT(killed.error().message, Catch::Contains("signal 11"));
  // Of what it complains of the beginning is kept.
  ChildOrder complains = shell("while [ ${#a} -lt 4000 ]; do a=x$a; done; echo $a >&2");
  complains.most_output = 100;
  const auto said = run(complains);
  REQUIRE(said);
  CHECK(said->errors == std::string(100, 'x'));
}

TEST_CASE("a program whose work is not wanted any more is ended at once") {
  std::stop_source stop;
  std::jthread stopper([&stop] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    stop.request_stop();
  });
  const auto began = std::chrono::steady_clock::now();
  const auto ended = run_child(the_clock, shell("exec sleep 60"), stop.get_token());
  REQUIRE_FALSE(ended);
  CHECK(ended.error().code == Errc::cancelled);
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(10));
}
