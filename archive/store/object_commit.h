// Makes written replicas durable and visible, several at a time: whatever waits for a volume while its last batch is
// being synced goes in the next one. The waiting threads themselves do the work (one leads a volume at a time), so that
// different volumes sync in parallel under load. Thread-safe.
#ifndef GREFFE_ARCHIVE_STORE_OBJECT_COMMIT_H
#define GREFFE_ARCHIVE_STORE_OBJECT_COMMIT_H

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "archive/store/pool.h"

namespace greffe::store {

inline constexpr std::size_t kCommitBatchMax = 16;  // durability.md section 2: more buys nothing

// One replica on its way. Owned by the caller, who does not touch it until commit() returns.
struct CommitTicket {
  Volume* volume = nullptr;
  WritableFile* file = nullptr;  // unnamed, all bytes written, its digest known to be `digest`
  Digest digest;
  std::optional<Status> result;  // ok: the replica would survive power loss under its name
};

class GroupCommit {
 public:
  explicit GroupCommit(Pool& pool) : pool_(pool) {}
  // Blocks until every ticket has its result.
  void commit(std::span<CommitTicket> tickets);

 private:
  struct Queue {
    std::deque<CommitTicket*> waiting;
    bool led = false;
  };
  using Batch = std::vector<CommitTicket*>;

  void run_batch(Volume& volume, const Batch& batch);
  Status give_name(const CommitTicket& ticket);
  Status accept_existing(const CommitTicket& ticket);

  Pool& pool_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Volume*, Queue> queues_;  // guarded by mutex_
};

}  // namespace greffe::store

#endif
