#include "archive/keeper_state.h"

#include "archive/format/canonical_json.h"
#include "archive/format/names.h"

namespace greffe::archive {
namespace {

constexpr std::uint64_t kMaxStateBytes = 1024 * 1024;
constexpr std::int64_t kVersion = 1;

}  // namespace

std::string write_keeper_state(const KeeperState& state) {
  Json::Array volumes;
  for (const auto& [id, is] : state.volumes) volumes.push_back(Json().set("id", id).set("state", is));
  const store::CensusTotals& o = state.objects;
  Json out;
  out.set("after", o.after).set("bytes_read", o.bytes_read).set("lacking", o.lacking).set("objects", o.objects).set("pool", state.pool);
  out.set("v", kVersion).set("volumes", std::move(volumes)).set("volumes_changed", state.volumes_changed).set("written", o.written);
  return write_json(out);
}

Result<KeeperState> parse_keeper_state(std::string_view text) {
  const Json json = GREFFE_TRY(parse_json(text));
  if (GREFFE_TRY(json.integer("v")) != kVersion) return fail(Errc::invalid, "it is of another version of Greffe");
  KeeperState out;
  out.pool = GREFFE_TRY(json.string("pool"));
  const Json::Array volumes = GREFFE_TRY(json.array("volumes"));
  for (const Json& volume : volumes) out.volumes.emplace_back(GREFFE_TRY(volume.string("id")), GREFFE_TRY(volume.string("state")));
  out.volumes_changed = GREFFE_TRY(json.boolean("volumes_changed"));
  out.objects.after = GREFFE_TRY(json.string("after"));
  if (!parse_object_key(out.objects.after)) return fail(Errc::invalid, "\"after\" is not the key of an object");
  out.objects.objects = GREFFE_TRY(json.size("objects"));
  out.objects.lacking = GREFFE_TRY(json.size("lacking"));
  out.objects.written = GREFFE_TRY(json.size("written"));
  out.objects.bytes_read = GREFFE_TRY(json.size("bytes_read"));
  return out;
}

Result<KeeperState> load_keeper_state(FileSystem& files, const std::string& path) {
  const Bytes bytes = GREFFE_TRY(files.read_file(path, kMaxStateBytes));
  auto state = parse_keeper_state(as_text(bytes));
  if (!state) return fail(Errc::invalid, path + ": " + state.error().message);
  return state;
}

Status save_keeper_state(FileSystem& files, const std::string& path, const KeeperState& state) {
  return files.replace(path, as_bytes(write_keeper_state(state) + "\n"), 0600);
}

}  // namespace greffe::archive
