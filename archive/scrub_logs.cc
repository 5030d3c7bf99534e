#include "archive/scrub_logs.h"

#include <fmt/format.h>

#include <set>

#include "archive/tlog/log_reader.h"

namespace greffe::archive {
namespace {

std::optional<HearingId> hearing_of(const std::string& log_path, const Json& entry) {
  const auto own = parse_hearing_id(log_path.substr(log_path.find_last_of('/') + 1));
  if (own) return *own;
  const auto text = entry.string("hearing");
  if (!text) return std::nullopt;
  const auto named = parse_hearing_id(*text);
  return named ? std::optional<HearingId>(*named) : std::nullopt;
}

NamedPlace place_of(const std::string& log_path, std::uint64_t index, std::string_view text, const Json& entry) {
  NamedPlace out;
  out.log = log_path;
  out.entry = index;
  out.hearing = hearing_of(log_path, entry);
  if (const auto kind = entry.string("kind")) out.kind = *kind;
  const auto parsed = parse_hearing_entry(text);
  if (const auto* segment = parsed ? std::get_if<SegmentEntry>(&*parsed) : nullptr) {
    out.stream = segment->stream;
    out.utc = segment->utc;
    out.duration_ms = segment->duration_90k / 90;
  }
  return out;
}

}  // namespace

std::string NamedPlace::words() const {
  const std::string where = hearing ? "hearing " + hearing->text() : log;
  if (stream.empty()) return fmt::format("{}, entry {} ({})", where, entry, kind);
  return fmt::format("{}, stream {}, {}.{} s from {}", where, stream, duration_ms / 1000, duration_ms % 1000 / 100, to_text(utc));
}

Result<NamedTrouble> look_through_log(store::WholePool& pool, const std::string& log_path, LookForAbsent absent,
                                      const std::function<bool(const Digest&)>& is_wanted) {
  const bool look = absent == LookForAbsent::yes && pool.replicas() != nullptr;
  NamedTrouble out;
  std::set<Digest> excused;
  const tlog::LogReader reader(pool, pool, log_path);
  const SignedCheckpoint head = GREFFE_TRY(reader.checkpoint());
  GREFFE_TRY(reader.entries(0, head.checkpoint.size, [&](std::uint64_t index, std::string_view text) {
    const auto json = parse_json(text);
    if (!json) return true;  // greffe-verify says what is wrong with it
    const std::vector<Digest> named = named_objects(*json);
    const auto kind = json->string("kind");
    if (kind && *kind == "lost") {
      excused.insert(named.begin(), named.end());
      return true;
    }
    for (const Digest& digest : named) {
      if (is_wanted(digest)) out.wanted.emplace(digest, place_of(log_path, index, text, *json));
      const auto held = look ? pool.holds_object(digest) : Result<bool>(true);
      if (held && !*held) out.absent.emplace(digest, place_of(log_path, index, text, *json));
    }
    return true;
  }));
  for (const Digest& digest : excused) out.absent.erase(digest);
  return out;
}

}  // namespace greffe::archive
