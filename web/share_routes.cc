#include "web/share_routes.h"

#include "archive/format/documents.h"
#include "web/control_route.h"
#include "web/json_of.h"

namespace greffe::web {
namespace {

constexpr std::string_view kOperator = "operator-socket";  // as the entries of an export say it

Result<archive::ShareOrder> order_of(const Json& json, const HearingId& hearing, const std::string& account) {
  archive::ShareOrder out;
  out.hearing = hearing;
  out.account = account;
  out.court = GREFFE_TRY(json.string("court"));
  out.reason = GREFFE_TRY(json.string("reason"));
  if (json.has("until")) out.until = GREFFE_TRY(json.utc("until"));
  return out;
}

std::string_view state_of(const catalogue::Share& share, UtcTime now) {
  if (share.revoked) return "revoked";
  return share.holds_at(now) ? "active" : "over";
}

}  // namespace

std::vector<http::Route> ShareRoutes::routes() {
  const auto acting = [this](Act what, int status) {
    return sign_in_.guard([this, what, status](const http::Request& request, const Session& session) { return act(request, session, what, status); });
  };
  return {{"GET", "/v1/hearings/{id}/shares", sign_in_.guard([this](const http::Request& request, const Session& session) { return list(request, session); })},
          {"POST", "/v1/hearings/{id}/shares", acting(&archive::Shares::grant, 201), kMaxDocumentBytes},
          {"POST", "/v1/hearings/{id}/shares/revoke", acting(&archive::Shares::revoke, 200), kMaxDocumentBytes}};
}

std::vector<http::Route> ShareRoutes::control_routes() {
  return {control_route("share", [this](const Json& arguments) { return act_at_once(arguments, &archive::Shares::grant); }),
          control_route("share-revoke", [this](const Json& arguments) { return act_at_once(arguments, &archive::Shares::revoke); }),
          control_route("share-list", [this](const Json& arguments) { return list_all(arguments); })};
}

// A guest sees the hearing and not who else is one.
Result<archive::FoundHearing> ShareRoutes::find_one(const http::Request& request, const Session& session) const {
  const HearingId id = GREFFE_TRY(parse_hearing_id(request.parameter("id")));
  if (!accounts::may_find(session.account)) return fail(Errc::denied, "Your account does not show hearings.");
  archive::FoundHearing found = GREFFE_TRY(archives_.hearing(id, session.account));
  if (found.record.row.shared) return fail(Errc::denied, "With whom a hearing is shared is shown to its own court.");
  return found;
}

Result<http::Response> ShareRoutes::list(const http::Request& request, const Session& session) const {
  const archive::FoundHearing found = GREFFE_TRY(find_one(request, session));
  const Json out = GREFFE_TRY(shares_of(found.archive, found.record.row.id));
  return http::json_response(200, write_json(out));
}

Result<http::Response> ShareRoutes::act(const http::Request& request, const Session& session, Act what, int status) {
  const archive::FoundHearing found = GREFFE_TRY(find_one(request, session));
  if (!found.archive.own) return fail(Errc::denied, "This is a copy. A hearing is shared where it is kept: " + found.archive.name + ".");
  if (!accounts::may_share(session.account, found.record.row.court)) return fail(Errc::denied, "Only clerks of this court may share the hearing.");
  const Json json = GREFFE_TRY(parse_json(request.body));
  const archive::ShareOrder order = GREFFE_TRY(order_of(json, found.record.row.id, session.account.pseudonym));
  GREFFE_TRY((shares_.*what)(order));
  const Json out = GREFFE_TRY(shares_of(found.archive, found.record.row.id));
  return http::json_response(status, write_json(out));
}

std::string ShareRoutes::person(const archive::HeldArchive& archive, const std::string& pseudonym) const {
  if (!archive.own) return pseudonym;
  const auto account = accounts_.find_by_pseudonym(pseudonym);
  return account ? account->display_name : pseudonym;
}

Result<Json> ShareRoutes::json_of_share(const archive::HeldArchive& archive, const std::vector<catalogue::Court>& places,
                                        const catalogue::Share& share) const {
  const std::string court = archive.court_here(share.court);
  const archive::Counterpart counterpart = GREFFE_TRY(shares_.counterpart(archive, share));
  Json out;
  out.set("account_name", person(archive, share.account)).set("counterpart", archive::name_of(counterpart)).set("court", court);
  out.set("hearing", share.hearing.text()).set("index", share.entry_index).set("reason", share.reason).set("state", state_of(share, clock_.utc_now()));
  out.set("utc", share.utc);
  Json names;
  for (const catalogue::Court& one : places) {
    if (one.court == court) names = json_of(one.names);
  }
  out.set("court_names", std::move(names));
  if (share.until) out.set("until", *share.until);
  if (!share.revoked) return out;
  Json revoked;
  revoked.set("account_name", person(archive, share.revoked->account)).set("index", share.revoked->entry_index).set("reason", share.revoked->reason);
  return std::move(out.set("revoked", std::move(revoked.set("utc", share.revoked->utc))));
}

Result<Json> ShareRoutes::shares_of(const archive::HeldArchive& archive, const std::optional<HearingId>& hearing) const {
  const std::vector<catalogue::Share> shares = GREFFE_TRY(archive.catalogue->shares(hearing));
  const std::vector<catalogue::Court> places = GREFFE_TRY(archives_.places());
  Json::Array list;
  for (const catalogue::Share& one : shares) list.push_back(GREFFE_TRY(json_of_share(archive, places, one)));
  Json out;
  out.set("shares", std::move(list));
  return out;
}

// ---- for the command line ----

Result<Json> ShareRoutes::act_at_once(const Json& arguments, Act what) {
  const std::string id = GREFFE_TRY(arguments.string("hearing"));
  const HearingId hearing = GREFFE_TRY(parse_hearing_id(id));
  const archive::ShareOrder order = GREFFE_TRY(order_of(arguments, hearing, std::string(kOperator)));
  GREFFE_TRY((shares_.*what)(order));
  return shares_of(archives_.all().front(), hearing);
}

Result<Json> ShareRoutes::list_all(const Json& arguments) const {
  std::optional<HearingId> hearing;
  if (arguments.has("hearing")) {
    const std::string id = GREFFE_TRY(arguments.string("hearing"));
    hearing = GREFFE_TRY(parse_hearing_id(id));
  }
  return shares_of(archives_.all().front(), hearing);
}

}  // namespace greffe::web
