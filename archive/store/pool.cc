#include "archive/store/pool.h"

#include <algorithm>

#include "archive/store/placement.h"

namespace greffe::store {

std::vector<Volume*> Pool::ranked(std::string_view key) const {
  std::vector<PlacementSite> sites;
  std::vector<Volume*> known;
  for (const auto& volume : volumes) {
    const VolumeLabel label = volume->label();
    if (label.id.empty() || volume->duty() == VolumeDuty::retired) continue;
    sites.push_back({label.id, label.domain});
    known.push_back(volume.get());
  }
  std::vector<Volume*> out;
  out.reserve(known.size());
  for (const std::size_t index : rank_sites(key, sites)) out.push_back(known[index]);
  return out;
}

std::vector<Volume*> Pool::homes(std::string_view key) const {
  std::vector<Volume*> out = ranked(placement_key(key));
  std::erase_if(out, [](const Volume* volume) { return volume->duty() != VolumeDuty::active; });
  if (out.size() > settings.replicas) out.resize(settings.replicas);
  return out;
}

std::size_t Pool::never_seen() const {
  return static_cast<std::size_t>(
      std::count_if(volumes.begin(), volumes.end(), [](const auto& volume) { return volume->label().id.empty(); }));
}

unsigned Pool::active_volumes() const {
  return static_cast<unsigned>(
      std::count_if(volumes.begin(), volumes.end(), [](const auto& volume) { return volume->duty() == VolumeDuty::active; }));
}

Status read_only_pool(std::string_view what) {
  return fail(Errc::denied, std::string(what) + ": this pool was opened for reading only");
}

}  // namespace greffe::store
