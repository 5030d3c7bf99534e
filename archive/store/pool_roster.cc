#include "archive/store/pool_roster.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "archive/format/canonical_json.h"
#include "archive/format/names.h"
#include "archive/store/volume_label.h"

namespace greffe::store {
namespace {

constexpr std::uint64_t kRosterBytesMax = 512 * 1024;
constexpr std::size_t kPathBytesMax = 1024;
constexpr std::int64_t kRosterVersion = 1;
constexpr std::array<VolumeDuty, 3> kDuties = {VolumeDuty::active, VolumeDuty::draining, VolumeDuty::retired};

Result<VolumeDuty> parse_duty(std::string_view text) {
  for (const VolumeDuty duty : kDuties) {
    if (name_of(duty) == text) return duty;
  }
  return fail(Errc::invalid, fmt::format("\"{}\" is not a duty of a volume", text));
}

Result<RosterVolume> parse_volume(const Json& json) {
  RosterVolume out;
  out.id = GREFFE_TRY(json.string("volume"));
  out.domain = GREFFE_TRY(json.string("domain"));
  out.path = GREFFE_TRY(json.string("path"));
  const std::string duty = GREFFE_TRY(json.string("duty"));
  out.duty = GREFFE_TRY(parse_duty(duty));
  out.since = GREFFE_TRY(json.utc("since"));
  out.seen = GREFFE_TRY(json.size("seen"));
  if (!is_volume_id(out.id)) return fail(Errc::invalid, "a volume's id is not 32 hexadecimal digits");
  if (!is_valid_name(out.domain)) return fail(Errc::invalid, "a failure domain is not a name of [a-z0-9-]{1,32}");
  if (!out.path.starts_with('/') || out.path.size() > kPathBytesMax) return fail(Errc::invalid, "a volume's path is not absolute");
  return out;
}

}  // namespace

std::string_view name_of(VolumeDuty duty) {
  switch (duty) {
    case VolumeDuty::active: return "active";
    case VolumeDuty::draining: return "draining";
    case VolumeDuty::retired: return "retired";
  }
  return "active";
}

RosterVolume* PoolRoster::find(std::string_view id) {
  const auto found = std::find_if(volumes.begin(), volumes.end(), [&](const RosterVolume& one) { return one.id == id; });
  return found == volumes.end() ? nullptr : &*found;
}

std::string write_pool_roster(const PoolRoster& roster) {
  Json::Array volumes;
  for (const RosterVolume& one : roster.volumes) {
    Json json;
    json.set("domain", one.domain).set("duty", name_of(one.duty)).set("path", one.path).set("seen", one.seen);
    json.set("since", one.since).set("volume", one.id);
    volumes.push_back(std::move(json));
  }
  Json json;
  json.set("generation", roster.generation).set("pool", roster.pool).set("v", kRosterVersion).set("volumes", std::move(volumes));
  return write_json(json) + "\n";
}

Result<PoolRoster> parse_pool_roster(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  const Json json = GREFFE_TRY(parse_canonical_json(text));
  const std::int64_t version = GREFFE_TRY(json.integer("v"));
  if (version != kRosterVersion) return fail(Errc::invalid, fmt::format("a list of volumes of version {}; this program knows version {}", version, kRosterVersion));
  PoolRoster out;
  out.pool = GREFFE_TRY(json.string("pool"));
  out.generation = GREFFE_TRY(json.size("generation"));
  if (!is_volume_id(out.pool)) return fail(Errc::invalid, "the pool id is not 32 hexadecimal digits");
  const Json::Array volumes = GREFFE_TRY(json.array("volumes"));
  if (volumes.empty() || volumes.size() > kVolumesMax) return fail(Errc::invalid, fmt::format("a pool has 1 to {} volumes", kVolumesMax));
  std::set<std::string> ids;
  for (const Json& one : volumes) {
    out.volumes.push_back(GREFFE_TRY(parse_volume(one)));
    if (out.volumes.back().seen > out.generation) return fail(Errc::invalid, "a volume has seen a later list than this one");
    if (!ids.insert(out.volumes.back().id).second) return fail(Errc::invalid, "a volume is listed twice");
  }
  return out;
}

Result<PoolRoster> read_pool_roster(FileSystem& files, const std::string& path) {
  const std::string file = join(path, kRosterFile);
  const Bytes bytes = GREFFE_TRY(files.read_file(file, kRosterBytesMax));
  auto roster = parse_pool_roster(as_text(bytes));
  if (!roster) return std::move(roster).error().within(file);
  return roster;
}

}  // namespace greffe::store
