// The station's configuration file, station.toml. Every key is documented in docs/formats/spool.md.
#ifndef GREFFE_INGEST_SETTINGS_H
#define GREFFE_INGEST_SETTINGS_H

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "archive/base/file_system.h"
#include "archive/base/zone.h"
#include "archive/format/ed25519.h"
#include "ingest/page_settings.h"
#include "ingest/source_address.h"
#include "ingest/timetable.h"

namespace greffe::ingest {

// One live input of the courtroom.
struct StreamSettings {
  std::string name;
  std::string medium;           // "video" or "audio"
  std::string source = "room";  // "room", "remote", "screen"
  SourceAddress address;
  std::optional<SourceAddress> sub;  // the camera's H.264 beside H.265, which not every browser shows
};
constexpr const char* kSubStream = "-sub";  // follows the name of the stream that is recorded beside H.265
// invalid: a name, medium or source that is none; the address is parsed by parse_source_address.
Status check_stream(const StreamSettings& stream);

// Where the station stands, for paper and for the day's list: the courtroom's clock, and names that people know.
struct PlaceSettings {
  std::optional<Zone> zone;
  std::map<std::string, std::string> court_names;  // by language: zh, fr, en
  std::map<std::string, std::string> room_names;
};

struct UploadSettings {
  Timetable timetable;       // how fast recordings may go
  unsigned connections = 4;  // at once
  std::int64_t ask_successors_after_ms = 60'000;  // without an answer: then other sites are asked where the archive goes on
};

struct IngestSettings {
  std::string directory = "/var/lib/greffe-ingest";
  std::string second;                      // another station directory, on another disk, that follows this one; empty: none
  // When a recording counts as safe: the archive holds it, or the second site as well.
  bool safe_needs_second_site = false;
  std::optional<VerifierKey> second_site;  // whose cosignature that is
  std::int64_t keep_days = 7;              // media stay here so long after they are safe
  std::int64_t reserve_hours = 4;          // of recording, kept for hearings that have begun
  bool free_early = true;                  // what is safe goes before keep_days when room is short
  std::int64_t video_ms = 10'000;          // length of a segment
  std::int64_t audio_ms = 30'000;
  std::vector<StreamSettings> streams;
  bool watch = true;                       // the signal of live streams: levels, alarms, small pictures
  PageSettings page;
  PlaceSettings place;
  UploadSettings upload;
};

// `config_path` empty: the defaults. `directory` not empty: instead of the configured one.
Result<IngestSettings> load_settings(FileSystem& files, const std::string& config_path, const std::string& directory);

}  // namespace greffe::ingest

#endif
