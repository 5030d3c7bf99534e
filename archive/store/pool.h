// What the parts of a local pool share: its volumes, its settings, what is known of its replicas.
#ifndef GREFFE_ARCHIVE_STORE_POOL_H
#define GREFFE_ARCHIVE_STORE_POOL_H

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "archive/base/clock.h"
#include "archive/base/file_system.h"
#include "archive/store/verified_copies.h"
#include "archive/store/volume.h"

namespace greffe::store {

// A replica that is not what it should be, as it was found.
struct Damage {
  std::string key;
  std::string volume;  // id
  std::string what;    // a sentence
  bool missing = false;   // it is not there at all; else its bytes are wrong or cannot be read
  bool repaired = false;  // a good replica took its place
};
using DamageListener = std::function<void(const Damage&)>;  // called from any thread; must not call the pool

// Whether a head is one that its owner signed. A copy that is not counts as damage. Called from any thread.
using HeadCheck = std::function<bool(std::string_view key, std::string_view text)>;

// What a pool is told at opening besides its settings. All may be empty.
struct PoolListeners {
  DamageListener on_damage;       // every replica that was found missing or damaged, and whether it was repaired
  HeadCheck head_is_good;         // local pools: a copy of a head for which this says false counts as damage
  std::function<void()> on_lost = {};  // remote pools: another process has the writer's lease; this one must end
  std::string writer_place = {};       // remote pools: where this writer is reached (writer_place.h); kept with the lease
  std::stop_token stop = {};           // remote pools: opening that waits for a lease ends with `cancelled`
};

struct PoolSettings {
  std::vector<std::string> volumes;  // paths
  std::string pool_id;               // empty: the one that all labels agree on
  unsigned replicas = 3;             // R
  unsigned write_quorum = 2;         // W; at most R
  std::uint64_t min_free_bytes = 0;  // per volume; kept back from objects, for logs
};

enum class PoolMode {
  writer,  // holds the lease
  reader,  // beside a writer or alone; never writes, repairs or moves anything
};

// Grows and never shrinks, and what is in it stays where it is: threads walk it while one adds.
class VolumeList {
 public:
  using Slot = std::unique_ptr<Volume>;
  Volume& add(Slot volume) {  // one thread at a time, up to kVolumesMax
    const std::size_t at = count_.load();
    GREFFE_CHECK(at < slots_.size());
    slots_[at] = std::move(volume);
    count_.store(at + 1);
    return *slots_[at];
  }
  const Slot* begin() const { return slots_.data(); }
  const Slot* end() const { return slots_.data() + count_.load(); }
  std::size_t size() const { return count_.load(); }

 private:
  std::array<Slot, 2 * kVolumesMax> slots_;  // paths of the configuration and of the pool's own list
  std::atomic<std::size_t> count_{0};
};

struct Pool {
  Pool(FileSystem& file_system, Clock& the_clock, PoolSettings the_settings, PoolMode the_mode)
      : files(file_system), clock(the_clock), settings(std::move(the_settings)), mode(the_mode) {}

  FileSystem& files;
  Clock& clock;
  PoolSettings settings;  // replicas is at most the number of volumes
  const PoolMode mode;
  VolumeList volumes;
  VerifiedCopies verified;
  DamageListener on_damage;  // set before the pool is used; may be empty
  HeadCheck head_is_good;    // the same

  bool may_write() const { return mode == PoolMode::writer; }
  void report(const Damage& damage) const {
    if (on_damage) on_damage(damage);
  }
  // Volumes whose label is known, in the order in which they ought to hold `key`; missing ones and those that are being
  // emptied included, retired ones not.
  std::vector<Volume*> ranked(std::string_view key) const;
  // The first R of those that stay: where heads and log files belong.
  std::vector<Volume*> homes(std::string_view key) const;
  std::size_t never_seen() const;  // configured volumes without a known label
  unsigned active_volumes() const;  // missing ones included: neither being emptied nor retired
};

Status read_only_pool(std::string_view what);  // denied: this pool was opened for reading

}  // namespace greffe::store

#endif
