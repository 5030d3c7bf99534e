#include "web/sign_in.h"

#include <fmt/format.h>

#include "web/forwarded_address.h"
#include "web/json_of.h"

namespace greffe::web {
namespace {

constexpr std::string_view kCookie = "__Host-greffe";
constexpr std::string_view kBearer = "Bearer ";

bool is_bearer(const http::Request& request) { return request.header("authorization").starts_with(kBearer); }

// "https://archive.court.example:8443" is the same site when its host and port are those that were asked.
bool is_same_site(const http::Request& request) {
  const std::string origin = request.header("origin");
  if (!origin.empty()) return origin == "https://" + request.header("host");
  const std::string site = request.header("sec-fetch-site");
  return site == "same-origin";
}

bool changes_something(const http::Request& request) { return request.method != "GET" && request.method != "HEAD"; }

std::string cookie_of(const std::string& secret, std::int64_t max_age_s) {
  return fmt::format("{}={}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={}", kCookie, secret, max_age_s);
}

http::Response not_signed_in() {
  return http::problem(401, "denied", "You are not signed in, or your session has ended. Sign in again.");
}

http::Response other_site() {
  return http::problem(403, "denied", "This request came from a page of another site and was not carried out.");
}

}  // namespace

SignIn::SignIn(accounts::Accounts& accounts, Clock& clock, const PublicKey& server_key)
    : accounts_(accounts), clock_(clock), server_key_(server_key) {}

Result<accounts::Session> SignIn::who(const http::Request& request) const {
  if (is_bearer(request)) return accounts_.token_session(request.header("authorization").substr(kBearer.size()));
  const std::string secret = request.cookie(kCookie);
  if (secret.empty()) return fail(Errc::denied, "not signed in");
  return accounts_.session(secret);
}

std::string SignIn::credential(const http::Request& request) {
  return is_bearer(request) ? request.header("authorization") : request.cookie(kCookie);
}

http::Handler SignIn::guard(SignedInHandler handler) const {
  return [this, handler = std::move(handler)](const http::Request& request) -> http::Response {
    const auto session = who(request);
    if (!session) return session.error().code == Errc::denied ? not_signed_in() : http::problem(session.error());
    if (changes_something(request) && !is_bearer(request) && !is_same_site(request)) return other_site();
    auto response = handler(request, *session);
    return response ? std::move(*response) : http::problem(response.error());
  };
}

std::vector<http::Route> SignIn::routes() const {
  const auto log_in = [this](const http::Request& request) -> http::Response {
    if (!is_same_site(request)) return other_site();
    const auto json = parse_json(request.body);
    const auto account = json ? json->string("account") : Result<std::string>(json.error());
    const auto password = json ? json->string("password") : Result<std::string>(json.error());
    if (!account || !password) return http::problem(400, "invalid", "Give an account and a password.");
    const auto from = client_address(server_key_, request, clock_.utc_now());
    if (!from) return http::problem(from.error());
    const auto outcome = accounts_.log_in(*account, *password, *from);
    if (!outcome) return http::problem(outcome.error());
    if (outcome->outcome == accounts::LogIn::Outcome::wait) {
      auto response = http::problem(429, "unavailable", fmt::format("Too many failed attempts. Try again in {} seconds.", outcome->retry_after_s));
      response.set("Retry-After", std::to_string(outcome->retry_after_s));
      return response;
    }
    if (outcome->outcome == accounts::LogIn::Outcome::refused) {
      return http::problem(401, "denied", "The account or the password is wrong.");
    }
    auto response = http::json_response(200, write_json(json_of(outcome->session.account)));
    response.set("Set-Cookie", cookie_of(outcome->secret, accounts::kSessionMaxMs / 1000));
    return response;
  };
  const auto log_out = [this](const http::Request& request) -> http::Response {
    if (!is_same_site(request)) return other_site();
    const Status ended = accounts_.end_session(request.cookie(kCookie));
    if (!ended) return http::problem(ended.error());
    auto response = http::text_response(204, "");
    response.set("Set-Cookie", cookie_of("", 0));
    return response;
  };
  return {{"POST", "/v1/session", http::Handler(log_in)},
          {"GET", "/v1/session", guard([](const http::Request&, const accounts::Session& session) -> Result<http::Response> {
             return http::json_response(200, write_json(json_of(session.account)));
           })},
          {"DELETE", "/v1/session", http::Handler(log_out)}};
}

}  // namespace greffe::web
