#include "web/waiting_pages.h"

#include <algorithm>
#include <array>

namespace greffe::web {
namespace {

constexpr std::size_t kHexDigits = 64;
constexpr int kGood = 200;
constexpr std::string_view kObjects = "objects/";
constexpr std::array<std::string_view, 8> kPassedBack = {"accept-ranges", "allow", "cache-control", "content-range", "content-type", "etag",
                                                         "retry-after",   "set-cookie"};

http::Response unreached(const Error& why) {
  // The address of the other machine is nothing for the person at the page.
  http::Response out = http::problem(503, "unavailable", why.code == Errc::unavailable || why.code == Errc::cancelled
                                                             ? "The machine of this archive that writes cannot be reached; another takes over within half a minute."
                                                             : "The machine of this archive that writes gave an answer that cannot be used. Tell the archive's operator.");
  out.set("Retry-After", "5");
  return out;
}

http::Response answer_of(HttpResponse from) {
  http::Response out;
  out.status = from.status;
  for (auto& [name, value] : from.headers) {
    if (std::find(kPassedBack.begin(), kPassedBack.end(), name) != kPassedBack.end()) out.set(name, std::move(value));
  }
  out.body = std::move(from.body);
  return out;
}

}  // namespace

http::Response WaitingPages::forward(const http::Request& request) {
  auto answer = writer_.forward(request);
  return answer ? answer_of(*std::move(answer)) : unreached(answer.error());
}

// Whatever is not as it should be, is the writer's to say or to mend.
http::Response WaitingPages::object(const http::Request& request, const std::string& name) {
  const auto digest = digest_from_hex(std::string_view(name).substr(0, kHexDigits));
  if (!digest) return forward(request);
  const auto allowed = writer_.look(request);
  if (!allowed) return unreached(allowed.error());
  if (allowed->status != kGood) return forward(request);
  auto file = objects_.open_object(*digest);
  const auto size = file ? (*file)->size() : Result<std::uint64_t>(file.error());
  if (!size) return forward(request);
  const OpenObject object{*std::move(file), *size, allowed->header("content-type"), "\"" + digest->hex() + "\""};
  open_objects_.keep(OpenObjects::key_of(request), object);
  return object_response(request, object);
}

std::vector<http::Route> WaitingPages::routes() {
  const http::QuickHandler again = [this](const http::Request& request) -> std::optional<http::Response> {
    const auto object = open_objects_.find(OpenObjects::key_of(request));
    return object ? std::optional(object_response(request, *object)) : std::nullopt;
  };
  const http::Handler all = [this](const http::Request& request) { return forward(request); };
  const http::Handler of_hearing = [this](const http::Request& request) { return object(request, request.parameter("name")); };
  const http::Handler of_ticket = [this](const http::Request& request) {
    const std::string path = request.parameter("path");
    return path.starts_with(kObjects) ? object(request, path.substr(kObjects.size())) : forward(request);
  };
  const std::uint64_t no_body = 0;
  std::vector<http::Route> out = {{"GET", "/v1/hearings/{id}/objects/{name}", of_hearing, no_body, again},
                                  {"GET", "/v1/play/{ticket}/{path*}", of_ticket, no_body, again}};
  for (const char* method : {"GET", "POST", "PUT", "DELETE"}) out.push_back({method, "/v1/{path*}", all});
  return out;
}

}  // namespace greffe::web
