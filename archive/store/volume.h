// One volume of a running pool: its state, its reserved space, its directories. Thread-safe.
#ifndef GREFFE_ARCHIVE_STORE_VOLUME_H
#define GREFFE_ARCHIVE_STORE_VOLUME_H

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_set>

#include "archive/base/clock.h"
#include "archive/base/file_system.h"
#include "archive/store/pool_roster.h"
#include "archive/store/volume_label.h"

namespace greffe::store {

enum class VolumeState {
  active,
  full,     // reads and log files only; active again by itself when there is room
  suspect,  // a write or sync failed: nothing new goes there until the process starts again
  missing,  // not there, foreign, older than it was, or a duplicate; active again by itself when its label is back
  draining,  // it is being emptied: reads only
  retired,   // it has left the pool
};
std::string_view name_of(VolumeState state);

struct VolumeReport {
  std::string id;  // empty: it was never seen by this process
  std::string path;
  std::string domain;
  VolumeState state = VolumeState::active;
  std::string reason;  // a sentence; empty while active
  UtcTime since;       // of the state; meaningless while active
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;
  std::uint64_t reserved_bytes = 0;  // announced by deposits that are under way
  bool draining = false;             // also of one that is missing
};

class Volume {
 public:
  // A volume that could not be recognised has an empty label and a reason; it takes no part until refresh() finds it.
  Volume(FileSystem& files, Clock& clock, std::string path, std::uint64_t min_free_bytes);

  // What the pool's list says of the volume that belongs here; before it was seen.
  void expect(const VolumeLabel& label);
  void set_duty(VolumeDuty duty, UtcTime since);

  // Reads the label and takes the volume in when it belongs to `pool_id`. Also brings a missing one back.
  void refresh(const std::string& pool_id);
  // The label is good but the volume must not be used (a duplicate, or locked by somebody): until the next start.
  void refuse(std::string reason);
  void admit();  // what it was refused for is settled; refresh() decides

  const std::string& path() const { return path_; }
  VolumeLabel label() const;
  std::string file(std::string_view key) const { return join(path_, key); }
  bool readable() const;          // not missing
  bool trusted() const;           // active or full: what is synced there counts
  bool keeps() const;             // what is there counts as a replica: not missing, and not being emptied
  VolumeDuty duty() const;
  VolumeReport report() const;    // with the space as it is now

  // Sets aside room for an object. no_space: says how much is missing. unavailable: the volume takes nothing now.
  Status reserve(std::uint64_t bytes);
  void release(std::uint64_t bytes);

  // A write, link or sync failed here: sets the state that follows from it. Returns the error with the volume's name.
  Error note_failure(const Error& error);

  // The directory below the volume exists and its name, and those of its parents, are durable.
  Status ensure_directory(const std::string& relative);

  // Moves a damaged file to the quarantine folder, durably. not_found: it is gone already.
  Status quarantine(std::string_view key);

 private:
  void set_state(VolumeState state, std::string reason) /* mutex_ held */;
  Status check_mounted();
  Status ensure_directory_alone(const std::string& relative) /* directories_mutex_ held */;
  bool is_durable_directory(const std::string& relative) const;

  FileSystem& files_;
  Clock& clock_;
  const std::string path_;
  const std::uint64_t min_free_bytes_;

  std::mutex directories_mutex_;  // one thread at a time makes directories; taken before mutex_
  mutable std::mutex mutex_;
  VolumeLabel label_;               // guarded by mutex_; set once, never changed to another id
  VolumeState state_ = VolumeState::missing;  // guarded by mutex_; of the medium: never draining or retired
  VolumeDuty duty_ = VolumeDuty::active;      // guarded by mutex_
  UtcTime duty_since_;                        // guarded by mutex_
  std::string reason_;              // guarded by mutex_
  bool refused_ = false;            // guarded by mutex_
  UtcTime since_;                   // guarded by mutex_
  std::uint64_t device_ = 0;        // guarded by mutex_; of the label file: an empty mount point has another one
  std::uint64_t reserved_bytes_ = 0;       // guarded by mutex_
  std::int64_t full_until_ms_ = 0;         // guarded by mutex_; monotonic: no new try before
  std::unordered_set<std::string> durable_directories_;  // guarded by mutex_; relative; names synced by this process
};

}  // namespace greffe::store

#endif
