#include "archive/store/room_plan.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "archive/format/names.h"

namespace greffe::store {
namespace {

constexpr std::uint64_t kLeastGoalBytes = 32 * kMaxObjectBytes;
constexpr std::uint64_t kGoalShare = 100;      // of a volume
constexpr std::uint64_t kGoalShareMost = 8;    // of a small one
constexpr std::uint64_t kMarginShare = 8;      // of the goal: less of a difference is not worth a move

std::int64_t as_room(std::uint64_t bytes) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(bytes, std::numeric_limits<std::int64_t>::max()));
}

}  // namespace

std::uint64_t room_goal(const std::vector<VolumeRoom>& volumes) {
  if (volumes.empty()) return 0;
  const auto smallest = std::min_element(volumes.begin(), volumes.end(), [](const VolumeRoom& a, const VolumeRoom& b) {
    return a.total_bytes < b.total_bytes;
  });
  const std::uint64_t bytes = smallest->total_bytes;
  return std::min(bytes / kGoalShareMost, std::max(bytes / kGoalShare, kLeastGoalBytes));
}

RoomChoice choose_roomiest(const std::vector<VolumeRoom>& volumes, unsigned replicas, std::uint64_t goal,
                           const std::set<std::string>& given_up) {
  std::vector<std::size_t> order(volumes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return volumes[a].room_bytes > volumes[b].room_bytes; });
  std::set<std::string> all_domains;
  for (const VolumeRoom& one : volumes) all_domains.insert(one.domain);
  std::set<std::string> domains;
  RoomChoice out;
  std::vector<std::size_t> others;
  for (const std::size_t index : order) {
    const VolumeRoom& one = volumes[index];
    if (one.room_bytes < as_room(goal) && given_up.contains(one.id)) continue;
    if (out.volumes.size() < replicas && domains.insert(one.domain).second) {
      out.volumes.push_back(index);
    } else {
      others.push_back(index);
    }
  }
  for (const std::size_t index : others) {
    if (out.volumes.size() < replicas) out.volumes.push_back(index);
  }
  const std::size_t most_volumes = std::min<std::size_t>(replicas, volumes.size());
  const std::size_t most_domains = std::min<std::size_t>(replicas, all_domains.size());
  out.complete = out.volumes.size() == most_volumes && domains.size() >= most_domains;
  return out;
}

bool has_room(const std::vector<VolumeRoom>& volumes, const RoomChoice& choice, std::uint64_t bytes) {
  return choice.complete && !choice.volumes.empty() && std::all_of(choice.volumes.begin(), choice.volumes.end(), [&](std::size_t index) {
    return volumes[index].room_bytes >= as_room(bytes);
  });
}

std::size_t poorest_of(const std::vector<VolumeRoom>& volumes, const RoomChoice& choice) {
  return *std::min_element(choice.volumes.begin(), choice.volumes.end(), [&](std::size_t a, std::size_t b) {
    return volumes[a].room_bytes < volumes[b].room_bytes;
  });
}

std::uint64_t lacking_room(const std::vector<VolumeRoom>& volumes, const RoomChoice& choice, std::uint64_t goal) {
  std::uint64_t out = 0;
  for (const std::size_t index : choice.volumes) {
    const std::int64_t lacks = as_room(goal) - volumes[index].room_bytes;
    if (lacks > 0) out += static_cast<std::uint64_t>(lacks);
  }
  return out;
}

bool may_give(const VolumeRoom& from, const VolumeRoom& to, std::uint64_t bytes, std::uint64_t goal) {
  const std::int64_t then = from.room_bytes + as_room(bytes) + as_room(goal / kMarginShare);
  return to.room_bytes - as_room(bytes) >= std::min(as_room(goal), then);
}

}  // namespace greffe::store
