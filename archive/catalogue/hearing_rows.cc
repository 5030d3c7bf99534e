#include "archive/catalogue/hearing_rows.h"

#include <algorithm>

#include "archive/catalogue/hearing_state.h"
#include "archive/format/canonical_json.h"

namespace greffe::catalogue {

Result<NamesByLanguage> parse_names(std::string_view json) {
  const Json parsed = GREFFE_TRY(parse_json(json));
  NamesByLanguage names;
  if (parsed.as_object() == nullptr) return names;
  for (const auto& [language, name] : *parsed.as_object()) {
    if (const std::string* text = name.as_string()) names.emplace(language, *text);
  }
  return names;
}

Result<Details> parse_kept_details(std::string_view json) {
  if (json.empty()) return Details{};
  return parse_details(json);
}

Result<RowReader::Place> RowReader::place(const std::string& court, const std::string& room) {
  const auto key = std::make_pair(court, room);
  if (const auto found = places_.find(key); found != places_.end()) return found->second;
  Rows rows = GREFFE_TRY(db_.query("SELECT names, zone FROM place WHERE court = ? AND room = ?", court, room));
  const bool known = GREFFE_TRY(rows.next());
  Place out;
  if (known) {
    out.names = GREFFE_TRY(parse_names(rows.text(0)));
    out.zone = rows.string(1);
  }
  places_.emplace(key, out);
  return out;
}

Result<HearingRow> RowReader::read(const Rows& rows) {
  HearingRow out;
  out.id = GREFFE_TRY(parse_hearing_id(rows.text(1)));
  out.court = rows.string(2);
  out.room = rows.string(3);
  const Place court = GREFFE_TRY(place(out.court, ""));
  const Place room = GREFFE_TRY(place(out.court, out.room));
  out.court_names = court.names;
  out.zone = court.zone;
  out.room_names = room.names;
  out.station = rows.string(4);
  out.details = GREFFE_TRY(parse_kept_details(rows.text(5)));
  out.start = rows.utc(6);
  if (!rows.is_null(7)) out.end = rows.utc(7);
  const UtcTime last = out.end ? *out.end : rows.utc(8);
  out.duration_ms = std::max<std::int64_t>(0, last.ms - out.start.ms);
  out.streams = GREFFE_TRY(parse_streams(rows.text(9)));
  out.closed = rows.integer(10) != 0;
  out.gap_count = static_cast<std::uint64_t>(rows.integer(11));
  out.unexcused_gap_count = static_cast<std::uint64_t>(rows.integer(12));
  if (!rows.is_null(13)) out.continues = GREFFE_TRY(parse_hearing_id(rows.text(13)));
  return out;
}

}  // namespace greffe::catalogue
