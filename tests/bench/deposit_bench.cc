// The CPU cost of a deposit in process (R = 3, everything synced) against the floor of deposit_floor.h, in one run,
// rounds of both in turn. usage: deposit_bench [DIR [OBJECTS [ROUNDS [THREADS]]]]
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <random>
#include <thread>

#include "archive/store/local_pool.h"
#include "tests/bench/deposit_floor.h"

namespace {

using greffe::Bytes;

constexpr std::size_t kObjectBytes = 2'500'000;

struct Cost {
  double user_s = 0;
  double system_s = 0;
  double wall_s = 0;
  double cpu() const { return user_s + system_s; }
};

double seconds(const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; }

template <class Work>
Cost measure(const Work& work) {
  rusage before{};
  rusage after{};
  ::getrusage(RUSAGE_SELF, &before);
  const auto start = std::chrono::steady_clock::now();
  work();
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  ::getrusage(RUSAGE_SELF, &after);
  return {seconds(after.ru_utime) - seconds(before.ru_utime), seconds(after.ru_stime) - seconds(before.ru_stime),
          wall.count()};
}

// Objects that differ: the first 16 bytes say which.
Bytes object_of(const Bytes& pattern, std::uint64_t number) {
  Bytes out = pattern;
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return out;
}

template <class One>
void spread(unsigned threads, std::uint64_t first, std::uint64_t count, const One& one) {
  std::vector<std::thread> workers;
  for (unsigned t = 0; t < threads; ++t) {
    workers.emplace_back([&, t] {
      for (std::uint64_t i = t; i < count; i += threads) one(first + i);
    });
  }
  for (std::thread& worker : workers) worker.join();
}

bool deposit(greffe::store::LocalPool& pool, const Bytes& bytes, const greffe::Digest& digest) {
  auto writer = pool.begin_object(bytes.size());
  if (!writer) return false;
  for (std::size_t at = 0; at < bytes.size(); at += 1 << 20) {
    const auto piece = greffe::ByteView(bytes).subspan(at, std::min<std::size_t>(1 << 20, bytes.size() - at));
    if (!(*writer)->write(piece)) return false;
  }
  return (*writer)->commit(digest).has_value();
}

// Gives back the memory that the files below `folder` take in the page cache, for the next round to use: a virtual machine's
// host hands out memory when it is first touched, which costs more than copying into it.
void forget_pages(const std::string& folder) {
  ::sync();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const int file = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) continue;
    ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    ::close(file);
  }
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const std::string parent = argc > 1 ? argv[1] : std::filesystem::temp_directory_path().string();
  const auto objects = static_cast<std::uint64_t>(argc > 2 ? std::atoi(argv[2]) : 100);
  const auto rounds = static_cast<unsigned>(argc > 3 ? std::atoi(argv[3]) : 5);
  const auto threads = static_cast<unsigned>(argc > 4 ? std::atoi(argv[4]) : 1);
  std::string folder = parent + "/greffe-deposit-XXXXXX";
  if (objects == 0 || rounds == 0 || threads == 0 || ::mkdtemp(folder.data()) == nullptr) {
    std::fprintf(stderr, "usage: deposit_bench [DIR [OBJECTS [ROUNDS [THREADS]]]]\n");
    return 2;
  }
  greffe::PosixFileSystem files;
  greffe::SystemClock clock;
  greffe::store::PoolSettings settings;
  std::vector<std::string> floor_directories;
  const std::string pool_id = greffe::store::make_pool_id();
  for (const char* name : {"a", "b", "c"}) {
    settings.volumes.push_back(folder + "/pool-" + name);
    floor_directories.push_back(folder + "/floor-" + name);
    const bool made = greffe::store::init_volume(files, settings.volumes.back(), pool_id, name).has_value() &&
                      greffe::store::init_volume(files, floor_directories.back(), pool_id, name).has_value();
    if (!made) return 2;
  }
  auto pool = greffe::store::LocalPool::open(files, clock, settings, greffe::store::PoolMode::writer);
  if (!pool) return 2;

  Bytes pattern(kObjectBytes);
  std::mt19937_64 random(1);
  for (auto& byte : pattern) byte = static_cast<std::uint8_t>(random());
  std::vector<double> ratios;
  std::vector<double> wall_ratios;
  std::vector<double> floor_ms;
  std::vector<double> pool_ms;
  for (unsigned round = 0; round < rounds; ++round) {
    // Made beforehand, with the digest that a sender announces: neither is part of a deposit's cost.
    std::vector<Bytes> bodies;
    std::vector<greffe::Digest> digests;
    for (std::uint64_t i = 0; i < objects; ++i) {
      bodies.push_back(object_of(pattern, round * objects + i));
      digests.push_back(greffe::sha256(bodies.back()));
    }
    bool failed = false;
    const auto run_floor = [&] {
      forget_pages(folder);
      return measure([&] { spread(threads, 0, objects, [&](std::uint64_t i) {
        greffe::bench::deposit_floor(floor_directories, bodies[i], greffe::bench::Syncs::all);
      }); });
    };
    const auto run_pool = [&] {
      forget_pages(folder);
      return measure([&] { spread(threads, 0, objects, [&](std::uint64_t i) {
        if (!deposit(**pool, bodies[i], digests[i])) failed = true;
      }); });
    };
    Cost floor;
    Cost ours;
    if (round % 2 == 0) {
      floor = run_floor();
      ours = run_pool();
    } else {
      ours = run_pool();
      floor = run_floor();
    }
    if (failed) {
      std::fprintf(stderr, "a deposit failed\n");
      return 2;
    }
    const auto each_ms = [&](double s) { return 1000 * s / static_cast<double>(objects); };
    std::printf("round %u: floor %.2f ms CPU (%.2f user) %.2f ms wall, pool %.2f ms CPU (%.2f user) %.2f ms wall, "
                "ratio %.3f CPU %.3f wall\n",
                round, each_ms(floor.cpu()), each_ms(floor.user_s), each_ms(floor.wall_s), each_ms(ours.cpu()),
                each_ms(ours.user_s), each_ms(ours.wall_s), ours.cpu() / floor.cpu(), ours.wall_s / floor.wall_s);
    ratios.push_back(ours.cpu() / floor.cpu());
    wall_ratios.push_back(ours.wall_s / floor.wall_s);
    floor_ms.push_back(each_ms(floor.cpu()));
    pool_ms.push_back(each_ms(ours.cpu()));
  }
  std::filesystem::remove_all(folder);
  std::printf("{\"bench\":\"deposit\",\"object_bytes\":%zu,\"objects\":%llu,\"rounds\":%u,\"threads\":%u,"
              "\"floor_cpu_us\":%.0f,\"pool_cpu_us\":%.0f,\"cpu_ratio_percent\":%.1f,\"wall_ratio_percent\":%.1f}\n",
              kObjectBytes, static_cast<unsigned long long>(objects), rounds, threads, 1000 * median(floor_ms),
              1000 * median(pool_ms), 100 * median(ratios), 100 * median(wall_ratios));
  std::printf("ROW {\"row\":\"deposit of 2.5 MB objects, in process, %u thread%s\",\"peer\":\"floor: hash, three copies, the same syncs\","
              "\"to_reach\":\"<= 1.25 x CPU\",\"measured\":\"%.2f x CPU, %.2f x wall\",\"reached\":%s}\n",
              threads, threads == 1 ? "" : "s", median(ratios), median(wall_ratios), median(ratios) <= 1.25 ? "true" : "false");
  return 0;
}
