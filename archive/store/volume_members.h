// Volumes that come and go while a pool is in use; only of a pool whose replicas Greffe places itself. Thread-safe.
#ifndef GREFFE_ARCHIVE_STORE_VOLUME_MEMBERS_H
#define GREFFE_ARCHIVE_STORE_VOLUME_MEMBERS_H

#include <functional>
#include <stop_token>
#include <string>

#include "archive/store/census.h"
#include "archive/store/rebalance.h"
#include "archive/store/volume_label.h"

namespace greffe::store {

class VolumeMembers {
 public:
  virtual ~VolumeMembers() = default;
  // Looks which objects have fewer than R replicas on volumes that count, without reading those that have, and makes
  // them good. Walks all names.
  virtual Result<CensusTotals> fill_up(const CensusSettings& settings, const std::function<bool(const CensusTotals&)>& visit,
                                       std::stop_token stop = {}) = 0;
  // As Rebalance (rebalance.h): moves what must move so that new objects find R volumes with room. Not beside fill_up().
  virtual bool lacks_room() = 0;
  virtual Result<RoomTotals> make_room(const RoomSettings& settings, const std::function<bool(const RoomTotals&)>& visit,
                                       std::stop_token stop = {}) = 0;
  // As PoolMembership (pool_membership.h). retire_volume() is for who has seen a whole fill_up() and the logs through
  // after drain_volume().
  virtual Result<VolumeLabel> add_volume(const std::string& path, const std::string& domain) = 0;
  virtual Status drain_volume(const std::string& id) = 0;
  virtual Status retire_volume(const std::string& id) = 0;
  virtual std::uint64_t volume_changes() const = 0;
};

}  // namespace greffe::store

#endif
