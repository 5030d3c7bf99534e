#include "ingest/settings.h"

#include <fmt/format.h>

#include "archive/base/config.h"

namespace greffe::ingest {
namespace {

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
  GREFFE_TRY(config.refuse_unknown());
  return out;
}

}  // namespace

Result<IngestSettings> load_settings(FileSystem& files, const std::string& config_path, const std::string& directory) {
  IngestSettings out;
  if (!config_path.empty()) {
    Config config = GREFFE_TRY(Config::load(files, config_path));
    out = GREFFE_TRY(from_config(config, config_path));
  }
  if (!directory.empty()) out.directory = directory;
  return out;
}

}  // namespace greffe::ingest
