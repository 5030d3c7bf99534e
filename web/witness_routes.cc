#include "web/witness_routes.h"

#include "web/control_route.h"
#include "web/json_of.h"

namespace greffe::web {
namespace {

using Outcome = archive::Witness::Answer::Outcome;

// Another log may say that it has more entries than JSON has numbers.
std::string size_text(std::uint64_t size) { return std::to_string(size); }

http::Response no_store(http::Response response) {
  response.set("Cache-Control", "no-store");
  return response;
}

http::Response response_of(const archive::Witness::Answer& answer) {
  switch (answer.outcome) {
    case Outcome::cosigned: return http::text_response(200, write_cosignatures(answer.lines));
    case Outcome::malformed: return http::problem(400, "invalid", answer.detail);
    case Outcome::unknown_log: return http::problem(404, "not_found", answer.detail);
    case Outcome::not_signed: return http::problem(403, "denied", answer.detail);
    case Outcome::other_size: return http::text_response(409, write_witness_size(answer.size), "text/x.tlog.size");
    case Outcome::not_consistent: return http::problem(422, "conflict", answer.detail);
  }
  return http::problem(500, "invalid", "");  // no such outcome
}

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::cosigned: return "cosigned";
    case Outcome::malformed: return "malformed";
    case Outcome::unknown_log: return "unknown-log";
    case Outcome::not_signed: return "not-signed";
    case Outcome::other_size: return "other-size";
    case Outcome::not_consistent: return "not-consistent";
  }
  return "malformed";  // no such outcome
}

}  // namespace

WitnessRoutes::WitnessRoutes(archive::Witness& witness, archive::Witnesses& witnesses, archive::Peers& peers)
    : witness_(witness), witnesses_(witnesses), peers_(peers) {}

std::vector<http::Route> WitnessRoutes::routes() {
  const http::Handler submit = [this](const http::Request& asked) { return no_store(add_checkpoint(asked)); };
  const http::Handler read = [this](const http::Request& asked) { return no_store(newest(asked)); };
  return {{"POST", "/v1/witness/add-checkpoint", submit, kMaxAddCheckpointBytes}, {"GET", "/v1/witness/{origin}/checkpoint", read, 0}};
}

std::vector<http::Route> WitnessRoutes::control_routes() {
  const auto route = [this](const std::string& verb, Result<Json> (WitnessRoutes::*handler)(const Json&)) {
    return control_route(verb, [this, handler](const Json& arguments) { return (this->*handler)(arguments); });
  };
  return {route("witness-key", &WitnessRoutes::key),
          route("witness-add-log", &WitnessRoutes::add_log),
          route("witness-remove-log", &WitnessRoutes::remove_log),
          route("witness-logs", &WitnessRoutes::list_logs),
          route("witness-sign", &WitnessRoutes::sign),
          route("witness-add", &WitnessRoutes::add),
          route("witness-remove", &WitnessRoutes::remove),
          route("witness-list", &WitnessRoutes::list),
          route("witness-request", &WitnessRoutes::request),
          route("witness-take", &WitnessRoutes::take)};
}

http::Response WitnessRoutes::add_checkpoint(const http::Request& asked) {
  const auto answer = witness_.add_checkpoint(asked.body);
  return answer ? response_of(*answer) : http::problem(answer.error());
}

http::Response WitnessRoutes::newest(const http::Request& asked) {
  const auto origin = digest_from_hex(asked.parameter("origin"));
  if (!origin) return http::problem(origin.error());
  const auto held = witness_.newest(*origin);
  return held ? http::text_response(200, held->note.write()) : http::problem(held.error());
}

// ---- this witness ----

Result<Json> WitnessRoutes::key(const Json&) {
  const VerifierKey held = GREFFE_TRY(witness_.key());
  return Json().set("vkey", held.text());
}

Result<Json> WitnessRoutes::add_log(const Json& arguments) {
  const std::string text = GREFFE_TRY(arguments.string("vkey"));
  const VerifierKey log = GREFFE_TRY(parse_verifier_key(text));
  GREFFE_TRY(witness_.add_log(log));
  return Json().set("origin", log.name);
}

Result<Json> WitnessRoutes::remove_log(const Json& arguments) {
  const std::string origin = GREFFE_TRY(arguments.string("origin"));
  GREFFE_TRY(witness_.remove_log(origin));
  return Json();
}

Result<Json> WitnessRoutes::list_logs(const Json&) {
  const std::vector<archive::Witness::WitnessedLog> logs = GREFFE_TRY(witness_.logs());
  const VerifierKey held = GREFFE_TRY(witness_.key());
  Json::Array list;
  for (const archive::Witness::WitnessedLog& log : logs) {
    Json one;
    one.set("origin", log.key.name).set("size", size_text(log.newest ? log.newest->checkpoint.size : 0)).set("vkey", log.key.text());
    if (log.newest) {
      one.set("root", log.newest->checkpoint.root);
      if (const auto time = verify_cosignature(log.newest->note, held)) one.set("utc", *time);
    }
    list.push_back(std::move(one));
  }
  Json out;
  out.set("logs", std::move(list));
  return out;
}

// What somebody brought on a stick; answered with what is carried back: the cosigned checkpoint, or, where this witness has cosigned
// something else, that.
Result<Json> WitnessRoutes::sign(const Json& arguments) {
  const std::string text = GREFFE_TRY(arguments.string("request"));
  const archive::Witness::Answer answer = GREFFE_TRY(witness_.add_checkpoint(text));
  Json out;
  out.set("detail", answer.detail).set("outcome", name_of(answer.outcome)).set("size", size_text(answer.size));
  if (answer.newest) out.set("checkpoint", answer.newest->note.write());
  return out;
}

// ---- those who witness this archive ----

Result<Json> WitnessRoutes::add(const Json& arguments) {
  archive::WitnessPlace place;
  const std::string text = GREFFE_TRY(arguments.string("vkey"));
  place.key = GREFFE_TRY(parse_verifier_key(text));
  if (arguments.has("url")) place.url = GREFFE_TRY(arguments.string("url"));
  if (arguments.has("monitoring")) place.monitoring = GREFFE_TRY(arguments.string("monitoring"));
  if (arguments.has("authorities")) place.authorities_pem = GREFFE_TRY(arguments.string("authorities"));
  if (arguments.has("server_key")) place.server_key = GREFFE_TRY(arguments.digest("server_key"));
  GREFFE_TRY(witnesses_.add(place));
  return Json().set("name", place.key.name);
}

// It is asked no more even where its key cannot be revoked now, because nothing is signed.
Result<Json> WitnessRoutes::remove(const Json& arguments) {
  const std::string name = GREFFE_TRY(arguments.string("name"));
  const Status removed = witnesses_.remove(name);
  if (!removed && removed.error().code != Errc::not_found) return removed.error();
  const Status revoked = peers_.revoke("witness", name, "retired");
  if (!removed && !revoked) return removed.error();
  if (!revoked && revoked.error().code != Errc::not_found) {
    return revoked.error().within("the witness " + name + " is not asked any more, but its key stands in the main log still; remove it again later");
  }
  return Json();
}

Result<Json> WitnessRoutes::list(const Json&) {
  Json::Array witnesses;
  for (const archive::WitnessFacts& one : witnesses_.facts()) witnesses.push_back(json_of(one));
  Json out;
  out.set("witnesses", std::move(witnesses));
  return out;
}

Result<Json> WitnessRoutes::request(const Json& arguments) {
  const std::string name = GREFFE_TRY(arguments.string("name"));
  std::optional<std::uint64_t> old_size;
  if (arguments.has("old")) old_size = GREFFE_TRY(arguments.size("old"));
  Json out;
  out.set("request", GREFFE_TRY(witnesses_.request(name, old_size)));
  return out;
}

Result<Json> WitnessRoutes::take(const Json& arguments) {
  const std::string text = GREFFE_TRY(arguments.string("checkpoint"));
  const SignedCheckpoint taken = GREFFE_TRY(witnesses_.take(text));
  return Json().set("size", taken.checkpoint.size);
}

}  // namespace greffe::web
