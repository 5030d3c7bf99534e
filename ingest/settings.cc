#include "ingest/settings.h"

#include <fmt/format.h>

#include "archive/base/config.h"
#include "archive/format/names.h"

namespace greffe::ingest {
namespace {

Result<StreamSettings> stream_from(Config& config, const std::string& config_path) {
  StreamSettings out;
  out.name = GREFFE_TRY(config.string("name"));
  out.medium = GREFFE_TRY(config.string("medium"));
  out.source = GREFFE_TRY(config.string_or("source", out.source));
  const std::string where = fmt::format("{}: stream {}", config_path, out.name);
  const std::string address = GREFFE_TRY(config.string("address"));
  auto parsed = parse_source_address(address);
  if (!parsed) return parsed.error().within(where + ": address");
  out.address = std::move(*parsed);
  const std::string sub = GREFFE_TRY(config.string_or("sub_address", ""));
  if (!sub.empty()) {
    auto second = parse_source_address(sub);
    if (!second) return second.error().within(where + ": sub_address");
    out.sub = std::move(*second);
  }
  const Status possible = check_stream(out);
  if (!possible) return possible.error().within(where);
  return out;
}

Result<UploadSettings> upload_from(Config& config, const std::string& config_path) {
  UploadSettings out;
  if (config.has("limit_kbit_s")) {
    const std::int64_t limit = GREFFE_TRY(config.integer_or("limit_kbit_s", 0, 0, kMostLimitKbit));
    if (limit > 0 && limit < kLeastLimitKbit) {
      return fail(Errc::invalid, fmt::format("{}: upload.limit_kbit_s is 0 (only the log goes) or at least {}", config_path, kLeastLimitKbit));
    }
    out.timetable = Timetable(limit);
  }
  const std::vector<std::string> windows = GREFFE_TRY(config.strings_or_none("timetable"));
  for (const std::string& window : windows) {
    const Status added = out.timetable.add(window);
    if (!added) return added.error().within(config_path + ": upload.timetable");
  }
  out.connections = static_cast<unsigned>(GREFFE_TRY(config.integer_or("connections", out.connections, 1, 16)));
  out.ask_successors_after_ms = 1000 * GREFFE_TRY(config.integer_or("ask_successors_after_s", out.ask_successors_after_ms / 1000, 1, 86'400));
  GREFFE_TRY(config.refuse_unknown());
  return out;
}

Result<std::map<std::string, std::string>> read_names(Config& place, const char* key) {
  Config table = GREFFE_TRY(place.table(key));
  std::map<std::string, std::string> out;
  for (const char* language : {"zh", "fr", "en"}) {
    const std::string name = GREFFE_TRY(table.string_or(language, ""));
    if (!name.empty()) out[language] = name;
  }
  GREFFE_TRY(table.refuse_unknown());
  return out;
}

Result<PlaceSettings> read_place(Config& config, const std::string& config_path) {
  Config place = GREFFE_TRY(config.table("place"));
  PlaceSettings out;
  const std::string zone = GREFFE_TRY(place.string_or("zone", ""));
  if (!zone.empty()) {
    const auto found = Zone::named(zone);
    if (!found) return found.error().within(config_path + ": zone in [place]");
    out.zone = *found;
  }
  out.court_names = GREFFE_TRY(read_names(place, "court"));
  out.room_names = GREFFE_TRY(read_names(place, "room"));
  GREFFE_TRY(place.refuse_unknown());
  return out;
}

Result<IngestSettings> from_config(Config& config, const std::string& config_path) {
  IngestSettings out;
  const std::string fallback = parent_of(config_path);
  const std::string directory = GREFFE_TRY(config.string_or("directory", ""));
  out.directory = directory.empty() ? fallback : config.path_from_here(directory);
  const std::string safe = GREFFE_TRY(config.string_or("safe", "archive"));
  if (safe != "archive" && safe != "dr") {
    return fail(Errc::invalid, fmt::format("{}: safe must be \"archive\" or \"dr\"", config_path));
  }
  out.safe_needs_second_site = safe == "dr";
  const std::string second = GREFFE_TRY(config.string_or("second_site", ""));
  if (!second.empty()) {
    auto key = parse_verifier_key(second);
    if (!key) return key.error().within(config_path + ": second_site");
    out.second_site = std::move(*key);
  }
  if (out.safe_needs_second_site && !out.second_site) {
    return fail(Errc::invalid, config_path + ": safe = \"dr\" needs second_site = \"<the second site's holder key>\", as "
                                             "`greffe-archive keys` prints it there");
  }
  out.keep_days = GREFFE_TRY(config.integer_or("keep_days", out.keep_days, 0, 36'500));
  Config segments = GREFFE_TRY(config.table("segments"));
  out.video_ms = 1000 * GREFFE_TRY(segments.integer_or("video_seconds", 10, 2, 30));
  out.audio_ms = 1000 * GREFFE_TRY(segments.integer_or("audio_seconds", 30, 5, 60));
  GREFFE_TRY(segments.refuse_unknown());
  Config control = GREFFE_TRY(config.table("control"));
  out.page = GREFFE_TRY(read_page_settings(control, config_path));
  out.watch = GREFFE_TRY(config.boolean_or("signal_watch", out.watch));
  std::vector<Config> streams = GREFFE_TRY(config.tables("stream"));
  for (Config& one : streams) out.streams.push_back(GREFFE_TRY(stream_from(one, config_path)));
  for (std::size_t i = 0; i < out.streams.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (out.streams[i].name == out.streams[j].name) return fail(Errc::invalid, fmt::format("{}: two streams are called {}", config_path, out.streams[i].name));
    }
  }
  Config spool = GREFFE_TRY(config.table("spool"));
  out.reserve_hours = GREFFE_TRY(spool.integer_or("reserve_hours", out.reserve_hours, 0, 168));
  out.free_early = GREFFE_TRY(spool.boolean_or("free_early", out.free_early));
  const std::string other = GREFFE_TRY(spool.string_or("second", ""));
  if (!other.empty()) out.second = config.path_from_here(other);
  GREFFE_TRY(spool.refuse_unknown());
  out.place = GREFFE_TRY(read_place(config, config_path));
  Config upload = GREFFE_TRY(config.table("upload"));
  out.upload = GREFFE_TRY(upload_from(upload, config_path));
  GREFFE_TRY(config.refuse_unknown());
  return out;
}

}  // namespace

Status check_stream(const StreamSettings& stream) {
  if (!is_valid_name(stream.name)) return fail(Errc::invalid, "the name of a stream must be of a-z, 0-9 and '-', at most 32");
  if (stream.medium != "video" && stream.medium != "audio") return fail(Errc::invalid, "medium must be \"video\" or \"audio\"");
  if (stream.source != "room" && stream.source != "remote" && stream.source != "screen") {
    return fail(Errc::invalid, "source must be \"room\", \"remote\" or \"screen\"");
  }
  if (stream.sub && stream.medium != "video") return fail(Errc::invalid, "only a camera has a sub_address");
  if (stream.sub && !is_valid_name(stream.name + kSubStream)) return fail(Errc::invalid, "the name is too long to be followed by -sub");
  return ok();
}

Result<IngestSettings> load_settings(FileSystem& files, const std::string& config_path, const std::string& directory) {
  IngestSettings out;
  if (!config_path.empty()) {
    Config config = GREFFE_TRY(Config::load(files, config_path));
    out = GREFFE_TRY(from_config(config, config_path));
  }
  if (!directory.empty() && directory != out.directory) out.second.clear();  // of the configured one
  if (!directory.empty()) out.directory = directory;
  if (!out.second.empty() && out.second == out.directory) {
    return fail(Errc::invalid, fmt::format("{}: spool.second is the directory itself; give it a folder on another disk", config_path));
  }
  return out;
}

}  // namespace greffe::ingest
