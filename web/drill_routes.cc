#include "web/drill_routes.h"

#include "web/control_route.h"

namespace greffe::web {
namespace {

constexpr std::size_t kUsualPage = 50;
constexpr std::size_t kMostPerPage = 200;

// The report as it is stored: written again in canonical form it has the digest that the entry names.
Result<Json> filed_json(std::uint64_t index, const DrillEntry& entry, const std::string& report) {
  Json out;
  out.set("archive", entry.archive).set("failures", entry.failures).set("index", index).set("objects", entry.objects);
  out.set("report_sha256", entry.report).set("root", entry.root).set("seconds", entry.seconds).set("size", entry.size).set("utc", entry.utc);
  if (!report.empty()) out.set("report", GREFFE_TRY(parse_json(report)));
  return out;
}

}  // namespace

Json json_of(const archive::DrillFacts& facts) {
  Json out;
  out.set("archive", facts.archive).set("failures", facts.failures).set("late", facts.late).set("running", facts.running).set("since", facts.since);
  if (facts.due) out.set("due", *facts.due);
  if (facts.good) out.set("good", *facts.good);
  if (facts.last) out.set("last", *facts.last);
  if (!facts.problem.empty()) out.set("problem", facts.problem);
  return out;
}

std::vector<http::Route> DrillRoutes::routes(const SignIn& sign_in) {
  return {{"GET", "/v1/drills", sign_in.guard([this](const http::Request& request, const accounts::Session& session) { return list(request, session); })}};
}

Result<http::Response> DrillRoutes::list(const http::Request& request, const accounts::Session& session) const {
  if (!accounts::may_see_log(session.account)) return fail(Errc::denied, "Drills are shown to auditors and operators.");
  std::optional<std::uint64_t> before;
  std::size_t limit = kUsualPage;
  if (const std::string text = request.query_value("before"); !text.empty()) before = GREFFE_TRY(parse_decimal(text));
  if (const std::string text = request.query_value("limit"); !text.empty()) limit = GREFFE_TRY(parse_decimal(text));
  if (limit < 1 || limit > kMostPerPage) return fail(Errc::invalid, "limit must be from 1 to 200");
  const std::vector<archive::Drills::Filed> filed = GREFFE_TRY(drills_.filed(before, limit));
  const std::vector<archive::DrillFacts> facts = GREFFE_TRY(drills_.facts());
  Json::Array drills;
  for (const archive::Drills::Filed& one : filed) drills.push_back(GREFFE_TRY(filed_json(one.index, one.entry, one.report)));
  Json::Array archives;
  for (const archive::DrillFacts& one : facts) archives.push_back(json_of(one));
  Json out;
  if (filed.size() == limit && filed.back().index > 0) out.set("next_before", filed.back().index);
  out.set("archives", std::move(archives)).set("drills", std::move(drills));
  return http::json_response(200, write_json(out));
}

// ---- for the command line ----

std::vector<http::Route> DrillRoutes::control_routes() {
  return {control_route("drill", [this](const Json& arguments) { return begin(arguments); }),
          control_route("drill-state", [this](const Json& arguments) { return state(arguments); }),
          control_route("drill-stop", [this](const Json& arguments) { return cancel(arguments); })};
}

Result<Json> DrillRoutes::begin(const Json& arguments) {
  std::string archive;
  if (arguments.has("archive")) archive = GREFFE_TRY(arguments.string("archive"));
  const std::uint64_t number = GREFFE_TRY(drills_.begin(archive));
  Json out;
  out.set("number", number);
  return out;
}

Result<Json> DrillRoutes::state(const Json& arguments) const {
  const std::uint64_t number = GREFFE_TRY(arguments.size("number"));
  const archive::DrillState known = GREFFE_TRY(drills_.state(number));
  Json out;
  out.set("archive", known.archive).set("done", known.done).set("running", known.running).set("step", archive::name_of(known.step));
  out.set("total", known.total);
  if (!known.outcome) return out;
  const Result<archive::DrillOutcome>& outcome = *known.outcome;
  if (!outcome) return out.set("problem", outcome.error().message);
  out.set("filed", GREFFE_TRY(filed_json(outcome->index, outcome->entry, outcome->report)));
  return out;
}

Result<Json> DrillRoutes::cancel(const Json& arguments) {
  const std::uint64_t number = GREFFE_TRY(arguments.size("number"));
  drills_.cancel(number);
  return Json();
}

}  // namespace greffe::web
