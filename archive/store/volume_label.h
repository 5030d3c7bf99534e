// greffe-volume.json: how a volume says what it is. A volume is recognised by this file alone, never by its path.
// See docs/formats/volume.md.
#ifndef GREFFE_ARCHIVE_STORE_VOLUME_LABEL_H
#define GREFFE_ARCHIVE_STORE_VOLUME_LABEL_H

#include <string>
#include <string_view>

#include "archive/base/file_system.h"
#include "archive/base/result.h"

namespace greffe::store {

struct VolumeLabel {
  std::string id;      // 32 hexadecimal digits, random
  std::string domain;  // failure domain: [a-z0-9-]{1,32}; what breaks together has the same one
  std::string pool;    // 32 hexadecimal digits, the same on every volume of a pool
  auto operator<=>(const VolumeLabel&) const = default;
};

inline constexpr std::string_view kLabelFile = "greffe-volume.json";
inline constexpr std::string_view kLockFile = "lock";              // held by the pool's writer
inline constexpr std::string_view kQuarantineFolder = "quarantine";  // replicas that were moved aside

std::string make_pool_id();  // random
bool is_volume_id(std::string_view text);  // of a volume or a pool

std::string write_volume_label(const VolumeLabel& label);
Result<VolumeLabel> parse_volume_label(std::string_view text);  // invalid with the reason

// not_found: there is no label (not a volume, or nothing is mounted there).
Result<VolumeLabel> read_volume_label(FileSystem& files, const std::string& path);

// Makes the directory a volume: fan-out directories, then the label, each durable. Running it again after a crash
// finishes what was begun. already_exists: the directory is a volume already, of this pool or of another.
Result<VolumeLabel> init_volume(FileSystem& files, const std::string& path, const std::string& pool_id,
                                const std::string& domain);

// A volume that is to be made, as a person writes it: "PATH=DOMAIN". invalid with how it is written.
struct NewVolume {
  std::string path;
  std::string domain;
};
Result<NewVolume> parse_new_volume(const std::string& text);

}  // namespace greffe::store

#endif
