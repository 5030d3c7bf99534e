#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <map>
#include <mutex>
#include <thread>

#include "archive/tlog/sequencer.h"
#include "tests/unit/tlog/log_fixture.h"

using greffe::Bytes;
using greffe::Errc;
using greffe::PrivateKey;
using greffe::testing::kLogPath;
using greffe::testing::kOrigin;
using greffe::testing::MemoryStore;
using greffe::testing::open_writer;
using greffe::tlog::Committed;
using greffe::tlog::LogReader;
using greffe::tlog::Sequencer;

namespace {

PrivateKey test_key() { return *PrivateKey::from_seed(Bytes(32, 7)); }

// A store whose log files or heads refuse to be written.
class RefusingStore : public MemoryStore {
 public:
  greffe::Status put(std::string_view key, greffe::ByteView bytes) override {
    if (refuse_files) return greffe::fail(Errc::unavailable, "no volume takes it");
    return MemoryStore::put(key, bytes);
  }
  greffe::Status swap_head(std::string_view key, std::string_view expected, std::string_view next) override {
    if (refuse_heads) return greffe::fail(Errc::unavailable, "outcome unknown");
    return MemoryStore::swap_head(key, expected, next);
  }
  std::atomic<bool> refuse_files{false};
  std::atomic<bool> refuse_heads{false};
};

}  // namespace

TEST_CASE("entries from many threads are in the log once, at the index that was returned") {
  MemoryStore store;
  std::vector<Committed> batches;
  std::map<std::uint64_t, std::string> answered;
  std::mutex mutex;
  {
    Sequencer sequencer(std::move(*open_writer(store)), kOrigin, test_key(),
                        [&](const Committed& batch) { batches.push_back(batch); });
    REQUIRE(sequencer.head().checkpoint.size == 0);
    std::vector<std::thread> threads;
    std::atomic<unsigned> failed{0};
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 100; ++i) {
          const std::string entry = "thread " + std::to_string(t) + " entry " + std::to_string(i);
          const auto index = sequencer.append(entry);
          if (!index || sequencer.head().checkpoint.size <= *index) {
            ++failed;
            continue;
          }
          const std::lock_guard lock(mutex);
          answered[*index] = entry;
        }
      });
    }
    for (auto& thread : threads) thread.join();
    REQUIRE(failed == 0);
    const auto first = sequencer.append(std::vector<std::string>{"x", "y", "z"});
    REQUIRE(*first == 800);
    REQUIRE(sequencer.head().checkpoint.size == 803);
  }
  REQUIRE(answered.size() == 800);
  const LogReader reader(store, store, kLogPath);
  const auto entries = reader.entries(0, 803);
  for (const auto& [index, entry] : answered) REQUIRE((*entries)[index] == entry);
  REQUIRE((*entries)[802] == "z");
  // The listener saw every batch, in order, as it was published.
  std::uint64_t next = 0;
  for (const Committed& batch : batches) {
    REQUIRE(batch.first == next);
    next += batch.entries.size();
    REQUIRE(batch.checkpoint.checkpoint.size == next);
    REQUIRE(verify_note(batch.checkpoint.note, {kOrigin, greffe::KeyType::ed25519, test_key().public_key()}));
  }
  REQUIRE(next == 803);
  REQUIRE(batches.size() < 803);  // some were written together
}

TEST_CASE("a sequencer goes on where the log was") {
  MemoryStore store;
  for (std::uint64_t round = 0; round < 5; ++round) {
    Sequencer sequencer(std::move(*open_writer(store)), kOrigin, test_key(), {});
    REQUIRE(sequencer.head().checkpoint.size == round);
    REQUIRE(*sequencer.append("round " + std::to_string(round)) == round);
  }
}

TEST_CASE("a sequencer refuses what a log cannot hold, and says when the store refuses") {
  RefusingStore store;
  Sequencer sequencer(std::move(*open_writer(store)), kOrigin, test_key(), {});
  REQUIRE(sequencer.append("").error().code == Errc::invalid);
  REQUIRE(sequencer.append(std::string(65'536, 'x')).error().code == Errc::invalid);
  REQUIRE(sequencer.append(std::vector<std::string>{}).error().code == Errc::invalid);
  store.refuse_files = true;
  REQUIRE(sequencer.append("one").error().code == Errc::unavailable);
  REQUIRE(sequencer.head().checkpoint.size == 0);
  store.refuse_files = false;
  REQUIRE(*sequencer.append("one") == 0);
}

TEST_CASE("a signature whose publication is unknown ends the process") {
  const pid_t child = ::fork();
  if (child == 0) {
    RefusingStore store;
    store.refuse_heads = true;
    std::signal(SIGABRT, SIG_DFL);  // not the test program's report
    ::close(2);
    Sequencer sequencer(std::move(*open_writer(store)), kOrigin, test_key(), {});
    static_cast<void>(sequencer.append("one").has_value());
    ::_exit(0);  // not reached
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  REQUIRE(WTERMSIG(status) == SIGABRT);
}
