#include "replicate/copied_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/format/tiles.h"
#include "archive/tlog/log_check.h"
#include "archive/tlog/log_import.h"
#include "archive/tlog/log_reader.h"
#include "archive/tlog/stored_tree.h"

namespace greffe::replicate {
namespace {

// `invalid`: it has become shorter than it says.
bool is_damage(Errc code) { return code == Errc::corrupt || code == Errc::not_found || code == Errc::conflict || code == Errc::invalid; }

constexpr unsigned kLevels = 7;  // of tiles

std::string source_path(const Source& source, const client::LogTarget& log) {
  const auto* id = std::get_if<HearingId>(&log.log);
  if (id != nullptr) return hearing_log_path(*id);
  for (const tlog::LogChain::Link& link : source.main.links()) {
    if (source.origin(link) == std::get<std::string>(log.log)) return source.path(link);
  }
  return copied_path(log);  // of no epoch that the source has
}

}  // namespace

std::string copied_path(const client::LogTarget& log) {
  const auto* id = std::get_if<HearingId>(&log.log);
  return id != nullptr ? hearing_log_path(*id) : foreign_log_path(std::get<std::string>(log.log));
}

CopiedLog::CopiedLog(store::WholePool& pool, const Source& source, const client::LogTarget& log)
    : pool_(pool), source_(source), is_hearing_(std::holds_alternative<HearingId>(log.log)), path_(copied_path(log)), source_path_(source_path(source, log)) {}

Result<SignedCheckpoint> CopiedLog::head() const { return tlog::LogReader(pool_, pool_, path_).checkpoint(); }

Result<tlog::LogWriter> CopiedLog::writer() {
  auto opened = tlog::LogWriter::open(pool_, pool_, pool_, path_);
  if (opened || !is_damage(opened.error().code)) return opened;
  const std::string note = GREFFE_TRY(pool_.read_head(checkpoint_path(path_)));
  const Status mended = mend(note);
  if (!mended) return mended.error().within(opened.error().message);
  return tlog::LogWriter::open(pool_, pool_, pool_, path_);
}

// A finished log has its last, incomplete tiles and bundle as well.
Status CopiedLog::mend_tail(std::uint64_t size) {
  const tlog::LogReader reader(pool_, pool_, path_);
  std::vector<TileName> names;
  for (unsigned level = 0; level < kLevels; ++level) {
    const unsigned width = partial_width(level, size);
    if (width > 0) names.push_back({false, level, size >> (8 * (level + 1)), width});
  }
  if (!names.empty() && partial_width(0, size) > 0) names.push_back({true, 0, size / kTileWidth, partial_width(0, size)});
  for (const TileName& name : names) {
    const std::string key = tlog::tile_key(path_, name);
    const auto held = pool_.get(key);
    if (!held && held.error().code == Errc::not_found) continue;
    const Bytes good = GREFFE_TRY(reader.tile(name));
    if (!held || *held != good) GREFFE_TRY(pool_.restore(key, good));
  }
  return ok();
}

Status CopiedLog::mend(const std::string& note) {
  const SignedCheckpoint wanted = GREFFE_TRY(parse_signed_checkpoint(note));
  const std::uint64_t size = wanted.checkpoint.size;
  const tlog::LogReader reader(source_.objects, source_.heads, source_path_);
  const SignedCheckpoint here = GREFFE_TRY(reader.checkpoint());
  if (here.checkpoint.origin != wanted.checkpoint.origin || here.checkpoint.size < size || GREFFE_TRY(reader.root_at(size)) != wanted.checkpoint.root) {
    return fail(Errc::conflict, fmt::format("{}: the {} entries that the copy has are not a part of what is here", path_, size));
  }
  GREFFE_TRY(tlog::import_log({pool_, pool_, pool_, pool_}, path_, note, [&](std::uint64_t index) {
    const std::uint64_t first = index * kTileWidth;
    return reader.entries(first, std::min(first + kTileWidth, size));
  }));
  GREFFE_TRY(mend_tail(size));
  const std::vector<std::string> last = GREFFE_TRY(reader.entries(size - 1, size));
  const auto entry = is_hearing_ ? parse_hearing_entry(last.front()) : Result<HearingEntry>(UnknownEntry{});
  if (!entry || !std::holds_alternative<CloseEntry>(*entry)) return ok();
  tlog::LogWriter finished = GREFFE_TRY(tlog::LogWriter::open(pool_, pool_, pool_, path_));
  return finished.finalise();
}

Status CopiedLog::compare(std::uint64_t first, std::uint64_t last) const {
  const tlog::LogReader here(source_.objects, source_.heads, source_path_);
  const tlog::LogReader there(pool_, pool_, path_);
  // A bundle at a time, however long the log is.
  for (std::uint64_t at = first; at < last;) {
    const std::uint64_t end = std::min((at / kTileWidth + 1) * kTileWidth, last);
    const std::vector<std::string> ours = GREFFE_TRY(here.entries(at, end));
    const auto theirs = there.entries(at, end);
    if (!theirs && is_damage(theirs.error().code)) return fail(Errc::corrupt, theirs.error().message);
    if (!theirs) return theirs.error();
    if (*theirs != ours) return fail(Errc::corrupt, path_ + " has other entries than the source");
    at = end;
  }
  return ok();
}

Status CopiedLog::check() const {
  const auto found = tlog::check_log(pool_, pool_, pool_, path_, tlog::CheckMode::report);
  if (!found && is_damage(found.error().code)) return fail(Errc::corrupt, found.error().message);
  if (!found) return found.error();
  if (found->clean()) return ok();
  return fail(Errc::corrupt, fmt::format("{} of its files are damaged or missing, {} among them", found->findings.size(), found->findings.front().key));
}

}  // namespace greffe::replicate
