#include "archive/store/volume_label.h"

#include <fmt/format.h>

#include "archive/format/canonical_json.h"
#include "archive/format/names.h"

namespace greffe::store {
namespace {

constexpr std::uint64_t kLabelBytesMax = 4096;
constexpr std::size_t kIdBytes = 16;
constexpr std::int64_t kLabelVersion = 1;

std::string random_id() {
  std::uint8_t bytes[kIdBytes];
  fill_random(bytes);
  return to_hex(bytes);
}

}  // namespace

bool is_volume_id(std::string_view text) {
  const auto bytes = from_hex(text);
  return bytes && bytes->size() == kIdBytes;
}

std::string make_pool_id() { return random_id(); }

std::string write_volume_label(const VolumeLabel& label) {
  Json json;
  json.set("domain", label.domain).set("pool", label.pool).set("v", kLabelVersion).set("volume", label.id);
  return write_json(json) + "\n";
}

Result<VolumeLabel> parse_volume_label(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  const Json json = GREFFE_TRY(parse_canonical_json(text));
  const std::int64_t version = GREFFE_TRY(json.integer("v"));
  if (version != kLabelVersion) {
    return fail(Errc::invalid, fmt::format("volume label of version {}; this program knows version {}", version,
                                           kLabelVersion));
  }
  VolumeLabel label;
  label.id = GREFFE_TRY(json.string("volume"));
  label.domain = GREFFE_TRY(json.string("domain"));
  label.pool = GREFFE_TRY(json.string("pool"));
  if (!is_volume_id(label.id)) return fail(Errc::invalid, "the volume id is not 32 hexadecimal digits");
  if (!is_volume_id(label.pool)) return fail(Errc::invalid, "the pool id is not 32 hexadecimal digits");
  if (!is_valid_name(label.domain)) return fail(Errc::invalid, "the failure domain is not a name of [a-z0-9-]{1,32}");
  return label;
}

Result<VolumeLabel> read_volume_label(FileSystem& files, const std::string& path) {
  const std::string file = join(path, kLabelFile);
  const Bytes bytes = GREFFE_TRY(files.read_file(file, kLabelBytesMax));
  auto label = parse_volume_label(as_text(bytes));
  if (!label) return std::move(label).error().within(file);
  return label;
}

Result<VolumeLabel> init_volume(FileSystem& files, const std::string& path, const std::string& pool_id,
                                const std::string& domain) {
  if (!is_volume_id(pool_id)) return fail(Errc::invalid, "the pool id is not 32 hexadecimal digits");
  if (!is_valid_name(domain)) {
    return fail(Errc::invalid, fmt::format("\"{}\" is not a failure domain: use 1 to 32 of a-z, 0-9 and -", domain));
  }
  GREFFE_TRY(files.make_directories(path));
  const auto present = files.stat(join(path, kLabelFile));
  if (present) return fail(Errc::already_exists, path + " is a Greffe volume already; choose another directory");
  if (present.error().code != Errc::not_found) return present.error();
  GREFFE_TRY(files.make_directories(join(path, kQuarantineFolder)));
  GREFFE_TRY(files.make_directories(join(path, "log")));
  for (unsigned i = 0; i < 256; ++i) GREFFE_TRY(files.make_directories(join(path, fmt::format("sha256/{:02x}", i))));
  // Last: what has a label is whole. A crash before this leaves directories that the next run takes over.
  const VolumeLabel label{random_id(), domain, pool_id};
  const std::string text = write_volume_label(label);
  GREFFE_TRY(files.write_new(join(path, kLabelFile), as_bytes(text)));
  return label;
}

Result<NewVolume> parse_new_volume(const std::string& text) {
  const std::size_t equals = text.rfind('=');
  NewVolume volume{text.substr(0, equals), equals == std::string::npos ? "" : text.substr(equals + 1)};
  if (volume.path.empty() || !is_valid_name(volume.domain)) {
    return fail(Errc::invalid, "\"" + text + "\": write a volume as PATH=DOMAIN; the domain (1 to 32 small letters, digits, '-') "
                                             "names what fails together, for example a disk, a server or a rack");
  }
  return volume;
}

}  // namespace greffe::store
