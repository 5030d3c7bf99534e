// The main log on three local volumes, as greffe-archive has it: sequencer, signature, guard file, catalogue. How many entries a second it
// takes from many at once, how long one takes at a hundred a second, and how fast its trees are derived again. usage: bench_main_log [DIR]
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

#include "archive/archive_keys.h"
#include "archive/format/names.h"
#include "archive/main_log.h"
#include "archive/store/local_pool.h"
#include "archive/store/volume_label.h"
#include "archive/tlog/log_check.h"

namespace {

using greffe::MainEntry;
using greffe::Result;
using greffe::archive::MainLog;
using Time = std::chrono::steady_clock::time_point;

constexpr double kTargetPerSecond = 5'000;
constexpr double kTargetMs = 500;
constexpr double kTargetChecked = 11e6 / 60;
constexpr int kSeconds = 10;
constexpr unsigned kWriters = 64;
constexpr std::uint64_t kLongLog = 500'000;

double seconds_since(Time then) { return std::chrono::duration<double>(std::chrono::steady_clock::now() - then).count(); }

MainEntry entry_of(std::uint64_t number) {
  greffe::ScrubEntry out;
  out.finding = "pass";
  out.volume = "00112233445566778899aabbccddeeff";
  out.objects = number;
  out.utc = greffe::UtcTime{1'800'000'000'000};
  return out;
}

template <class T>
T need(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "bench_main_log: %s\n", result.error().message.c_str());
    std::exit(2);
  }
  return *std::move(result);
}
struct Archive {
  explicit Archive(const std::string& folder) {
    greffe::store::PoolSettings settings;
    const std::string pool_id = greffe::store::make_pool_id();
    for (const char* name : {"a", "b", "c"}) {
      settings.volumes.push_back(folder + "/" + name);
      std::filesystem::create_directories(settings.volumes.back());
      need(greffe::store::init_volume(files, settings.volumes.back(), pool_id, name));
    }
    std::filesystem::create_directories(folder + "/state");
    pool = need(greffe::store::LocalPool::open(files, clock, settings, greffe::store::PoolMode::writer));
    greffe::PrivateKey key = greffe::PrivateKey::generate();
    greffe::GenesisEntry genesis;
    genesis.archive = "bench.example";
    genesis.role = "primary";
    genesis.log_key = key.public_key();
    genesis.holder = greffe::archive::holder_verifier(genesis.archive, greffe::PrivateKey::generate().public_key());
    genesis.utc = clock.utc_now();
    log = need(MainLog::open(files, words, {*pool, *pool, *pool}, greffe::tlog::first_place(genesis.archive), folder + "/state", std::move(key), false));
    need(log->append(genesis));
  }
  greffe::PosixFileSystem files;
  greffe::SystemClock clock;
  greffe::Log words{"bench_main_log"};
  std::unique_ptr<greffe::store::LocalPool> pool;
  std::unique_ptr<MainLog> log;
};

double entries_per_second(MainLog& log) {
  const Time begin = std::chrono::steady_clock::now();
  std::atomic<std::uint64_t> done{0};
  {
    std::vector<std::jthread> writers;
    for (unsigned i = 0; i < kWriters; ++i) {
      writers.emplace_back([&] {
        while (seconds_since(begin) < kSeconds) {
          need(log.append(entry_of(done)));
          ++done;
        }
      });
    }
  }
  return static_cast<double>(done) / seconds_since(begin);
}

// A hundred a second from ten threads, each of which waits for its own; the 99th of a hundred waits this long.
double p99_ms(MainLog& log) {
  std::mutex mutex;
  std::vector<double> waits_ms;
  {
    std::vector<std::jthread> writers;
    const Time begin = std::chrono::steady_clock::now();
    for (int writer = 0; writer < 10; ++writer) {
      writers.emplace_back([&, writer] {
        for (int n = 0; n < 10 * kSeconds; ++n) {
          const Time due = begin + std::chrono::milliseconds(100 * n + 10 * writer);
          std::this_thread::sleep_until(due);
          need(log.append(entry_of(0)));
          const std::lock_guard lock(mutex);
          waits_ms.push_back(seconds_since(due) * 1000);
        }
      });
    }
  }
  std::sort(waits_ms.begin(), waits_ms.end());
  return waits_ms[waits_ms.size() * 99 / 100];
}

// Entries a second that `check` derives the trees of, all replicas of every file compared.
double checked_per_second(Archive& archive) {
  const std::vector<MainEntry> batch(4096, entry_of(0));
  while (archive.log->head().checkpoint.size < kLongLog) need(archive.log->append(batch));
  const Time begin = std::chrono::steady_clock::now();
  const auto found = need(greffe::tlog::check_log(*archive.pool, *archive.pool, *archive.pool, greffe::main_log_path(), greffe::tlog::CheckMode::report));
  if (!found.clean()) std::exit(2);
  return static_cast<double>(found.size) / seconds_since(begin);
}

void row(const char* what, const char* to_reach, const char* format, double value, bool reached) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  std::printf("ROW {\"row\":\"%s\",\"peer\":\"\",\"to_reach\":\"%s\",\"measured\":\"%s\",\"reached\":%s}\n", what, to_reach, text, reached ? "true" : "false");
  std::fflush(stdout);
}

}  // namespace

int main(int count, char** arguments) {
  const std::string folder = std::string(count > 1 ? arguments[1] : "/var/tmp") + "/greffe-main-log";
  std::filesystem::remove_all(folder);
  {
    Archive archive(folder);
    const double rate = entries_per_second(*archive.log);
    row("main log on three volumes, 64 at once", ">= 5000 entries/s", "%.0f entries/s", rate, rate >= kTargetPerSecond);
    const double wait_ms = p99_ms(*archive.log);
    row("append to signed and published at 100/s, p99", "<= 500 ms", "%.0f ms", wait_ms, wait_ms <= kTargetMs);
    const double checked = checked_per_second(archive);
    row("check of a log, three replicas", ">= 183000 entries/s", "%.0f entries/s", checked, checked >= kTargetChecked);
  }
  std::filesystem::remove_all(folder);
  return 0;
}
