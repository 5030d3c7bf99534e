// What this process knows of single replicas: hashed whole and when, durable or not. Bounded; the least recently used
// is forgotten, which costs another hash. Thread-safe.
#ifndef GREFFE_ARCHIVE_STORE_VERIFIED_COPIES_H
#define GREFFE_ARCHIVE_STORE_VERIFIED_COPIES_H

#include <cstdint>
#include <list>
#include <mutex>
#include <unordered_map>

#include "archive/base/file_system.h"
#include "archive/format/digest.h"

namespace greffe::store {

class Volume;

inline constexpr std::int64_t kVerifiedForMs = 24LL * 3600 * 1000;  // DESIGN section 5: served within 24 h of a full hash
inline constexpr std::size_t kVerifiedCopiesMax = 200'000;          // some 30 MB

class VerifiedCopies {
 public:
  explicit VerifiedCopies(std::size_t capacity = kVerifiedCopiesMax) : capacity_(capacity) {}

  // `stat` is the file as it was then: a file that looks different later is not the one that was hashed.
  void note_hashed(const Volume* volume, const Digest& digest, const FileStat& stat, std::int64_t now_ms);
  // The process itself wrote or re-hashed this replica and synced file and directory.
  void note_durable(const Volume* volume, const Digest& digest, const FileStat& stat, std::int64_t now_ms);
  void forget(const Volume* volume, const Digest& digest);

  bool hashed_lately(const Volume* volume, const Digest& digest, const FileStat& stat, std::int64_t now_ms);
  bool durable_lately(const Volume* volume, const Digest& digest, const FileStat& stat, std::int64_t now_ms);

 private:
  struct Key {
    const Volume* volume;
    Digest digest;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return std::hash<Digest>{}(key.digest) ^ std::hash<const void*>{}(key.volume);
    }
  };
  struct Entry {
    Key key;
    FileStat stat;
    std::int64_t hashed_ms = -1;   // monotonic; -1: never
    std::int64_t durable_ms = -1;  // monotonic; -1: unknown
  };
  using Entries = std::list<Entry>;

  Entry& touch(const Key& key, const FileStat& stat) /* mutex_ held */;
  Entry* find(const Key& key, const FileStat& stat) /* mutex_ held */;

  const std::size_t capacity_;
  std::mutex mutex_;
  Entries entries_;                                              // guarded by mutex_; most recently used first
  std::unordered_map<Key, Entries::iterator, KeyHash> by_key_;  // guarded by mutex_
};

}  // namespace greffe::store

#endif
