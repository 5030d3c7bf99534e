// A browser before the routes of a sample site: its cookie, and requests as the server would hand them on.
#ifndef GREFFE_TESTS_UNIT_WEB_SAMPLE_BROWSER_H
#define GREFFE_TESTS_UNIT_WEB_SAMPLE_BROWSER_H

#include "tests/unit/web/sample_site.h"

namespace greffe::testing {

inline constexpr const char* kBrowserPassword = "correct horse battery";

struct Browser {
  explicit Browser(SampleSite& the_site) : site(the_site), routes(site.all_routes()) {}

  http::Response call(const std::string& method, const std::string& pattern,
                              std::map<std::string, std::string> parameters = {}, const std::string& body = "",
                              std::multimap<std::string, std::string> query = {}) {
    http::Request request;
    request.method = method;
    request.path = pattern;
    request.parameters = std::move(parameters);
    request.query = std::move(query);
    request.body = body;
    request.remote = "127.0.0.1:5000";
    request.headers = {{"host", "archive.example"}, {"origin", origin}};
    if (!cookie.empty()) request.headers.emplace("cookie", "__Host-greffe=" + cookie);
    return std::get<http::Handler>(route(method, pattern).handler)(request);
  }
  // A request for an object as the server would make it; only the event loop's answer.
  std::optional<http::Response> at_once(const std::string& pattern, const std::string& path, const std::string& range = "") {
    http::Request request = object_request(path);
    if (!range.empty()) request.headers.emplace("range", range);
    return route("GET", pattern).quick(request);
  }
  http::Response object(const std::string& hearing, const std::string& name) {
    http::Request request = object_request("/v1/hearings/" + hearing + "/objects/" + name);
    request.parameters = {{"id", hearing}, {"name", name}};
    return std::get<http::Handler>(route("GET", "/v1/hearings/{id}/objects/{name}").handler)(request);
  }
  http::Request object_request(const std::string& path) const {
    http::Request request;
    request.method = "GET";
    request.path = path;
    if (!cookie.empty()) request.headers.emplace("cookie", "__Host-greffe=" + cookie);
    return request;
  }
  const http::Route& route(const std::string& method, const std::string& pattern) {
    for (const http::Route& one : routes) {
      if (one.method == method && one.pattern == pattern) return one;
    }
    FAIL("no route " << method << " " << pattern);
    return routes.front();
  }
  Json json(const http::Response& response) {
    const auto parsed = parse_json(std::get<std::string>(response.body));
    REQUIRE(parsed);
    return *parsed;
  }
  void log_in(const std::string& account) {
    const auto response = call("POST", "/v1/session", {}, "{\"account\":\"" + account + "\",\"password\":\"" + kBrowserPassword + "\"}");
    REQUIRE(response.status == 200);
    for (const auto& [name, value] : response.headers) {
      if (name == "Set-Cookie") {
        cookie = value.substr(value.find('=') + 1, value.find(';') - value.find('=') - 1);
        CHECK(value.find("Secure; HttpOnly; SameSite=Strict") != std::string::npos);
      }
    }
  }

  SampleSite& site;
  std::vector<http::Route> routes;
  std::string cookie;
  std::string origin = "https://archive.example";
};

inline void add_account(SampleSite& site, const std::string& name, accounts::Role role, const std::string& court) {
  accounts::Account account;
  account.name = name;
  account.display_name = "Person " + name;
  account.roles = {role};
  if (court.empty()) account.all_courts = role == accounts::Role::operator_;
  if (!court.empty()) account.courts = {court};
  account.language = "en";
  const auto made = site.accounts.add(account, kBrowserPassword);
  if (!made) FAIL(made.error().message);
}

}  // namespace greffe::testing

#endif
