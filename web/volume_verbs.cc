#include "web/volume_verbs.h"

#include <fmt/format.h>

#include <filesystem>

#include "archive/base/progress.h"
#include "archive/store/volume_label.h"

namespace greffe::web {
namespace {

int said(const Json& answer, const VolumeVerbs& verbs, const std::string& words) {
  fmt::print("{}\n", verbs.json ? write_json(answer) : words);
  return kExitDone;
}

Result<int> list(const VolumeVerbs& verbs) {
  const Json answer = GREFFE_TRY(verbs.ask("status", Json()));
  if (!answer.has("volumes")) return fail(Errc::unavailable, "this machine only waits for its turn; ask the one that writes");
  const Json::Array volumes = GREFFE_TRY(answer.array("volumes"));
  if (verbs.json) {
    fmt::print("{}\n", write_json(Json(volumes)));
    return kExitDone;
  }
  fmt::print("{:<34} {:<12} {:<10} {:>14} {:>14}  {}\n", "VOLUME", "DOMAIN", "STATE", "USED", "TOTAL", "PATH");
  for (const Json& v : volumes) {
    const auto why = v.string("reason");
    fmt::print("{:<34} {:<12} {:<10} {:>14} {:>14}  {}{}\n", *v.string("id"), *v.string("domain"), *v.string("state"),
               *v.integer("used_bytes"), *v.integer("total_bytes"), *v.string("path"), why ? "\n  " + *why : std::string());
  }
  const Json keeping = GREFFE_TRY(answer.object("keeping"));
  if (*keeping.boolean("running")) {
    fmt::print("Looking through all names: {} %, {} objects lacked replicas, {} replicas written.\n", *keeping.integer("percent"), *keeping.integer("lacking"),
               *keeping.integer("written"));
  }
  const Json room = GREFFE_TRY(keeping.object("room"));
  if (*room.boolean("running")) {
    fmt::print("Making room for new recordings: {} copies ({}) moved to other volumes, {} to go.\n", *room.integer("moved"),
               human_bytes(*room.size("moved_bytes")), human_bytes(*room.size("lacking_bytes")));
  }
  return kExitDone;
}

Result<int> add(const VolumeVerbs& verbs) {
  const store::NewVolume volume = GREFFE_TRY(store::parse_new_volume(verbs.new_volume));
  Json arguments;
  arguments.set("domain", volume.domain).set("path", std::filesystem::absolute(volume.path).string());
  const Json answer = GREFFE_TRY(verbs.ask("volume-add", arguments));
  return said(answer, verbs, fmt::format("Volume {} takes part from now on; the pool's own list has it, archive.toml need not.", *answer.string("volume")));
}

Result<int> drain(const VolumeVerbs& verbs) {
  Json arguments;
  arguments.set("volume", verbs.volume);
  const Json answer = GREFFE_TRY(verbs.ask("volume-drain", arguments));
  return said(answer, verbs, fmt::format("Volume {} is being emptied; `volume list` shows \"retired\" when it may be taken out.", *answer.string("volume")));
}

// The new one first: at no moment are there fewer volumes than replicas.
Result<int> replace(const VolumeVerbs& verbs) {
  GREFFE_TRY(add(verbs));
  return drain(verbs);
}

}  // namespace

void VolumeVerbs::define(CommandLine& line) {
  auto& all = line.verb("volume", "disks of the pool: list, add, drain, replace");
  all.verb("list", "all volumes with their state").json(json).body([this] { return list(*this); });
  all.verb("add", "take a new disk into the pool").required("NEW", new_volume, "an empty folder on it, and what fails together with it", "PATH=DOMAIN")
      .json(json).body([this] { return add(*this); });
  all.verb("drain", "empty a volume, so that it can be taken out; also one that is gone for good").required("VOLUME", volume, "its id or path", "VOLUME")
      .json(json).body([this] { return drain(*this); });
  all.verb("replace", "add a new disk and empty an old one, or one that is gone").required("VOLUME", volume, "the old one: its id or path", "VOLUME")
      .required("NEW", new_volume, "the new one", "PATH=DOMAIN").body([this] { return replace(*this); });
}

}  // namespace greffe::web
