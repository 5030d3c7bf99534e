// The least that a durable deposit of three replicas can cost: one SHA-256, three files, the syncs, nothing else.
#ifndef GREFFE_TESTS_BENCH_DEPOSIT_FLOOR_H
#define GREFFE_TESTS_BENCH_DEPOSIT_FLOOR_H

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace greffe::bench {

enum class Syncs { all, none };

// Writes `bytes` under its SHA-256 into each of the directories, in 1 MiB pieces; with Syncs::all every file and name is
// synced. Plain system calls and OpenSSL; nothing of the archive. Ends the program with a message when a call fails.
void deposit_floor(const std::vector<std::string>& directories, std::span<const std::uint8_t> bytes, Syncs syncs);

// Syncs for many threads at once as the archive does it: whatever waits for a directory while its last batch is being synced goes in
// the next one; one of the waiting threads syncs the files of a batch, gives them their names, and syncs each directory of names once.
class FloorGroupCommit {
 public:
  // The same as deposit_floor with Syncs::all. Any thread; blocks until the object is durable in every directory.
  void deposit(const std::vector<std::string>& directories, std::span<const std::uint8_t> bytes);

 private:
  struct Ticket {
    int file = -1;
    std::string hex;
    bool done = false;  // guarded by mutex_
  };
  struct Queue {
    std::vector<Ticket*> waiting;
    bool led = false;
  };
  void lead(std::unique_lock<std::mutex>& lock, const std::string& root);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Queue> queues_;  // guarded by mutex_
};

}  // namespace greffe::bench

#endif
