#include "replicate/copy_source.h"

#include <algorithm>
#include <map>

#include "archive/format/names.h"
#include "archive/tlog/kept_checkpoints.h"
#include "archive/tlog/log_reader.h"
#include "replicate/copied_log.h"

namespace greffe::replicate {
namespace {

constexpr std::size_t kPieceBytes = 4 * 1024 * 1024;
constexpr std::size_t kPieceEntries = 16'384;

}  // namespace

Result<client::LogPiece> CopySource::read_entries(const client::LogTarget& log, std::uint64_t first, std::optional<std::uint64_t> last) {
  const auto copy = GREFFE_TRY(pool_.get());
  store::WholePool& pool = *copy->pool;
  const std::string path = copied_path(log);
  const tlog::LogReader reader(pool, pool, path);
  const SignedCheckpoint head = GREFFE_TRY(reader.checkpoint());
  client::LogPiece out;
  out.note = head.note.write();
  out.first = first;
  const std::uint64_t end = std::min(head.checkpoint.size, last.value_or(head.checkpoint.size));
  if (first >= end) return out;
  std::size_t bytes = 0;
  GREFFE_TRY(reader.entries(first, end, [&](std::uint64_t, std::string_view entry) {
    if (!out.entries.empty() && (bytes + entry.size() > kPieceBytes || out.entries.size() == kPieceEntries)) return false;
    bytes += entry.size();
    out.entries.emplace_back(entry);
    return true;
  }));
  std::map<std::uint64_t, std::string> keys;  // by size: they go with the entries
  GREFFE_TRY(pool.list(tlog::kept_checkpoints_folder(path), [&](const store::ObjectInfo& info) {
    const auto size = tlog::kept_checkpoint_size(info.key);
    if (size && *size > first && *size <= first + out.entries.size()) keys[*size] = info.key;
    return true;
  }));
  // What is not as it was is left out: nobody needs it to believe the entries.
  for (const auto& [size, key] : keys) {
    const auto text = pool.get(key);
    const auto note = text ? parse_signed_checkpoint(as_text(*text)) : Result<SignedCheckpoint>(text.error());
    const auto root = reader.root_at(size);
    if (note && root && note->checkpoint == Checkpoint{head.checkpoint.origin, size, *root}) out.kept.emplace_back(as_text(*text));
  }
  return out;
}

// Names of another form in that folder are no hearings; a hearing without a head had not arrived.
Result<std::vector<HearingId>> CopySource::hearings_of_day(const std::string& origin, const std::string& day) {
  const auto copy = GREFFE_TRY(pool_.get());
  std::string folder = day;
  std::replace(folder.begin(), folder.end(), '-', '/');
  folder = "log/hearing/" + folder + "/";
  std::vector<HearingId> all;
  GREFFE_TRY(copy->pool->list(folder, [&](const store::ObjectInfo& info) {
    const std::string_view below = std::string_view(info.key).substr(folder.size());
    const auto id = parse_hearing_id(below.substr(0, below.find('/')));
    if (id && (all.empty() || all.back() != *id)) all.push_back(*id);
    return true;
  }));
  std::vector<HearingId> out;
  for (const HearingId& id : all) {
    const auto head = copy->pool->read_head(checkpoint_path(hearing_log_path(id)));
    if (!head && head.error().code == Errc::not_found) continue;
    if (!head) return head.error();
    if (head->starts_with(hearing_origin(origin, id) + "\n")) out.push_back(id);
  }
  return out;
}

Result<Bytes> CopySource::get_object(const client::LogTarget&, const Digest& digest, std::uint64_t) {
  const auto copy = GREFFE_TRY(pool_.get());
  return copy->pool->read_object(digest);
}

}  // namespace greffe::replicate
