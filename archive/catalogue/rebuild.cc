// Bringing a catalogue up to the main log, from where it is or from nothing.
#include <algorithm>

#include "archive/catalogue/catalogue_builder.h"
#include "archive/catalogue/finished_ahead.h"

namespace greffe::catalogue {

namespace {

// Large enough that sorting the text index pays, small enough that a failure repeats little.
constexpr std::uint64_t kBatchEntries = 4096;
// So many entries are looked through for the hearings that they finish before they are applied: some hours of a busy province.
constexpr std::uint64_t kAheadEntries = 512 * 1024;

Status remove_if_there(FileSystem& files, const std::string& path) {
  const Status status = files.remove(path);
  if (!status && status.error().code != Errc::not_found) return status;
  return ok();
}

// A write-ahead log that outlives its database would be replayed into the next one of that name, so all three go.
Status remove_database(FileSystem& files, const std::string& path) {
  GREFFE_TRY(remove_if_there(files, path));
  GREFFE_TRY(remove_if_there(files, path + "-wal"));
  return remove_if_there(files, path + "-shm");
}

Status apply_range(CatalogueBuilder& builder, const tlog::LogChain& main_log, std::uint64_t end) {
  Status applied = ok();
  GREFFE_TRY(main_log.entries(builder.next(), end, [&](std::uint64_t index, std::string_view entry) {
    applied = builder.apply(index, entry);
    return applied.has_value();
  }));
  return applied;
}

// All entries of all epochs; of a log that does not exist, an empty tree.
Result<Applied> head_of(const tlog::LogChain& main_log) {
  const auto head = main_log.checkpoint();
  if (!head && head.error().code != Errc::not_found) return head.error();
  return head ? Applied{main_log.newest().first + head->checkpoint.size, head->checkpoint.root} : Applied();
}

Status apply_to(std::uint64_t size, CatalogueBuilder& builder, const tlog::LogChain& main_log, const Applied& head, const Progress& progress) {
  while (builder.next() < size) {
    const std::uint64_t end = std::min(size, builder.next() + kBatchEntries);
    GREFFE_TRY(apply_range(builder, main_log, end));
    const Digest root = end == head.size ? head.root : GREFFE_TRY(main_log.root_at(end));
    GREFFE_TRY(builder.commit(root));
    if (progress) progress(end, head.size);
  }
  return ok();
}

// Everything from nothing. Nobody sees the file before it is complete, so that what lies ahead may be used: of a hearing that is
// finished further on most of its log need not be read.
Status apply_all(CatalogueBuilder& builder, const Sources& sources, const tlog::LogChain& main_log, const Progress& progress) {
  const Applied head = GREFFE_TRY(head_of(main_log));
  while (builder.next() < head.size) {
    const std::uint64_t end = std::min(head.size, builder.next() + kAheadEntries);
    const auto ahead = GREFFE_TRY(FinishedAhead::read(sources, main_log, builder.next(), end));
    builder.look_ahead(ahead.get());
    Status applied = apply_to(end, builder, main_log, head, progress);
    builder.look_ahead(nullptr);
    GREFFE_TRY(std::move(applied));
  }
  return ok();
}

}  // namespace

Status catch_up(CatalogueBuilder& builder, const tlog::LogChain& main_log, const Progress& progress) {
  const Applied head = GREFFE_TRY(head_of(main_log));
  const Applied applied = builder.applied();
  if (applied.size > head.size) {
    return fail(Errc::conflict, "the catalogue stands for " + std::to_string(applied.size) +
                                    " main-log entries, but the log has " + std::to_string(head.size));
  }
  if (applied.size > 0) {
    const Digest root = GREFFE_TRY(main_log.root_at(applied.size));
    if (root != applied.root) return fail(Errc::conflict, "the catalogue was made from another main log");
  }
  return apply_to(head.size, builder, main_log, head, progress);
}

Result<CatalogueBuilder> rebuild(FileSystem& files, const std::string& path, const Sources& sources,
                                 const tlog::LogChain& main_log, const Progress& progress) {
  const std::string fresh = path + ".new";
  GREFFE_TRY(remove_database(files, fresh));
  {
    CatalogueBuilder builder = GREFFE_TRY(CatalogueBuilder::create(fresh, sources));
    GREFFE_TRY(apply_all(builder, sources, main_log, progress));
    GREFFE_TRY(builder.compact());
  }  // closed: its write-ahead log is part of the file now
  GREFFE_TRY(files.sync_file(fresh));
  // A crash from here to the rename leaves no catalogue: the next start rebuilds it.
  GREFFE_TRY(remove_database(files, path));
  GREFFE_TRY(remove_if_there(files, fresh + "-wal"));
  GREFFE_TRY(remove_if_there(files, fresh + "-shm"));
  GREFFE_TRY(files.rename(fresh, path));
  GREFFE_TRY(files.sync_directory(parent_of(path)));
  return CatalogueBuilder::open(path, sources);
}

Result<Opened> open_or_rebuild(FileSystem& files, const std::string& path, const Sources& sources,
                               const tlog::LogChain& main_log, const Progress& progress) {
  auto builder = CatalogueBuilder::open(path, sources);
  Status status = builder ? catch_up(*builder, main_log, progress) : Status(builder.error());
  if (status) return Opened{*std::move(builder), {}};
  const Error reason = status.error();
  if (reason.code != Errc::not_found && reason.code != Errc::corrupt && reason.code != Errc::conflict) return reason;
  if (builder) CatalogueBuilder closed = *std::move(builder);
  CatalogueBuilder rebuilt = GREFFE_TRY(rebuild(files, path, sources, main_log, progress));
  return Opened{std::move(rebuilt), reason.message};
}

}  // namespace greffe::catalogue
