#include "archive/format/ahead_piece.h"

#include <fmt/format.h>

#include "archive/format/canonical_json.h"
#include "archive/format/tiles.h"

namespace greffe {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr std::size_t kMembers = 5;
constexpr std::string_view kHearings = "log/ahead/hearing/";
constexpr std::string_view kMainLogs = "log/ahead/from/";
constexpr std::string_view kStage = "/stage/";

}  // namespace

std::string write_ahead_piece(const AheadPiece& piece) {
  Json::Array edge;
  for (const Digest& hash : piece.before.subtrees()) edge.emplace_back(hash);
  Json::Array entries;
  for (const std::string& entry : piece.entries) entries.emplace_back(entry);
  Json out;
  out.set("checkpoint", piece.checkpoint).set("edge", std::move(edge)).set("entries", std::move(entries));
  out.set("first", piece.before.size()).set("v", kVersion);
  return write_json(out);
}

Result<CheckedPiece> parse_ahead_piece(std::string_view bytes) {
  const Json json = GREFFE_TRY(parse_canonical_json(bytes));
  const Json::Object* members = json.as_object();
  const std::int64_t version = GREFFE_TRY(json.integer("v"));
  if (version != kVersion || members->size() != kMembers) return fail(Errc::invalid, "a piece of entries ahead of a version that is not known here");
  const std::uint64_t first = GREFFE_TRY(json.size("first"));
  const std::vector<std::string> hashes = GREFFE_TRY(json.strings("edge"));
  std::vector<Digest> edge;
  for (const std::string& hash : hashes) edge.push_back(GREFFE_TRY(digest_from_hex(hash)));
  CheckedPiece out;
  out.piece.before = GREFFE_TRY(TreeEdge::from_subtrees(first, std::move(edge)));
  out.piece.entries = GREFFE_TRY(json.strings("entries"));
  out.piece.checkpoint = GREFFE_TRY(json.string("checkpoint"));
  out.head = GREFFE_TRY(parse_signed_checkpoint(out.piece.checkpoint));
  if (out.piece.entries.empty()) return fail(Errc::invalid, "a piece without entries");
  out.after = out.piece.before;
  for (const std::string& entry : out.piece.entries) {
    if (entry.empty() || entry.size() > kMaxEntryBytes) return fail(Errc::invalid, "an entry of a size that no log takes");
    out.after.append(leaf_hash(as_bytes(entry)));
  }
  const Checkpoint& stated = out.head.checkpoint;
  if (stated.size == out.after.size() && stated.root == out.after.root()) return out;
  return fail(Errc::corrupt, fmt::format("the entries from {} on do not lead to the checkpoint of {} entries of {}", first, stated.size, stated.origin));
}

std::string ahead_path(const HearingId& id) { return std::string(kHearings) + id.text(); }

std::string ahead_path_of_main_log(std::string_view origin) { return std::string(kMainLogs) + sha256(as_bytes(origin)).hex(); }

Result<std::string> log_path_ahead_of(std::string_view folder) {
  if (folder.starts_with(kHearings)) {
    const HearingId id = GREFFE_TRY(parse_hearing_id(folder.substr(kHearings.size())));
    return hearing_log_path(id);
  }
  if (!folder.starts_with(kMainLogs)) return fail(Errc::invalid, std::string(folder) + " is no folder of entries ahead");
  const Digest origin = GREFFE_TRY(digest_from_hex(folder.substr(kMainLogs.size())));
  return "log/from/" + origin.hex();
}

Result<AheadKey> parse_ahead_key(std::string_view key) {
  const std::size_t at = key.starts_with(kAheadLogs) ? key.find(kStage) : std::string_view::npos;
  if (at == std::string_view::npos) return fail(Errc::invalid, std::string(key) + " is no piece of entries ahead");
  AheadKey out;
  out.folder = std::string(key.substr(0, at));
  GREFFE_TRY(log_path_ahead_of(out.folder));
  out.name = GREFFE_TRY(parse_stage_name(key.substr(at + kStage.size())));
  return out;
}

}  // namespace greffe
