// Which files an export may hold, and whether it holds exactly those that its manifest lists.
#ifndef GREFFE_ARCHIVE_VERIFY_EXPORT_FILES_H
#define GREFFE_ARCHIVE_VERIFY_EXPORT_FILES_H

#include <map>
#include <string>
#include <string_view>

#include "archive/format/digest.h"
#include "archive/verify/report.h"

namespace greffe::verify {

// True for the paths of docs/formats/export.md and nothing else: no "..", no "//", no other spelling.
bool is_export_path(std::string_view path);

struct ExportFiles {
  std::map<std::string, Digest> listed;  // by the manifest, and there
  std::uint64_t object_bytes = 0;        // for the progress bar
};
// Findings: `symlink`, `unlisted-file`, `file-missing`, `file-altered`, `manifest`, `unreadable`. Objects are not hashed
// here: their digest is their name, and the check of the hearing hashes them.
ExportFiles check_export_files(const std::string& folder, Report& report);

}  // namespace greffe::verify

#endif
