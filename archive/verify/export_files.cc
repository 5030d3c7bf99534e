#include "archive/verify/export_files.h"

#include <algorithm>
#include <set>

#include "archive/format/names.h"
#include "archive/format/tiles.h"
#include "archive/verify/exported_epochs.h"
#include "archive/verify/files.h"

namespace greffe::verify {
namespace {

constexpr std::uint64_t kMaxManifestBytes = 256 * 1024 * 1024;
constexpr std::string_view kManifest = "manifest-sha256.txt";

// The part between a prefix and a suffix; empty when either is not there.
std::string_view between(std::string_view path, std::string_view prefix, std::string_view suffix) {
  if (path.size() <= prefix.size() + suffix.size() || !path.starts_with(prefix) || !path.ends_with(suffix)) return {};
  return path.substr(prefix.size(), path.size() - prefix.size() - suffix.size());
}

bool is_index(std::string_view text) { return parse_decimal(text).has_value(); }

// Below "main/", or below "main/epoch/<n>/" for a later epoch.
bool is_main_path(std::string_view path) {
  const auto epoch = epoch_of_path(path);
  const std::string folder = epoch_folder(epoch.value_or(1)) + "/";
  if (!path.starts_with(folder)) return false;
  const std::string_view name = path.substr(folder.size());
  return name == "checkpoint" || is_index(between(name, "proofs/", ".tlog-proof")) || is_index(between(name, "entries/", ".json"));
}

bool is_key_id(std::string_view text) {
  return text.size() == 8 && from_hex(text).has_value();
}

Finding about(const char* code, std::string what, const std::string& file) {
  Finding f;
  f.code = code;
  f.what = std::move(what);
  f.file = file;
  return f;
}

std::map<std::string, Digest> read_manifest(const std::string& folder, Report& report) {
  std::map<std::string, Digest> out;
  const std::string file(kManifest);
  const auto text = read_text(folder + "/" + file, kMaxManifestBytes);
  if (!text) {
    Finding f = about("file-missing", "the list of files is missing or cannot be read: " + text.error().message, file);
    if (text.error().code == Errc::io_error) f.verdict = Verdict::unreadable;
    report.add(std::move(f));
    return out;
  }
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    const auto digest = digest_from_hex(line.substr(0, std::min<std::size_t>(64, line.size())));
    const std::string path(line.size() > 66 ? line.substr(66) : std::string_view());
    if (end == std::string_view::npos || !digest || line.substr(64, 2) != "  " || path == kManifest || !is_export_path(path)) {
      report.add(about("manifest", "the list of files has a line that cannot be: \"" + std::string(line.substr(0, 160)) + "\"", file));
    } else if (!out.emplace(path, *digest).second) {
      report.add(about("manifest", "the list of files names " + path + " twice", file));
    }
  }
  return out;
}

}  // namespace

bool is_export_path(std::string_view path) {
  if (path == "README.txt" || path == "policy.txt" || path == kManifest) return true;
  if (path == "hearing/checkpoint" || is_main_path(path)) return true;
  if (is_key_id(between(path, "hearing/cosigned/", ""))) return true;
  if (path.starts_with("hearing/tile/")) return parse_tile_path(path.substr(8)).has_value();
  if (is_valid_name(between(path, "play/", ".m3u8"))) return true;
  for (const std::string_view suffix : {".mp4", ".json", ".bin"}) {
    if (digest_from_hex(between(path, "objects/", suffix))) return true;
  }
  return false;
}

ExportFiles check_export_files(const std::string& folder, Report& report) {
  ExportFiles out;
  std::map<std::string, Digest> listed = read_manifest(folder, report);
  Bytes buffer;
  const Status walked = walk(folder, [&](const std::string& path, FileKind kind) {
    if (kind != FileKind::regular) {
      report.add(about("symlink", "a symbolic link or special file; an export has only plain files", path));
      listed.erase(path);
      return;
    }
    if (path == kManifest) return;
    const auto line = listed.find(path);
    if (!is_export_path(path) || line == listed.end()) {
      report.add(about("unlisted-file", "a file that does not belong to the export", path));
      return;
    }
    if (path.starts_with("objects/")) {
      const auto size = size_of(folder + "/" + path);
      out.object_bytes += size ? *size : 0;
      if (path.substr(8, 64) != line->second.hex()) {
        report.add(about("manifest", "the list of files gives an object another digest than its name", path));
      }
    } else {
      const auto bytes = read_into(folder + "/" + path, kMaxManifestBytes, buffer);
      if (!bytes) {
        Finding f = about("unreadable", bytes.error().message, path);
        f.verdict = bytes.error().code == Errc::io_error ? Verdict::unreadable : Verdict::tampered;
        report.add(std::move(f));
      } else if (sha256(*bytes) != line->second) {
        report.add(about("file-altered", "a file does not have the digest that the list of files gives", path));
      }
    }
    out.listed.insert(listed.extract(line));
  });
  if (!walked) {
    Finding f = about("unreadable", walked.error().message, {});
    f.verdict = Verdict::unreadable;
    report.add(std::move(f));
  }
  // Objects are looked for one by one, with the stream and the seconds that are missing.
  for (const auto& [path, digest] : listed) {
    if (!path.starts_with("objects/")) report.add(about("file-missing", "a file that the list of files names is not there", path));
  }
  return out;
}

}  // namespace greffe::verify
