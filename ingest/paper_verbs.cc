#include "ingest/paper_verbs.h"

#include <fmt/format.h>

#include <cstdio>
#include <optional>
#include <vector>

#include "archive/base/command_line.h"
#include "archive/format/members.h"
#include "ingest/closing_sheet.h"
#include "ingest/docket.h"
#include "ingest/sheet_page.h"

namespace greffe::ingest {
namespace {

void print(const Json& json) { fmt::print("{}\n", write_json(json)); }

// The court's clock where it is known.
std::string wall_text(UtcTime time, const PlaceSettings& place) {
  if (!place.zone) return to_text(time);
  const WallTime w = place.zone->at(time);
  return fmt::format("{:04d}-{:02d}-{:02d} {:02d}:{:02d}", w.year, w.month, w.day, w.hour, w.minute);
}

Json to_json(const DocketRow& row, const PlaceSettings& place) {
  Json out;
  Json::Array parties;
  for (const Party& party : row.details.parties) {
    Json one;
    one.set("name", party.name).set("role", party.role);
    parties.push_back(std::move(one));
  }
  out.set("line", row.line).set("court", row.court).set("room", row.room).set("cases", list_of(row.details.cases));
  out.set("scheduled", row.details.scheduled).set("time", wall_text(row.details.scheduled, place)).set("parties", std::move(parties));
  out.set("judges", list_of(row.details.judges)).set("clerk", row.details.clerk).set("public", row.details.is_public);
  out.set("title", row.details.title).set("language", row.details.language);
  return out;
}

std::string words_of(const DocketRow& row, const PlaceSettings& place) {
  std::vector<std::string> parties;
  for (const Party& party : row.details.parties) parties.push_back(party.name);
  return fmt::format("{}  {}  {}{}{}", wall_text(row.details.scheduled, place), fmt::join(row.details.cases, ", "), row.details.title,
                     !row.details.title.empty() && !parties.empty() ? ": " : "", fmt::join(parties, ", "));
}

Json to_json(const DocketProblem& problem) {
  Json out;
  out.set("line", problem.line).set("what", problem.what);
  if (!problem.column.empty()) out.set("column", problem.column);
  return out;
}

std::string words_of(const DocketProblem& problem) {
  return problem.column.empty() ? fmt::format("line {}: {}", problem.line, problem.what)
                                : fmt::format("line {}, column {}: {}", problem.line, problem.column, problem.what);
}

}  // namespace

Result<int> report_sheet(FileSystem& files, const IngestSettings& settings, const SheetArguments& arguments, bool json) {
  const auto id = parse_hearing_id(arguments.hearing);
  if (!id) return fail(Errc::invalid, fmt::format("--hearing {}: this is not the id of a hearing", arguments.hearing));
  const std::optional<Language> wanted = language_of(arguments.language);
  if (!arguments.language.empty() && !wanted) {
    return fail(Errc::invalid, fmt::format("--language {}: it must be zh, fr or en", arguments.language));
  }
  const FiledSheet filed = GREFFE_TRY(file_closing_sheet(files, settings, *id, wanted));
  if (!arguments.out_path.empty()) {
    const std::string text = GREFFE_TRY(sheet_page(filed.sheet, filed.language));
    GREFFE_TRY(files.replace(arguments.out_path, as_bytes(text), 0640));
  }
  const std::string& page = arguments.out_path.empty() ? filed.page : arguments.out_path;
  if (json) {
    Json out;
    out.set("hearing", id->text()).set("sheet", filed.file).set("sheet_page", page).set("language", tag_of(filed.language));
    print(out);
  } else {
    fmt::print("{}: signed by station {}\n{}: for printing\n", filed.file, filed.sheet.station, page);
  }
  return kExitDone;
}

Result<int> report_docket(FileSystem& files, const IngestSettings& settings, const std::string& path, bool json) {
  const Enrolment enrolment = GREFFE_TRY(load_enrolment(files, settings.directory));
  const PlaceSettings& place = settings.place;
  const Docket docket = GREFFE_TRY(load_docket(files, path, place.zone ? &*place.zone : nullptr));
  std::vector<DocketRow> here;
  for (const DocketRow& row : docket.rows) {
    if (is_here(row, enrolment, place)) here.push_back(row);
  }
  const std::uint64_t elsewhere = docket.rows.size() - here.size();
  if (json) {
    Json out;
    Json::Array hearings;
    Json::Array problems;
    for (const DocketRow& row : here) hearings.push_back(to_json(row, place));
    for (const DocketProblem& problem : docket.problems) problems.push_back(to_json(problem));
    out.set("court", enrolment.court).set("room", enrolment.room).set("hearings", std::move(hearings)).set("elsewhere", elsewhere);
    out.set("zone", place.zone ? place.zone->name() : "UTC").set("problems", std::move(problems));
    print(out);
  } else {
    for (const DocketRow& row : here) fmt::print("{}\n", words_of(row, place));
    fmt::print("{} hearings in room {} of {}, {} elsewhere; times of {}\n", here.size(), enrolment.room, enrolment.court, elsewhere,
               place.zone ? place.zone->name() : "UTC");
  }
  for (const DocketProblem& problem : docket.problems) fmt::print(stderr, "greffe-ingest: {}: {}\n", path, words_of(problem));
  return docket.problems.empty() ? kExitDone : kExitFound;
}

}  // namespace greffe::ingest
