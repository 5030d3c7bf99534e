#include "archive/tlog/log_piece.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "archive/tlog/kept_checkpoints.h"
#include "archive/tlog/log_reader.h"

namespace greffe::tlog {
namespace {

bool is_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i != 4 && i != 7 && (text[i] < '0' || text[i] > '9')) return false;
  }
  return true;
}

}  // namespace

Result<LogPiece> read_piece(store::ObjectStore& objects, store::HeadStore& heads, const std::string& log_path, SignedCheckpoint head,
                            std::uint64_t first, std::optional<std::uint64_t> last) {
  const std::uint64_t end = std::min(head.checkpoint.size, last.value_or(head.checkpoint.size));
  LogPiece out;
  out.head = std::move(head);
  out.first = first;
  if (first >= end) return out;
  std::size_t bytes = 0;
  const LogReader reader(objects, heads, log_path);
  GREFFE_TRY(reader.entries(first, end, [&](std::uint64_t, std::string_view entry) {
    if (!out.entries.empty() && (bytes + entry.size() > kPieceBytes || out.entries.size() == kPieceEntries)) return false;
    bytes += entry.size();
    out.entries.emplace_back(entry);
    return true;
  }));
  std::map<std::uint64_t, std::string> keys;  // by size, as the entries come: names are sorted as texts
  GREFFE_TRY(objects.list(kept_checkpoints_folder(log_path), [&](const store::ObjectInfo& info) {
    const auto size = kept_checkpoint_size(info.key);
    if (size && *size > first && *size <= first + out.entries.size()) keys[*size] = info.key;
    return true;
  }));
  for (const auto& [size, key] : keys) {
    const auto text = objects.get(key);
    const auto note = text ? parse_signed_checkpoint(as_text(*text)) : Result<SignedCheckpoint>(text.error());
    const auto root = reader.root_at(size);
    if (note && root && note->checkpoint == Checkpoint{out.head.checkpoint.origin, size, *root}) out.kept.emplace_back(as_text(*text));
  }
  return out;
}

Result<std::vector<HearingId>> hearings_of(store::ObjectStore& objects, store::HeadStore& heads, std::string_view archive_name,
                                           std::string_view day) {
  if (!is_day(day)) return fail(Errc::invalid, "a day is written like 2026-11-22");
  const std::string folder = fmt::format("log/hearing/{}/{}/{}/", day.substr(0, 4), day.substr(5, 2), day.substr(8, 2));
  std::vector<HearingId> all;
  GREFFE_TRY(objects.list(folder, [&](const store::ObjectInfo& info) {
    const std::string_view below = std::string_view(info.key).substr(folder.size());
    const auto id = parse_hearing_id(below.substr(0, below.find('/')));
    if (id && (all.empty() || all.back() != *id)) all.push_back(*id);
    return all.size() < kHearingsOfDayMax;
  }));
  std::vector<HearingId> out;
  for (const HearingId& id : all) {
    const auto head = heads.read_head(checkpoint_path(hearing_log_path(id)));
    if (!head && head.error().code == Errc::not_found) continue;  // its first entries are on their way
    if (!head) return head.error();
    if (head->starts_with(hearing_origin(archive_name, id) + "\n")) out.push_back(id);
  }
  return out;
}

}  // namespace greffe::tlog
