// Deposits in process (R = 3 on one disk, everything synced) beside two floors of deposit_floor.h in one run, rounds in turn: one that
// syncs each object by itself, and one with the same group commit. usage: deposit_bench [DIR [OBJECTS [ROUNDS [THREADS]]]]
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
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
  std::vector<std::string> plain_directories;
  std::vector<std::string> group_directories;
  const std::string pool_id = greffe::store::make_pool_id();
  for (const char* name : {"a", "b", "c"}) {
    settings.volumes.push_back(folder + "/pool-" + name);
    plain_directories.push_back(folder + "/plain-" + name);
    group_directories.push_back(folder + "/group-" + name);
    const bool made = greffe::store::init_volume(files, settings.volumes.back(), pool_id, name).has_value() &&
                      greffe::store::init_volume(files, plain_directories.back(), pool_id, name).has_value() &&
                      greffe::store::init_volume(files, group_directories.back(), pool_id, name).has_value();
    if (!made) return 2;
  }
  auto pool = greffe::store::LocalPool::open(files, clock, settings, greffe::store::PoolMode::writer);
  if (!pool) return 2;

  Bytes pattern(kObjectBytes);
  std::mt19937_64 random(1);
  for (auto& byte : pattern) byte = static_cast<std::uint8_t>(random());
  greffe::bench::FloorGroupCommit group;
  std::vector<double> plain_cpu, group_cpu, pool_cpu, cpu_to_plain, wall_to_plain, cpu_to_group, throughput_to_group;
  for (unsigned round = 0; round < rounds; ++round) {
    // Made beforehand, with the digest that a sender announces: neither is part of a deposit's cost.
    std::vector<Bytes> bodies;
    std::vector<greffe::Digest> digests;
    for (std::uint64_t i = 0; i < objects; ++i) {
      bodies.push_back(object_of(pattern, round * objects + i));
      digests.push_back(greffe::sha256(bodies.back()));
    }
    bool failed = false;
    const std::function<void(std::uint64_t)> one_of[] = {
        [&](std::uint64_t i) { greffe::bench::deposit_floor(plain_directories, bodies[i], greffe::bench::Syncs::all); },
        [&](std::uint64_t i) { group.deposit(group_directories, bodies[i]); },
        [&](std::uint64_t i) { if (!deposit(**pool, bodies[i], digests[i])) failed = true; }};
    Cost costs[3];
    for (unsigned turn = 0; turn < 3; ++turn) {
      const unsigned who = (round + turn) % 3;
      forget_pages(folder);
      costs[who] = measure([&] { spread(threads, 0, objects, one_of[who]); });
    }
    if (failed) {
      std::fprintf(stderr, "a deposit failed\n");
      return 2;
    }
    const auto& [plain, grouped, ours] = costs;
    const auto each_ms = [&](double s) { return 1000 * s / static_cast<double>(objects); };
    std::printf("round %u, ms of each: floor %.2f CPU %.2f wall, with group commit %.2f CPU %.2f wall, pool %.2f CPU (%.2f user) %.2f wall\n", round,
                each_ms(plain.cpu()), each_ms(plain.wall_s), each_ms(grouped.cpu()), each_ms(grouped.wall_s), each_ms(ours.cpu()),
                each_ms(ours.user_s), each_ms(ours.wall_s));
    plain_cpu.push_back(each_ms(plain.cpu()));
    group_cpu.push_back(each_ms(grouped.cpu()));
    pool_cpu.push_back(each_ms(ours.cpu()));
    cpu_to_plain.push_back(ours.cpu() / plain.cpu());
    wall_to_plain.push_back(ours.wall_s / plain.wall_s);
    cpu_to_group.push_back(ours.cpu() / grouped.cpu());
    throughput_to_group.push_back(grouped.wall_s / ours.wall_s);
  }
  std::filesystem::remove_all(folder);
  std::printf("{\"bench\":\"deposit\",\"object_bytes\":%zu,\"objects\":%llu,\"rounds\":%u,\"threads\":%u,\"floor_cpu_us\":%.0f,"
              "\"group_cpu_us\":%.0f,\"pool_cpu_us\":%.0f}\n",
              kObjectBytes, static_cast<unsigned long long>(objects), rounds, threads, 1000 * median(plain_cpu), 1000 * median(group_cpu),
              1000 * median(pool_cpu));
  const char* many = threads == 1 ? "" : "s";
  std::printf("ROW {\"row\":\"deposit of 2.5 MB objects, in process, %u thread%s\",\"peer\":\"floor: hash, three copies, each synced by itself\","
              "\"to_reach\":\"<= 1.25 x CPU\",\"measured\":\"%.2f x CPU, %.2f x wall\",\"reached\":%s}\n",
              threads, many, median(cpu_to_plain), median(wall_to_plain), median(cpu_to_plain) <= 1.25 ? "true" : "false");
  const bool reached = median(throughput_to_group) >= 0.9 && median(cpu_to_group) <= 1.15;
  std::printf("ROW {\"row\":\"the same, %u thread%s\",\"peer\":\"floor with the same group commit\",\"to_reach\":\">= 0.9 x throughput, <= 1.15 x CPU\","
              "\"measured\":\"%.2f x throughput, %.2f x CPU\",\"reached\":%s}\n",
              threads, many, median(throughput_to_group), median(cpu_to_group), reached ? "true" : "false");
  return 0;
}
