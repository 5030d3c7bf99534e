#include "ingest/disk_copy.h"

#include <set>

#include "ingest/import_begin.h"
#include "ingest/lost_objects.h"

namespace greffe::ingest {
namespace {

constexpr std::uint64_t kMaxLogBytes = 512 * 1024 * 1024;
constexpr std::uint64_t kMaxOpenBytes = 2 * kMaxObjectBytes;
constexpr unsigned kFileMode = 0640;

// As HearingSpool recovers: a torn entry ends the tail, and so does one whose object is not there.
bool is_recorded(FileSystem& files, const SpoolPaths& paths, std::string_view entry, bool first) {
  const auto json = parse_canonical_json(entry);
  const auto parsed = parse_hearing_entry(entry);
  if (!json || !parsed || std::holds_alternative<UnknownEntry>(*parsed)) return false;
  if (std::holds_alternative<OpenEntry>(*parsed) != first) return false;
  for (const Digest& digest : named_objects(*json)) {
    const auto whole = is_whole_object(files, paths, digest);
    if (!whole || !*whole) return false;
  }
  return true;
}

// What the hearing is about is named by `open` or by a correction, and whoever files the rest names it again.
bool names_details(std::string_view entry) {
  const auto parsed = parse_hearing_entry(entry);
  return parsed && (std::holds_alternative<OpenEntry>(*parsed) || std::holds_alternative<CorrectionEntry>(*parsed));
}

std::vector<Digest> objects_to_copy(const DiskLog& log, std::uint64_t first) {
  std::set<Digest> seen;
  std::vector<Digest> out;
  for (std::uint64_t i = 0; i < log.entries.size(); ++i) {
    if (i < first && !names_details(log.entries[i])) continue;
    const auto json = parse_canonical_json(log.entries[i]);
    for (const Digest& digest : json ? named_objects(*json) : std::vector<Digest>()) {
      if (seen.insert(digest).second) out.push_back(digest);
    }
  }
  return out;
}

Status keep(FileSystem& files, const SpoolPaths& to, const Digest& digest, const Bytes& bytes) {
  const bool whole = sha256(bytes) == digest;
  const Status written = files.write_new(whole ? to.object(digest) : join(to.quarantine(), digest.hex() + "-damaged"), bytes);
  return written || written.error().code == Errc::already_exists ? ok() : written;
}

// What cannot be read is left out: it will be said that it is lost. But when nothing can be read any more, the disk was
// unplugged, and nothing is lost.
Status copy_objects(FileSystem& files, const SpoolPaths& from, const SpoolPaths& to, const std::vector<Digest>& objects) {
  constexpr int kUnplugged = 3;
  int failed_in_a_row = 0;
  for (const Digest& digest : objects) {
    if (files.stat(to.object(digest))) continue;
    const auto bytes = files.read_file(from.object(digest), kMaxObjectBytes);
    const Errc code = bytes ? Errc::not_found : bytes.error().code;
    failed_in_a_row = code == Errc::io_error ? failed_in_a_row + 1 : 0;
    if (failed_in_a_row == kUnplugged) return fail(Errc::unavailable, bytes.error().message + ": the disk seems to be unplugged");
    if (bytes) GREFFE_TRY(keep(files, to, digest, *bytes));
    if (code == Errc::unavailable || code == Errc::denied) return bytes.error();
  }
  return ok();
}

Status copy_file(FileSystem& files, const std::string& from, const std::string& to, std::uint64_t limit) {
  const auto bytes = files.read_file(from, limit);
  if (!bytes && bytes.error().code == Errc::not_found) return ok();
  if (!bytes) return bytes.error();
  return files.replace(to, *bytes, kFileMode);
}

}  // namespace

Result<DiskLog> read_disk_log(FileSystem& files, const SpoolPaths& paths) {
  DiskLog out;
  out.signed_part = GREFFE_TRY(read_signed_log(files, paths));
  out.entries = out.signed_part.entries;
  const auto bytes = files.read_file(paths.entries(), kMaxLogBytes);
  if (!bytes && bytes.error().code == Errc::not_found) return out;
  if (!bytes) return bytes.error();
  ByteView rest = *bytes;
  for (const std::string& entry : out.entries) rest = rest.subspan(2 + entry.size());
  while (const auto record = first_record(rest)) {
    if (!is_recorded(files, paths, *record, out.entries.empty())) break;
    out.entries.emplace_back(*record);
    rest = rest.subspan(2 + record->size());
  }
  return out;
}

Result<std::uint64_t> bytes_to_copy(FileSystem& files, const SpoolPaths& from, const DiskLog& log, std::uint64_t first) {
  std::uint64_t out = 0;
  for (const Digest& digest : objects_to_copy(log, first)) {
    const auto facts = files.stat(from.object(digest));
    out += facts ? facts->size : 0;
  }
  const std::vector<std::string> open = GREFFE_TRY(files.list(from.open()));
  for (const std::string& name : open) {
    const auto facts = files.stat(join(from.open(), name));
    out += facts ? facts->size : 0;
  }
  return out;
}

Status copy_hearing(FileSystem& files, const SpoolPaths& from, const SpoolPaths& to, const DiskLog& log, std::uint64_t first) {
  const bool begun = static_cast<bool>(files.stat(to.directory));
  if (!begun) GREFFE_TRY(sweep_unfinished(files, parent_of(to.directory)));
  const SpoolPaths unfinished{to.directory + std::string(begun ? "" : kUnfinishedHearing)};
  GREFFE_TRY(HearingSpool::create(files, unfinished));
  GREFFE_TRY(copy_objects(files, from, unfinished, objects_to_copy(log, first)));
  if (begun) return ok();
  const std::vector<std::string> open = GREFFE_TRY(files.list(from.open()));
  for (const std::string& name : open) GREFFE_TRY(copy_file(files, join(from.open(), name), join(unfinished.open(), name), kMaxOpenBytes));
  GREFFE_TRY(copy_file(files, from.entries(), unfinished.entries(), kMaxLogBytes));
  GREFFE_TRY(copy_file(files, from.checkpoint(), unfinished.checkpoint(), kMaxNoteBytes));
  GREFFE_TRY(copy_file(files, from.receipt(), unfinished.receipt(), kMaxNoteBytes));
  GREFFE_TRY(files.rename(unfinished.directory, to.directory));
  return files.sync_directory(parent_of(to.directory));
}

}  // namespace greffe::ingest
