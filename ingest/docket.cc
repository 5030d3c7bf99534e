#include "ingest/docket.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>

#include "archive/format/characters.h"
#include "archive/format/names.h"
#include "ingest/csv.h"

namespace greffe::ingest {
namespace {

constexpr std::size_t kMaxPlaceBytes = 400;
constexpr std::size_t kMaxLineBytes = 2000;  // of a name or a title, as in the details
constexpr char kBetween = '|';               // cases, parties and judges in one field

struct Column {
  std::string_view name;
  bool required;
};
constexpr std::array<Column, 10> kColumns = {{{"court", true}, {"room", true}, {"time", true}, {"cases", true}, {"parties", false},
                                              {"judge", false}, {"clerk", false}, {"public", false}, {"title", false}, {"language", false}}};

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  for (std::size_t n = 1; n > 0;) {
    n = text.empty() ? 0 : is_space(text.front()) ? 1 : leading_space_bytes(text);
    text.remove_prefix(n);
  }
  for (bool again = true; again;) {
    again = !text.empty() && is_space(text.back());
    if (again) text.remove_suffix(1);
    for (const std::string_view space : kWideSpaces) {
      if (!text.ends_with(space)) continue;
      text.remove_suffix(space.size());
      again = true;
    }
  }
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

// The items of a field, without empty ones.
std::vector<std::string_view> items(std::string_view field) {
  std::vector<std::string_view> out;
  while (!field.empty()) {
    const std::size_t end = field.find(kBetween);
    const std::string_view item = trimmed(field.substr(0, end));
    if (!item.empty()) out.push_back(item);
    field = end == std::string_view::npos ? std::string_view() : field.substr(end + 1);
  }
  return out;
}

Status check_line(std::string_view text, std::size_t limit) {
  if (text.size() > limit) return fail(Errc::invalid, fmt::format("it is longer than {} bytes; shorten it", limit));
  if (has_control_character(text)) return fail(Errc::invalid, "it has a line break or another control character; take it out");
  return ok();
}

// ---- times ----

// The digits at the front of `text`: exactly `count` of them.
std::optional<int> take_number(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int out = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    out = out * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return out;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

struct WrittenTime {
  WallTime wall;
  bool utc = false;
};
// "2026-11-22 09:00", "2026-11-22T09:00:00", with Z or .000Z behind it for UTC.
std::optional<WrittenTime> read_time(std::string_view text) {
  WrittenTime out;
  const auto number = [&](int& value, std::size_t count) {
    const auto got = take_number(text, count);
    if (got) value = *got;
    return got.has_value();
  };
  bool good = number(out.wall.year, 4) && take(text, "-") && number(out.wall.month, 2) && take(text, "-") && number(out.wall.day, 2) &&
              take(text, " T") && number(out.wall.hour, 2) && take(text, ":") && number(out.wall.minute, 2);
  if (good && take(text, ":")) good = number(out.wall.second, 2);
  if (good && take(text, ".")) good = number(out.wall.ms, 3);
  out.utc = take(text, "Z");
  if (!good || !text.empty()) return std::nullopt;
  return out;
}

Result<UtcTime> scheduled(std::string_view text, const Zone* zone) {
  const auto written = read_time(text);
  if (!written) {
    return fail(Errc::invalid, "it is not a time; write it like 2026-11-22 09:00 (the court's clock) or 2026-11-22T08:00Z (UTC)");
  }
  if (!written->utc) {
    if (zone == nullptr) {
      return fail(Errc::invalid, "the zone of the court's clock is not known; set zone in [place] of station.toml, or write the time in UTC "
                                 "with Z behind it");
    }
    const auto out = zone->utc_of(written->wall);
    if (!out) return fail(Errc::invalid, out.error().message + "; write a time that there is");
    return *out;
  }
  const WallTime& w = written->wall;
  const auto out = parse_utc(fmt::format("{:04d}-{:02d}-{:02d}T{:02d}:{:02d}:{:02d}.{:03d}Z", w.year, w.month, w.day, w.hour, w.minute,
                                         w.second, w.ms));
  if (!out) return fail(Errc::invalid, "there is no such date and time; correct it");
  return *out;
}

// ---- fields ----

Result<std::vector<std::string>> read_cases(std::string_view field) {
  std::vector<std::string> out;
  for (const std::string_view item : items(field)) {
    const Status good = check_case_number(item);
    if (!good) return fail(Errc::invalid, good.error().message);
    out.emplace_back(item);
  }
  if (out.empty()) return fail(Errc::invalid, "there is no case number; write it, several with | between them");
  return out;
}

// "name:role"; the last colon divides, also the full-width one.
Result<std::vector<Party>> read_parties(std::string_view field) {
  std::vector<Party> out;
  for (const std::string_view item : items(field)) {
    GREFFE_TRY(check_line(item, kMaxLineBytes));
    constexpr std::string_view kWideColon = "\xEF\xBC\x9A";
    const std::size_t narrow = item.rfind(':');
    const std::size_t wide = item.rfind(kWideColon);
    const bool by_wide = wide != std::string_view::npos && (narrow == std::string_view::npos || wide > narrow);
    const std::size_t at = by_wide ? wide : narrow;
    Party party;
    party.name = trimmed(item.substr(0, at));
    if (at != std::string_view::npos) party.role = trimmed(item.substr(at + (by_wide ? kWideColon.size() : 1)));
    if (party.name.empty()) return fail(Errc::invalid, "a party has no name; write name:role, several with | between them");
    out.push_back(std::move(party));
  }
  return out;
}

Result<std::vector<std::string>> read_judges(std::string_view field) {
  std::vector<std::string> out;
  for (const std::string_view item : items(field)) {
    GREFFE_TRY(check_line(item, kMaxLineBytes));
    out.emplace_back(item);
  }
  return out;
}

Result<bool> read_public(std::string_view field) {
  const std::string word = lower(field);
  for (const std::string_view yes : {"", "yes", "true", "1", "oui", "是", "公开"}) {
    if (word == yes) return true;
  }
  for (const std::string_view no : {"no", "false", "0", "non", "否", "不公开"}) {
    if (word == no) return false;
  }
  return fail(Errc::invalid, "it must be yes or no (oui, non; 是, 否)");
}

Result<std::string> read_line(std::string_view field, std::size_t limit = kMaxLineBytes) {
  GREFFE_TRY(check_line(field, limit));
  return std::string(field);
}

Result<std::string> read_place(std::string_view field) {
  if (field.empty()) return fail(Errc::invalid, "it is empty; write the name or the code");
  return read_line(field, kMaxPlaceBytes);
}

// ---- rows ----

// Where each of our columns stands in the file.
using Layout = std::array<std::optional<std::size_t>, kColumns.size()>;

std::optional<Layout> read_header(const CsvRow& header, std::vector<DocketProblem>& problems) {
  Layout out;
  const std::string known = [] {
    std::vector<std::string_view> names;
    for (const Column& column : kColumns) names.push_back(column.name);
    return fmt::format("{}", fmt::join(names, ", "));
  }();
  for (std::size_t i = 0; i < header.fields.size(); ++i) {
    const std::string name = lower(trimmed(header.fields[i]));
    const auto at = std::find_if(kColumns.begin(), kColumns.end(), [&](const Column& column) { return column.name == name; });
    const std::string shown = name.size() > 60 || has_control_character(name) ? fmt::format("column {}", i + 1) : name;
    if (at == kColumns.end()) {
      problems.push_back({header.line, shown, "this column is not known and was not read; the columns are: " + known});
      continue;
    }
    auto& place = out[static_cast<std::size_t>(at - kColumns.begin())];
    if (place) {
      problems.push_back({header.line, shown, "this column stands there twice; take one of them out"});
    } else {
      place = i;
    }
  }
  bool complete = true;
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    if (!kColumns[i].required || out[i]) continue;
    complete = false;
    problems.push_back({header.line, std::string(kColumns[i].name),
                        "this column is missing, and without it no hearing can be read; add it to the first row"});
  }
  return complete ? std::optional(out) : std::nullopt;
}

class RowReader {
 public:
  RowReader(const CsvRow& row, const Layout& layout, const Zone* zone, std::vector<DocketProblem>& problems)
      : row_(row), layout_(layout), zone_(zone), problems_(problems) {}

  std::optional<DocketRow> read() {
    DocketRow out;
    out.line = row_.line;
    take(0, read_place, out.court);
    take(1, read_place, out.room);
    take(2, [this](std::string_view field) { return scheduled(field, zone_); }, out.details.scheduled);
    take(3, read_cases, out.details.cases);
    take(4, read_parties, out.details.parties);
    take(5, read_judges, out.details.judges);
    take(6, [](std::string_view field) { return read_line(field); }, out.details.clerk);
    take(7, read_public, out.details.is_public);
    take(8, [](std::string_view field) { return read_line(field); }, out.details.title);
    take(9, [](std::string_view field) { return read_line(field); }, out.details.language);
    if (!good_) return std::nullopt;
    // What is left: limits of the document as a whole, and the language tag.
    const auto whole = parse_details(write_details(out.details));
    if (!whole) {
      problems_.push_back({row_.line, {}, whole.error().message});
      return std::nullopt;
    }
    return out;
  }

 private:
  template <class Read, class Value>
  void take(std::size_t column, const Read& read, Value& value) {
    const auto at = layout_[column];
    if (!at) return;
    auto got = read(trimmed(row_.fields[*at]));
    if (got) {
      value = std::move(*got);
      return;
    }
    problems_.push_back({row_.line, std::string(kColumns[column].name), got.error().message});
    good_ = false;
  }

  const CsvRow& row_;
  const Layout& layout_;
  const Zone* zone_;
  std::vector<DocketProblem>& problems_;
  bool good_ = true;
};

bool names(const std::map<std::string, std::string>& names, const std::string& text) {
  return std::any_of(names.begin(), names.end(), [&](const auto& name) { return name.second == text; });
}

bool is_same_day(UtcTime a, UtcTime b, const std::optional<Zone>& zone) {
  if (!zone) return to_date(a) == to_date(b);
  const WallTime first = zone->at(a);
  const WallTime second = zone->at(b);
  return first.year == second.year && first.month == second.month && first.day == second.day;
}

}  // namespace

Docket read_docket(std::string_view text, const Zone* zone) {
  Docket out;
  const auto table = read_csv(text);
  if (!table) {
    out.problems.push_back({1, {}, table.error().message});
    return out;
  }
  for (const CsvProblem& problem : table->problems) out.problems.push_back({problem.line, {}, problem.what});
  if (table->rows.empty()) {
    out.problems.push_back({1, {}, "the list is empty; its first row names the columns"});
    return out;
  }
  const CsvRow& header = table->rows.front();
  if (!table->problems.empty() && table->problems.front().line < header.line) return out;  // the header itself is broken
  const auto layout = read_header(header, out.problems);
  for (std::size_t i = 1; layout && i < table->rows.size(); ++i) {
    const CsvRow& row = table->rows[i];
    if (row.fields.size() != header.fields.size()) {
      out.problems.push_back({row.line, {}, fmt::format("the row has {} fields and the first row has {}; a separator inside a field needs "
                                                        "quotation marks around the field", row.fields.size(), header.fields.size())});
      continue;
    }
    auto read = RowReader(row, *layout, zone, out.problems).read();
    if (read) out.rows.push_back(std::move(*read));
  }
  std::stable_sort(out.problems.begin(), out.problems.end(), [](const auto& a, const auto& b) { return a.line < b.line; });
  std::stable_sort(out.rows.begin(), out.rows.end(), [](const auto& a, const auto& b) { return a.details.scheduled < b.details.scheduled; });
  return out;
}

Result<Docket> load_docket(FileSystem& files, const std::string& path, const Zone* zone) {
  const auto bytes = files.read_file(path, kMaxCsvBytes);
  if (!bytes && bytes.error().code == Errc::invalid) return fail(Errc::invalid, path + ": the list has more than 4 MiB; give the list of one day");
  if (!bytes) return bytes.error();
  return read_docket(as_text(*bytes), zone);
}

bool is_here(const DocketRow& row, const Enrolment& enrolment, const PlaceSettings& place) {
  const bool court = row.court == enrolment.court || names(place.court_names, row.court);
  const bool room = row.room == enrolment.room || names(place.room_names, row.room);
  return court && room;
}

Result<Json> docket_json(FileSystem& files, const IngestSettings& settings, const Enrolment& enrolment, UtcTime now) {
  const PlaceSettings& place = settings.place;
  const Docket docket = GREFFE_TRY(load_docket(files, settings.page.docket, place.zone ? &*place.zone : nullptr));
  Json::Array rows;
  for (const DocketRow& row : docket.rows) {
    if (!is_here(row, enrolment, place) || !is_same_day(row.details.scheduled, now, place.zone)) continue;
    Json one;
    one.set("line", row.line).set("details", write_details(row.details));
    rows.push_back(std::move(one));
  }
  Json::Array problems;
  for (const DocketProblem& problem : docket.problems) {
    Json one;
    one.set("line", problem.line).set("column", problem.column).set("what", problem.what);
    problems.push_back(std::move(one));
  }
  Json out;
  out.set("rows", std::move(rows)).set("problems", std::move(problems));
  return out;
}

}  // namespace greffe::ingest
