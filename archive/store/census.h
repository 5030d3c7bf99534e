// Counts the replicas of every object by their names alone, and brings those with too few back to R: after a volume came,
// went, or is being emptied. What the bytes are is scrub's business; only what is copied is read and hashed.
#ifndef GREFFE_ARCHIVE_STORE_CENSUS_H
#define GREFFE_ARCHIVE_STORE_CENSUS_H

#include <functional>
#include <stop_token>
#include <string>

#include "archive/store/object_repair.h"

namespace greffe::store {

struct CensusSettings {
  std::uint64_t bytes_per_second = 0;  // read for copies; 0: as fast as it goes
  bool volumes_changed = false;        // what lacks is no damage and not reported as such
  std::string after;                   // a key: everything up to it is known to be in order; empty: from the beginning
};

struct CensusTotals {
  std::uint64_t objects = 0;
  std::uint64_t lacking = 0;      // objects that had fewer than R
  std::uint64_t written = 0;      // replicas
  std::uint64_t bytes_read = 0;   // of objects that lacked some
  std::uint64_t stuck = 0;        // objects that have fewer than R still
  std::string problem;            // of one of those: a sentence
  std::string after;              // the key up to which all have R replicas: the walk can be gone on with behind it
  unsigned share_of_names = 0;    // in 1/65,536: how far the walk is
  bool finished = false;          // false: stopped on the way
};

// `visit` sees the totals after every object; it returns false to stop. One at a time. io_error: a directory that no
// volume can list.
Result<CensusTotals> fill_up_objects(Pool& pool, ObjectRepair& repair, const CensusSettings& settings,
                                     const std::function<bool(const CensusTotals&)>& visit, std::stop_token stop);

}  // namespace greffe::store

#endif
