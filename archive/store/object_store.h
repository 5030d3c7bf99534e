// What the rest of Greffe knows of storage: immutable bytes under keys, and small texts that move by compare-and-swap.
// Thread-safe; blocks; retries nothing. No way to remove: deletion is another interface, given to one class.
#ifndef GREFFE_ARCHIVE_STORE_OBJECT_STORE_H
#define GREFFE_ARCHIVE_STORE_OBJECT_STORE_H

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/base/bytes.h"
#include "archive/base/file_system.h"
#include "archive/base/result.h"
#include "archive/format/digest.h"

namespace greffe::store {

// Takes the bytes of one object, hashes them and writes every replica at once. Used by one thread at a time.
// Destroyed before commit(): nothing was stored.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  virtual Status write(ByteView bytes) = 0;  // no_space, io_error, invalid (over the size limit)
  // ok: the object is readable under its digest on at least W volumes and would survive power loss there. The same
  // object stored before is ok too: its replicas were re-hashed and synced. conflict: the bytes do not have this digest.
  // unavailable: fewer than W volumes took it; nothing counts as stored.
  virtual Status commit(const Digest& expected) = 0;
};

// What a backend can do: data, never casts.
struct StoreTraits {
  unsigned replicas = 1;         // how many copies it keeps of an object when all is well
  unsigned write_quorum = 1;     // how many were durable when it said ok
  bool verifies_itself = false;  // it re-reads and repairs by itself
};

struct ObjectInfo {
  std::string key;
  std::uint64_t bytes = 0;
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  virtual StoreTraits traits() const = 0;

  // An object whose name is its digest. `size` is what the sender announced: space is reserved before byte 1.
  virtual Result<std::unique_ptr<ObjectWriter>> begin_object(std::uint64_t size) = 0;
  // True when W good replicas are there, each of them re-hashed and synced by this call or known good to this process.
  virtual Result<bool> prove_object(const Digest& digest) = 0;
  // A replica that this process hashed whole within the last 24 hours; the first touch hashes it. A replica that fails
  // is reported to repair and another is taken. not_found: nowhere. corrupt: no good replica is left.
  virtual Result<std::shared_ptr<ReadableFile>> open_object(const Digest& digest) = 0;
  virtual Result<Bytes> read_object(const Digest& digest) = 0;  // whole, hashed as it is read

  // Other immutable bytes (tiles, bundles, stages) under a key; keys are relative paths below "log/".
  // ok: durable on at least W volumes. The same bytes again: ok. Other bytes under the same key: conflict.
  virtual Status put(std::string_view key, ByteView bytes) = 0;
  virtual Result<Bytes> get(std::string_view key) = 0;  // some replica; the caller checks the bytes against the log
  // All distinct replicas of a key, for a caller that can tell the good one (a tile whose root does not match).
  virtual Result<std::vector<Bytes>> get_all(std::string_view key) = 0;
  // Keys below a prefix that ends in '/', sorted, without duplicates; `visit` returns false to stop.
  virtual Status list(std::string_view prefix, const std::function<bool(const ObjectInfo&)>& visit) = 0;
};

// Small texts that move forward by compare-and-swap: checkpoints.
class HeadStore {
 public:
  virtual ~HeadStore() = default;
  // The newest text that at least R-W+1 volumes can vouch for. not_found: there is none yet.
  virtual Result<std::string> read_head(std::string_view key) = 0;
  // Replaces exactly `expected` (empty: there must be none) by `next`. ok: durable on at least W volumes.
  // conflict: the head is another text. unavailable: the outcome is unknown: read it again before anything else.
  virtual Status swap_head(std::string_view key, std::string_view expected, std::string_view next) = 0;
};

// Given only to the class that clears superseded stages and markers of closed hearings (I6 exempts those).
class StageRemover {
 public:
  virtual ~StageRemover() = default;
  virtual Status remove_stage(std::string_view key) = 0;  // key below ".../stage/" or "log/open/"; invalid otherwise
};

// What the volumes hold under one key, judged against bytes that the caller knows to be the good ones.
struct ReplicaReport {
  unsigned good = 0;                   // replicas with exactly those bytes, after a repair if one was asked for
  std::vector<std::string> missing;    // ids of the volumes that ought to hold one and do not (did not)
  std::vector<std::string> different;  // ids of the volumes that hold (held) other bytes or cannot read theirs
  unsigned repaired = 0;               // replicas written by this call
  bool clean() const { return missing.empty() && different.empty(); }
};

// Repair of log files. Only the log itself can tell which replica is the good one, so the caller brings the bytes.
class ReplicaRepair {
 public:
  virtual ~ReplicaRepair() = default;
  virtual Result<ReplicaReport> compare(std::string_view key, ByteView good) = 0;  // changes nothing
  // Moves other bytes aside (they are kept) and writes what is missing. ok: every volume that could be written has the
  // good bytes, durably; `good` below W means that too few volumes could.
  virtual Result<ReplicaReport> restore(std::string_view key, ByteView good) = 0;
};

// One writer per pool. Held until destroyed; unavailable: another process holds it.
class WriterLease {
 public:
  virtual ~WriterLease() = default;
};

}  // namespace greffe::store

#endif
