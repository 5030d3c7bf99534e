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

namespace {

// Every object that an entry names, with the entry; what `lost` entries name is put into `excused` instead.
Status visit_named(store::WholePool& pool, const std::string& log_path, std::set<Digest>& excused,
                   const std::function<void(const Digest&, std::uint64_t, std::string_view, const Json&)>& visit) {
  const tlog::LogReader reader(pool, pool, log_path);
  const SignedCheckpoint head = GREFFE_TRY(reader.checkpoint());
  return reader.entries(0, head.checkpoint.size, [&](std::uint64_t index, std::string_view text) {
    const auto json = parse_json(text);
    if (!json) return true;  // greffe-verify says what is wrong with it
    const std::vector<Digest> named = named_objects(*json);
    const auto kind = json->string("kind");
    const bool is_hearing = log_path.starts_with("log/hearing/");  // in a main log two officers must have signed it
    if (kind && *kind == "lost") {
      if (is_hearing) excused.insert(named.begin(), named.end());
      return true;
    }
    for (const Digest& digest : named) visit(digest, index, text, *json);
    return true;
  });
}

}  // namespace

Result<std::map<Digest, NamedPlace>> find_named(store::WholePool& pool, const std::string& log_path,
                                                const std::function<bool(const Digest&)>& is_wanted) {
  std::map<Digest, NamedPlace> out;
  std::set<Digest> excused;
  GREFFE_TRY(visit_named(pool, log_path, excused, [&](const Digest& digest, std::uint64_t index, std::string_view text, const Json& json) {
    if (is_wanted(digest)) out.emplace(digest, place_of(log_path, index, text, json));
  }));
  for (const Digest& digest : excused) out.erase(digest);
  return out;
}

Result<NamedTrouble> look_through_log(store::WholePool& pool, const std::string& log_path, LookForAbsent absent,
                                      const std::function<bool(const Digest&)>& is_wanted) {
  const bool look = absent == LookForAbsent::yes && pool.replicas() != nullptr;
  NamedTrouble out;
  std::set<Digest> excused;
  GREFFE_TRY(visit_named(pool, log_path, excused, [&](const Digest& digest, std::uint64_t index, std::string_view text, const Json& json) {
    if (is_wanted(digest)) out.wanted.emplace(digest, place_of(log_path, index, text, json));
    const auto held = look ? pool.holds_object(digest) : Result<bool>(true);
    if (held && !*held) out.absent.emplace(digest, place_of(log_path, index, text, json));
  }));
  for (const Digest& digest : excused) out.absent.erase(digest);
  return out;
}

}  // namespace greffe::archive
