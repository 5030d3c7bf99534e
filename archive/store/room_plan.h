// Which volumes ought to get room so that a new object finds R of them, in R failure domains as far as there are so many.
// Pure.
#ifndef GREFFE_ARCHIVE_STORE_ROOM_PLAN_H
#define GREFFE_ARCHIVE_STORE_ROOM_PLAN_H

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace greffe::store {

struct VolumeRoom {
  std::string id;
  std::string domain;
  std::int64_t room_bytes = 0;  // above the floor, less what deposits under way have set aside; negative below the floor
  std::uint64_t total_bytes = 0;
};

// Room that each of the R volumes ought to have once it was made: a hundredth of the smallest volume and not less than 32 of
// the largest objects, but never more than an eighth of it. Room is made when less than half of it is left, so that a
// volume near the mark is not worked at all the time.
std::uint64_t room_goal(const std::vector<VolumeRoom>& volumes);

struct RoomChoice {
  std::vector<std::size_t> volumes;  // the R with the most room, of different domains first
  bool complete = false;             // as many volumes, and of as many domains, as there could be
};
// Without those in `given_up` that have less than `goal`: they cannot be helped.
RoomChoice choose_roomiest(const std::vector<VolumeRoom>& volumes, unsigned replicas, std::uint64_t goal,
                           const std::set<std::string>& given_up);

// Whether every volume of the choice has so much room. Not one that is incomplete or empty.
bool has_room(const std::vector<VolumeRoom>& volumes, const RoomChoice& choice, std::uint64_t bytes);

// The volume of the choice with the least room; the choice is not empty.
std::size_t poorest_of(const std::vector<VolumeRoom>& volumes, const RoomChoice& choice);

// How much more room there would have to be on the volumes of the choice, in all.
std::uint64_t lacking_room(const std::vector<VolumeRoom>& volumes, const RoomChoice& choice, std::uint64_t goal);

// Whether an object of `bytes` should go from one to the other: `to` keeps the goal, or at least clearly more than `from`
// has then, so that nothing goes back and forth.
bool may_give(const VolumeRoom& from, const VolumeRoom& to, std::uint64_t bytes, std::uint64_t goal);

}  // namespace greffe::store

#endif
