#include "web/hearing_routes.h"

#include <fmt/format.h>

#include "archive/format/documents.h"
#include "archive/store_document.h"
#include "web/json_of.h"

namespace greffe::web {
namespace {

constexpr std::size_t kMaxMarkCharacters = 2000;
constexpr std::int64_t kDayMs = 86'400'000;

http::Response ok_json(const Json& json, int status = 200) { return http::json_response(status, write_json(json)); }

// "2026-11-22" as the first or last moment of that day, UTC.
Result<std::optional<UtcTime>> day_of(const http::Request& request, std::string_view name, std::int64_t add_ms) {
  const std::string text = request.query_value(name);
  if (text.empty()) return std::optional<UtcTime>();
  const auto day = parse_utc(text + "T00:00:00.000Z");
  if (!day) return fail(Errc::invalid, fmt::format("{} must be a date like 2026-11-22", name));
  return std::optional<UtcTime>(UtcTime{day->ms + add_ms});
}

Result<catalogue::HearingQuery> query_of(const http::Request& request) {
  catalogue::HearingQuery query;
  query.text = request.query_value("q");
  query.court = request.query_value("court");
  query.room = request.query_value("room");
  query.judge = request.query_value("judge");
  query.cursor = request.query_value("cursor");
  query.with_gaps = request.query_value("gaps") == "1";
  query.from = GREFFE_TRY(day_of(request, "from", 0));
  query.to = GREFFE_TRY(day_of(request, "to", kDayMs));
  const std::string state = request.query_value("state");
  if (state == "open" || state == "closed") query.closed = state == "closed";
  if (const std::string limit = request.query_value("limit"); !limit.empty()) {
    query.limit = GREFFE_TRY(parse_decimal(limit));
  }
  return query;
}

Error kept_elsewhere(const archive::HeldArchive& archive) {
  return fail(Errc::denied, "This is a copy. Marks and corrections are made where the hearing is kept: " + archive.name + ".");
}

}  // namespace

HearingRoutes::HearingRoutes(Clock& clock, archive::Stores stores, archive::MainLog& main_log, const archive::HeldArchives& archives,
                             archive::HearingLogs& hearings, archive::Retrieval& retrieval, archive::Peers& peers,
                             accounts::Accounts& accounts, const SignIn& sign_in)
    : clock_(clock), stores_(stores), main_log_(main_log), archives_(archives), hearings_(hearings), retrieval_(retrieval), peers_(peers),
      accounts_(accounts), sign_in_(sign_in), proof_(stores, hearings, retrieval, peers) {}

std::vector<http::Route> HearingRoutes::routes() {
  const auto route = [this](std::string method, std::string pattern,
                            Result<http::Response> (HearingRoutes::*handler)(const http::Request&, const Session&)) {
    return http::Route{std::move(method), std::move(pattern),
                       sign_in_.guard([this, handler](const http::Request& request, const Session& session) {
                         return (this->*handler)(request, session);
                       }),
                       kMaxDocumentBytes};
  };
  return {route("GET", "/v1/places", &HearingRoutes::places),
          route("GET", "/v1/hearings", &HearingRoutes::find),
          route("GET", "/v1/hearings/{id}", &HearingRoutes::open),
          route("GET", "/v1/hearings/{id}/timeline", &HearingRoutes::timeline),
          route("GET", "/v1/hearings/{id}/proof", &HearingRoutes::proof),
          route("POST", "/v1/hearings/{id}/marks", &HearingRoutes::add_mark),
          route("POST", "/v1/hearings/{id}/details", &HearingRoutes::correct)};
}

std::string HearingRoutes::account_name(const std::string& pseudonym) const {
  const auto account = accounts_.find_by_pseudonym(pseudonym);
  return account ? account->display_name : pseudonym;
}

Result<archive::FoundHearing> HearingRoutes::find_one(const http::Request& request, const Session& session) const {
  if (!accounts::may_find(session.account)) {
    return fail(Errc::denied, "Your account does not show hearings. Ask the court's administrator for the role of a clerk, "
                              "judge or auditor.");
  }
  const HearingId id = GREFFE_TRY(parse_hearing_id(request.parameter("id")));
  return archives_.hearing(id, session.account);
}

Result<http::Response> HearingRoutes::places(const http::Request&, const Session&) {
  const std::vector<catalogue::Court> courts = GREFFE_TRY(archives_.places());
  Json::Array list;
  for (const catalogue::Court& court : courts) list.push_back(json_of(court));
  Json out;
  out.set("courts", std::move(list));
  return ok_json(out);
}

Result<http::Response> HearingRoutes::find(const http::Request& request, const Session& session) {
  if (!accounts::may_find(session.account)) return fail(Errc::denied, "Your account does not show hearings.");
  const catalogue::HearingQuery query = GREFFE_TRY(query_of(request));
  const archive::HeldArchives::Page page = GREFFE_TRY(archives_.find(query, session.account));
  Json::Array rows;
  for (const archive::HeldArchives::Row& one : page.hearings) {
    Json row = json_of(one.row);
    if (!one.archive.empty()) row.set("archive", one.archive);
    rows.push_back(std::move(row));
  }
  Json out;
  out.set("count", page.count).set("count_is_exact", page.count_is_exact).set("hearings", std::move(rows));
  if (page.next_cursor) out.set("next_cursor", *page.next_cursor);
  return ok_json(out);
}

// Which other site holds the hearing, up to which entry and since when. An empty object: none, or this is the copy.
Result<Json> HearingRoutes::second_copy(const archive::FoundHearing& found) const {
  if (!found.archive.own) return Json();
  const HearingId& id = found.record.row.id;
  const std::vector<VerifierKey> cosigners = GREFFE_TRY(peers_.cosigners());
  const auto head = hearings_.reader(id).checkpoint();
  for (const VerifierKey& cosigner : cosigners) {
    const auto cosigned = archive::newest_cosigned(stores_.heads, hearing_log_path(id), cosigner);
    if (!cosigned) continue;
    const auto since = verify_cosignature(cosigned->note, cosigner);
    if (!since) continue;
    Json out;
    out.set("complete", bool(head) && cosigned->checkpoint.size == head->checkpoint.size);
    out.set("since", *since).set("site", cosigner.name).set("size", cosigned->checkpoint.size);
    return out;
  }
  return Json();
}

// A copy is for finding and watching: what is added to a hearing is added where it is kept. So is what is shared with another court.
Json HearingRoutes::rights(const archive::FoundHearing& found, const accounts::Account& account) const {
  const std::string& court = found.record.row.court;
  const bool own = found.archive.own;
  Json out;
  out.set("correct", own && accounts::may_correct(account, court)).set("export", own && accounts::may_export(account, court));
  out.set("mark", own && accounts::may_mark(account, court)).set("play", found.record.row.shared || accounts::may_play(account, court));
  out.set("share", own && accounts::may_share(account, court)).set("shares", !found.record.row.shared);
  return out;
}

Result<Json> HearingRoutes::whole(const archive::FoundHearing& found, const Session& session) const {
  const catalogue::HearingRecord& record = found.record;
  Json out = json_of(record.row);
  if (!found.archive.own) out.set("archive", found.archive.name);
  out.set("details", json_of(record.row.details)).set("origin", record.origin);
  out.set("log_size", record.log_size).set("log_root", record.log_root).set("receipt_utc", record.checkpoint_utc);
  Json::Array corrections;
  for (const catalogue::Correction& c : record.corrections) {
    Json one;
    one.set("account_name", c.from_archive && found.archive.own ? account_name(c.account) : c.account).set("before", json_of(c.before));
    one.set("details_sha256", c.before_sha256).set("index", c.entry_index).set("origin", c.from_archive ? "archive" : "room");
    one.set("reason", c.reason).set("utc", c.utc);
    proof_.add_document(one, "document", record.row.id, c.before_sha256);
    if (c.from_archive) GREFFE_TRY(proof_.add_reason(one, found.archive, record.row.id, c.entry_index));
    corrections.push_back(std::move(one));
  }
  out.set("corrections", std::move(corrections));
  proof_.add_document(out, "details_document", record.row.id, record.details_sha256);
  out.set("rights", rights(found, session.account));
  const auto seen = found.archive.seen_by(session.account);
  std::vector<catalogue::Sitting> sittings = GREFFE_TRY(found.archive.catalogue->sittings(record.row.id, seen));
  if (sittings.size() > 1) {
    Json::Array chain;
    for (catalogue::Sitting& sitting : sittings) {
      if (sitting.row) sitting.row->court = found.archive.court_here(sitting.row->court);
      chain.push_back(json_of(sitting));
    }
    out.set("sittings", std::move(chain));
  }
  Json copy = GREFFE_TRY(second_copy(found));
  if (!copy.as_object()->empty()) out.set("second_copy", std::move(copy));
  return out;
}

Result<http::Response> HearingRoutes::open(const http::Request& request, const Session& session) {
  const archive::FoundHearing found = GREFFE_TRY(find_one(request, session));
  const Json json = GREFFE_TRY(whole(found, session));
  return ok_json(json);
}

Result<http::Response> HearingRoutes::timeline(const http::Request& request, const Session& session) {
  const auto [archive, record] = GREFFE_TRY(find_one(request, session));
  const archive::Timeline timeline = GREFFE_TRY(retrieval_.timeline(record.row.id));
  const std::vector<catalogue::Mark> marks = GREFFE_TRY(archive.catalogue->marks(record.row.id, archive.seen_by(session.account)));
  Json out = json_of(timeline);
  Json::Array list;
  for (const catalogue::Mark& mark : marks) {
    Json one = json_of(mark, mark.from_archive && archive.own ? account_name(mark.account) : mark.account);
    GREFFE_TRY(proof_.add_evidence(one, archive, record.row.id, mark, timeline));
    list.push_back(std::move(one));
  }
  out.set("marks", std::move(list));
  return ok_json(out);
}

Result<http::Response> HearingRoutes::proof(const http::Request& request, const Session& session) {
  const archive::FoundHearing found = GREFFE_TRY(find_one(request, session));
  const Json out = GREFFE_TRY(proof_.of(found));
  return ok_json(out);
}

Result<http::Response> HearingRoutes::add_mark(const http::Request& request, const Session& session) {
  const auto [archive, record] = GREFFE_TRY(find_one(request, session));
  if (!archive.own) return kept_elsewhere(archive);
  if (!accounts::may_mark(session.account, record.row.court)) {
    return fail(Errc::denied, "Only clerks and judges of this court may add marks.");
  }
  const Json json = GREFFE_TRY(parse_json(request.body));
  MarkAddedEntry entry;
  entry.hearing = record.row.id;
  entry.at = GREFFE_TRY(json.utc("at"));
  const std::string text = GREFFE_TRY(json.string("text"));
  if (text.empty() || text.size() > kMaxMarkCharacters) return fail(Errc::invalid, "A mark needs a text of at most 2,000 characters.");
  if (json.has("stream")) entry.stream = GREFFE_TRY(json.string("stream"));
  if (!entry.stream.empty() && !is_valid_name(entry.stream)) return fail(Errc::invalid, "There is no stream of that name.");
  const std::string document = write_note("mark", text);
  entry.note = GREFFE_TRY(greffe::archive::store_document(stores_.objects, document));
  entry.account = session.account.pseudonym;
  entry.utc = clock_.utc_now();
  const std::uint64_t index = GREFFE_TRY(main_log_.append(entry));
  catalogue::Mark mark;
  mark.id = fmt::format("archive-{}", index);
  mark.at = entry.at;
  mark.stream = entry.stream;
  mark.text = text;
  mark.from_archive = true;
  Json out = json_of(mark, session.account.display_name);
  out.set("document", document).set("index", index);
  return ok_json(out, 201);
}

Result<http::Response> HearingRoutes::correct(const http::Request& request, const Session& session) {
  const auto [archive, record] = GREFFE_TRY(find_one(request, session));
  if (!archive.own) return kept_elsewhere(archive);
  if (!accounts::may_correct(session.account, record.row.court)) {
    return fail(Errc::denied, "Only clerks of this court may correct the details.");
  }
  const Json json = GREFFE_TRY(parse_json(request.body));
  const Json details_json = GREFFE_TRY(json.object("details"));
  const Details details = GREFFE_TRY(parse_details(write_json(details_json)));
  const std::string reason = GREFFE_TRY(json.string("reason"));
  if (reason.empty() || reason.size() > kMaxMarkCharacters) return fail(Errc::invalid, "Say why the details are corrected (at most 2,000 characters).");
  DetailsEntry entry;
  entry.hearing = record.row.id;
  entry.details = GREFFE_TRY(greffe::archive::store_document(stores_.objects, write_details(details)));
  entry.reason = GREFFE_TRY(greffe::archive::store_document(stores_.objects, write_note("reason", reason)));
  entry.account = session.account.pseudonym;
  entry.utc = clock_.utc_now();
  GREFFE_TRY(main_log_.append(entry));
  return open(request, session);
}

}  // namespace greffe::web
