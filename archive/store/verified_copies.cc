#include "archive/store/verified_copies.h"

namespace greffe::store {
namespace {

bool same_file(const FileStat& a, const FileStat& b) {
  return a.size == b.size && a.modified_ms == b.modified_ms && a.inode == b.inode && a.device == b.device;
}

bool is_recent(std::int64_t then_ms, std::int64_t now_ms) { return then_ms >= 0 && now_ms - then_ms < kVerifiedForMs; }

}  // namespace

VerifiedCopies::Entry& VerifiedCopies::touch(const Key& key, const FileStat& stat) {
  if (Entry* entry = find(key, stat)) return *entry;
  entries_.push_front(Entry{key, stat});
  by_key_[key] = entries_.begin();
  if (entries_.size() > capacity_) {
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
  return entries_.front();
}

VerifiedCopies::Entry* VerifiedCopies::find(const Key& key, const FileStat& stat) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  if (!same_file(found->second->stat, stat)) {
    entries_.erase(found->second);
    by_key_.erase(found);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, found->second);
  return &entries_.front();
}

void VerifiedCopies::note_hashed(const Volume* volume, const Digest& digest, const FileStat& stat,
                                 std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  touch({volume, digest}, stat).hashed_ms = now_ms;
}

void VerifiedCopies::note_durable(const Volume* volume, const Digest& digest, const FileStat& stat,
                                  std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  touch({volume, digest}, stat).durable_ms = now_ms;
}

void VerifiedCopies::forget(const Volume* volume, const Digest& digest) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find({volume, digest});
  if (found == by_key_.end()) return;
  entries_.erase(found->second);
  by_key_.erase(found);
}

bool VerifiedCopies::hashed_lately(const Volume* volume, const Digest& digest, const FileStat& stat,
                                   std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  const Entry* entry = find({volume, digest}, stat);
  return entry != nullptr && is_recent(entry->hashed_ms, now_ms);
}

bool VerifiedCopies::durable_lately(const Volume* volume, const Digest& digest, const FileStat& stat,
                                    std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  const Entry* entry = find({volume, digest}, stat);
  return entry != nullptr && is_recent(entry->durable_ms, now_ms);
}

}  // namespace greffe::store
