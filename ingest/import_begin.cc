#include "ingest/import_begin.h"

#include <fmt/format.h>

#include <algorithm>

#include "ingest/main_log_seen.h"
#include "ingest/spool_space.h"

namespace greffe::ingest {
namespace {

constexpr std::uint64_t kMaxRecordBytes = 4 * 1024 * 1024;

// The documents are made once: their salt is random, and an import that is done again must name the same ones.
Result<ImportRecord> make_record(FileSystem& files, const SpoolPaths& paths, const ImportPlan& plan, std::uint64_t first_entry,
                                 const std::optional<Checkpoint>& seen) {
  const auto put = [&](const std::string& document) -> Result<Digest> {
    const Digest digest = sha256(as_bytes(document));
    GREFFE_TRY(files.write_new(paths.object(digest), as_bytes(document)));
    return digest;
  };
  ImportRecord out;
  out.identity = identity_of(plan);
  out.first_entry = first_entry;
  if (seen) out.main_size = seen->size;
  if (seen) out.main_root = seen->root;
  if (!plan.hearing) {
    const Details details = GREFFE_TRY(parse_details(plan.details));
    out.details = GREFFE_TRY(put(write_details(details)));
  }
  for (const GapRequest& gap : plan.gaps) {
    if (!gap.note.empty()) out.gap_notes.push_back(GREFFE_TRY(put(write_note("gap", gap.note))));
  }
  for (const MarkRequest& mark : plan.marks) out.mark_notes.push_back(GREFFE_TRY(put(write_note("mark", mark.text))));
  return out;
}

Result<std::optional<std::pair<HearingId, std::uint64_t>>> find_same(FileSystem& files, const std::string& directory,
                                                                     const std::string& identity) {
  const std::vector<HearingId> hearings = GREFFE_TRY(list_hearings(files, directory));
  for (auto id = hearings.rbegin(); id != hearings.rend(); ++id) {
    const std::vector<ImportRecord> records = GREFFE_TRY(read_import_records(files, spool_of(directory, *id)));
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (records[i].identity == identity) return std::optional(std::make_pair(*id, std::uint64_t{i}));
    }
  }
  return std::optional<std::pair<HearingId, std::uint64_t>>();
}

// A new hearing appears in the spool whole, or not at all.
Result<HearingId> create_hearing(FileSystem& files, const std::string& directory, const Enrolment& enrolment, const ImportPlan& plan) {
  const HearingId id = make_hearing_id(plan.start);
  const SpoolPaths paths = spool_of(directory, id);
  const SpoolPaths unfinished{paths.directory + std::string(kUnfinishedHearing)};
  GREFFE_TRY(HearingSpool::create(files, unfinished));
  const ImportRecord record = GREFFE_TRY(make_record(files, unfinished, plan, 0, newest_seen(files, directory, enrolment)));
  GREFFE_TRY(files.write_new(unfinished.import_record(0), as_bytes(write_import_record(record))));
  GREFFE_TRY(files.rename(unfinished.directory, paths.directory));
  GREFFE_TRY(files.sync_directory(spool_path(directory)));
  return id;
}

Result<BegunImport> resume(FileSystem& files, const std::string& directory, const Enrolment& enrolment, const PrivateKey& key,
                           const HearingId& id, std::uint64_t number) {
  BegunImport out;
  out.number = number;
  out.spool = GREFFE_TRY(HearingSpool::open(files, spool_of(directory, id), id, enrolment.archive, key));
  const std::vector<ImportRecord> records = GREFFE_TRY(read_import_records(files, out.spool->paths()));
  if (number >= records.size()) return fail(Errc::conflict, "the import record went away; start again");
  out.record = records[number];
  if (!out.record.done && out.spool->state().closed()) {
    return fail(Errc::conflict, fmt::format("hearing {} was finished before this import was; import the files as a new hearing, with "
                                            "another --start or other details", id.text()));
  }
  if (!out.record.done) GREFFE_TRY(out.spool->discard_open_segments());
  return out;
}

Result<BegunImport> continue_hearing(FileSystem& files, const std::string& directory, const Enrolment& enrolment,
                                     const PrivateKey& key, const ImportPlan& plan) {
  const HearingId id = *plan.hearing;
  const SpoolPaths paths = spool_of(directory, id);
  const auto facts = files.stat(paths.directory);
  if (!facts) return fail(Errc::not_found, fmt::format("--hearing {}: there is no such hearing in {}", id.text(), spool_path(directory)));
  BegunImport out;
  out.spool = GREFFE_TRY(HearingSpool::open(files, paths, id, enrolment.archive, key));
  if (!out.spool->state().open()) return fail(Errc::conflict, fmt::format("hearing {} has not begun yet; start its import again", id.text()));
  if (out.spool->state().closed()) return fail(Errc::conflict, fmt::format("hearing {} is finished; nothing can be added", id.text()));
  const std::vector<ImportRecord> records = GREFFE_TRY(read_import_records(files, paths));
  if (!records.empty() && !records.back().done) {
    return fail(Errc::conflict, fmt::format("an import into hearing {} was broken off; start that command again first", id.text()));
  }
  out.number = records.size();
  out.record = GREFFE_TRY(make_record(files, paths, plan, out.spool->entries().size(), std::nullopt));
  GREFFE_TRY(files.write_new(paths.import_record(out.number), as_bytes(write_import_record(out.record))));
  return out;
}

}  // namespace

Status sweep_unfinished(FileSystem& files, const std::string& spool) {
  const std::vector<std::string> names = GREFFE_TRY(files.list(spool));
  for (const std::string& name : names) {
    if (name.size() <= kUnfinishedHearing.size() || !std::string_view(name).ends_with(kUnfinishedHearing)) continue;
    // It never had a name: no entry of it was written, and its import begins again.
    const std::string path = join(spool, name);
    for (const char* inner : {"open", "objects", "quarantine", ""}) {
      const std::string directory = *inner == '\0' ? path : join(path, inner);
      const auto inside = files.list(directory);
      if (!inside) continue;
      for (const std::string& file : *inside) GREFFE_TRY(files.remove(join(directory, file)));
      GREFFE_TRY(files.remove(directory));
    }
  }
  return ok();
}

SpoolPaths spool_of(const std::string& station_directory, const HearingId& id) {
  return SpoolPaths{join(spool_path(station_directory), id.text())};
}

Result<std::vector<HearingId>> list_hearings(FileSystem& files, const std::string& station_directory) {
  std::vector<HearingId> out;
  const auto names = files.list(spool_path(station_directory));
  if (!names && names.error().code == Errc::not_found) return out;
  if (!names) return names.error();
  for (const std::string& name : *names) {
    const auto id = parse_hearing_id(name);
    if (id) out.push_back(*id);
  }
  return out;
}

Result<std::vector<ImportRecord>> read_import_records(FileSystem& files, const SpoolPaths& paths) {
  std::vector<ImportRecord> out;
  for (;;) {
    const std::string path = paths.import_record(out.size());
    const auto bytes = files.read_file(path, kMaxRecordBytes);
    if (!bytes && bytes.error().code == Errc::not_found) return out;
    if (!bytes) return bytes.error();
    auto record = parse_import_record(as_text(*bytes));
    if (!record) return fail(Errc::corrupt, fmt::format("{}: {}", path, record.error().message));
    out.push_back(std::move(*record));
  }
}

Result<BegunImport> begin_import(FileSystem& files, Clock& clock, const IngestSettings& settings, const Enrolment& enrolment,
                                 const PrivateKey& key, const ImportPlan& plan) {
  const std::string& station_directory = settings.directory;
  GREFFE_TRY(files.make_directories(spool_path(station_directory)));
  // Two imports that begin at once must not both make the same hearing.
  const auto lock = GREFFE_TRY(files.lock(join(spool_path(station_directory), "lock")));
  GREFFE_TRY(sweep_unfinished(files, spool_path(station_directory)));
  const auto same = GREFFE_TRY(find_same(files, station_directory, identity_of(plan)));
  if (same) {
    BegunImport out = GREFFE_TRY(resume(files, station_directory, enrolment, key, same->first, same->second));
    out.resumed = true;
    return out;
  }
  if (plan.hearing) return continue_hearing(files, station_directory, enrolment, key, plan);
  GREFFE_TRY(admit_hearing(files, clock.utc_now(), settings, enrolment, key.public_key()));
  const HearingId id = GREFFE_TRY(create_hearing(files, station_directory, enrolment, plan));
  return resume(files, station_directory, enrolment, key, id, 0);
}

}  // namespace greffe::ingest
