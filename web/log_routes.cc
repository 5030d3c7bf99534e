#include "web/log_routes.h"

#include "archive/archive_keys.h"
#include "web/hearing_proof.h"

namespace greffe::web {
namespace {

constexpr std::size_t kMaxEntriesPerPage = 200;

http::Response checkpoint_response(const SignedCheckpoint& checkpoint) {
  auto response = http::text_response(200, checkpoint.note.write());
  response.set("Cache-Control", "no-store");
  return response;
}

// Full tiles never change; partial ones are of the published size and only as good as it.
http::Response tile_response(const TileName& name, const Bytes& bytes) {
  auto response = http::text_response(200, std::string(as_text(bytes)), "application/octet-stream");
  response.set("Cache-Control", name.width == 0 ? "private, max-age=31536000, immutable" : "no-store");
  return response;
}

Result<http::Response> tile_of(const tlog::LogReader& reader, const std::string& path) {
  const TileName name = GREFFE_TRY(parse_tile_path("tile/" + path));
  const Bytes bytes = GREFFE_TRY(reader.tile(name));
  return tile_response(name, bytes);
}

}  // namespace

LogRoutes::LogRoutes(archive::Stores stores, archive::MainLog& main_log, const archive::HeldArchives& archives, archive::HearingLogs& hearings,
                     const SignIn& sign_in)
    : stores_(stores), main_log_(main_log), archives_(archives), hearings_(hearings), sign_in_(sign_in) {}

std::vector<http::Route> LogRoutes::routes() {
  const auto route = [this](std::string pattern, Result<http::Response> (LogRoutes::*handler)(const http::Request&, const Session&)) {
    return http::Route{"GET", std::move(pattern), sign_in_.guard([this, handler](const http::Request& request, const Session& session) {
                         return (this->*handler)(request, session);
                       })};
  };
  return {route("/v1/keys", &LogRoutes::keys),
          route("/v1/log/main/checkpoint", &LogRoutes::main_checkpoint),
          route("/v1/log/main/epochs", &LogRoutes::main_epochs),
          route("/v1/log/main/entries", &LogRoutes::entries),
          route("/v1/log/main/tile/{path*}", &LogRoutes::main_tile),
          route("/v1/log/hearing/{id}/checkpoint", &LogRoutes::hearing_checkpoint),
          route("/v1/log/hearing/{id}/tile/{path*}", &LogRoutes::hearing_tile)};
}

// Those of the first epoch: who has pinned them is led from there to the later ones. Of a copy the log's key is the one that an operator named
// here (`origin add`); the others are what that log says.
Result<http::Response> LogRoutes::keys(const http::Request& request, const Session&) {
  const std::string asked = request.query_value("archive");
  const archive::HeldArchive found = GREFFE_TRY(archives_.named(asked.empty() ? main_log_.archive_name() : asked));
  const auto facts = GREFFE_TRY(found.catalogue->archive_facts());
  const PublicKey log_key = found.own && facts ? facts->log_key : found.log_key;
  const std::vector<VerifierKey> cosigners = GREFFE_TRY(archive::cosigning_keys(*found.catalogue, {"cosigner", "witness"}));
  Json::Array list;
  for (const VerifierKey& key : cosigners) list.push_back(Json().set("name", key.name).set("vkey", key.text()));
  Json out;
  out.set("archive", found.name).set("cosigners", std::move(list)).set("holder_vkey", facts ? facts->holder_vkey : std::string());
  out.set("log_vkey", archive::log_verifier(found.name, log_key).text());
  return http::json_response(200, write_json(out));
}

Result<http::Response> LogRoutes::main_checkpoint(const http::Request&, const Session&) {
  const SignedCheckpoint head = GREFFE_TRY(main_log_.published());
  return checkpoint_response(head);
}

Result<http::Response> LogRoutes::main_epochs(const http::Request&, const Session&) {
  const archive::HeldArchive own = GREFFE_TRY(archives_.named(main_log_.archive_name()));
  const SignedCheckpoint head = GREFFE_TRY(main_log_.published());
  Json out;
  out.set("checkpoint", head.note.write());
  out.set("epochs", GREFFE_TRY(proven_epochs(stores_, own, own.chain.newest().first + head.checkpoint.size)));
  return http::json_response(200, write_json(out));
}

// Entries carry no personal data and no free text, so whoever is signed in may check the log.
Result<http::Response> LogRoutes::main_tile(const http::Request& request, const Session&) {
  return tile_of(main_log_.reader(), request.parameter("path"));
}

Result<tlog::LogReader> LogRoutes::readable_hearing(const http::Request& request, const Session& session) const {
  const HearingId id = GREFFE_TRY(parse_hearing_id(request.parameter("id")));
  if (!accounts::may_find(session.account)) return fail(Errc::denied, "Your account does not show hearings.");
  GREFFE_TRY(archives_.hearing(id, session.account));
  return hearings_.reader(id);
}

Result<http::Response> LogRoutes::hearing_checkpoint(const http::Request& request, const Session& session) {
  const tlog::LogReader reader = GREFFE_TRY(readable_hearing(request, session));
  const SignedCheckpoint head = GREFFE_TRY(reader.checkpoint());
  return checkpoint_response(head);
}

Result<http::Response> LogRoutes::hearing_tile(const http::Request& request, const Session& session) {
  const tlog::LogReader reader = GREFFE_TRY(readable_hearing(request, session));
  return tile_of(reader, request.parameter("path"));
}

Result<http::Response> LogRoutes::entries(const http::Request& request, const Session& session) {
  if (!accounts::may_see_log(session.account)) return fail(Errc::denied, "The log is shown to auditors and operators.");
  catalogue::EntryQuery query;
  query.kind = request.query_value("kind");
  if (const std::string id = request.query_value("hearing"); !id.empty()) query.hearing = GREFFE_TRY(parse_hearing_id(id));
  if (const std::string before = request.query_value("before"); !before.empty()) query.before = GREFFE_TRY(parse_decimal(before));
  if (const std::string limit = request.query_value("limit"); !limit.empty()) query.limit = GREFFE_TRY(parse_decimal(limit));
  if (query.limit < 1 || query.limit > kMaxEntriesPerPage) return fail(Errc::invalid, "limit must be from 1 to 200");
  const tlog::LogChain& chain = main_log_.chain();
  std::vector<std::uint64_t> indices;  // numbers, through all epochs
  if (query.kind.empty() && !query.hearing) {
    const std::uint64_t end = std::min(query.before.value_or(UINT64_MAX), chain.newest().first + main_log_.head().checkpoint.size);
    for (std::uint64_t i = end; i > 0 && indices.size() < query.limit; --i) indices.push_back(i - 1);
  } else {
    indices = GREFFE_TRY(main_log_.catalogue().entries(query));
  }
  Json::Array list;
  for (const std::uint64_t index : indices) {
    const std::vector<std::string> entry = GREFFE_TRY(chain.entries(index, index + 1));
    Json one;
    one.set("entry", entry[0]).set("index", index);
    list.push_back(std::move(one));
  }
  Json out;
  if (indices.size() == query.limit && indices.back() > 0) out.set("next_before", indices.back());
  out.set("entries", std::move(list));
  return http::json_response(200, write_json(out));
}

}  // namespace greffe::web
