// Makes room where new objects need it: moves replicas from full volumes to those that have room, as few as it takes until
// R volumes, in R failure domains, have room again. Only objects; logs and heads stay where they are. Nothing of it is
// stored: the names on the volumes say what is left to do, after a crash too.
#ifndef GREFFE_ARCHIVE_STORE_REBALANCE_H
#define GREFFE_ARCHIVE_STORE_REBALANCE_H

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "archive/store/object_repair.h"
#include "archive/store/room_plan.h"

namespace greffe::store {

struct RoomSettings {
  std::uint64_t bytes_per_second = 0;  // of objects that are moved (each is read R+1 times for it); 0: as fast as it goes
};

struct RoomTotals {
  std::uint64_t moved = 0;         // replicas that went to another volume
  std::uint64_t moved_bytes = 0;
  std::uint64_t removed = 0;       // replicas that were one too many: a volume came back after others had taken its place
  std::uint64_t lacking_bytes = 0; // room that there should be more, on the R volumes that have the most
  bool reached = false;            // there is enough
  std::string problem;             // why there is not, and what to do: a sentence; empty: reached, or stopped on the way
};

class Rebalance {
 public:
  Rebalance(Pool& pool, ObjectRepair& repair) : pool_(pool), repair_(repair) {}

  // Whether R volumes have less than half of the room that they ought to have. Cheap; any thread.
  bool lacks_room() const;

  // `visit` sees the totals after every replica; it returns false to stop. denied: a reader's pool. One at a time.
  Result<RoomTotals> run(const RoomSettings& settings, const std::function<bool(const RoomTotals&)>& visit, std::stop_token stop);

 private:
  // The volumes that take new objects, as they are now.
  struct Survey {
    std::vector<Volume*> volumes;
    std::vector<VolumeRoom> rooms;  // of each
    std::uint64_t goal = 0;
    RoomChoice choice;
    std::size_t index_of(const Volume& volume) const;  // rooms.size(): it takes none any more
  };
  struct Run;

  Survey survey(const std::set<std::string>& given_up) const;
  std::vector<std::string> names_in(Volume& volume, const std::string& directory) const;
  bool move_off(Run& run, Volume& from);
  bool needs_more(Run& run, const Volume& from) const;
  bool try_object(Run& run, Volume& from, const Digest& digest);
  Volume* target_of(Run& run, const Volume& source, const std::vector<Volume*>& holders, std::uint64_t bytes) const;

  Pool& pool_;
  ObjectRepair& repair_;
  std::map<std::string, unsigned> places_;  // by volume: the directory of "sha256/" where the last run stood
};

}  // namespace greffe::store

#endif
