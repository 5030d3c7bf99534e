// The replicas that single volumes hold, in the order of their names: what a scrub reads. Only of a pool whose replicas
// Greffe keeps itself. Thread-safe.
#ifndef GREFFE_ARCHIVE_STORE_VOLUME_REPLICAS_H
#define GREFFE_ARCHIVE_STORE_VOLUME_REPLICAS_H

#include <optional>
#include <string>
#include <vector>

#include "archive/store/object_repair.h"

namespace greffe::store {

// The names of one folder ("sha256/ab/cd/") of one volume.
struct ReplicaNames {
  std::vector<Digest> objects;  // in order; empty: there is none behind the place that was asked for
  // What was met on the way there and cannot be read as objects: files with other names, folders that cannot be listed.
  struct Stray {
    std::string key;
    std::string problem;  // a sentence
  };
  std::vector<Stray> strays;
};

struct ReplicaReading {
  enum class State {
    good,
    damaged,  // other bytes, or it cannot be read
    gone,     // there is no such file any more
  };
  State state = State::gone;
  std::uint64_t bytes = 0;  // read and found good
  // Fewer than R volumes that count have a file of this name. Said of one of the volumes that have it, not of each.
  bool lacking = false;
};

class VolumeReplicas {
 public:
  virtual ~VolumeReplicas() = default;
  // The first folder with objects behind `after` (none: from the beginning); in it those behind `after`. unavailable: the
  // volume is not there; nothing is known of what it holds.
  virtual Result<ReplicaNames> names_behind(const std::string& volume, const std::optional<Digest>& after) = 0;
  // Reads the replica from its medium and hashes it. Repairs and reports nothing. unavailable: it was not read, and
  // nothing is held against it: the volume went away, or the machine has no descriptor or memory left.
  virtual Result<ReplicaReading> read_replica(const std::string& volume, const Digest& digest) = 0;
  // ObjectRepair::fill: what lacks because of the volumes is written, and not reported as damage.
  virtual Result<ObjectHealth> fill_object(const Digest& digest) = 0;
};

// What LocalPool answers with; the volume is one of the pool.
Result<ReplicaNames> replica_names_behind(Pool& pool, Volume& volume, const std::optional<Digest>& after);
Result<ReplicaReading> read_one_replica(Pool& pool, Volume& volume, const Digest& digest);
// Whether any volume that is there has a file of this name. It is not read.
bool has_replica_name(Pool& pool, const Digest& digest);
unsigned count_replica_names(Pool& pool, const Digest& digest);  // how many of them have

}  // namespace greffe::store

#endif
